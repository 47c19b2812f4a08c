"""A stream of events read straight from the bytes of its reads, where it has the usual shape.

Services send each event as a chunk of its own: a line of data and an empty one. Cut at every
newline, such bytes are four lines an event (size, data, nothing, nothing), and when every size is
that of the event behind it, this is the one way to read them. Offsets are those of the bytes as
they came, so every event's arrival is that of the read which brought its last byte.
"""

from functools import lru_cache
from itertools import accumulate, islice, repeat
from operator import add
from typing import NamedTuple

from steelyard.core import Timing
from steelyard.engine.sse import Events

_LEAD = b"data: "
_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"\n\n\r\n0\r\n\r\n"


class EventStream(NamedTuple):
    """The events of one answer, and when its bytes were there."""

    events: Events
    """``ends`` count from the first byte of the response."""
    marks: list[tuple[int, int]]
    """``(end offset, ns)`` of every read."""
    timing: Timing


def event_stream(reads: list[bytes], times: list[int], sent_ns: int) -> EventStream | None:
    """The events of the whole response in ``reads``; ``None`` when it has another shape."""
    raw = b"".join(reads)
    start = raw.find(_HEAD_END) + len(_HEAD_END)
    if not raw.startswith(b"HTTP/1.1 200 ") or not raw.endswith(_LAST_CHUNK):
        return None
    events = _events(raw[start:], start)
    if events is None:
        return None
    marks = list(zip(accumulate(map(len, reads)), times, strict=True))
    timing = Timing(queued_ns=sent_ns, sent_ns=sent_ns, first_byte_ns=times[0], done_ns=times[-1])
    return EventStream(events, marks, timing)


def _events(chunks: bytes, start: int) -> Events | None:
    """The events in ``chunks``, which begin at offset ``start``."""
    lines = chunks.split(b"\n")
    sizes, data = lines[0:-3:4], lines[1:-3:4]
    count = len(data)
    lengths = list(map(len, data))
    between = lines[2:-3:4], lines[3:-3:4]
    if between != ([b""] * count, [b"\r"] * count) or list(map(_size_line, lengths)) != sizes:
        return None
    lead = len(_LEAD)
    if not all(map(bytes.startswith, data, repeat(_LEAD, count))) or b"\r" in b"".join(data):
        return None
    both = [b""] * (2 * count)
    both[0::2], both[1::2] = sizes, data
    ends = islice(accumulate(map(len, both)), 1, None, 2)
    # Behind the event's two newlines; five bytes of every event stand in neither of its lines.
    places = range(start + 3, start + 3 + 5 * count, 5)
    return Events([line[lead:] for line in data], list(map(add, ends, places)))


@lru_cache(maxsize=4096)
def _size_line(length: int) -> bytes:
    """How most servers write the size of a chunk with an event of so many bytes in one line."""
    return b"%x\r" % (length + 2)
