"""Medians over the runs of one contender, where every run may lack a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from spread import Spread


def middle(figures: Iterable[float | None]) -> float | None:
    """The median of those that are known; None without any."""
    known = [figure for figure in figures if figure is not None]
    return median(known) if known else None


def median_spread(spreads: Sequence[Spread]) -> Spread:
    """The medians of the means, of the medians and of the 99th percentiles."""
    return Spread(
        middle(spread.mean_ms for spread in spreads),
        middle(spread.p50_ms for spread in spreads),
        middle(spread.p99_ms for spread in spreads),
    )
