"""Exact percentiles of arrays and of any number of whole microseconds.

A percentile is NumPy's default: linear interpolation between the two values around position
(n - 1) * p / 100. Gaps between stream events are too many to sort; they are whole microseconds, so
a table of how often each value occurs is exact and small: values below 2^20 µs (1 s) in one array
of counts, the few above in a sorted table.
"""

from typing import NamedTuple

import numpy as np

from steelyard.perf.columns import Floats, Ints

_DENSE_US = 1 << 20
_MANY = 1 << 20


class Table(NamedTuple):
    """Values in rising order, each with how often it occurs."""

    values: Ints | Floats
    counts: Ints

    @property
    def n(self) -> int:
        """How many observations there are."""
        return int(self.counts.sum())

    def mean(self) -> float:
        """The mean; there must be observations."""
        return float(self.values @ self.counts) / self.n

    def percentile(self, p: float) -> float:
        """The percentile ``p`` (0 to 1), as NumPy's default has it; there must be observations."""
        upto = np.cumsum(self.counts)
        place = (int(upto[-1]) - 1) * p
        lower = int(place)
        around = np.searchsorted(upto, [lower, min(lower + 1, int(upto[-1]) - 1)], side="right")
        low, high = (float(value) for value in self.values[around])
        return low + (high - low) * (place - lower)

    def count_upto(self, value: float) -> int:
        """How many observations are no larger than ``value``."""
        return int(self.counts[: np.searchsorted(self.values, value, side="right")].sum())


def table_of(values: Floats) -> Table:
    """An array as a table."""
    distinct, counts = np.unique(values, return_counts=True)
    return Table(distinct, counts)


class Counting:
    """A ``Table`` in the making, in bounded memory for any number of observations."""

    def __init__(self) -> None:
        self._dense = np.zeros(_DENSE_US, dtype=np.int64)
        self._above = np.empty(0, dtype=np.int64)
        self._above_counts = np.empty(0, dtype=np.int64)
        self._waiting: list[Ints] = []

    def add(self, values: Ints) -> None:
        """Count ``values``; none is negative."""
        above = values[values >= _DENSE_US] if values.size else values
        if above.size:
            self._waiting.append(above)
            values = values[values < _DENSE_US]
            if sum(held.size for held in self._waiting) > _MANY:
                self._merge()
        counts = np.bincount(values)
        self._dense[: counts.size] += counts

    def table(self) -> Table:
        """What was counted so far."""
        self._merge()
        below = np.flatnonzero(self._dense)
        return Table(
            np.concatenate((below, self._above)),
            np.concatenate((self._dense[below], self._above_counts)),
        )

    def _merge(self) -> None:
        if not self._waiting:
            return
        values, counts = np.unique(np.concatenate(self._waiting), return_counts=True)
        self._waiting.clear()
        merged, where = np.unique(np.concatenate((self._above, values)), return_inverse=True)
        both = np.concatenate((self._above_counts, counts))
        totals = np.zeros(merged.size, dtype=np.int64)
        np.add.at(totals, where, both)
        self._above, self._above_counts = merged, totals
