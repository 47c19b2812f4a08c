"""The page of one load test, ``<dataset>_plot.html``: every request, every rate, every latency.

One file that works without a network. Nothing is computed here but layout and encoding: each number
comes from ``PerfPage``. Two things are counted in the browser, because they follow exactly from the
requests themselves: the rows that requests are drawn in, and how many run at any moment.

Imported by module path where a page is made: encoding the columns needs numpy.
"""

import math
from collections.abc import Iterable

import msgspec

from steelyard.reports.page_data import Numbers, Packed, packed_counts, packed_floats, packed_times
from steelyard.reports.page_frame import Around, page_html, plain

_SCRIPTS = ("requests.js", "timeline.js", "request_charts.js", "distributions.js", "perf_page.js")


class RequestColumns(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All requests in columns of equal length, best in order of sending; seconds since start."""

    sent_s: Numbers
    end_s: Numbers
    """End of the answer, or when the failure was known."""
    first_s: Numbers | None = None
    """First token; NaN where nothing was streamed."""
    due_s: Numbers | None = None
    """When the schedule wanted it sent; NaN where there was no schedule."""
    failure: Numbers | None = None
    """Index into ``failure_kinds``; negative for an answer."""
    failure_kinds: tuple[str, ...] = ()
    input_tokens: Numbers | None = None
    output_tokens: Numbers | None = None
    """Negative: unknown."""
    line: Numbers | None = None
    """Which dialogue it belongs to, from 0: turns of one share a line. ``None``: one line each."""


class Series(msgspec.Struct, frozen=True, eq=False):
    """One value for each bin of the time grid; NaN where there is none."""

    name: str
    """As the legend says it: ``P99``, ``timeout``."""
    values: Numbers


class TimeSeries(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What happened over time, in bins. ``None`` (or nothing) leaves the line out."""

    edges_s: Numbers
    """Edges of the bins, rising: one more than there are bins."""
    planned_per_s: Numbers | None = None
    """Requests that the schedule wanted sent."""
    sent_per_s: Numbers | None = None
    completed_per_s: Numbers | None = None
    """Requests answered."""
    output_tokens_per_s: Numbers | None = None
    input_tokens_per_s: Numbers | None = None
    ttft_ms: tuple[Series, ...] = ()
    """Percentiles, the lowest first."""
    itl_ms: tuple[Series, ...] = ()
    failures: tuple[Series, ...] = ()
    """Failed requests in each bin, by kind."""


class Mark(msgspec.Struct, frozen=True):
    """A percentile to point out on a distribution."""

    name: str
    value_ms: float
    share: float
    """0.99 for P99."""


class Distribution(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Which share of the values is at most how large."""

    name: str
    note: str = ""
    """What one value is, and how many there are."""
    value_ms: Numbers
    """Rising."""
    share: Numbers
    """Cumulative, in (0, 1], the last one 1."""
    marks: tuple[Mark, ...] = ()


class PerfPage(Around, frozen=True, kw_only=True, eq=False):
    """Everything that the page of one load test shows."""

    requests: RequestColumns | None = None
    series: TimeSeries | None = None
    distributions: tuple[Distribution, ...] = ()
    steady_s: tuple[float, float] | None = None
    """The steady window."""


class _Requests(msgspec.Struct, frozen=True, kw_only=True):
    sent: Packed
    end: Packed
    first: Packed | None
    due: Packed | None
    failure: Packed | None
    failure_kinds: tuple[str, ...]
    input_tokens: Packed | None
    output_tokens: Packed | None
    line: Packed | None


class _Line(msgspec.Struct, frozen=True):
    name: str
    values: Packed


class _Series(msgspec.Struct, frozen=True, kw_only=True):
    edges: Packed
    planned_per_s: Packed | None
    sent_per_s: Packed | None
    completed_per_s: Packed | None
    output_tokens_per_s: Packed | None
    input_tokens_per_s: Packed | None
    ttft: tuple[_Line, ...]
    itl: tuple[_Line, ...]
    failures: tuple[_Line, ...]


class _Distribution(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    note: str
    value: Packed
    share: Packed
    marks: tuple[tuple[str, float, float], ...]


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    """The data block, as ``perf_page.js`` reads it."""

    requests: _Requests | None
    series: _Series | None
    distributions: tuple[_Distribution, ...]
    steady: tuple[float, float] | None


def perf_page(page: PerfPage) -> str:
    """The page as one HTML file (about 30 bytes a request, in UTF-8).

    ``ValueError`` when columns differ in length, or a request has no time of sending or of ending.
    """
    data = _Data(
        requests=_requests(page.requests) if page.requests is not None else None,
        series=_series(page.series) if page.series is not None else None,
        distributions=tuple(map(_distribution, page.distributions)),
        steady=_window(page.steady_s),
    )
    return page_html(page, "Steelyard load test", data, _SCRIPTS)


def _window(window_s: tuple[float, float] | None) -> tuple[float, float] | None:
    return (float(window_s[0]), float(window_s[1])) if window_s is not None else None


def _requests(columns: RequestColumns) -> _Requests:
    import numpy as np

    optional = (
        *(columns.first_s, columns.due_s, columns.failure, columns.line),
        *(columns.input_tokens, columns.output_tokens),
    )
    _refuse_uneven("requests", len(columns.sent_s), (columns.end_s, *optional))
    sent_s, end_s = (np.asarray(values, np.float64) for values in (columns.sent_s, columns.end_s))
    if not (np.isfinite(sent_s).all() and np.isfinite(end_s).all()):
        raise ValueError("a request without a time of sending or ending: expected finite seconds")
    longest_s = max(1.0, float(np.abs(end_s).max(initial=0.0)))

    def times(values: Numbers | None) -> Packed | None:
        known = values is not None and not np.isnan(np.asarray(values, np.float64)).all()
        return packed_times(values, longest_s=longest_s) if values is not None and known else None

    def counts(values: Numbers | None) -> Packed | None:
        known = values is not None and bool((np.asarray(values) >= 0).any())
        return packed_counts(values) if values is not None and known else None

    return _Requests(
        sent=packed_times(sent_s, longest_s=longest_s),
        end=packed_times(end_s, longest_s=longest_s),
        first=times(columns.first_s),
        due=times(columns.due_s),
        failure=counts(columns.failure),
        failure_kinds=tuple(map(plain, columns.failure_kinds)),
        input_tokens=counts(columns.input_tokens),
        output_tokens=counts(columns.output_tokens),
        line=counts(columns.line),
    )


def _series(series: TimeSeries) -> _Series:
    rates = (
        *(series.planned_per_s, series.sent_per_s, series.completed_per_s),
        *(series.output_tokens_per_s, series.input_tokens_per_s),
    )
    lines = (*series.ttft_ms, *series.itl_ms, *series.failures)
    bins = len(series.edges_s) - 1
    _refuse_uneven("time series", bins, (*rates, *(line.values for line in lines)))
    planned, sent, completed, output, inputs = (
        packed_floats(values) if values is not None else None for values in rates
    )
    return _Series(
        edges=packed_floats(series.edges_s),
        planned_per_s=planned,
        sent_per_s=sent,
        completed_per_s=completed,
        output_tokens_per_s=output,
        input_tokens_per_s=inputs,
        ttft=_lines(series.ttft_ms),
        itl=_lines(series.itl_ms),
        failures=_lines(series.failures),
    )


def _lines(series: Iterable[Series]) -> tuple[_Line, ...]:
    return tuple(_Line(plain(one.name), packed_floats(one.values)) for one in series)


def _distribution(one: Distribution) -> _Distribution:
    _refuse_uneven(one.name, len(one.value_ms), (one.share,))
    return _Distribution(
        name=plain(one.name),
        note=plain(one.note),
        value=packed_floats(one.value_ms),
        share=packed_floats(one.share),
        marks=tuple(
            (plain(mark.name), float(mark.value_ms), float(mark.share))
            for mark in one.marks
            if math.isfinite(mark.value_ms)
        ),
    )


def _refuse_uneven(what: str, length: int, columns: Iterable[Numbers | None]) -> None:
    for column in columns:
        if column is not None and len(column) != length:
            raise ValueError(f"{what}: a column of {len(column)} values, expected {length}")
