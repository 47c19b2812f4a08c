"""All figures of one run at once: the way into this room."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from steelyard.core import Beat
from steelyard.perf.client import health
from steelyard.perf.columns import UNKNOWN, Columns
from steelyard.perf.compat import others
from steelyard.perf.feeding import feed
from steelyard.perf.figures import Common, Figures, Goodput, Stat, Window
from steelyard.perf.goodput import LargestGaps, goodput
from steelyard.perf.latency import sent_in
from steelyard.perf.rates import (
    RATE_BINS,
    Flow,
    Span,
    common_metrics,
    totals_inside,
    totals_of_requests,
    whole_run,
)
from steelyard.perf.slo import Slo
from steelyard.perf.spread import Bins, TokenArrivals
from steelyard.perf.stable import stable_totals, stable_warning, stable_window
from steelyard.perf.stages import StageRows
from steelyard.perf.stats import DEFAULT_STATS, chosen_stats
from steelyard.perf.steady import loading, steady_window

StageRule: TypeAlias = Literal["total", "steady", "stable"]
"""``steady``: the whole run and, if there is one, its steady window; ``stable``: AISBench's stable
stage alone, or the whole run when it was not reached."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of the figures."""

    stats: Sequence[str] = DEFAULT_STATS
    """Columns of the statistics table; see ``chosen_stats``."""
    stage: StageRule = "steady"
    limit: int | None = None
    """Places in flight that the load had (Max Concurrency); ``None``: without limit."""
    slo: Slo | None = None
    """Objectives for goodput; ``None``: no goodput."""
    compat: bool = False
    """Also rows by AISBench's rules (``compat``)."""
    kernel_clock: bool = False
    """The kernel said when bytes arrived, not the client's event loop."""


def figures(columns: Columns, options: Options, beats: Sequence[Beat] = ()) -> Figures:
    """Everything that a run says.

    ``beats`` is what the senders noted of themselves. Takes two passes over the gaps, one more for
    each stage with ``options.compat``.
    """
    whole = whole_run(columns)
    if whole is None:
        return Figures(
            stats=(),
            common=(),
            failures=_failures(columns),
            window=None,
            no_window="",
            client=health(beats, columns, options.limit, kernel_clock=options.kernel_clock),
            notes=(_NOTHING,),
        )
    run = _Run(columns, options, whole)
    found = run.window()
    window = found if isinstance(found, Window) else None
    if window is None or options.stage != "stable":
        run.add_whole()
    if window is not None:
        run.add_window(window)
    return Figures(
        stats=tuple(run.stats),
        common=tuple(run.common),
        failures=_failures(columns),
        window=window,
        no_window=found if isinstance(found, str) else "",
        goodput=run.goodput(window),
        client=health(beats, columns, options.limit, kernel_clock=options.kernel_clock),
        notes=tuple(run.notes),
    )


class _Run:
    """One run on its way to its figures. Making one is the first pass over the gaps."""

    def __init__(self, columns: Columns, options: Options, whole: Bins) -> None:
        self._columns = columns
        self._options = options
        self._names = chosen_stats(options.stats)
        self._extra = others(columns)
        self._everything = np.ones(columns.n, dtype=np.bool_)
        self._loading = loading(columns)
        self._rows = StageRows(columns, self._everything, "total")
        self._settling = TokenArrivals(self._loading or whole, columns)
        self._largest = LargestGaps(columns.n)
        feed(columns.gaps, self._rows, self._settling, self._largest)
        self._whole = whole
        self.stats: list[Stat] = []
        self.common: list[Common] = []
        self.notes = _unknown_tokens(columns)

    def window(self) -> Window | str:
        """The window of the stage that is asked for, or why there is none."""
        if self._options.stage == "stable":
            return stable_window(self._columns, self._options.limit)
        if self._options.stage == "steady":
            return steady_window(self._columns, self._loading, self._settling.tokens)
        return ""

    def add_whole(self) -> None:
        """Add the figures of the whole run."""
        duration_ns = self._whole.end_ns - self._whole.start_ns
        totals = totals_of_requests(self._columns, self._everything, duration_ns)
        flow = Flow(self._columns, self._whole)
        self._add(self._rows, Span("total", self._everything, totals, flow))

    def add_window(self, window: Window) -> None:
        """Add the figures of the steady or stable stage, in another pass over the gaps."""
        columns, limit = self._columns, self._options.limit
        keep = sent_in(columns, window)
        if self._options.stage == "stable" and limit is not None:
            rows = StageRows(columns, keep, "stable")
            feed(columns.gaps, rows)
            self._add(rows, Span("stable", keep, stable_totals(columns, window, limit)))
            self.notes += stable_warning(columns, window)
            return
        rows = StageRows(columns, keep, "steady")
        arrivals = TokenArrivals(Bins(window.start_ns, window.end_ns, RATE_BINS), columns)
        feed(columns.gaps, rows, arrivals)
        totals = totals_inside(columns, arrivals.bins, arrivals.tokens)
        self._add(rows, Span("steady", keep, totals, Flow(columns, arrivals.bins)))

    def goodput(self, window: Window | None) -> Goodput | None:
        """Goodput of the whole run, and the share in ``window``, if there are objectives."""
        if self._options.slo is None:
            return None
        found = goodput(
            self._columns, self._options.slo, self._largest.gaps_us, self._whole, window
        )
        if found.together.undecided:
            self.notes.append(
                f"goodput leaves out {found.together.undecided} requests of which it cannot be told"
            )
        return found

    def _add(self, rows: StageRows, span: Span) -> None:
        self.stats += rows.stats(self._names)
        if self._options.compat:
            self.stats += rows.compat_stats(self._names, self._extra)
        self.common += common_metrics(self._columns, span, self._options.limit)


_NOTHING = "CALC-DATA-001: no request was answered, so there are no latencies and no throughput"


def _failures(columns: Columns) -> dict[str, int]:
    kinds, counts = np.unique(columns.failure[~columns.ok], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {columns.failure_kinds[kinds[i]]: int(counts[i]) for i in order}


def _unknown_tokens(columns: Columns) -> list[str]:
    answered = int(columns.ok.sum())
    found = []
    for side, tokens in (("input", columns.input_tokens), ("output", columns.output_tokens)):
        unknown = int((columns.ok & (tokens == UNKNOWN)).sum())
        if unknown:
            found.append(
                f"the number of {side} tokens is unknown for {unknown} of {answered} answers; "
                "sums and throughputs that need it are left out"
            )
    return found
