"""Where a run is in its steady state: found by a rule, with nothing to tune.

Looked at is the time from the first sending to the last: what comes after is the emptying of the
service, however long one straggler takes. With a schedule, due times stand for sendings, and what
is due counts as under way, so that a client that holds requests back hides nothing. The time is cut
into 120 bins, with two series: requests under way, and output tokens arriving (or answers, where
token counts are unknown).

1. Ends. Of all windows of at least half of that time, the one whose mean is best known: smallest
   variance / length (the marginal standard error rule, MSER, of White 1997, for both ends at once).
   Windows within a quarter of that optimum count as good, as does a spread below 2 %; of these the
   longest is taken. Both series must agree: the later start and the earlier end count. With a
   schedule only the start is cut, because a service that falls behind shows it at the end.
2. Settled. With a schedule the optimum does not begin as late as it may while no window is good
   that begins in the first quarter: that is a series that still moves in the middle.
3. Long enough. The window lasts at least three times the median E2EL of what was sent in it, and at
   least 30 requests were sent.
4. No drift. A straight line through the means of stretches that are nearly independent (``blocks``
   of what the line leaves over) must not change by more than 10 % of the mean from end to end, or
   else not be significant at 99 %. An overloaded service fails here: more and more is under way.

When one of them does not hold there is no steady state, and the answer says why. In simulations
about 3 of 100 runs of a service with room to spare fail it, and 13 of 100 short runs (2000
requests) of a service that is 10 % overloaded pass.
"""

from math import sqrt
from typing import NamedTuple

import msgspec
import numpy as np

from steelyard.perf.blocks import blocks
from steelyard.perf.columns import UNKNOWN, Columns, Floats, Ints
from steelyard.perf.figures import Window
from steelyard.perf.intervals import student
from steelyard.perf.latency import NS_PER_S, e2el_ns, sent_in
from steelyard.perf.spread import Bins, over_time

BINS = 120
_LEAST_BINS = BINS // 2
_LEAST_REQUESTS = 30
_LIFETIMES = 3
_AS_GOOD = 1.25
_NO_SPREAD = 0.02
_DRIFT = 0.10
_FEWEST, _MOST = 6, 20
_Z_99 = 2.5758293035489004


class _Series(NamedTuple):
    what: str
    values: Floats


class _Ends(NamedTuple):
    first: int
    """The window's first bin."""
    end: int
    """The bin after its last."""
    settled: bool


class _Line(NamedTuple):
    begin: float
    end: float
    change: float
    """From begin to end, as a share of the mean."""
    certain: bool


def loading(columns: Columns) -> Bins | None:
    """The bins from the first sending to the last; ``None`` when there is no time between."""
    if not columns.n:
        return None
    wanted = _wanted_ns(columns)
    start, end = int(wanted.min()), int(wanted.max())
    return Bins(start, end, BINS) if end > start else None


def steady_window(columns: Columns, bins: Bins | None, arrived: Floats) -> Window | str:
    """The steady window of a run, or the reason why there is none.

    ``bins`` is what ``loading`` gave, ``arrived`` the output tokens that arrived in them.
    """
    if bins is None:
        return "no steady state: all requests were sent at once"
    series = _series(columns, bins, arrived)
    scheduled = bool((columns.due_ns != UNKNOWN).any())
    ends = [_best(one.values, to_the_end=scheduled) for one in series]
    if scheduled and not ends[0].settled:
        return f"no steady state: {_moved(series[0], bins, 0, BINS)}, without settling"
    first, last = max(one.first for one in ends), min(one.end for one in ends)
    window = Window(start_ns=_at(bins, first), end_ns=_at(bins, last), why="")
    short = _too_short(columns, window)
    if short:
        return f"no steady state: {short}"
    for one in series:
        line = _line(one.values[first:last])
        if line.certain and abs(line.change) > _DRIFT:
            return f"no steady state: {_moved(one, bins, first, last)}"
    return msgspec.structs.replace(window, why=_why(columns, window))


def _series(columns: Columns, bins: Bins, arrived: Floats) -> tuple[_Series, _Series]:
    start = _wanted_ns(columns)
    scheduled = bool((columns.due_ns != UNKNOWN).any())
    lives = (columns.done_ns - start).astype(np.float64)
    under_way = over_time(bins, start, columns.done_ns, lives) / bins.width_ns
    what = "requests due or under way" if scheduled else "requests under way"
    known = columns.ok & (columns.output_tokens != UNKNOWN)
    per_s = NS_PER_S / bins.width_ns
    if (known == columns.ok).all() and arrived.any():
        return _Series(what, under_way), _Series("output tokens per second", arrived * per_s)
    done = columns.done_ns[columns.ok]
    answers = bins.counted(done[(done >= bins.start_ns) & (done <= bins.end_ns)])
    return _Series(what, under_way), _Series("answers per second", answers * per_s)


