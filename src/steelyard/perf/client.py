"""Whether the client kept up: a load test says nothing of a service that waited for its client.

A run is *client-bound* when one of these holds:

- loop delay: one turn in ten of a sender's event loop takes more than 5 % of the median TTFT or
  more than 10 % of the median gap between events, so that what is measured is partly the client.
  Where the kernel says when bytes arrive that is no matter as long as a stream's events are read
  one by one, but requests wait to be sent: there it is the whole of the median gap between events,
  or 5 % of the median time to the last event;
- CPU: the busiest sender process uses more than 90 % of a core while requests are under way;
- lateness: one scheduled request in a hundred is sent so late that it is more than 5 % of the
  median time from due to last event. When at that moment the places in flight were taken it was
  the limit of the load that held them back, else the senders' own slowness.

Waiting for a connection (sent - queued) is only reported: a closed load may well begin so.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from steelyard.core import Beat
from steelyard.perf.columns import UNKNOWN, Columns, Floats, Ints
from steelyard.perf.figures import ClientHealth
from steelyard.perf.latency import NS_PER_MS, e2el_ns, ttft_ns

_DELAY_OF_TTFT = 0.05
_DELAY_OF_ITL = 0.10
_DELAY_OF_E2EL = 0.05
_DELAY_MERGES = 1.0
"""Of a gap: what came meanwhile is one read, and its arrival that of the last byte."""
_BUSY = 0.90
_LATE = 0.05
_US_PER_MS = 1000
_FULL = 0.98
"""Share of the limit above which places in flight count as taken: senders see them apart."""


class _Finding(NamedTuple):
    reason: str
    advice: str


def health(
    beats: Sequence[Beat],
    columns: Columns,
    limit: int | None = None,
    *,
    kernel_clock: bool = False,
) -> ClientHealth:
    """How the senders did, from what they noted of themselves.

    ``limit`` is the number of places in flight that the load had; with ``kernel_clock`` the kernel
    said when bytes arrived. Without beats, CPU and loop delay are unknown and the verdict rests on
    lateness alone.
    """
    moments = _while_running(beats, columns)
    cpu_share = _cpu_share(moments)
    delays_ms = np.array([us for one in moments for us in one.beat.turns_us]) / _US_PER_MS
    scheduled = columns.due_ns != UNKNOWN
    late_ms = (columns.sent_ns - columns.due_ns)[scheduled] / NS_PER_MS
    waiting_ms = (columns.sent_ns - columns.queued_ns) / NS_PER_MS
    findings = (
        _slow_loop(delays_ms, columns, kernel_clock=kernel_clock)
        + _busy(cpu_share)
        + _late(columns, limit)
    )
    delay, late, waiting = _spread(delays_ms), _spread(late_ms), _spread(waiting_ms)
    return ClientHealth(
        client_bound=bool(findings),
        reasons=tuple(found.reason for found in findings),
        advice=tuple(dict.fromkeys(found.advice for found in findings)),
        cpu_share=cpu_share,
        loop_delay_p50_ms=delay.p50,
        loop_delay_p90_ms=delay.p90,
        loop_delay_p99_ms=delay.p99,
        loop_delay_max_ms=delay.most,
        lateness_p50_ms=late.p50,
        lateness_p99_ms=late.p99,
        lateness_max_ms=late.most,
        waiting_p50_ms=waiting.p50,
        waiting_p99_ms=waiting.p99,
        waiting_max_ms=waiting.most,
    )


class _Spread(NamedTuple):
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    most: float | None = None


def _spread(values: Floats) -> _Spread:
    if not values.size:
        return _Spread()
    return _Spread(*(float(at) for at in np.percentile(values, [50, 90, 99, 100])))


class _Moment(NamedTuple):
    beat: Beat
    wall_ns: int
    """Since the beat before it, and the CPU time in between."""
    cpu_ns: int


def _while_running(beats: Sequence[Beat], columns: Columns) -> list[_Moment]:
    """The moments between the first sending and the last end."""
    if not columns.n:
        return []
    start = columns.zero_ns + int(columns.sent_ns.min())
    end = columns.zero_ns + int(columns.done_ns.max())
    ordered = sorted(beats, key=lambda beat: (beat.sender, beat.at_ns))
    return [
        _Moment(beat, beat.at_ns - before.at_ns, beat.cpu_ns - before.cpu_ns)
        for before, beat in pairwise(ordered)
        if before.sender == beat.sender and beat.at_ns > start and before.at_ns < end
    ]


def _cpu_share(moments: Sequence[_Moment]) -> float | None:
    """Of the busiest sender."""
    wall_ns, cpu_ns = Counter[int](), Counter[int]()
    for one in moments:
        wall_ns[one.beat.sender] += one.wall_ns
        cpu_ns[one.beat.sender] += one.cpu_ns
    shares = [cpu_ns[sender] / wall_ns[sender] for sender in wall_ns if wall_ns[sender]]
    return max(shares, default=None)


def _slow_loop(delays_ms: Floats, columns: Columns, *, kernel_clock: bool) -> list[_Finding]:
    delay_ms = _spread(delays_ms).p90
    if delay_ms is None:
        return []
    found = []
    for name, values, share in _held_up_by_loop(columns, kernel_clock=kernel_clock):
        median_ms = _spread(values).p50
        if median_ms is not None and delay_ms > share * median_ms:
            found.append(
                _Finding(
                    f"one turn in ten of the event loop took more than {delay_ms:.3g} ms, which is "
                    f"over {share:.0%} of the median {name} ({median_ms:.3g} ms)",
                    _MORE_SENDERS,
                )
            )
    return found


def _held_up_by_loop(
    columns: Columns, *, kernel_clock: bool
) -> Iterator[tuple[str, Floats, float]]:
    """What a slow event loop spoils: name, values in ms, and the share that counts."""
    ok = columns.ok
    streamed = ok & (columns.first_ns != UNKNOWN)
    if kernel_clock:
        yield "time to the last event", (e2el_ns(columns) / NS_PER_MS)[ok], _DELAY_OF_E2EL
    else:
        yield "TTFT", (ttft_ns(columns) / NS_PER_MS)[streamed], _DELAY_OF_TTFT
    several = streamed & (columns.events > 1)
    events = np.maximum(columns.events - 1, 1)
    gaps_ms = (columns.last_ns - columns.first_ns) / NS_PER_MS / events
    share = _DELAY_MERGES if kernel_clock else _DELAY_OF_ITL
    yield "gap between events", gaps_ms[several], share


def _busy(cpu_share: float | None) -> list[_Finding]:
    if cpu_share is None or cpu_share <= _BUSY:
        return []
    return [_Finding(f"the busiest sender used {cpu_share:.0%} of a core", _MORE_SENDERS)]


def _late(columns: Columns, limit: int | None) -> list[_Finding]:
    scheduled = columns.due_ns != UNKNOWN
    answered = scheduled & columns.ok
    if not answered.any():
        return []
    late_ns = columns.sent_ns - columns.due_ns
    p99_ns = float(np.percentile(late_ns[scheduled], 99))
    lasted_ns = float(np.median((e2el_ns(columns) + late_ns)[answered]))
    if p99_ns <= _LATE * lasted_ns:
        return []
    latest = np.flatnonzero(scheduled & (late_ns > _LATE * lasted_ns))
    full = limit is not None and float(np.median(_under_way(columns)[latest])) >= _FULL * limit
    cause = f"all {limit} places in flight were taken" if full else "the senders were behind"
    return [
        _Finding(
            f"one scheduled request in a hundred was sent {p99_ns / NS_PER_MS:.3g} ms late or more "
            f"while {cause}; that is over {_LATE:.0%} of the median time from due to last event",
            _MORE_PLACES if full else _MORE_SENDERS,
        )
    ]


def _under_way(columns: Columns) -> Ints:
    """How many requests were under way when each was sent, itself included."""
    ended = np.searchsorted(np.sort(columns.done_ns), columns.sent_ns, side="right")
    return np.arange(1, columns.n + 1) - ended


_MORE_SENDERS = "use more sender processes, or a machine with less other work"
_MORE_PLACES = "raise --concurrency, or lower the request rate to what the service takes"
