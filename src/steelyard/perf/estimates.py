"""The statistics of one row of the table, each with its interval."""

from collections.abc import Sequence

import numpy as np

from steelyard.perf.by_block import ByBlock
from steelyard.perf.figures import Estimate
from steelyard.perf.intervals import Interval, is_supported, mean_interval, share_error
from steelyard.perf.percentiles import Table
from steelyard.perf.stats import fraction


def estimates(data: ByBlock, stats: Sequence[str], scale: float = 1.0) -> dict[str, Estimate]:
    """The statistics ``stats`` of ``data`` times ``scale``; there must be values.

    Smallest and largest value have no interval: they are facts about this run only.
    """
    table = data.table
    percentiles = _percentiles(data, table, [p for p in map(fraction, stats) if p is not None])
    found = {}
    for stat in stats:
        p = fraction(stat)
        if p is not None:
            found[stat] = percentiles[p]
        elif stat == "Average":
            found[stat] = estimate(table.mean(), mean_interval(data.sums, data.counts))
        else:
            found[stat] = Estimate(float(table.values[0 if stat == "Min" else -1]))
    return {stat: _scaled(value, scale) for stat, value in found.items()}


def estimate(value: float, interval: Interval) -> Estimate:
    """A value with its interval, which holds it in any case."""
    if interval.low is None or interval.high is None:
        return Estimate(value)
    return Estimate(value, min(interval.low, value), max(interval.high, value))


def _percentiles(data: ByBlock, table: Table, wanted: list[float]) -> dict[float, Estimate]:
    values = [table.percentile(p) for p in wanted]
    below = data.below(np.array(values))
    found = {}
    for p, value, beneath in zip(wanted, values, below.T, strict=True):
        supported = is_supported(p, data.independent)
        error = share_error(beneath, data.counts) if supported else None
        if error is None:
            found[p] = Estimate(value, supported=supported)
        else:
            low, high = (table.percentile(min(max(end, 0), 1)) for end in (p - error, p + error))
            found[p] = Estimate(value, low, high)
    return found


def _scaled(found: Estimate, scale: float) -> Estimate:
    low = None if found.low is None else found.low * scale
    high = None if found.high is None else found.high * scale
    return Estimate(found.value * scale, low, high, found.supported)
