"""The live board: a table that is redrawn in place while jobs run, for a terminal.

Everything else scrolls above it. Text is shown as it is, never as markup.
"""

import time
from typing import TYPE_CHECKING

from steelyard.cli.sentences import sentence
from steelyard.pipeline import (
    Event,
    Finished,
    JobEnded,
    JobStarted,
    LoadMeasured,
    Progress,
    ReportReady,
    SweepReady,
)
from steelyard.reports import clock, count, kinds, milliseconds, one_line, rate

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_SHOWN = ("infer", "judge", "performance")
_REDRAW_S = 0.2
_BAR = 24
_WIDE = 120
"""Columns from which there is room for bars and every figure."""
_WIDE_WITH_SPEED = 170
_NARROW = 80
_AROUND = 6
"""Lines of a screen that the rows leave to the head of the table and to other text."""


class LiveBoard:
    """Shows events on the terminal."""

    def __init__(self) -> None:
        self._rows: dict[str, Progress] = {}
        self._status: dict[str, str] = {}
        self._live: Live | None = None
        self._drawn = 0.0

    def __call__(self, event: Event) -> None:
        """Take one event into the picture."""
        if isinstance(event, Progress):
            self._rows[event.job] = event
            if time.monotonic() - self._drawn > _REDRAW_S:
                self._draw()
            return
        if isinstance(event, JobStarted) and event.stage in _SHOWN:
            self._rows[event.job] = Progress(
                job=event.job, stage=event.stage, total=event.total, done=event.kept
            )
            self._status[event.job] = "finished" if event.kept == event.total else "running"
            self._draw()
        elif isinstance(event, JobEnded) and event.stage in _SHOWN:
            self._status[event.job] = event.status
            self._draw()
        elif isinstance(event, (ReportReady, LoadMeasured, SweepReady, Finished)):
            self.close()
        text = sentence(event)
        if text and not _is_on_the_board(event):
            self._say(text)

    def close(self) -> None:
        """Leave the last picture standing and give the cursor back."""
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def _say(self, text: str) -> None:
        if self._live is None:
            print(text, flush=True)
        else:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(), auto_refresh=False)
            self._live.start()
        size = self._live.console.size
        table = _table(self._shown(size.height - _AROUND), size.width)
        if len(self._rows) > table.row_count:
            table.add_row(f"... {len(self._rows) - table.row_count} more")
        self._live.update(table, refresh=True)

    def _shown(self, room: int) -> list[tuple[Progress, str]]:
        """The rows for which there is room: running jobs first, then those that ended last."""
        jobs: dict[bool, list[str]] = {True: [], False: []}
        for job, status in self._status.items():
            jobs[status == "running"].append(job)
        running = jobs[True][: max(1, room)]
        ended = jobs[False][max(0, len(jobs[False]) - max(0, room - len(running))) :]
        return [(self._rows[job], self._status[job]) for job in (*ended, *running)]


def _is_on_the_board(event: Event) -> bool:
    """Whether the table already shows all that there is to say."""
    if isinstance(event, JobStarted):
        return event.total is None or event.kept < event.total
    return isinstance(event, JobEnded) and event.status == "finished"


def _table(rows: list[tuple[Progress, str]], columns: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    cells = [_cells(row, status, columns) for row, status in rows]
    names = [name for name in (cells[0] if cells else ()) if any(row[name] for row in cells)]
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    for row in cells:
        table.add_row(*(Text(one_line(row[name])) for name in names))
    return table


def _cells(row: Progress, status: str, columns: int) -> dict[str, str]:
    """What a row says under each head, as far as there is room."""
    done = count(row.done) if row.total is None else f"{count(row.done)}/{count(row.total)}"
    eta = clock(row.eta_s) if row.eta_s and status == "running" else ""
    accuracy = f"{row.accuracy:.1f}" if row.accuracy is not None else ""
    if columns < _NARROW:
        failed = count(sum(row.failed.values())) if row.failed else ""
        return {"Task": row.job, "Done": done, "Failed": failed, "ETA": eta, "Status": status}
    room_for_bar = columns >= (_WIDE if row.speed is None else _WIDE_WITH_SPEED)
    return {
        "Task": row.job,
        "Progress": f"{_bar(row)} {done}" if room_for_bar and row.total else done,
        "Rate": rate(row.rate) if row.rate else "",
        **_speed(row),
        "In flight": str(row.in_flight or ""),
        "Failed": kinds(row.failed),
        "Accuracy": accuracy,
        "ETA": eta,
        "Status": status,
    }


def _bar(row: Progress) -> str:
    filled = _BAR * row.done // max(1, row.total or 0)
    return "█" * filled + "░" * (_BAR - filled)


def _speed(row: Progress) -> dict[str, str]:
    """The columns of a load test: median and P99 of the last seconds."""
    speed = row.speed
    if speed is None:
        return {"Tokens": "", "TTFT": "", "ITL": ""}
    return {
        "Tokens": f"{speed.tokens_per_s:,.0f}/s" if speed.tokens_per_s is not None else "",
        "TTFT": _pair(speed.ttft_p50_ms, speed.ttft_p99_ms),
        "ITL": _pair(speed.itl_p50_ms, speed.itl_p99_ms),
    }


def _pair(median: float | None, p99: float | None) -> str:
    if median is None or p99 is None:
        return ""
    return f"{milliseconds(median)}/{milliseconds(p99)} ms"
