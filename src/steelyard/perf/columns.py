"""One measured run as columns: what every figure is computed from.

Row i of every array is one request, in the order of sending. Times are int64 nanoseconds since
``zero_ns``, a reading of the monotonic clock; ``UNKNOWN`` (-1) stands where there is nothing to
know: no schedule, nothing streamed, no token count. The gaps between the events of a stream are
many times more than the requests, so they are not held here: ``Gaps`` hands them out in chunks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

UNKNOWN = -1


def summed(labels: Ints, amounts: Ints | Floats, count: int) -> Floats:
    """The sum of ``amounts`` under each label from 0 to ``count - 1``."""
    return np.bincount(labels, amounts, count).astype(np.float64, copy=False)


class GapChunk(NamedTuple):
    """The inter-event gaps of some requests, one request's after the other's."""

    rows: Ints
    """Which request, for every run of gaps; not in order."""
    counts: Ints
    """How many gaps each of ``rows`` has."""
    gaps_us: Ints
    """``counts.sum()`` gaps: content event to content event, the time to the first one left out."""


class Gaps(Protocol):
    """The gaps of a whole run, a bounded number in memory at a time."""

    def chunks(self) -> Iterator[GapChunk]:
        """All chunks, anew with every call. Rows without gaps may be left out."""


class GapsInMemory:
    """Gaps that are held in memory: for small runs and tests."""

    def __init__(self, gaps_us: Sequence[Iterable[int]]) -> None:
        held = [np.fromiter(gaps, dtype=np.int64) for gaps in gaps_us]
        self._chunk = GapChunk(
            np.arange(len(held), dtype=np.int64),
            np.array([len(gaps) for gaps in held], dtype=np.int64),
            np.concatenate(held) if held else np.empty(0, dtype=np.int64),
        )

    def chunks(self) -> Iterator[GapChunk]:
        """All gaps at once."""
        yield self._chunk


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of one run, sorted by ``sent_ns``."""

    zero_ns: int
    """Reading of the monotonic clock that all times count from: the run's start."""
    due_ns: Ints
    """When the schedule wanted it sent; ``UNKNOWN`` without a schedule and for later turns."""
    queued_ns: Ints
    """When the client took it up, before it waited for a connection."""
    sent_ns: Ints
    first_event_ns: Ints
    """First event of any kind (role-only ones too); ``UNKNOWN`` when nothing was streamed."""
    first_ns: Ints
    """First event with text; ``UNKNOWN`` when nothing was streamed."""
    last_ns: Ints
    """Last event with text; when nothing was streamed the end of the answer."""
    done_ns: Ints
    """End of the answer, or when the failure was known."""
    input_tokens: Ints
    output_tokens: Ints
    events: Ints
    """Events with text; 0 when nothing was streamed."""
    failure: Ints
    """Index into ``failure_kinds``; ``UNKNOWN`` for an answer."""
    failure_kinds: tuple[str, ...] = ()
    turn: Ints
    """Turn of its dialogue, from 0."""
    gaps: Gaps
    others: Gaps | None = None
    """Sending to each event without content (role, finish reason, usage), in ``gaps_us``.

    Only needed for AISBench's own figures; ``None`` when they are not kept.
    """

    @property
    def n(self) -> int:
        """How many requests ended, failures included."""
        return len(self.sent_ns)

    @property
    def ok(self) -> Bools:
        """Which requests were answered."""
        return np.equal(self.failure, UNKNOWN)
