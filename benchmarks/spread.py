"""Mean, median and 99th percentile of many values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Where values lie, in ms; None: not known."""

    mean_ms: float | None
    p50_ms: float | None
    p99_ms: float | None

    def minus(self, other: Spread) -> Spread:
        """The differences, figure by figure, where both are known."""
        return Spread(
            _difference(self.mean_ms, other.mean_ms),
            _difference(self.p50_ms, other.p50_ms),
            _difference(self.p99_ms, other.p99_ms),
        )


UNKNOWN = Spread(None, None, None)


def _difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def spread_of(values_ns: Iterable[int]) -> Spread:
    """The spread of intervals in ns; percentiles interpolate linearly between neighbours."""
    ordered = sorted(values_ns)
    if not ordered:
        return UNKNOWN
    mean = sum(ordered) / len(ordered)
    return Spread(mean / 1e6, _at(ordered, 0.5) / 1e6, _at(ordered, 0.99) / 1e6)


def _at(ordered: list[int], share: float) -> float:
    place = (len(ordered) - 1) * share
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)
