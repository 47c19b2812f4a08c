"""The files of a sweep: ``<dataset>_sweep.csv``, ``.json`` and ``.html``.

The CSV has numbers in full, one column for each, and nothing where nothing is known; the JSON is
``SweepReport``; the page shows throughput against latency.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from steelyard import store
from steelyard.perf.figures import Estimate
from steelyard.perf.points import Point
from steelyard.perf.slo import parsed_slo
from steelyard.pipeline import sweep_words
from steelyard.pipeline.load_files import LoadFiles
from steelyard.pipeline.sweep_plan import written
from steelyard.pipeline.sweep_report import SweepReport
from steelyard.reports.page_frame import Table
from steelyard.reports.sweep_page import Latency, SweepPage, SweepPoint, Throughput, sweep_page

_ESTIMATES = (
    "requests_per_s", "output_tokens_per_s", "ttft_p50_ms", "ttft_p99_ms", "tpot_p50_ms",
    "tpot_p99_ms", "e2el_p50_ms", "e2el_p99_ms", "attainment",
)  # fmt: skip
"""Fields of a point that have an interval."""


def write_report(report: SweepReport, files: LoadFiles) -> tuple[Path, ...]:
    """Write all three; raises ``DiskError``."""
    texts = {
        "_sweep.csv": sweep_csv(report).encode(),
        "_sweep.json": msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n",
        "_sweep.html": sweep_page(_page(report)).encode(),
    }
    for ending, text in texts.items():
        store.write_atomic(files.path(ending), text)
    return tuple(map(files.path, texts))


def sweep_csv(report: SweepReport) -> str:
    """The points as a CSV file, from the lowest load to the highest."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ends = [f"{name}{end}" for name in _ESTIMATES for end in ("", "_low", "_high")]
    writer.writerow(
        [report.plan.kind, "run", "requests", "failed", "stage", *ends, "verdict", "client_bound",
         "pareto", "name"]
    )  # fmt: skip
    for point in report.by_load:
        row = [written(point.load), point.run, point.requests, point.failed]
        values = [value for name in _ESTIMATES for value in _three(getattr(point, name))]
        flags = [int(point.client_bound), int(point.pareto)]
        writer.writerow([*row, point.stage, *values, point.verdict or "", *flags, point.name])
    return text.getvalue()


def _three(one: Estimate | None) -> tuple[float | str, ...]:
    if one is None:
        return "", "", ""
    return one.value, "" if one.low is None else one.low, "" if one.high is None else one.high


class _Axis(NamedTuple):
    field: str
    name: str
    title: str


_RATES = (
    _Axis("output_tokens_per_s", "Output tokens", "output token throughput"),
    _Axis("requests_per_s", "Requests", "request throughput"),
)
_TIMES = (
    _Axis("ttft_p99_ms", "TTFT P99", "time to first token, P99"),
    _Axis("ttft_p50_ms", "TTFT P50", "time to first token, median"),
    _Axis("tpot_p99_ms", "TPOT P99", "time per output token, P99"),
    _Axis("tpot_p50_ms", "TPOT P50", "time per output token, median"),
    _Axis("e2el_p99_ms", "E2EL P99", "end-to-end latency, P99"),
    _Axis("e2el_p50_ms", "E2EL P50", "end-to-end latency, median"),
)
_UNITS = {"output_tokens_per_s": "tok/s", "requests_per_s": "req/s"}


def _page(report: SweepReport) -> SweepPage:
    rates, times = _known(report, _RATES), _known(report, _TIMES)
    limits = parsed_slo(report.slo).limits_ms if report.slo else {}
    head, rows = sweep_words.sweep_table(report)
    return SweepPage(
        title=f"{report.model} / {report.dataset}",
        subtitle=sweep_words.answer(report),
        notes=sweep_words.warnings(report),
        facts=tuple(_facts(report)),
        tables=(
            Table(
                title="All loads",
                head=head,
                rows=rows,
                note=". ".join(sweep_words.footnotes(report)),
            ),
        ),
        throughputs=tuple(
            Throughput(name=one.name, title=one.title, unit=_UNITS[one.field]) for one in rates
        ),
        latencies=tuple(
            Latency(
                name=one.name,
                title=one.title,
                limit_ms=limits.get(one.field.partition("_")[0]),
            )
            for one in times
        ),
        points=tuple(_point(report, point, rates, times) for point in report.by_load),
    )


def _known(report: SweepReport, axes: tuple[_Axis, ...]) -> tuple[_Axis, ...]:
    """The axes that any point has a value for; the last ones when there are none."""
    found = tuple(
        one for one in axes if any(getattr(point, one.field) is not None for point in report.points)
    )
    return found or axes[-1:]


def _point(
    report: SweepReport, point: Point, rates: tuple[_Axis, ...], times: tuple[_Axis, ...]
) -> SweepPoint:
    name = sweep_words.load_name(report.plan.kind, point.load)
    return SweepPoint(
        label=name + (f", run {point.run}" if point.run > 1 else ""),
        throughputs=tuple(_value(point, one) for one in rates),
        latencies_ms=tuple(_value(point, one) for one in times),
        meets_slo=None if point.verdict in (None, "client") else point.verdict == "met",
        details=tuple(_details(point)),
    )


def _value(point: Point, axis: _Axis) -> float | None:
    one: Estimate | None = getattr(point, axis.field)
    return None if one is None else one.value


def _details(point: Point) -> Iterator[tuple[str, str]]:
    yield "Requests", f"{point.requests:,}"
    yield "Failed", f"{point.failed:,}"
    yield "Stage", point.stage
    if point.attainment is not None:
        yield "SLO met", sweep_words.share(point.attainment)
    if point.client_bound:
        yield "Client", "client-bound: no verdict about the service"
    yield "Files", point.name


def _facts(report: SweepReport) -> Iterator[tuple[str, str]]:
    plan = report.plan
    yield "Load", "requests in flight" if plan.kind == "concurrency" else "requests per second"
    if report.slo:
        yield "Objectives", sweep_words.objectives(report.slo, plan.attainment)
    if plan.span is not None:
        yield "Searched", f"{written(plan.span.low)} to {written(plan.span.high)}"
        yield "Confirmation runs", str(plan.span.confirmations)
    yield "Load tests", str(len(report.points))
    yield "Steelyard", report.version
