"""Counts of gaps in narrow cells, for each of some groups: blocks of requests, bins of time.

A cell holds one whole number of microseconds up to 400 µs, above that numbers within 0.25 % of each
other, up to a day.
"""

from functools import lru_cache
from math import log

import numpy as np

from steelyard.perf.columns import Floats, Ints

_EXACT_US = 400
_WIDTH = log(1.0025)
_LOOKED_UP = 1 << 18
_LONGEST_US = 86_400_000_000


class CellCounts:
    """How many gaps of each group fell into each cell."""

    def __init__(self, groups: int) -> None:
        self._flat = np.zeros(groups * cell_count(), dtype=np.int64)

    def add(self, groups: Ints, gaps_us: Ints) -> None:
        """Count ``gaps_us``, each in its group."""
        found = np.bincount(groups * cell_count() + cells_of(gaps_us), minlength=self._flat.size)
        self._flat += found

    @property
    def counts(self) -> Ints:
        """Groups by rows, cells by columns."""
        return np.reshape(self._flat, (-1, cell_count()))

    def percentiles(self, fractions: Floats) -> Floats:
        """Percentiles of each group (row), 0.13 % off at most; NaN for a group without gaps."""
        upto = np.cumsum(self.counts, axis=1)
        n = upto[:, -1]
        found = np.full((n.size, fractions.size), np.nan)
        for group in np.flatnonzero(n):
            places = np.rint((n[group] - 1) * fractions)
            found[group] = _middles()[np.searchsorted(upto[group], places, side="right")]
        return found


def cells_of(gaps_us: Ints) -> Ints:
    """The cell of each gap."""
    found = _lookup()[np.minimum(gaps_us, _LOOKED_UP - 1)]
    above = gaps_us >= _LOOKED_UP
    if above.any():
        found[above] = _computed(gaps_us[above])
    return found


@lru_cache(maxsize=1)
def cell_count() -> int:
    """How many cells there are."""
    return int(_computed(np.array([_LONGEST_US]))[0]) + 1


def _computed(gaps_us: Ints) -> Ints:
    wide = np.log(np.clip(gaps_us, _EXACT_US, _LONGEST_US) / _EXACT_US) / _WIDTH
    return np.minimum(gaps_us, _EXACT_US) + wide.astype(np.int64)


@lru_cache(maxsize=1)
def _lookup() -> Ints:
    return _computed(np.arange(_LOOKED_UP, dtype=np.int64))


@lru_cache(maxsize=1)
def _middles() -> Floats:
    cells = np.arange(cell_count(), dtype=np.float64)
    return np.where(
        cells < _EXACT_US, cells, _EXACT_US * np.exp((cells - _EXACT_US + 0.5) * _WIDTH)
    )
