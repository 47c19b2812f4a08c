"""However a stream is spelt and however it is cut into reads, its text is the same.

- Lines end in any of the three ways; comments and other fields may stand between events.
- ``data:`` with and without a space, a document over several ``data:`` lines.
- Cuts fall anywhere: inside a character, a line, an event, or between many events.
"""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from dialect_server import delta, event, sse_answer, talk

WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from(["", "你好", "🙂", "👩‍👩‍👧", "\r\n", "data: x", "\u2028", "\x00"]),
    max_size=8,
)


@st.composite
def spelt(draw: st.DrawFn, document: object) -> bytes:
    """One event, in one of the ways that the standard allows."""
    line_end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    lead = draw(st.sampled_from([b"data:", b"data: "]))
    before = draw(
        st.sampled_from([b"", b": keep-alive", b"id: 7", b"event: message", b"data-x: 1"])
    )
    indent = draw(st.sampled_from([None, 1]))
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), indent=indent)
    lines = [before] if before else []
    lines += [lead + line for line in text.encode().split(b"\n")]
    return line_end.join([*lines, b"", b""])


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    """The words of an answer, and a stream of them cut into pieces."""
    words = draw(WORDS)
    documents = [{"choices": [{"delta": {"role": "assistant"}}]}]
    documents += [{"choices": [{"delta": {"content": word}}]} for word in words]
    documents += [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    body = b"".join(draw(spelt(document)) for document in documents)
    body += draw(
        st.sampled_from([b"", b"data: [DONE]\n\n", b"data:[DONE]\r\n\r\n", b"data: [DONE]"])
    )
    cuts = sorted(draw(st.sets(st.integers(1, len(body) - 1), max_size=12)))
    return words, [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]


@settings(max_examples=150, deadline=None)
@given(streams())
def test_any_spelling_and_any_cut_gives_the_same_text(case: tuple[list[str], list[bytes]]):
    words, pieces = case
    reply, _ = talk(sse_answer(*pieces), stream=True)
    assert reply.failure is None
    assert reply.text == "".join(words)
    assert len(reply.timing.gaps_us) == len(list(filter(None, words)))
    assert all(gap >= 0 for gap in reply.timing.gaps_us)
    assert sum(reply.timing.gaps_us) * 1000 <= reply.timing.done_ns - reply.timing.sent_ns + 1000


def test_a_character_may_be_cut_at_every_byte():
    text = "答案是四🙂"
    body = delta(content=text) + delta("stop")
    reply, _ = talk(sse_answer(*(bytes([byte]) for byte in body)), stream=True)
    assert reply.text == text


def test_an_event_has_arrived_when_its_last_byte_has():
    late = delta(content="b")
    pieces = [delta(content="a") + late[:20], 0.03, late[20:] + delta("stop")]
    reply, _ = talk(sse_answer(*pieces), stream=True)
    assert reply.text == "ab"
    assert reply.timing.gaps_us[1] >= 25_000


def test_a_last_event_without_its_blank_line_counts():
    body = event({"choices": [{"delta": {"content": "4"}, "finish_reason": "stop"}]})
    reply, _ = talk(sse_answer(body.rstrip()), stream=True)
    assert reply.text == "4"


def test_a_byte_order_mark_and_empty_events_are_passed_over():
    body = b"\xef\xbb\xbf" + delta(content="4") + b"data:\n\n" + delta("stop")
    reply, _ = talk(sse_answer(body), stream=True)
    assert reply.text == "4"
