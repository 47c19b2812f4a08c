"""The window of AISBench's summarizer ``stable_stage``, so that old numbers can be reproduced.

C is the load's number of places in flight. Going through all sendings and ends in the order of
time, the window begins at the second sending after which exactly C requests are under way (the
first counts as warm-up) and ends at the last event after which exactly C are. The requests sent in
it make the stage, with all their tokens, whenever these came; its concurrency is at most C.

Differs from AISBench where that gives wrong numbers: failed requests occupy their place until their
failure is known, and are left out of the latencies without shifting those of others. What it shares
with AISBench: a run whose count jumps over C or stays just below has no stable stage, and tokens
that arrive after the window make its throughput too high; ``steady`` has neither fault.
"""

import numpy as np

from steelyard.perf.columns import Columns
from steelyard.perf.figures import Window
from steelyard.perf.latency import NS_PER_S, e2el_ns, sent_in
from steelyard.perf.rates import Totals, totals_of_requests


def stable_window(columns: Columns, limit: int | None) -> Window | str:
    """The window for ``limit`` places in flight, or the reason why there is none."""
    if limit is None:
        return f"{_NOT_REACHED} the load has no limit of requests in flight to look for"
    times = np.concatenate((columns.done_ns, columns.sent_ns))
    steps = np.repeat([-1, 1], columns.n)
    order = np.argsort(times, kind="stable")
    under_way = np.cumsum(steps[order])
    full = np.flatnonzero(under_way == limit)
    begun = full[steps[order][full] > 0]
    if begun.size < 2:
        highest = int(under_way.max(initial=0))
        return (
            f"{_NOT_REACHED} sending brought the requests under way to exactly {limit} "
            f"{'once' if begun.size else 'never'} (most at a time: {highest}), twice are needed. "
            "Send more requests, or lower --concurrency."
        )
    start_ns, end_ns = int(times[order[begun[1]]]), int(times[order[full[-1]]])
    if end_ns == start_ns:
        return f"{_NOT_REACHED} it had no duration. Send more requests."
    return Window(start_ns=start_ns, end_ns=end_ns, why=_why(start_ns, end_ns, limit))


def stable_totals(columns: Columns, window: Window, limit: int) -> Totals:
    """All that the requests of the stage brought, with the time under way cut at ``limit``."""
    duration_ns = window.end_ns - window.start_ns
    found = totals_of_requests(columns, sent_in(columns, window), duration_ns)
    return found._replace(under_way_ns=min(found.under_way_ns, float(limit * duration_ns)))


def stable_warning(columns: Columns, window: Window) -> list[str]:
    """A warning when an answer took a third of the window or more; else nothing."""
    inside = sent_in(columns, window) & columns.ok
    longest_ns = int(e2el_ns(columns)[inside].max(initial=0))
    if 3 * longest_ns < window.end_ns - window.start_ns:
        return []
    took = f"the longest answer of the stable stage took {longest_ns / NS_PER_S:.1f} s"
    return [f"{took}, a third of the stage or more: its throughput is too high. Send more requests"]


_NOT_REACHED = "CALC-DATA-002: the stable stage was not reached:"


def _why(start_ns: int, end_ns: int, limit: int) -> str:
    start_s, end_s = start_ns / NS_PER_S, end_ns / NS_PER_S
    return (
        f"from {start_s:.1f} s, when a sending brought the requests under way to {limit} for the "
        f"second time, to {end_s:.1f} s, when {limit} were under way for the last time (AISBench)"
    )
