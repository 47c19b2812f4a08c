"""A stream of events read straight from the bytes of its reads, where it has the usual shape.

Services send each event as a chunk of its own: a line of data and an empty one. ``ChunkedEvents``
walks over such bytes without taking chunks and body apart first. Offsets are those of the bytes as
they came, so every event's arrival is that of the read which brought its last byte.
"""

from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from steelyard.core import Timing

_LEAD = b"data: "
_HEAD_END = b"\r\n\r\n"
_EVENT_END = b"\n\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_WINDOW_BYTES = 1 << 17
"""How far ahead events that are alike are looked for, so that short runs do not cost long looks."""


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

        Up to the first event that is not made so or has nothing in between, or to the end of a
        window; ``skip`` leaves behind as many of them as were of use.
        """
        raw, at, tail = self._raw, self._at, after + _EVENT_END
        heads = _Heads(before, len(after))
        if not self._next_is_alike(heads, tail):
            return [], []
        stop = raw.rfind(tail, at, at + _WINDOW_BYTES)
        pieces = raw[at:stop].split(tail)
        leads = list(map(heads.__getitem__, map(len, pieces)))
        texts = [piece[len(lead) :] for piece, lead in zip(pieces, leads, strict=True)]
        fit = [*map(bytes.startswith, pieces, leads)]
        if not all(fit) or not all(texts):
            count = next(k for k, text in enumerate(texts) if not (fit[k] and text))
            pieces, texts = pieces[:count], texts[:count]
        ends = accumulate([len(piece) + len(tail) for piece in pieces], initial=at - 2)
        return texts, list(ends)[1:]

    def skip(self, ends: list[int]) -> None:
        """Leave behind events that ``alike`` found, of which these are the ends."""
        if ends:
            self._at = ends[-1] + 2

    def end(self) -> None:
        """Raises ``OtherShape`` unless nothing but the last chunk is left."""
        if self._raw[self._at :] != _LAST_CHUNK:
            raise OtherShape

    def _next_is_alike(self, heads: "_Heads", tail: bytes) -> bool:
        stop = self._raw.find(tail, self._at, self._at + _WINDOW_BYTES)
        piece = self._raw[self._at : stop]
        return stop >= 0 and piece.startswith(heads[len(piece)])


class _Heads(dict[int, bytes]):
    """How an event's chunk begins up to its text, by its length up to the end of the text."""

    def __init__(self, before: bytes, after: int) -> None:
        self._lead = _LEAD + before
        self._after = after

    def __missing__(self, length: int) -> bytes:
        for digits in range(1, 9):
            size_line = _size_line(length - digits - 2 + self._after + 2)
            if len(size_line) == digits + 2:
                break
        head = self[length] = size_line + self._lead
        return head


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
