"""Values of a run by block: what means, percentiles and their intervals are computed from.

Values of requests are held as they are. The gaps between stream events, which may be many millions,
are counted while they stream past: exactly for the whole, and by block in ``cells`` that are 0.25 %
wide, so that the ends of intervals of their percentiles may be off by so much.
"""

from typing import Protocol

import numpy as np

from steelyard.perf.blocks import Blocks
from steelyard.perf.cells import CellCounts, cells_of
from steelyard.perf.columns import Floats, GapChunk, Ints, summed
from steelyard.perf.percentiles import Counting, Table, table_of


class ByBlock(Protocol):
    """Values by block. Blocks without a value may be among them."""

    @property
    def independent(self) -> float:
        """How many independent requests would say as much."""

    @property
    def table(self) -> Table:
        """All values."""

    @property
    def sums(self) -> Floats:
        """The sum of the values of each block."""

    @property
    def counts(self) -> Floats:
        """The number of values of each block."""

    def below(self, values: Floats) -> Floats:
        """How many values of each block (row) are no larger than each of ``values`` (column)."""


class RequestValues:
    """One value for each of some requests."""

    def __init__(self, rows: Ints, values: Floats, blocks: Blocks) -> None:
        self._values = values
        self._labels = blocks.labels[rows]
        self._blocks = blocks.count
        self.independent = blocks.independent * min(1.0, values.size / max(blocks.rows, 1))
        self.table = table_of(values)
        self.sums = summed(self._labels, values, blocks.count)
        self.counts = summed(self._labels, np.ones(values.size), blocks.count)

    def below(self, values: Floats) -> Floats:
        """Counts up to each of ``values``, exact."""
        columns = (self._labels[self._values <= value] for value in values)
        counts = [np.bincount(labels, minlength=self._blocks) for labels in columns]
        return np.reshape(counts, (values.size, self._blocks)).T.astype(np.float64)


class GapValues:
    """The gaps of the rows that have a block, in whole microseconds; fed chunk by chunk."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._counting = Counting()
        self._cells = CellCounts(blocks.count)
        self.sums = np.zeros(blocks.count)
        self.requests = 0
        """Requests with at least one gap."""

    def add(self, chunk: GapChunk) -> None:
        """Count the gaps of ``chunk``."""
        labels = self._blocks.labels[chunk.rows]
        inside = labels >= 0
        per_gap = np.repeat(labels, chunk.counts)
        gaps = chunk.gaps_us
        if not inside.all():
            gaps, per_gap = gaps[per_gap >= 0], per_gap[per_gap >= 0]
        self.requests += int(np.count_nonzero(chunk.counts[inside]))
        if gaps.size:
            self._counting.add(gaps)
            self.sums += summed(per_gap, gaps, self.sums.size)
            self._cells.add(per_gap, gaps)

    @property
    def independent(self) -> float:
        """How many independent requests would say as much."""
        return self._blocks.independent * min(1.0, self.requests / max(self._blocks.rows, 1))

    @property
    def table(self) -> Table:
        """All gaps, exactly."""
        return self._counting.table()

    @property
    def counts(self) -> Floats:
        """Gaps of each block."""
        counts: Ints = self._cells.counts.sum(axis=1)
        return counts.astype(np.float64)

    def below(self, values: Floats) -> Floats:
        """Counts up to each of ``values``: of its cell, the same share in every block."""
        cells = cells_of(np.floor(values).astype(np.int64))
        by_cell = self._cells.counts
        upto = np.cumsum(by_cell, axis=1, dtype=np.float64)[:, cells]
        inside = by_cell[:, cells]
        table = self.table
        over = upto.sum(axis=0) - [table.count_upto(value) for value in values]
        shares: Floats = over / np.maximum(inside.sum(axis=0), 1)
        return upto - inside * shares
