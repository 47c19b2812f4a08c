"""A sweep in words: the line of one load, the table of all, and what the answer is.

A client-bound load is never called a limit of the service.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from steelyard import reports
from steelyard.perf.figures import Estimate
from steelyard.perf.points import Point, pareto_axes
from steelyard.perf.search import Verdict
from steelyard.pipeline.sweep_plan import LoadKind, SweepPlan, written
from steelyard.pipeline.sweep_report import SweepReport
from steelyard.reports import load_text

_UNITS: dict[LoadKind, str] = {"concurrency": "in flight", "rate": "req/s"}
_HEADS: dict[LoadKind, str] = {"concurrency": "In flight", "rate": "Rate"}
_MEETS: dict[Verdict, str] = {"met": "yes", "missed": "no", "client": "?"}
_AXES = {
    "output_tokens_per_s": "tok/s",
    "requests_per_s": "req/s",
    "ttft_p99_ms": "P99 of TTFT",
    "e2el_p99_ms": "P99 of E2EL",
}


class _Column(NamedTuple):
    title: str
    cell: Callable[[Point], str]
    always: bool = False
    """Shown even when no point has anything in it."""


def load_name(kind: LoadKind, load: float) -> str:
    """``8 in flight``, ``2.5 req/s``."""
    return f"{written(load)} {_UNITS[kind]}"


def objectives(slo: str, attainment: float) -> str:
    """``ttft=500ms,tpot=50ms for 99 % of the requests``."""
    return f"{slo} for {100 * attainment:.10g} % of the requests"


def point_line(point: Point, plan: SweepPlan) -> str:
    """The figures of one load on one line."""
    name = load_name(plan.kind, point.load) + (f", run {point.run}" if point.run > 1 else "")
    parts = [_rate(point.requests_per_s, "req/s"), _rate(point.output_tokens_per_s, "tok/s")]
    parts += [
        _pair(title, middle, far)
        for title, middle, far in (
            ("TTFT", point.ttft_p50_ms, point.ttft_p99_ms),
            ("TPOT", point.tpot_p50_ms, point.tpot_p99_ms),
            ("E2EL", point.e2el_p50_ms, point.e2el_p99_ms),
        )
    ]
    if point.failed:
        parts.append(f"{point.failed:,} of {point.requests:,} failed")
    if point.attainment is not None:
        parts.append(f"SLO met by {share(point.attainment)}")
    if point.verdict in ("met", "missed"):
        parts.append("meets it" if point.verdict == "met" else "misses it")
    if point.client_bound:
        parts.append("CLIENT-BOUND: no verdict about the service")
    return f"{name}: {', '.join(part for part in parts if part)}"


def sweep_table(report: SweepReport) -> load_text.TableText:
    """The table of all loads; columns that no load has anything for are left out."""
    points = report.by_load
    columns = [
        (column, cells)
        for column in _columns(report.plan.kind)
        for cells in ([column.cell(point) for point in points],)
        if column.always or any(cells)
    ]
    head = tuple(column.title for column, _ in columns)
    return head, tuple(zip(*(cells for _, cells in columns), strict=True))


def screen(report: SweepReport) -> str:
    """What a terminal shows of a sweep."""
    head, rows = sweep_table(report)
    what = "requests in flight" if report.plan.kind == "concurrency" else "requests per second"
    parts = [
        f"Sweep of {report.model} on {report.dataset}: {what}",
        *(f"! {text}" for text in warnings(report)),
        reports.table("simple", head, rows, right=range(1, head.index("Stage"))),
        *footnotes(report),
        "",
        answer(report),
    ]
    return "\n".join(parts)


def warnings(report: SweepReport) -> tuple[str, ...]:
    """What a reader must know, the worst first."""
    return tuple(_warnings(report))


def _warnings(report: SweepReport) -> Iterator[str]:
    kind = report.plan.kind
    if report.status != "finished":
        why = f": {report.detail}" if report.detail else ""
        yield f"INCOMPLETE SWEEP: it was {report.status}{why}; only finished loads are shown"
    elif report.detail:
        yield report.detail
    for point in report.by_load:
        if point.client_bound:
            yield (
                f"CLIENT-BOUND at {load_name(kind, point.load)}: "
                f"{'; '.join(point.client_reasons)}. This says nothing of the service's limit"
            )
        if point.failed:
            kinds = reports.kinds(point.failures)
            yield (
                f"{load_name(kind, point.load)}: {point.failed:,} of {point.requests:,} requests "
                f"failed ({kinds}) and are in no latency"
            )
    yield from report.notes


def footnotes(report: SweepReport) -> tuple[str, ...]:
    """How to read the table."""
    return tuple(_footnotes(report))


def _footnotes(report: SweepReport) -> Iterator[str]:
    yield (
        "Latencies in ms. Stage: steady window where there is one, else the whole run (total); "
        "requests and failures are those of the whole run"
    )
    if report.plan.kind == "rate":
        yield "TTFT and E2EL count from when a request was due"
    if any(point.pareto for point in report.points):
        axes = ", ".join(_AXES[name] for name in pareto_axes(report.points))
        yield f"pareto: no other load has more throughput at no more latency ({axes})"
    if any(load_text.UNSUPPORTED in cell for row in sweep_table(report)[1] for cell in row):
        mark = load_text.UNSUPPORTED
        yield f"{mark} too few requests for this percentile: it may lie further out"
    close = sum(point.close for point in report.points)
    if close:
        yield (
            f"SLO met: share with 95 % interval; at {close} of {len(report.points)} loads the "
            f"interval reaches across {100 * report.plan.attainment:.10g} %, so the verdict may be "
            "chance: more requests (--num-prompts) make it surer"
        )


def answer(report: SweepReport) -> str:
    """The answer in a sentence or two."""
    kind, best, failed = report.plan.kind, report.best, report.failed
    if not report.slo:
        return f"{len(report.points)} loads measured; with --slo it is also said which are good."
    wanted = objectives(report.slo, report.plan.attainment)
    if best is None and failed is None:
        return f"Nothing can be said about {wanted}."
    above = "" if failed is None else f" {_above(report, failed)}"
    if best is None:
        return f"No load was found that meets {wanted}.{above}"
    runs = sum(point.load == best for point in report.points)
    name = load_name(kind, best)
    if report.found is None:
        end = above or " All of them do."
        return f"The highest of these loads that meets {wanted}: {name}.{end}"
    if not report.found.confirmed:
        times = f"{runs} run{'s' if runs > 1 else ''}"
        return f"Not confirmed: {name} met {wanted} so far ({times}).{above}"
    end = " That is the end of the range: the limit may be higher." if failed is None else above
    return f"The highest load that meets {wanted}: {name}, in {_all(runs)}.{end}"


def _all(runs: int) -> str:
    return "its only run" if runs == 1 else f"all of {runs} runs"


def _above(report: SweepReport, failed: float) -> str:
    """What is known of the lowest load that did not meet the objectives."""
    name = load_name(report.plan.kind, failed)
    runs = [point for point in report.points if point.load == failed]
    missed = [point for point in runs if point.verdict == "missed"]
    if not missed:
        return (
            f"At {name} the client was the limit, so it is not known whether the service could do "
            "more."
        )
    shares = [share(point.attainment) for point in missed if point.attainment is not None]
    often = f" in {len(missed)} of {len(runs)} runs" if len(runs) > 1 else ""
    only = f" (only {', '.join(shares)} met them)" if shares else " (no request was answered)"
    return f"{name} did not{often}{only}."


def share(one: Estimate) -> str:
    """``98.3 % [91.1, 99.7]``."""
    text = f"{_percent(one.value)} %"
    if one.low is None or one.high is None:
        return text
    return f"{text} [{_percent(one.low)}, {_percent(one.high)}]"


def _percent(part: float) -> str:
    return f"{100 * part:.1f}".removesuffix(".0")


def _columns(kind: LoadKind) -> tuple[_Column, ...]:
    return (
        _Column(_HEADS[kind], _load_cell, always=True),
        _Column("Requests", lambda point: f"{point.requests:,}", always=True),
        _Column("Failed", lambda point: f"{point.failed:,}", always=True),
        _Column("req/s", lambda point: _cell(point.requests_per_s), always=True),
        _Column("tok/s", lambda point: _cell(point.output_tokens_per_s)),
        _Column("TTFT P50", lambda point: _cell(point.ttft_p50_ms)),
        _Column("TTFT P99", lambda point: _cell(point.ttft_p99_ms)),
        _Column("TPOT P50", lambda point: _cell(point.tpot_p50_ms)),
        _Column("TPOT P99", lambda point: _cell(point.tpot_p99_ms)),
        _Column("E2EL P99", lambda point: _cell(point.e2el_p99_ms), always=True),
        _Column("SLO met", lambda point: share(point.attainment) if point.attainment else ""),
        _Column("Meets", lambda point: _MEETS[point.verdict] if point.verdict else ""),
        _Column("Stage", lambda point: point.stage, always=True),
        _Column("Remarks", _remarks),
    )


def _load_cell(point: Point) -> str:
    return written(point.load) + (f" (run {point.run})" if point.run > 1 else "")


def _remarks(point: Point) -> str:
    found = (("client-bound", point.client_bound), ("pareto", point.pareto))
    return ", ".join(text for text, holds in found if holds)


def _cell(one: Estimate | None) -> str:
    if one is None:
        return ""
    return load_text.short(one.value) + ("" if one.supported else load_text.UNSUPPORTED)


def _rate(one: Estimate | None, unit: str) -> str:
    return "" if one is None else f"{load_text.short(one.value)} {unit}"


def _pair(title: str, middle: Estimate | None, far: Estimate | None) -> str:
    values = [_cell(one) for one in (middle, far) if one is not None]
    return f"{title} {'/'.join(values)} ms" if values else ""
