"""The statistics of the requests of one stage: which rows, in which order, from which values."""

from collections.abc import Sequence

import numpy as np

from steelyard.perf.blocks import Blocks, blocks
from steelyard.perf.by_block import ByBlock, GapValues, RequestValues
from steelyard.perf.columns import Bools, Columns, GapChunk
from steelyard.perf.compat import (
    SUFFIX,
    TENTHS_PER_MS,
    Others,
    compat_rows,
    merged_chunks,
    tenths,
)
from steelyard.perf.estimates import estimates
from steelyard.perf.figures import Stage, Stat
from steelyard.perf.latency import Row, request_rows

_US_PER_MS = 1000
_ITL = "ITL"
_BEFORE_ITL = ("E2EL", "TTFT", "TPOT")


class StageRows:
    """The requests of one stage; the gaps of the run are fed chunk by chunk."""

    def __init__(self, columns: Columns, keep: Bools, stage: Stage) -> None:
        self._columns = columns
        self._keep = keep
        self._stage = stage
        self._rows = request_rows(columns, keep)
        self._blocks = _request_blocks(columns, keep, self._rows)
        self._gaps = GapValues(self._blocks)

    def add(self, chunk: GapChunk) -> None:
        """Take in ``chunk``."""
        self._gaps.add(chunk)

    def stats(self, stats: Sequence[str]) -> list[Stat]:
        """The rows of the table, once all gaps were fed."""
        rows = [self._of_requests(row, stats) for row in self._rows]
        if self._gaps.requests:
            itl = self._of_gaps(_ITL, self._gaps, 1 / _US_PER_MS, stats)
            rows.insert(sum(row.name in _BEFORE_ITL for row in self._rows), itl)
        return rows

    def compat_stats(self, stats: Sequence[str], extra: Others) -> list[Stat]:
        """The same by AISBench's rules, in one more pass over the gaps."""
        gaps = GapValues(self._blocks)
        moving = np.zeros(self._columns.n, dtype=np.bool_)
        for chunk in merged_chunks(self._columns, extra):
            gaps.add(tenths(chunk))
            moving[np.repeat(chunk.rows, chunk.counts)[chunk.gaps_us > 0]] = True
        moving &= self._keep & self._columns.ok
        rows = []
        for row in compat_rows(self._columns, self._keep, extra):
            n = int(moving.sum()) if row.name == f"TPOT{SUFFIX}" else row.rows.size
            rows.append(self._of_requests(row, stats, n))
        if gaps.requests:
            itl = self._of_gaps(f"{_ITL}{SUFFIX}", gaps, 1 / TENTHS_PER_MS, stats)
            before = sum(stat.name.removesuffix(SUFFIX) in _BEFORE_ITL for stat in rows)
            rows.insert(before, _with_n(itl, int(moving.sum())))
        return rows

    def _of_requests(self, row: Row, stats: Sequence[str], n: int | None = None) -> Stat:
        data: ByBlock = RequestValues(row.rows, row.values, self._blocks)
        return Stat(
            name=row.name,
            unit=row.unit,
            stage=self._stage,
            n=row.rows.size if n is None else n,
            values=estimates(data, stats),
        )

    def _of_gaps(self, name: str, gaps: GapValues, ms: float, stats: Sequence[str]) -> Stat:
        values = estimates(gaps, stats, ms)
        return Stat(name=name, unit="ms", stage=self._stage, n=gaps.requests, values=values)


def _with_n(stat: Stat, n: int) -> Stat:
    return Stat(name=stat.name, unit=stat.unit, stage=stat.stage, n=n, values=stat.values)


def _request_blocks(columns: Columns, keep: Bools, rows: Sequence[Row]) -> Blocks:
    """Blocks of answered requests in the order of sending, long enough for all latencies."""
    latencies = [row.values for row in rows if row.unit == "ms"]
    return blocks(keep & columns.ok, latencies)
