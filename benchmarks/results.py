"""What was measured, as values, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from statistics import median

from contenders.contract import Score
from endpoint import Seen
from machine import BUSY_PERCENT, Host
from tables import aligned

FIRST = "steelyard"


@dataclass(frozen=True)
class Run:
    """One run of one command."""

    wall_s: float
    user_s: float
    system_s: float
    largest_process_bytes: int
    exit_status: int
    timed_out: bool
    seen: Seen
    score: Score | None
    last_line: str

    def trouble(self, questions: int) -> str:
        """Why the figures of this run mean nothing, or nothing."""
        if self.timed_out:
            return f"killed after {self.wall_s:.0f} s: {self.last_line}"
        if self.exit_status:
            return f"exit status {self.exit_status}: {self.last_line}"
        if self.seen.answered < questions:
            return f"only {self.seen.answered} of {questions} questions were asked"
        return ""


@dataclass(frozen=True)
class Waits:
    """What nobody can beat: waves of questions, each as long as the endpoint takes."""

    latency_ms: float
    questions: int
    concurrency: int

    @property
    def ideal_s(self) -> float:
        """The time of a client that costs nothing."""
        return math.ceil(self.questions / self.concurrency) * self.latency_ms / 1000


@dataclass(frozen=True)
class Row:
    """One contender at one latency; with a reason there are no figures."""

    name: str
    version: str
    setup: str
    waits: Waits
    runs: tuple[Run, ...]
    reason: str

    @property
    def wall_s(self) -> float:
        """Median over the runs."""
        return median(run.wall_s for run in self.runs)

    @property
    def cpu_s(self) -> float:
        """User and system time of all processes, median over the runs."""
        return median(run.user_s + run.system_s for run in self.runs)


@dataclass(frozen=True)
class Report:
    """Everything one call measured."""

    host: Host
    answer: str
    expected_percent: float
    server_cpu: int
    client_cpus: tuple[int, ...]
    start_up_ms: dict[str, list[float]]
    rows: tuple[Row, ...]


def as_json(report: Report) -> str:
    """All runs, none averaged."""
    return json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"


def as_text(report: Report) -> str:
    """One table per latency, ratios against Steelyard's row."""
    used = report.host.busy_percent
    busy = " (BUSY: not for quoting)" if used > BUSY_PERCENT else ""
    cpus = ",".join(map(str, report.client_cpus))
    right = f"{report.expected_percent:.2f} %"
    lines = [
        f"{report.host.cpu}, Python {report.host.python}; others used {used:.0f} % before{busy}",
        f"endpoint on CPU {report.server_cpu}, every command on CPU {cpus}",
        f"every question is answered {report.answer!r}, which is right for {right} of them",
    ]
    for waits in dict.fromkeys(row.waits for row in report.rows):
        rows = [row for row in report.rows if row.waits == waits]
        lines += ["", *_table(rows, waits, report.expected_percent)]
    lines += ["", *(_start_up(name, runs) for name, runs in report.start_up_ms.items())]
    return "\n".join(lines)


def _table(rows: list[Row], waits: Waits, expected: float) -> list[str]:
    head = ["command", "version", "wall s", "×", "CPU s", "×", "largest MiB", "requests"]
    head += ["connections", "in flight", "score %", "expected"]
    base = next((row for row in rows if row.name == FIRST and not row.reason), None)
    cells = [head, *(_cells(row, base, expected) for row in rows if not row.reason)]
    title = (
        f"{waits.questions} questions, {waits.concurrency} at a time, {waits.latency_ms:g} ms "
        f"each: no client can take less than {waits.ideal_s:.2f} s"
    )
    reasons = [f"{row.name} {row.version}: {row.reason}" for row in rows if row.reason]
    return [title, *aligned(cells), *reasons]


def _cells(row: Row, base: Row | None, expected: float) -> list[str]:
    last = row.runs[-1]
    ratios = (
        [f"{row.wall_s / base.wall_s:.1f}", f"{row.cpu_s / base.cpu_s:.1f}"] if base else ["", ""]
    )
    largest = max(run.largest_process_bytes for run in row.runs)
    scores = [run.score for run in row.runs if run.score]
    right = all(score.agrees_with(expected) for score in scores)
    verdict = ("yes" if right else "NO") if scores else "-"
    counts = [last.seen.requests, last.seen.connections, last.seen.most_in_flight]
    return [
        row.name,
        row.version,
        f"{row.wall_s:.2f}",
        ratios[0],
        f"{row.cpu_s:.2f}",
        ratios[1],
        f"{largest / 2**20:.0f}",
        *map(str, counts),
        str(scores[-1]) if scores else "-",
        verdict,
    ]


def _start_up(name: str, runs_ms: list[float]) -> str:
    return (
        f"{name}: median {median(runs_ms):.0f} ms of {len(runs_ms)} (fastest {min(runs_ms):.0f} ms)"
    )