def _wanted_ns(columns: Columns) -> Ints:
    """When each request was to be sent: when it was due, or else when it was sent."""
    return np.where(columns.due_ns == UNKNOWN, columns.sent_ns, columns.due_ns)


def _best(values: Floats, *, to_the_end: bool) -> _Ends:
    """The longest window that is about as good as the best one."""
    n = values.size
    sums = np.concatenate(([0.0], np.cumsum(values)))
    squares = np.concatenate(([0.0], np.cumsum(values**2)))
    first = np.arange(n // 2 + 1)[:, None]
    end = np.arange(n if to_the_end else n // 2, n + 1)[None, :]
    length = np.maximum(end - first, 1)
    around = squares[end] - squares[first] - (sums[end] - sums[first]) ** 2 / length
    score = np.where(end - first >= _LEAST_BINS, np.maximum(around, 0) / length**2, np.inf)
    mean = (sums[end] - sums[first]) / length
    best = np.unravel_index(np.argmin(score), score.shape)
    good = score <= score[best] * _AS_GOOD + (_NO_SPREAD * mean[best]) ** 2 / n
    longest = np.unravel_index(np.argmax(np.where(good, length, 0)), score.shape)
    settled = best[0] < n // 2 or longest[0] < n // 4
    return _Ends(int(longest[0]), int(end[0, longest[1]]), bool(settled))


def _at(bins: Bins, edge: int) -> int:
    return bins.start_ns + round(edge * bins.width_ns)


def _too_short(columns: Columns, window: Window) -> str:
    sent = sent_in(columns, window)
    if sent.sum() < _LEAST_REQUESTS:
        return f"only {sent.sum()} requests were sent while it may have been"
    answered = sent & columns.ok
    if not answered.any():
        return "no request that was sent while it may have been was answered"
    life_s = float(np.median(e2el_ns(columns)[answered])) / NS_PER_S
    length_s = (window.end_ns - window.start_ns) / NS_PER_S
    if length_s < _LIFETIMES * life_s:
        return (
            f"the {length_s:.3g} s that may have been are less than {_LIFETIMES} times the median "
            f"E2EL of {life_s:.3g} s"
        )
    return ""


def _moved(series: _Series, bins: Bins, first: int, last: int) -> str:
    line = _line(series.values[first:last])
    verb = "grew" if line.change > 0 else "fell"
    start_s, end_s = _at(bins, first) / NS_PER_S, _at(bins, last) / NS_PER_S
    return (
        f"{series.what} {verb} by {abs(line.change):.0%} of their mean from {start_s:.1f} to "
        f"{end_s:.1f} s (about {max(line.begin, 0):.3g} to {max(line.end, 0):.3g})"
    )


def _line(values: Floats) -> _Line:
    """A straight line through ``values``, and whether its change is no chance."""
    n = values.size
    mean = float(values.mean())
    if mean <= 0:
        return _Line(mean, mean, 0.0, certain=False)
    at = (np.arange(n) - (n - 1) / 2) / n
    left = values - mean - at * (at @ values) / (at @ at)
    count = blocks(np.ones(n, dtype=np.bool_), [left]).count
    count = min(max(count, _FEWEST), _MOST)
    label = np.arange(n) * count // n
    size = np.bincount(label)
    means, where = np.bincount(label, values) / size, np.bincount(label, at) / size
    slope = float(where @ (means - mean)) / float(where @ where)
    spread = float(((means - mean - slope * where) ** 2).sum()) / (count - 2)
    error = sqrt(spread / float(where @ where))
    certain = abs(slope) > student(_Z_99, count - 2) * error
    return _Line(mean - slope / 2, mean + slope / 2, slope / mean, certain)


def _why(columns: Columns, window: Window) -> str:
    start_s, end_s = window.start_ns / NS_PER_S, window.end_ns / NS_PER_S
    return (
        f"from {start_s:.1f} to {end_s:.1f} s the number under way and the token rate neither "
        f"rise nor fall; {sent_in(columns, window).sum()} of {columns.n} requests were sent then"
    )
