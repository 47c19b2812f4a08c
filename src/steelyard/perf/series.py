"""A run over time, for charts: what was sent, under way, answered and failed, and how fast.

Times are seconds since the run's start. Every list has one entry per bin; ``None`` where nothing
was in the bin to take a percentile of. Latencies stand in the bin in which the request was sent,
gaps in the bin in which they ended.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np

from steelyard.perf.cells import CellCounts
from steelyard.perf.columns import UNKNOWN, Bools, Columns, Floats, GapChunk, Ints
from steelyard.perf.feeding import feed
from steelyard.perf.latency import NS_PER_MS, NS_PER_S, ttft_ns
from steelyard.perf.spread import Bins, TokenArrivals, event_times_ns, in_flight

_US_PER_MS = 1000

PerBin: TypeAlias = tuple[float, ...]
Percentile: TypeAlias = tuple[float | None, ...]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """A run by time bins of equal width."""

    start_s: float
    width_s: float
    due_per_s: PerBin | None
    """Requests that the schedule wanted sent; ``None`` without a schedule."""
    sent_per_s: PerBin
    in_flight: PerBin
    """Mean number of requests under way, failed ones included."""
    answered_per_s: PerBin
    failed_per_s: PerBin
    tokens_per_s: PerBin | None
    """Output tokens that arrived; ``None`` when an answer's number of tokens is unknown."""
    ttft_p50_ms: Percentile
    ttft_p90_ms: Percentile
    ttft_p99_ms: Percentile
    itl_p50_ms: Percentile
    itl_p99_ms: Percentile


def series(columns: Columns, bins: int) -> Series | None:
    """The run in so many bins, in one pass over the gaps; ``None`` without any request."""
    if not columns.n:
        return None
    scheduled = columns.due_ns != UNKNOWN
    start = int(np.where(scheduled, columns.due_ns, columns.sent_ns).min())
    time = Bins(start, max(int(columns.done_ns.max()), start + 1), bins)
    arrivals, gaps = TokenArrivals(time, columns), _GapsOverTime(time, columns)
    feed(columns.gaps, arrivals, gaps)
    ok = columns.ok
    all_known = bool((columns.output_tokens[ok] != UNKNOWN).all())
    ttft, itl = (
        _ttft_ms(columns, time),
        gaps.cells.percentiles(np.array([0.5, 0.99])).T / _US_PER_MS,
    )
    return Series(
        start_s=time.start_ns / NS_PER_S,
        width_s=time.width_ns / NS_PER_S,
        due_per_s=_per_s(time, columns.due_ns[scheduled]) if scheduled.any() else None,
        sent_per_s=_per_s(time, columns.sent_ns),
        in_flight=_listed(in_flight(time, columns)),
        answered_per_s=_per_s(time, columns.done_ns[ok]),
        failed_per_s=_per_s(time, columns.done_ns[~ok]),
        tokens_per_s=_listed(arrivals.tokens * (NS_PER_S / time.width_ns)) if all_known else None,
        ttft_p50_ms=_known(ttft[0]),
        ttft_p90_ms=_known(ttft[1]),
        ttft_p99_ms=_known(ttft[2]),
        itl_p50_ms=_known(itl[0]),
        itl_p99_ms=_known(itl[1]),
    )


class _GapsOverTime:
    """Gaps of answered requests by the bin in which they ended; fed chunk by chunk."""

    def __init__(self, time: Bins, columns: Columns) -> None:
        self.cells = CellCounts(time.count)
        self._time = time
        self._first_ns = columns.first_ns
        self._streamed: Bools = columns.ok & (columns.first_ns != UNKNOWN)

    def add(self, chunk: GapChunk) -> None:
        """Take in ``chunk``."""
        keep = np.repeat(self._streamed[chunk.rows], chunk.counts)
        times_ns: Ints = event_times_ns(chunk, self._first_ns)[keep]
        self.cells.add(self._time.at(times_ns), chunk.gaps_us[keep])


def _ttft_ms(columns: Columns, time: Bins) -> Floats:
    """P50, P90 and P99 (rows) of each bin; NaN for a bin without any."""
    rows = np.flatnonzero(columns.ok & (columns.first_ns != UNKNOWN))
    bins = time.at(columns.sent_ns[rows])
    values = (ttft_ns(columns)[rows] / NS_PER_MS).astype(np.float64)
    found = np.full((3, time.count), np.nan)
    # Rows are in the order of sending, so those of one bin are neighbours.
    edges = np.searchsorted(bins, np.arange(time.count + 1))
    for at in np.flatnonzero(np.diff(edges)):
        found[:, at] = np.percentile(values[edges[at] : edges[at + 1]], [50, 90, 99])
    return found


def _per_s(time: Bins, times_ns: Ints) -> PerBin:
    return _listed(time.counted(times_ns) * (NS_PER_S / time.width_ns))


def _listed(values: Floats) -> PerBin:
    return tuple(values.tolist())


def _known(values: Sequence[float] | Floats) -> Percentile:
    return tuple(None if value != value else float(value) for value in values)
