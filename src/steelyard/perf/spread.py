"""Amounts over time: how much of something falls into each of a row of equal time bins."""

import msgspec
import numpy as np

from steelyard.perf.columns import UNKNOWN, Bools, Columns, Floats, GapChunk, Ints, summed
from steelyard.perf.feeding import feed

_NS_PER_US = 1000


class Bins(msgspec.Struct, frozen=True):
    """Equal bins from ``start_ns`` to ``end_ns``, which is later."""

    start_ns: int
    end_ns: int
    count: int

    @property
    def width_ns(self) -> float:
        """Length of a bin."""
        return (self.end_ns - self.start_ns) / self.count

    def places(self, times_ns: Ints | Floats) -> Floats:
        """Each time in bins since the start, not below 0 nor above ``count``."""
        return np.clip((times_ns - self.start_ns) / self.width_ns, 0.0, float(self.count))

    def at(self, times_ns: Ints | Floats) -> Ints:
        """The bin of each time; what lies outside goes to the first or last."""
        return np.minimum(self.places(times_ns).astype(np.int64), self.count - 1)

    def counted(self, times_ns: Ints, weights: Ints | Floats | None = None) -> Floats:
        """How many of ``times_ns``, all inside, or how much weight, fall into each bin."""
        ones = np.ones(times_ns.size) if weights is None else weights
        return summed(self.at(times_ns), ones, self.count)


def over_time(bins: Bins, start_ns: Ints, end_ns: Ints, amounts: Floats) -> Floats:
    """``amounts`` spread evenly from each start to its end, summed by bin.

    What lies outside the bins is left out. An amount that takes no time falls into one bin.
    """
    inside = (end_ns >= bins.start_ns) & (start_ns <= bins.end_ns)
    start_ns, end_ns, amounts = start_ns[inside], end_ns[inside], amounts[inside]
    per_bin = amounts / np.maximum((end_ns - start_ns) / bins.width_ns, 1e-12)
    first, last = bins.places(start_ns), bins.places(end_ns)
    i, j = bins.at(start_ns), bins.at(end_ns)
    same = i == j
    whole = np.where(end_ns > start_ns, per_bin * (last - first), amounts)
    found = summed(i[same], whole[same], bins.count)
    across = ~same
    i, j, per_bin = i[across], j[across], per_bin[across]
    found += summed(i, per_bin * (i + 1 - first[across]), bins.count)
    found += summed(j, per_bin * (last[across] - j), bins.count)
    slope = summed(i + 1, per_bin, bins.count + 1) - summed(j, per_bin, bins.count + 1)
    return found + np.cumsum(slope)[: bins.count]


def in_flight(bins: Bins, columns: Columns) -> Floats:
    """Mean number of requests under way in each bin, failed ones included."""
    start, end = columns.sent_ns, columns.done_ns
    return over_time(bins, start, end, (end - start).astype(np.float64)) / bins.width_ns


def event_times_ns(chunk: GapChunk, first_ns: Ints) -> Ints:
    """When the event at the end of each gap came, given the first event of every request."""
    since_us = np.cumsum(chunk.gaps_us)
    before_us = np.concatenate(([0], since_us))[np.cumsum(chunk.counts) - chunk.counts]
    began_ns: Ints = np.repeat(first_ns[chunk.rows] - before_us * _NS_PER_US, chunk.counts)
    return began_ns + since_us * _NS_PER_US


class TokenArrivals:
    """Output tokens by the time they arrived; gaps are fed chunk by chunk.

    An answer's tokens are divided evenly among its events; an answer that was not streamed arrives
    at its end. Only answered requests with a known number of tokens count.
    """

    def __init__(self, bins: Bins, columns: Columns) -> None:
        self.bins = bins
        counted = columns.ok & (columns.output_tokens != UNKNOWN)
        streamed = counted & (columns.first_ns != UNKNOWN) & (columns.events > 0)
        self._per_event = np.where(
            streamed, columns.output_tokens / np.maximum(columns.events, 1), 0.0
        )
        self._first_ns = np.where(streamed, columns.first_ns, 0)
        whole = counted & ~streamed
        self._found = _in_bins(bins, columns.first_ns, self._per_event, streamed)
        self._found += _in_bins(bins, columns.last_ns, columns.output_tokens, whole)

    def add(self, chunk: GapChunk) -> None:
        """Count the events of ``chunk`` that follow the first ones."""
        times_ns = event_times_ns(chunk, self._first_ns)
        tokens = np.repeat(self._per_event[chunk.rows], chunk.counts)
        inside = (times_ns >= self.bins.start_ns) & (times_ns <= self.bins.end_ns)
        if not inside.all():
            times_ns, tokens = times_ns[inside], tokens[inside]
        self._found += summed(self.bins.at(times_ns), tokens, self.bins.count)

    @property
    def tokens(self) -> Floats:
        """Tokens in each bin, of what was fed so far."""
        return self._found


def token_arrivals(bins: Bins, columns: Columns) -> Floats:
    """Output tokens that arrived in each bin."""
    found = TokenArrivals(bins, columns)
    feed(columns.gaps, found)
    return found.tokens


def _in_bins(bins: Bins, times_ns: Ints, amounts: Ints | Floats, keep: Bools) -> Floats:
    keep = keep & (times_ns >= bins.start_ns) & (times_ns <= bins.end_ns)
    return bins.counted(times_ns[keep], amounts[keep])
