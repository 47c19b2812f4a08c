"""``<dataset>_plot.html``: what the page of a load test shows, out of columns and figures."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from steelyard import store
from steelyard.perf.columns import UNKNOWN, Columns, Floats, Ints
from steelyard.perf.distributions import distributions
from steelyard.perf.figures import Figures
from steelyard.perf.series import Series as TimeBins
from steelyard.perf.series import series
from steelyard.pipeline.load_columns import Measured
from steelyard.pipeline.load_files import LoadFiles, RunNote
from steelyard.pipeline.load_words import load_words
from steelyard.reports import load_text
from steelyard.reports.page_frame import Table
from steelyard.reports.perf_page import (
    Distribution,
    Mark,
    PerfPage,
    RequestColumns,
    Series,
    TimeSeries,
    perf_page,
)

_BINS = 300
_NS = 1e9
_HEADLINES = (
    ("Request throughput", "Request Throughput"),
    ("Output tokens", "Output Token Throughput"),
)
_LATENCIES = (("TTFT", "P50", "Median"), ("TTFT", "P99", "P99"), ("TPOT", "P50", "Median"))


def write_page(
    files: LoadFiles, note: RunNote, measured: Measured, figures: Figures, notes: Sequence[str]
) -> Path:
    """Write the page; raises ``DiskError``."""
    path = files.path("_plot.html")
    page = PerfPage(
        title=f"{note.model} / {note.dataset}",
        subtitle=f"{load_words(note)}, {note.started_at}",
        notes=tuple(notes),
        figures=tuple(_headlines(figures)),
        facts=tuple(_facts(note, figures)),
        tables=tuple(_tables(figures)),
        requests=_requests(measured) if measured.columns.n else None,
        series=_series(measured.columns),
        distributions=tuple(_distributions(measured.columns)),
        steady_s=_window_s(figures),
    )
    store.write_atomic(path, perf_page(page).encode())
    return path


def _window_s(figures: Figures) -> tuple[float, float] | None:
    window = figures.window
    return None if window is None else (window.start_ns / _NS, window.end_ns / _NS)


def _headlines(figures: Figures) -> Iterator[tuple[str, str]]:
    """The few figures to read first, of the steady part where there is one."""
    stages = {row.stage for row in figures.common}
    stage = next((name for name in ("steady", "stable") if name in stages), "total")
    for label, name in _HEADLINES:
        for row in figures.common:
            if (row.name, row.stage) == (name, stage) and row.value is not None:
                yield f"{label}, {stage}", f"{load_text.short(row.value)} {row.unit}"
    for name, label, stat in _LATENCIES:
        for stats in figures.stats:
            one = stats.values.get(stat)
            if (stats.name, stats.stage) == (name, stage) and one is not None:
                yield f"{name} {label}, {stage}", f"{load_text.short(one.value)} {stats.unit}"
    if figures.goodput is not None and figures.goodput.requests_per_s is not None:
        yield "Goodput", f"{load_text.short(figures.goodput.requests_per_s.value)} req/s"


def _facts(note: RunNote, figures: Figures) -> Iterator[tuple[str, str]]:
    yield "Load", load_words(note)
    if note.served:
        yield "Served model", note.served
    yield "Streamed", "yes" if note.stream else "no"
    if note.arrivals is not None:
        yield "Arrivals stamped by", f"the {note.arrivals}"
    yield "Warm-up requests", str(note.warmups)
    yield "Sender processes", str(note.senders)
    if figures.window is not None:
        yield "Window", figures.window.why
    if figures.goodput is not None:
        yield "Objectives", load_text.goodput_text(figures.goodput)
    client = figures.client
    if client is not None:
        if client.cpu_share is not None:
            yield "Client CPU, busiest sender", f"{100 * client.cpu_share:.0f} % of a core"
        if client.loop_delay_p99_ms is not None:
            yield "Client event-loop delay, P99", f"{load_text.short(client.loop_delay_p99_ms)} ms"
        if client.lateness_p99_ms is not None:
            yield "Lateness, P99", f"{load_text.short(client.lateness_p99_ms)} ms"
    yield "Client", note.machine
    yield "Steelyard", note.version


def _tables(figures: Figures) -> Iterator[Table]:
    if figures.stats:
        head, rows = load_text.stat_table(figures.stats)
        note = f"{load_text.UNSUPPORTED} too few requests for this percentile"
        yield Table(title="Latencies", head=head, rows=rows, note=note)
        head, rows = load_text.stat_intervals(figures.stats)
        if rows:
            note = "Block bootstrap over stretches of the run; - where there are too few"
            yield Table(title="95 % intervals", head=head, rows=rows, note=note)
    if figures.common:
        head, rows = load_text.common_table(figures.common)
        yield Table(title="Common metrics", head=head, rows=rows)


def _requests(measured: Measured) -> RequestColumns:
    columns = measured.columns
    return RequestColumns(
        sent_s=columns.sent_ns / _NS,
        end_s=columns.done_ns / _NS,
        first_s=_seconds(columns.first_ns),
        due_s=_seconds(columns.due_ns),
        failure=columns.failure,
        failure_kinds=columns.failure_kinds,
        input_tokens=columns.input_tokens,
        output_tokens=columns.output_tokens,
        line=_lines(measured.keys) if columns.turn.any() else None,
    )


def _seconds(times_ns: Ints) -> Floats:
    return np.where(times_ns == UNKNOWN, np.nan, times_ns / _NS)


def _lines(keys: Sequence[str]) -> Ints:
    """One line for all turns of a dialogue, in the order in which dialogues began."""
    numbers: dict[str, int] = {}
    found = [
        numbers.setdefault(f"{sample}#{place.partition('.')[0]}", len(numbers))
        for sample, _, place in (key.rpartition("#") for key in keys)
    ]
    return np.array(found, dtype=np.int64)


def _series(columns: Columns) -> TimeSeries | None:
    found = series(columns, _BINS)
    if found is None:
        return None
    edges: Floats = found.start_s + found.width_s * np.arange(_BINS + 1, dtype=np.float64)
    return TimeSeries(
        edges_s=edges,
        planned_per_s=found.due_per_s,
        sent_per_s=found.sent_per_s,
        completed_per_s=found.answered_per_s,
        output_tokens_per_s=found.tokens_per_s,
        ttft_ms=tuple(_percentiles(found, "ttft", ("p50", "p90", "p99"))),
        itl_ms=tuple(_percentiles(found, "itl", ("p50", "p99"))),
        failures=tuple(_failures(columns, edges)),
    )


def _percentiles(found: TimeBins, name: str, which: Sequence[str]) -> Iterator[Series]:
    for one in which:
        values = [np.nan if v is None else v for v in getattr(found, f"{name}_{one}_ms")]
        if not np.isnan(values).all():
            yield Series(one.upper(), np.array(values))


def _failures(columns: Columns, edges_s: Floats) -> Iterator[Series]:
    """Failed requests in each bin, by kind."""
    for number, kind in enumerate(columns.failure_kinds):
        ended_s = columns.done_ns[columns.failure == number] / _NS
        inside = np.clip(ended_s, edges_s[0], edges_s[-1])
        yield Series(kind, np.histogram(inside, edges_s)[0].astype(np.float64))


def _distributions(columns: Columns) -> Iterator[Distribution]:
    for one in distributions(columns):
        what = "gaps between events" if one.name == "ITL" else "requests"
        yield Distribution(
            name=one.name,
            note=f"{one.n:,} {what}",
            value_ms=one.values_ms,
            share=one.shares,
            marks=tuple(Mark(*mark) for mark in one.marks_ms),
        )
