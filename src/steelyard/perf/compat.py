"""AISBench's own reading of the same run, as rows with the suffix `` (AISBench)``.

Its time points are all events of a stream, whatever they hold, and its rules differ:

    E2EL (AISBench)   sending to the last event, the one with the usage included
    TTFT (AISBench)   sending to the first event, which often holds only the role
    TPOT (AISBench)   (E2EL - TTFT) / (OutputTokens - 1), and 0 for an answer of one token
    ITL (AISBench)    gaps between all events
    OutputTokenThroughput, PrefillTokenThroughput   from these times; 0 when TTFT is 0

Times are rounded to 4 decimals of a second, as AISBench rounds them, before they enter a statistic.
``n`` of TPOT and ITL counts the requests with at least one gap above zero. The intervals are ours.
Where a token count is unknown AISBench may count 0; here such requests are left out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from steelyard.perf.columns import UNKNOWN, Bools, Columns, Floats, GapChunk, Ints
from steelyard.perf.feeding import even_chunks
from steelyard.perf.latency import NS_PER_S, Row, known

SUFFIX = " (AISBench)"

TENTHS_PER_MS = 10
_NS_PER_US = 1000
_US_PER_S = 1e6
_MS_PER_S = 1000
_TENTHS_PER_S = 1e4
_TIME_BITS = 40


class Others(NamedTuple):
    """The events without content of all requests: sorted by request, then time."""

    rows: Ints
    since_us: Ints
    """Since sending."""


def others(columns: Columns) -> Others:
    """All events without content; they are few, so they are held in memory."""
    if columns.others is None:
        return Others(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    chunks = list(columns.others.chunks())
    rows = [np.repeat(chunk.rows, chunk.counts) for chunk in chunks]
    since_us = [chunk.gaps_us for chunk in chunks]
    every, times = np.concatenate(rows), np.concatenate(since_us)
    order = np.lexsort((times, every))
    return Others(every[order], times[order])


def merged_chunks(columns: Columns, extra: Others) -> Iterator[GapChunk]:
    """The gaps between all events of all streamed answers."""
    left = columns.ok & (columns.first_event_ns != UNKNOWN)
    for chunk in even_chunks(columns.gaps):
        left[chunk.rows] = False
        yield _merged(columns, chunk, extra)
    rows = np.flatnonzero(left)
    none = np.zeros(rows.size, dtype=np.int64)
    yield _merged(columns, GapChunk(rows, none, np.empty(0, dtype=np.int64)), extra)


def _merged(columns: Columns, chunk: GapChunk, extra: Others) -> GapChunk:
    """``chunk`` with the events without content put between those with."""
    place = np.arange(chunk.rows.size)
    first_us = (columns.first_ns - columns.sent_ns)[chunk.rows] // _NS_PER_US
    has_first = columns.first_ns[chunk.rows] != UNKNOWN
    start, end = np.searchsorted(extra.rows, [chunk.rows, chunk.rows + 1])
    found = _ranges(start, end - start)
    keys = (
        _keys(place[has_first], first_us[has_first]),
        _keys(np.repeat(place, chunk.counts), _since_us(chunk, first_us)),
        _keys(np.repeat(place, end - start), extra.since_us[found]),
    )
    events = np.sort(np.concatenate(keys))
    of: Ints = events >> _TIME_BITS
    same = of[1:] == of[:-1]
    counts = np.bincount(of[1:][same], minlength=chunk.rows.size)
    return GapChunk(chunk.rows, counts, np.diff(events)[same])


def _since_us(chunk: GapChunk, first_us: Ints) -> Ints:
    """Sending to each event that ends a gap."""
    ends = np.cumsum(chunk.gaps_us)
    before = np.concatenate(([0], ends))[np.cumsum(chunk.counts) - chunk.counts]
    offset: Ints = np.repeat(first_us - before, chunk.counts)
    return ends + offset


def _keys(place: Ints, since_us: Ints) -> Ints:
    """Numbers that sort by request, then time."""
    found: Ints = np.left_shift(place, _TIME_BITS)
    return found + since_us


def _ranges(starts: Ints, counts: Ints) -> Ints:
    """The numbers from each start on, so many of each, one after the other."""
    ends = np.cumsum(counts)
    within: Ints = np.arange(int(counts.sum()), dtype=np.int64)
    offset: Ints = np.repeat(starts - (ends - counts), counts)
    return within + offset


def tenths(chunk: GapChunk) -> GapChunk:
    """``chunk`` with its gaps rounded as AISBench rounds them, in tenths of a millisecond."""
    rounded = np.rint(np.round(chunk.gaps_us / _US_PER_S, 4) * _TENTHS_PER_S)
    return chunk._replace(gaps_us=rounded.astype(np.int64))


def compat_rows(columns: Columns, keep: Bools, extra: Others) -> list[Row]:
    """The rows of the requests in ``keep``, without ITL; rows without any value are left out."""
    has = known(columns, keep)
    streamed = has.answered & (columns.first_event_ns != UNKNOWN)
    tokens_in, tokens_out = columns.input_tokens, columns.output_tokens
    counted = has.answered & (tokens_out != UNKNOWN)
    e2el_s = _rounded_s(_last_event_ns(columns, extra) - columns.sent_ns)
    ttft_s = _rounded_s(columns.first_event_ns - columns.sent_ns)
    tpot_s = np.where(tokens_out > 1, (e2el_s - ttft_s) / np.maximum(tokens_out - 1, 1), 0.0)
    made = np.divide(tokens_out, e2el_s, out=np.zeros(columns.n), where=e2el_s > 0)
    read = np.divide(tokens_in, ttft_s, out=np.zeros(columns.n), where=ttft_s > 0)
    rows = (
        ("E2EL", "ms", has.answered, e2el_s * _MS_PER_S),
        ("TTFT", "ms", streamed, ttft_s * _MS_PER_S),
        ("TPOT", "ms", streamed & counted, np.round(tpot_s, 4) * _MS_PER_S),
        ("OutputTokenThroughput", "token/s", counted & (e2el_s > 0), made),
        ("PrefillTokenThroughput", "token/s", streamed & (tokens_in != UNKNOWN), read),
    )
    return [
        Row(name + SUFFIX, unit, np.flatnonzero(rows_), values[rows_].astype(np.float64))
        for name, unit, rows_, values in rows
        if rows_.any()
    ]


def _last_event_ns(columns: Columns, extra: Others) -> Ints:
    last = columns.last_ns.copy()
    np.maximum.at(last, extra.rows, columns.sent_ns[extra.rows] + extra.since_us * _NS_PER_US)
    return last


def _rounded_s(time_ns: Ints) -> Floats:
    return np.round(time_ns / NS_PER_S, 4)
