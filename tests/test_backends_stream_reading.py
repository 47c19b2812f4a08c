"""Reading events that differ only in their text, against decoding each of them.

- Whatever follows an event, the texts found are those that decoding one by one finds, in order.
- Text may hold anything: quotes, backslashes, the bytes around it, other languages.
- An event that differs in anything else ends the run; so does one without text.
"""

import json

from hypothesis import given
from hypothesis import strategies as st

from steelyard.backends._stream import Listed, Stream
from steelyard.engine import sse

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ['"', "\\", '","', '"}', '\\"', '{"content":"x"}', "你好", '"}}],"content":"']
)
OTHERS = st.sampled_from(
    [b"", b"x", b'{"choices":[{"delta":{"content":"a\\"}}]}', b'{"choices":[{"delta":{}}]}']
)


def event(text: str, *, plain: bool = True) -> bytes:
    body = {"choices": [{"index": 0, "delta": {"content": text}, "logprobs": None}]}
    return json.dumps(body, ensure_ascii=plain, separators=(",", ":")).encode()


def body(*events: bytes, lead: bytes = b"data: ") -> bytes:
    return b"".join(lead + one + b"\n\n" for one in events)


def texts_alike(events: list[bytes], text: str) -> list[str]:
    """What is read at once behind the first event, whose text is ``text``."""
    stream = Stream(Listed(sse.events(body(*events))), json.loads)
    next(iter(stream))
    return stream.alike(text).texts


def one_by_one(data: list[bytes]) -> list[str]:
    """Texts of the leading events that are ``event`` of some text in one of its spellings."""
    found = []
    for one in data:
        try:
            text = json.loads(one)["choices"][0]["delta"].get("content", "")
        except ValueError:
            break
        if not text or one not in (event(text), event(text, plain=False)):
            break
        found.append(text)
    return found


@given(TEXTS.filter(bool), st.lists(TEXTS.map(event) | OTHERS, max_size=8))
def test_texts_are_those_that_decoding_each_event_finds(first: str, following: list[bytes]) -> None:
    found = texts_alike([event(first), *following], first)
    assert found in (one_by_one(following), [])


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=20), st.booleans())
def test_a_whole_run_of_events_is_taken_at_once(texts: list[str], plain: bool) -> None:
    data = [event(text, plain=plain) for text in ["first", *texts]]
    assert texts_alike(data, "first") == texts


@given(
    TEXTS.filter(bool),
    st.lists(TEXTS.map(event) | st.sampled_from([b"{}", b"[1]"]), max_size=20),
    st.sampled_from([b"data: ", b"data:"]),
)
def test_events_and_runs_cover_the_body_and_end_where_they_end(
    first: str, following: list[bytes], lead: bytes
) -> None:
    events = [event(first), *following]
    whole = body(*events, lead=lead)
    stream = Stream(Listed(sse.events(whole)), json.loads)
    ends = []
    for decoded in stream:
        ends.append(stream.end)
        if isinstance(decoded, dict) and decoded:
            ends += stream.alike(decoded["choices"][0]["delta"]["content"]).ends
    assert ends == [len(body(*events[:k], lead=lead)) for k in range(1, len(events) + 1)]


def test_reading_stops_at_done() -> None:
    stream = Stream(Listed(sse.events(body(event("a"), b"[DONE]", event("b")))), json.loads)
    assert len(list(stream)) == 1
    assert stream.done


def test_a_changed_field_ends_the_run() -> None:
    changed = event("c").replace(b'"index":0', b'"index":1')
    assert texts_alike([event("a"), event("b"), changed, event("d")], "a") == ["b"]


def test_an_event_without_text_ends_the_run() -> None:
    assert texts_alike([event("a"), event("b"), event(""), event("d")], "a") == ["b"]


def test_two_texts_in_one_event_are_left_to_the_decoder() -> None:
    both = b'{"delta":{"content":"a","reasoning":"b"}}'
    assert texts_alike([both, both], "a") == []
