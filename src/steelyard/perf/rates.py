"""What the service did per second, and the other common metrics of a stage.

A stage is a set of requests and a stretch of time. Of the whole run the stretch is the time from
the first sending to the last end of an answered request, and every token lies inside. Of a window
only what happened inside counts, whichever request it belongs to:

    output tokens   those that arrived inside (see ``spread.TokenArrivals``)
    input tokens    spread evenly from sending to the first event with text, when they were read
    requests        spread evenly from sending to the last event with text
    concurrency     time under way inside / length of the window

Rates have intervals. In a scheduled load the stretch is cut into time bins, an answer and its
tokens fall into the bin of its last event, and neighbouring bins are joined to blocks. Without a
schedule places are asked again as soon as they are free, so a rate is the mean number under way
times what one place brings per second (Little's law), and the interval is that of the second: the
amounts over the E2EL of the requests, in blocks of requests. (Clients that began together also end
together; counted by time that would look like chance.) A sum of tokens is ``None`` when one
answer's count is unknown: it would be too small by an unknown amount.

    Prefill Token Throughput   sum of InputTokens / sum of TTFT, of streamed answers
"""

from typing import NamedTuple

import numpy as np

from steelyard.perf.blocks import blocks
from steelyard.perf.columns import UNKNOWN, Bools, Columns, Floats, Ints, summed
from steelyard.perf.figures import Common, Stage
from steelyard.perf.intervals import NOT_KNOWN, Interval, mean_interval
from steelyard.perf.latency import NS_PER_MS, NS_PER_S, e2el_ns, known, ttft_ns
from steelyard.perf.spread import Bins, over_time

RATE_BINS = 600


_LIFETIMES = 5
_BLOCKS = 20


class Totals(NamedTuple):
    """What a stage's rates are computed from."""

    duration_ns: int
    requests: float
    under_way_ns: float
    input_tokens: float | None
    output_tokens: float | None


class Flow:
    """What happened in each of some time bins, of answered requests: for the intervals of rates."""

    def __init__(self, columns: Columns, bins: Bins) -> None:
        ok = columns.ok
        last = columns.last_ns
        inside = ok & (last >= bins.start_ns) & (last <= bins.end_ns)
        self.bins = bins
        self.ended: Ints = np.flatnonzero(inside)
        self.at: Ints = bins.at(last[self.ended])
        self.under_way: Floats = _under_way(columns, bins)
        self._life_s: Floats = e2el_ns(columns)[self.ended] / NS_PER_S
        self._is_scheduled = bool((columns.due_ns != UNKNOWN).any())
        life_ns = float(np.median(e2el_ns(columns)[ok])) if ok.any() else 0.0
        self._least = min(_LIFETIMES * life_ns / bins.width_ns, bins.count / _BLOCKS)

    def per_s(self, amounts: Floats) -> Interval:
        """The interval of an amount per second, given it for each of ``ended``."""
        if self._is_scheduled:
            by_bin = summed(self.at, amounts, self.bins.count)
            return self.mean(by_bin, self.bins.width_ns / NS_PER_S)
        cut = blocks(np.ones(amounts.size, dtype=np.bool_), [self._life_s])
        one_place = mean_interval(
            summed(cut.labels, amounts, cut.count), summed(cut.labels, self._life_s, cut.count)
        )
        if one_place.low is None or one_place.high is None:
            return NOT_KNOWN
        under_way = float(self._life_s.sum()) * NS_PER_S / (self.bins.end_ns - self.bins.start_ns)
        return Interval(one_place.low * under_way, one_place.high * under_way)

    def mean(self, by_bin: Floats, width: float = 1.0) -> Interval:
        """The interval of the sum of ``by_bin`` over the sum of as many ``width``."""
        cut = blocks(np.ones(self.bins.count, dtype=np.bool_), [by_bin], least=self._least)
        widths = summed(cut.labels, np.full(self.bins.count, width), cut.count)
        return mean_interval(summed(cut.labels, by_bin, cut.count), widths)


class Rate(NamedTuple):
    """A metric with its interval."""

    value: float | None
    interval: Interval = NOT_KNOWN


def whole_run(columns: Columns) -> Bins | None:
    """The bins from first sending to last end of answered requests; ``None`` without any."""
    ok = columns.ok
    if not ok.any():
        return None
    start, end = int(columns.sent_ns[ok].min()), int(columns.done_ns[ok].max())
    return Bins(start, max(end, start + 1), RATE_BINS)


def totals_of_requests(columns: Columns, keep: Bools, duration_ns: int) -> Totals:
    """All that the requests in ``keep`` brought, whenever it was."""
    answered = keep & columns.ok
    return Totals(
        duration_ns,
        float(answered.sum()),
        float(e2el_ns(columns)[answered].sum()),
        _all_known(columns.input_tokens[answered]),
        _all_known(columns.output_tokens[answered]),
    )


