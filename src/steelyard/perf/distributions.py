"""Which share of the latencies is at most how long: distributions for charts.

A distribution is thinned to some hundred steps, evenly spread over the shares and closer together
towards the slow end, where people look; its ends are exact.
"""

import msgspec
import numpy as np

from steelyard.perf.columns import UNKNOWN, Columns, Floats, GapChunk
from steelyard.perf.feeding import feed
from steelyard.perf.latency import request_rows
from steelyard.perf.percentiles import Counting, Table, table_of

STEPS = 400
MARKS = (("P50", 0.5), ("P90", 0.9), ("P99", 0.99))
_SHOWN = ("TTFT", "TPOT", "E2EL")
_US_PER_MS = 1000


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One latency."""

    name: str
    n: int
    """Values that it rests on."""
    values_ms: Floats
    """Rising."""
    shares: Floats
    """Share of the values that are at most as long; the last one is 1."""
    marks_ms: tuple[tuple[str, float, float], ...]
    """Name, value and share of percentiles."""


def distributions(columns: Columns) -> tuple[Distribution, ...]:
    """TTFT, TPOT, ITL and E2EL of the answered requests, as far as there are any."""
    everything = np.ones(columns.n, dtype=np.bool_)
    rows = {row.name: row for row in request_rows(columns, everything)}
    found = [
        _thinned(name, table_of(rows[name].values), 1.0)
        for name in _SHOWN
        if name in rows and rows[name].values.size
    ]
    gaps = _AnsweredGaps(columns)
    feed(columns.gaps, gaps)
    table = gaps.counting.table()
    if table.n:
        found.insert(min(2, len(found)), _thinned("ITL", table, 1 / _US_PER_MS))
    return tuple(found)


class _AnsweredGaps:
    """Counts the gaps of answered requests."""

    def __init__(self, columns: Columns) -> None:
        self.counting = Counting()
        self._keep = columns.ok & (columns.first_ns != UNKNOWN)

    def add(self, chunk: GapChunk) -> None:
        """Take in ``chunk``."""
        keep = np.repeat(self._keep[chunk.rows], chunk.counts)
        self.counting.add(chunk.gaps_us if keep.all() else chunk.gaps_us[keep])


def _thinned(name: str, table: Table, scale: float) -> Distribution:
    upto = np.cumsum(table.counts)
    n = int(upto[-1])
    wanted = np.unique(np.concatenate((_shares(), [1.0 / n, 1.0])))
    places = np.unique(np.searchsorted(upto, np.ceil(wanted * n), side="left"))
    return Distribution(
        name=name,
        n=n,
        values_ms=table.values[places] * scale,
        shares=upto[places] / n,
        marks_ms=tuple((mark, table.percentile(share) * scale, share) for mark, share in MARKS),
    )


def _shares() -> Floats:
    """Shares to show: even steps, then steps towards 1 that halve the rest again and again."""
    even = np.linspace(0.0, 0.99, STEPS, dtype=np.float64)[1:]
    tail = 1 - 0.01 * 0.5 ** np.arange(0, 10, 0.25)
    return np.concatenate((even, tail))
