"""What one exchange brought, as it was read, and the ``Exchange`` made of it at the end."""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from time import monotonic_ns

from steelyard.core import Failure
from steelyard.engine.content import decoded
from steelyard.engine.exchange import Exchange
from steelyard.engine.framing import BODY_LIMIT, BadResponse, ResponseReader

_READ_BYTES = 128
"""What Python needs for one read, or one part of a body, besides its bytes."""

_COUNTED = 16
"""Reads of an answer that are looked at to tell how much memory all of them take."""

_ANSWER_BYTES = 4096
"""What it needs for an exchange besides its reads: this object, reader, head, request."""

Marks = tuple[tuple[int, int], ...]


class Capture:
    """The reads of one exchange with their clock readings. Reads are parsed when told to."""

    __slots__ = ("_parsed", "over_ns", "reader", "reads", "sent_ns", "times")

    def __init__(self, method: str) -> None:
        self.reader = ResponseReader(method)
        self.reads: list[bytes] = []
        self.times: list[int] = []
        """When each of ``reads`` arrived."""
        self.sent_ns = monotonic_ns()
        self.over_ns: int | None = None
        """When it ended, if not by a read: connection closed, limit reached."""
        self._parsed = 0

    def look(self) -> bool:
        """Parse what was read since the last look; whether the response is complete."""
        fresh = self.reads[self._parsed :]
        if not fresh:
            return self.reader.complete
        self._parsed = len(self.reads)
        return self.reader.feed(fresh[0] if len(fresh) == 1 else b"".join(fresh))

    def look_for_head(self) -> bool:
        """Parse the first read, or all if the head is not in it alone; whether the head is new."""
        if self.reader.head is not None:
            return False
        self._parsed += 1
        self.reader.feed(self.reads[self._parsed - 1])
        if self.reader.head is None:
            self.look()
        return self.reader.head is not None

    @property
    def unparsed(self) -> int:
        """Reads since the last look."""
        return len(self.reads) - self._parsed

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes: the reads, and the body that was cut out of them."""
        at = self.times[-1] if self.times else 0
        return _held(self.reads, at) + _held(self.reader.parts, at) + _ANSWER_BYTES

    @property
    def overgrown(self) -> bool:
        """More than ``BODY_LIMIT`` bytes came. Counts them only when the last read hints at it."""
        reads = self.reads
        hint = len(reads) * len(reads[-1]) if reads else 0
        return hint > BODY_LIMIT and sum(map(len, reads)) > BODY_LIMIT

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another exchange after this one."""
        reader = self.reader
        if self.over_ns is not None:
            return False
        if not reader.complete:  # it ended as events do; ``exchange`` looks closer
            return reader.in_kept_events
        return reader.keeps_alive and reader.end == sum(map(len, self.reads))

    def exchange(self, failure: Failure | None) -> Exchange:
        """The exchange, whole or, with ``failure``, as far as it came."""
        if failure is None:
            failure = self._trouble()
        reader, times = self.reader, self.times
        ends = list(accumulate(map(len, self.reads)))
        first = bisect_right(ends, reader.head_start)
        first_byte_ns = times[first] if first < len(times) else None
        done_ns = self.over_ns
        if done_ns is None:
            done_ns = times[bisect_left(ends, reader.end)] if reader.complete else times[-1]
        head = reader.head
        if head is None:
            return Exchange(
                sent_ns=self.sent_ns, done_ns=done_ns, first_byte_ns=first_byte_ns, failure=failure
            )
        body, marks = b"".join(reader.parts), self._marks(ends)
        coding = head.headers.get("content-encoding", "identity")
        if coding != "identity":
            body, marks, failure = _decoded(body, marks, coding, failure)
        return Exchange(
            sent_ns=self.sent_ns,
            done_ns=done_ns,
            first_byte_ns=first_byte_ns,
            status=head.status,
            reason=head.reason,
            headers=head.headers,
            body=body,
            marks=marks,
            failure=failure,
        )

    def _trouble(self) -> Failure | None:
        """What is wrong with an answer that was taken for whole by its last bytes."""
        try:
            if self.look():
                return None
        except BadResponse as error:
            return Failure(kind="protocol", detail=str(error))
        return Failure(kind="protocol", detail=f"it seemed whole, but {self.reader.broken()}")

    def _marks(self, ends: list[int]) -> Marks:
        offsets = self.reader.body_offsets(ends)
        steps = zip(offsets, self.times, [0, *offsets], strict=False)
        return tuple([(offset, ns) for offset, ns, before in steps if offset > before])


def _decoded(
    body: bytes, marks: Marks, coding: str, failure: Failure | None
) -> tuple[bytes, Marks, Failure | None]:
    """Body and marks without content coding; undecodable ones stay and become the failure."""
    try:
        pieces, whole = decoded(body, [end for end, _ in marks], coding)
    except BadResponse as error:
        return body, marks, failure or Failure(kind="protocol", detail=str(error))
    if not whole and failure is None:
        failure = Failure(kind="protocol", detail="the compressed answer ends too early")
    ends = accumulate(map(len, pieces))
    times = (ns for _, ns in marks)
    kept = tuple(
        mark for mark, piece in zip(zip(ends, times, strict=True), pieces, strict=True) if piece
    )
    return b"".join(pieces), kept, failure


def _held(pieces: list[bytes], at: int) -> int:
    """About what ``pieces`` take; of many, some stand for all: the others are in no cache.

    Sizes may come in turns (a line of a few bytes, then what it announces), so which ones are
    counted is left to chance: ``at``, a clock reading. Over many answers that is fair.
    """
    step = len(pieces) // _COUNTED + 1
    counted = pieces[(at >> 10) % step :: step]
    if not counted:
        return 0
    return len(pieces) * (_READ_BYTES + sum(map(len, counted)) // len(counted))
