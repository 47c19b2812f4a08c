"""Events read from the bytes of a chunked response, against taking chunks and body apart.

- Where the shape is the usual one, data and ends are those of the body, shifted by the framing.
- Any other shape is refused, never read differently.
- Events that are alike but for a piece in the middle are found as far as they are alike.
"""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.engine import ChunkedEvents, OtherShape, sse
from steelyard.engine import event_stream as event_stream_module
from steelyard.engine.event_stream import event_stream
from steelyard.engine.framing import BadResponse, ResponseReader

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
DATA = st.text(st.characters(codec="utf-8"), max_size=300).map(str.encode)
ODD = st.sampled_from([b"", b"\n", b"\r", b": ping\n\n", b"id: 1\n", b"data: x\n\n", b"0\r\n\r\n"])


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def event(data: bytes) -> bytes:
    return chunk(b"data: " + data + b"\n\n")


def taken(chunks: bytes, start: int = 0) -> list[tuple[bytes, int]]:
    events = ChunkedEvents(chunks, start)
    return list(iter(events.take, None))


def apart(raw: bytes) -> list[tuple[bytes, int]]:
    """Data of every event and the raw offset behind it, by the thorough way."""
    reader = ResponseReader("POST")
    assert reader.feed(raw)
    assert reader.end == len(raw)
    body = sse.events(b"".join(reader.parts))
    offsets = reader.body_offsets(range(len(raw) + 1))
    return [(data, offsets.index(end)) for data, end in zip(*body, strict=True)]


@given(st.lists(DATA.filter(lambda data: not {10, 13} & set(data)), max_size=6))
def test_usual_streams_are_read_as_they_are_when_taken_apart(datas: list[bytes]) -> None:
    raw = HEAD + b"".join(map(event, datas)) + LAST
    assert taken(raw, len(HEAD)) == apart(raw)


@given(st.lists(DATA | ODD, max_size=4), st.lists(ODD, max_size=3), st.data())
def test_other_shapes_are_refused_or_read_alike(
    datas: list[bytes], odd: list[bytes], data: st.DataObject
) -> None:
    pieces = data.draw(st.permutations([*map(event, datas), *map(chunk, filter(None, odd))]))
    raw = HEAD + b"".join(pieces) + LAST
    place = data.draw(st.integers(len(HEAD), len(raw)))
    raw = raw[:place] + data.draw(ODD) + raw[place:]
    try:
        found = taken(raw, len(HEAD))
    except OtherShape:
        return
    assert found == apart(raw)


@pytest.mark.parametrize("size", [b"7", b"9", b"008", b"8;x=1", b"A", b"-8", b""])
def test_a_size_that_is_not_the_event_s_is_refused(size: bytes) -> None:
    with pytest.raises(OtherShape):
        taken(event(b"y") + size + b"\r\ndata: \n\n\r\n" + LAST)


def test_sizes_of_two_and_three_digits_may_take_turns() -> None:
    texts = [b"x" * length for length in (200, 201, 231, 230, 1, 5000, 232)]
    events = ChunkedEvents(b"".join(event(b"<" + text + b">") for text in texts) + LAST, 0)
    assert events.alike(b"<", b">")[0] == texts


@given(
    st.lists(st.binary(max_size=300).filter(lambda text: not {10, 13} & set(text)), max_size=8),
    st.sampled_from([b"<", b"<" * 240]),
)
def test_events_are_alike_up_to_the_first_that_is_not(texts: list[bytes], before: bytes) -> None:
    datas = [before + text + b">" for text in texts]
    datas[2:2] = [b"other"] if len(datas) > 2 else []
    events = ChunkedEvents(b"".join(map(event, datas)) + LAST, 0)
    found, ends = events.alike(before, b">")
    expected = []
    for text in texts[:2] if len(texts) > 2 else texts:
        if not text:
            break
        expected.append(text)
    assert found == expected
    assert ends == [end - 2 for end in accumulate(len(event(data)) for data in datas[: len(ends)])]
    events.skip(ends)
    following = events.take()
    assert (following is None) == (len(found) == len(datas))
    assert following is None or following[0] == datas[len(found)]


@pytest.mark.skipif(event_stream_module._alike is None, reason="the modules in C were not built")
def test_of_a_long_run_so_many_are_found_at_a_time() -> None:
    texts = [b"%d" % number for number in range(2000)]
    events = ChunkedEvents(b"".join(event(b"<" + text + b">") for text in texts) + LAST, 0)
    found: list[bytes] = []
    while some := events.alike(b"<", b">")[0]:
        assert len(some) <= 512
        found += some
        events.skip(events.alike(b"<", b">")[1])
    assert found == texts


def test_without_the_module_in_c_events_are_taken_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream_module, "_alike", None)
    events = ChunkedEvents(event(b"<a>") + event(b"<b>") + LAST, 0)
    assert events.alike(b"<", b">") == ([], [])
    assert [data for data, _ in iter(events.take, None)] == [b"<a>", b"<b>"]


def test_a_whole_response_is_read_with_the_clock_of_its_reads() -> None:
    reads = [HEAD, event(b"a") + event(b"b"), event(b"c") + LAST]
    found = event_stream(reads, [10, 20, 30], 5)
    assert found is not None
    assert sse.clock(
        found.offsets, found.times, [end for _, end in iter(found.events.take, None)]
    ) == [
        20,
        20,
        30,
    ]
    assert (found.timing.sent_ns, found.timing.first_byte_ns, found.timing.done_ns) == (5, 10, 30)


@pytest.mark.parametrize(
    "raw",
    [
        HEAD.replace(b"200", b"500") + event(b"a") + LAST,
        HEAD + event(b"a"),
        HEAD + chunk(b"data: a\n\n\n") + LAST,
        HEAD + event(b"a") + LAST + b"x",
    ],
)
def test_what_cannot_be_a_usual_answer_is_left_to_the_thorough_way(raw: bytes) -> None:
    found = event_stream([raw], [1], 0)
    if found is not None:
        with pytest.raises(OtherShape):
            list(iter(found.events.take, None))


def test_thorough_reading_agrees_that_a_cut_answer_is_broken() -> None:
    with pytest.raises(BadResponse):
        ResponseReader("POST").feed(HEAD + b"8\r\ndata: xyz\n\n\r\n" + LAST)
