"""A stream of events read straight from the bytes of its reads, where it has the usual shape.

Services send each event as a chunk of its own: a line of data and an empty one. ``ChunkedEvents``
walks over such bytes without taking chunks and body apart first. Offsets are those of the bytes as
they came, so every event's arrival is that of the read which brought its last byte.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from steelyard.core import Timing

_LEAD = b"data: "
_HEAD_END = b"\r\n\r\n"
_EVENT_END = b"\n\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"

_alike: Callable[[bytes, int, bytes, bytes], tuple[list[bytes], list[int]]] | None
try:
    from steelyard.engine._alike import alike as _alike
except ImportError:
    _alike = None


class OtherShape(Exception):
    """The bytes are not one line of data to a chunk, all the way to the last chunk."""


class ChunkedEvents:
    """The events in ``raw`` from offset ``start``, one after the other."""

    def __init__(self, raw: bytes, start: int) -> None:
        self._raw = raw
        self._at = start

    def take(self) -> tuple[bytes, int] | None:
        """The next event's data and the offset behind its empty line; ``None``: there is no more.

        Raises ``OtherShape``.
        """
        raw, at = self._raw, self._at
        line_end = raw.find(b"\r\n", at)
        begin = line_end + 2 + len(_LEAD)
        end = raw.find(_EVENT_END, begin)
        if end < 0:
            self.end()
            return None
        data = raw[begin:end]
        usual = raw[at:begin] == _size_line(len(data) + len(_LEAD) + 2) + _LEAD
        if not usual or b"\n" in data or b"\r" in data:
            raise OtherShape
        self._at = end + len(_EVENT_END)
        return data, end + 2

    def alike(self, before: bytes, after: bytes) -> tuple[list[bytes], list[int]]:
        """What stands between ``before`` and ``after`` in the next events, and where those end.

        Up to the first event that is not made so or has nothing in between, and so many at a time;
        ``skip`` leaves behind as many of them as were of use. None without the module in C: they
        are then taken singly.
        """
        if _alike is None:
            return [], []
        return _alike(self._raw, self._at, before, after)

    def skip(self, ends: list[int]) -> None:
        """Leave behind events that ``alike`` found, of which these are the ends."""
        if ends:
            self._at = ends[-1] + 2

    def end(self) -> None:
        """Raises ``OtherShape`` unless nothing but the last chunk is left."""
        if self._raw[self._at :] != _LAST_CHUNK:
            raise OtherShape


class EventStream(NamedTuple):
    """The events of one answer, and when its bytes were there."""

    events: ChunkedEvents
    offsets: list[int]
    """Where each read ends."""
    times: list[int]
    """When each read returned, ns."""
    timing: Timing


def event_stream(reads: list[bytes], times: list[int], sent_ns: int) -> EventStream | None:
    """The events of the whole response in ``reads``; ``None`` when it cannot have that shape."""
    raw = b"".join(reads)
    start = raw.find(_HEAD_END) + len(_HEAD_END)
    if not raw.startswith(b"HTTP/1.1 200 ") or not raw.endswith(_EVENT_END + _LAST_CHUNK):
        return None
    offsets = list(accumulate(map(len, reads)))
    timing = Timing(queued_ns=sent_ns, sent_ns=sent_ns, first_byte_ns=times[0], done_ns=times[-1])
    return EventStream(ChunkedEvents(raw, start), offsets, times, timing)


@lru_cache(maxsize=4096)
def _size_line(length: int) -> bytes:
    """How most servers write the size of a chunk of so many bytes."""
    return b"%x\r\n" % length
