"""Service level objectives, and the requests that met them.

An objective is a limit for one latency of a request: ``ttft``, ``tpot``, ``e2el`` as in
``latency``, ``itl`` for its largest gap between events. Where a schedule wanted the request sent at
a time, ttft and e2el count from then: whoever sent it waits from then on.

A failed request met nothing. One that was cancelled because the run was stopped is undecided, and
so is one without what a limit needs: ttft and itl need a stream, tpot the number of tokens. An
answer of one token, or in one event, kept nobody waiting between tokens: it met tpot and itl.
"""

from typing import NamedTuple

import numpy as np

from steelyard.perf.blocks import blocks
from steelyard.perf.columns import UNKNOWN, Bools, Columns, GapChunk, Ints, summed
from steelyard.perf.estimates import estimate
from steelyard.perf.figures import Estimate, Goodput, SloShare, Window
from steelyard.perf.intervals import wilson
from steelyard.perf.latency import (
    NS_PER_MS,
    NS_PER_S,
    e2el_ns,
    known,
    sent_in,
    tpot_ms,
    ttft_ns,
)
from steelyard.perf.rates import Flow
from steelyard.perf.slo import Slo
from steelyard.perf.spread import Bins

_US_PER_MS = 1000


class Decided(NamedTuple):
    """Which requests met an objective, and which ones that can be said of."""

    met: Bools
    known: Bools


class LargestGaps:
    """The largest gap between events of each request; gaps are fed chunk by chunk."""

    def __init__(self, requests: int) -> None:
        self.gaps_us: Ints = np.zeros(requests, dtype=np.int64)
        """0 without any gap."""

    def add(self, chunk: GapChunk) -> None:
        """Take in ``chunk``."""
        held = chunk.counts > 0
        if held.any():
            starts = (np.cumsum(chunk.counts) - chunk.counts)[held]
            self.gaps_us[chunk.rows[held]] = np.maximum.reduceat(chunk.gaps_us, starts)


def goodput(
    columns: Columns, slo: Slo, largest_gap_us: Ints, bins: Bins, window: Window | None = None
) -> Goodput:
    """How many requests met each objective and all of them.

    ``largest_gap_us`` is the largest gap of each request, 0 without any; ``bins`` is the time that
    rates refer to. With ``window`` it is also told of what was sent in it alone.
    """
    limits = slo.limits_ms
    found = {name: _decided(columns, name, limits[name], largest_gap_us) for name in limits}
    met = np.ones(columns.n, dtype=np.bool_)
    missed = np.zeros(columns.n, dtype=np.bool_)
    for one in found.values():
        met &= one.met & one.known
        missed |= ~one.met & one.known
    together = _share("all", None, Decided(met, met | missed))
    each = tuple(_share(name, limits[name], one) for name, one in found.items())
    in_window = None
    if window is not None:
        inside = sent_in(columns, window)
        in_window = _share("all", None, Decided(met[inside], (met | missed)[inside]))
    return Goodput(
        requests_per_s=_per_s(columns, met, bins),
        together=together,
        each=each,
        in_window=in_window,
    )


def _decided(columns: Columns, name: str, limit_ms: float, largest_gap_us: Ints) -> Decided:
    has = known(columns, np.ones(columns.n, dtype=np.bool_))
    late = np.where(has.scheduled, columns.sent_ns - columns.due_ns, 0)
    at_once = has.streamed & (columns.events <= 1)
    if name == "ttft":
        value, able = (ttft_ns(columns) + late) / NS_PER_MS, has.streamed
    elif name == "e2el":
        value, able = (e2el_ns(columns) + late) / NS_PER_MS, has.answered
    elif name == "itl":
        value, able = largest_gap_us / _US_PER_MS, has.streamed
    else:
        short = has.answered & (columns.output_tokens >= 0) & (columns.output_tokens <= 1)
        value = np.where(short | at_once, 0.0, tpot_ms(columns))
        able = short | at_once | (has.streamed & (columns.output_tokens != UNKNOWN))
    met = able & (value <= limit_ms)
    return Decided(met, able | (~columns.ok & ~_cancelled(columns)))


def _cancelled(columns: Columns) -> Bools:
    if "cancelled" not in columns.failure_kinds:
        return np.zeros(columns.n, dtype=np.bool_)
    return np.equal(columns.failure, columns.failure_kinds.index("cancelled"))


def _share(name: str, limit_ms: float | None, decided: Decided) -> SloShare:
    met, n = int((decided.met & decided.known).sum()), int(decided.known.sum())
    return SloShare(
        name=name,
        limit_ms=limit_ms,
        met=met,
        missed=n - met,
        undecided=decided.known.size - n,
        share=_estimate(decided) if n else None,
    )


def _estimate(decided: Decided) -> Estimate:
    """The share that met it: Wilson's interval for as many requests as would be independent."""
    values = decided.met[decided.known].astype(np.float64)
    n, share = values.size, float(values.mean())
    cut = blocks(np.ones(n, dtype=np.bool_), [values])
    if not cut.enough:
        return Estimate(share)
    counts = np.bincount(cut.labels)
    apart = summed(cut.labels, values, cut.count) - share * counts
    variance = float((apart**2).sum()) * cut.count / (cut.count - 1) / n**2
    alone = share * (1 - share) / n
    low, high = wilson(share, n * alone / max(variance, alone) if alone else cut.independent)
    return Estimate(share, low, high)


def _per_s(columns: Columns, met: Bools, bins: Bins) -> Estimate:
    flow = Flow(columns, bins)
    value = int(met.sum()) / ((bins.end_ns - bins.start_ns) / NS_PER_S)
    return estimate(value, flow.per_s(met[flow.ended].astype(np.float64)))
