"""How a finished body is read as server-sent events, and when each event had arrived.

- The fast path and the general one agree on every body the fast one takes.
- Comments, other fields, all three line ends, several data lines and a byte-order mark are read.
- A last event without its blank line still counts.
- An event arrives with its last byte, however reads are cut, in mid-character too.
"""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.engine import sse
from steelyard.engine.sse import Events, clock, events

texts = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=12)
fields = st.one_of(
    texts.map("data: {}".format),
    texts.map("data:{}".format),
    texts.map(": {}".format),
    texts.map("event: {}".format),
    st.sampled_from(["data", "data:", "id: 1", "database: x", " data: x", "retry: 5"]),
)
line_ends = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Anything the standard allows, blank lines included."""
    out = draw(st.sampled_from(["", "\ufeff"]))
    for line in draw(st.lists(fields | st.just(""), max_size=12)):
        out += line + draw(line_ends)
    return (out + draw(st.sampled_from(["", "data: last"]))).encode()


@st.composite
def usual_streams(draw: st.DrawFn) -> bytes:
    """What services write, sometimes with a disturbance in it."""
    lead = draw(st.sampled_from(["data: ", "data:"]))
    data = draw(st.lists(texts, min_size=1, max_size=8))
    body = "".join(f"{lead}{text}\n\n" for text in data).encode()
    place = draw(st.integers(0, len(body)))
    noise = draw(st.sampled_from([b"", b"", b"\n", b"\n\n", b"\r", b": ping\n\n", b"data: x\n\n"]))
    return body[:place] + noise + body[place:]


def by_the_standard(body: bytes) -> list[bytes]:
    """Data of the events, read line by line as the standard puts it."""
    text = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found, data = [], []
    for line in [*text.split(b"\n"), b""]:
        name, _, value = line.partition(b":")
        if not line and data:
            found.append(b"\n".join(data))
            data = []
        elif name == b"data":
            data.append(value.removeprefix(b" "))
    return found


@given(streams() | usual_streams())
def test_events_are_those_of_the_standard(body: bytes) -> None:
    assert events(body).data == by_the_standard(body)


@given(usual_streams())
def test_the_fast_path_agrees_with_the_general_one(body: bytes) -> None:
    found = sse._uniform(body)
    assert found is None or found == sse._general(body)


def test_the_fast_path_takes_what_services_write() -> None:
    for lead in (b"data: ", b"data:"):
        assert sse._uniform(lead + b'{"a": 1}\n\n' + lead + b"[DONE]\n\n") == Events(
            [b'{"a": 1}', b"[DONE]"],
            [len(lead) + 10, 2 * len(lead) + 18],
        )


@given(streams())
def test_ends_rise_and_the_last_is_in_the_body(body: bytes) -> None:
    ends = events(body).ends
    assert ends == sorted(set(ends))
    assert all(end <= len(body) for end in ends)


@given(streams() | usual_streams())
def test_an_event_is_over_at_its_end(body: bytes) -> None:
    """The bytes up to an event's end, by themselves, hold the same events up to it."""
    found = events(body)
    for number, end in enumerate(found.ends, 1):
        assert events(body[:end]) == found.first(number)


def test_a_last_event_without_blank_line_counts() -> None:
    assert events(b"data: a\n\ndata: b") == Events([b"a", b"b"], [9, 16])
    assert events(b"data: a\n\ndata: b\n") == Events([b"a", b"b"], [9, 17])


@pytest.mark.parametrize("body", [b"", b"\n\n", b": ping\n\n", b"event: x\n\n", b"\xef\xbb\xbf"])
def test_a_body_without_data_has_no_events(body: bytes) -> None:
    assert events(body) == Events([], [])


@given(streams() | usual_streams(), st.data())
def test_an_event_arrives_with_the_read_that_brought_its_last_byte(
    body: bytes, data: st.DataObject
) -> None:
    sizes = []
    while sum(sizes) < len(body):
        sizes.append(data.draw(st.integers(1, 20)))
    ends = [min(end, len(body)) for end in accumulate(sizes)]
    times = [100 * number for number in range(1, len(ends) + 1)]
    found = events(body)
    for event_end, ns in zip(found.ends, clock(ends, times, found.ends), strict=True):
        assert ns == next(at for end, at in zip(ends, times, strict=True) if end >= event_end)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 8)), min_size=1, max_size=9), st.data())
def test_events_that_came_one_a_read_have_the_clock_of_their_reads(
    reads: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Also when a few reads brought none, or what ends an event came with the next one."""
    offsets = list(accumulate(size for size, _ in reads))
    found = [end - min(late, size - 1) for end, (size, late) in zip(offsets, reads, strict=True)]
    skipped = data.draw(st.integers(0, len(found)))
    assert clock(offsets, offsets, found[skipped:]) == offsets[skipped:]


def test_an_offset_that_no_read_brought_is_an_error() -> None:
    with pytest.raises(ValueError, match="no read brought byte 8"):
        clock([7], [1], [8])