def totals_inside(columns: Columns, bins: Bins, arrived: Floats) -> Totals:
    """All that happened in the bins, whichever requests it belongs to.

    ``arrived`` are the output tokens that arrived in each.
    """
    ok = columns.ok
    sent, last = columns.sent_ns[ok], columns.last_ns[ok]
    read_ns = np.where(columns.first_ns == UNKNOWN, columns.last_ns, columns.first_ns)[ok]
    tokens_in = columns.input_tokens[ok]
    read = over_time(bins, sent, read_ns, tokens_in.astype(np.float64))
    return Totals(
        bins.end_ns - bins.start_ns,
        float(over_time(bins, sent, last, np.ones(sent.size)).sum()),
        float(_under_way(columns, bins).sum() * bins.width_ns),
        float(read.sum()) if _all_known(tokens_in) is not None else None,
        float(arrived.sum()) if _all_known(columns.output_tokens[ok]) is not None else None,
    )


class Span(NamedTuple):
    """A stage: its requests, its totals, and what happened in it over time, for intervals."""

    stage: Stage
    keep: Bools
    totals: Totals
    flow: Flow | None = None


def common_metrics(columns: Columns, span: Span, limit: int | None) -> tuple[Common, ...]:
    """The common metrics of a stage, in the order of the table.

    ``limit`` is the number of places in flight that the load had.
    """
    answered, total = int((span.keep & columns.ok).sum()), int(span.keep.sum())
    sums, flow = span.totals, span.flow
    read, made = sums.input_tokens, sums.output_tokens
    tokens_in, tokens_out = columns.input_tokens, columns.output_tokens

    def per_s(amount: float | None, of_request: Ints) -> Rate:
        if amount is None:
            return Rate(None)
        value = amount / (sums.duration_ns / NS_PER_S)
        if flow is None:
            return Rate(value)
        amounts = of_request[flow.ended].astype(np.float64)
        return _around(value, flow.per_s(amounts), float(amounts.sum()) / amount if amount else 1.0)

    concurrency = sums.under_way_ns / sums.duration_ns
    rows = (
        ("Benchmark Duration", "ms", Rate(sums.duration_ns / NS_PER_MS)),
        ("Total Requests", "", Rate(total)),
        ("Failed Requests", "", Rate(total - answered)),
        ("Success Requests", "", Rate(answered)),
        ("Concurrency", "", Rate(concurrency, flow.mean(flow.under_way) if flow else NOT_KNOWN)),
        ("Max Concurrency", "", Rate(limit)),
        ("Request Throughput", "req/s", per_s(sums.requests, np.ones(columns.n, dtype=np.int64))),
        ("Total Input Tokens", "", Rate(read)),
        ("Prefill Token Throughput", "token/s", _prefill(columns, span.keep)),
        ("Total generated tokens", "", Rate(made)),
        ("Input Token Throughput", "token/s", per_s(read, tokens_in)),
        ("Output Token Throughput", "token/s", per_s(made, tokens_out)),
        ("Total Token Throughput", "token/s", per_s(_plus(read, made), tokens_in + tokens_out)),
    )
    return tuple(
        Common(
            name=name,
            unit=unit,
            stage=span.stage,
            value=it.value,
            low=it.interval.low,
            high=it.interval.high,
        )
        for name, unit, it in rows
    )


def _around(value: float, interval: Interval, counted: float) -> Rate:
    """``value`` with an interval of answers that ended inside, ``counted`` times as many."""
    if interval.low is None or interval.high is None or counted <= 0:
        return Rate(value)
    low, high = interval.low / counted, interval.high / counted
    return Rate(value, Interval(min(max(low, 0.0), value), max(high, value)))


def _under_way(columns: Columns, bins: Bins) -> Floats:
    """Mean number of answered requests between sending and last event, in each bin."""
    sent, last = columns.sent_ns[columns.ok], columns.last_ns[columns.ok]
    return over_time(bins, sent, last, (last - sent).astype(np.float64)) / bins.width_ns


def _prefill(columns: Columns, keep: Bools) -> Rate:
    """Input tokens per second of waiting for the first token."""
    able = known(columns, keep).streamed & (columns.input_tokens != UNKNOWN)
    tokens, seconds = columns.input_tokens[able], ttft_ns(columns)[able] / NS_PER_S
    if seconds.sum() <= 0:
        return Rate(None)
    cut = blocks(np.ones(tokens.size, dtype=np.bool_), [seconds])
    interval = mean_interval(
        summed(cut.labels, tokens, cut.count), summed(cut.labels, seconds, cut.count)
    )
    return Rate(float(tokens.sum() / seconds.sum()), interval)


def _all_known(tokens: Ints) -> float | None:
    return float(tokens.sum()) if (tokens != UNKNOWN).all() else None


def _plus(read: float | None, made: float | None) -> float | None:
    return None if read is None or made is None else read + made
