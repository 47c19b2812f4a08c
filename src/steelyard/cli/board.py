"""Three ways to watch a run: a live board, plain lines, JSON events. All take the same events."""

import sys
import time
from typing import TYPE_CHECKING

import msgspec

from steelyard.pipeline import (
    Event,
    Finished,
    JobEnded,
    JobStarted,
    Listener,
    Notice,
    Planned,
    Progress,
    ReportReady,
)
from steelyard.reports import clock, count, kinds, progress_line, rate

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_PLAIN_EVERY_S = 10.0
_BAR = 24


def listener(*, json: bool) -> Listener:
    """The listener that suits where the output goes."""
    if json:
        return JsonLines()
    if sys.stdout.isatty():
        return LiveBoard()
    return PlainLines()


class JsonLines:
    """One JSON object per event on standard output."""

    def __call__(self, event: Event) -> None:
        """Write one event."""
        sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
        sys.stdout.flush()


class PlainLines:
    """Lines for logs and pipes: what began, how far it is every ten seconds, what ended."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Print one event, if it is worth a line."""
        if isinstance(event, Progress):
            now = time.monotonic()
            if now - self._told.setdefault(event.job, now) < _PLAIN_EVERY_S:
                return
            self._told[event.job] = now
            print(progress_line(event), flush=True)
            return
        text = sentence(event)
        if text:
            stream = sys.stderr if isinstance(event, Notice) else sys.stdout
            print(text, file=stream, flush=True)


class LiveBoard:
    """A table that is redrawn in place while jobs run; everything else scrolls above it."""

    def __init__(self) -> None:
        self._rows: dict[str, Progress] = {}
        self._status: dict[str, str] = {}
        self._live: Live | None = None

    def __call__(self, event: Event) -> None:
        """Take one event into the picture."""
        if isinstance(event, Progress):
            self._rows[event.job] = event
            self._status[event.job] = "running"
            self._draw()
            return
        if isinstance(event, JobStarted) and event.stage == "infer":
            self._rows[event.job] = Progress(
                job=event.job, stage="infer", total=event.total, done=event.kept
            )
            self._status[event.job] = "start"
            self._draw()
        elif isinstance(event, JobEnded) and event.stage == "infer":
            self._status[event.job] = event.status
            self._draw()
        if isinstance(event, (ReportReady, Finished)):
            self._close()
        text = sentence(event)
        if text and not _is_on_the_board(event):
            self._say(text)

    def _say(self, text: str) -> None:
        if self._live is None:
            print(text, flush=True)
        else:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _draw(self) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(), auto_refresh=False, transient=False)
            self._live.start()
        self._live.update(self._table(), refresh=True)

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for name in (
            "Task",
            "Progress",
            "Rate",
            "In flight",
            "Failed",
            "Accuracy",
            "ETA",
            "Status",
        ):
            table.add_column(name, no_wrap=name != "Task", justify="left")
        running = [job for job, status in self._status.items() if status in ("running", "start")]
        ended = [job for job in self._rows if job not in running]
        height = self._live.console.height if self._live is not None else 40
        room = max(3, height - 6)
        shown = ended[-max(0, room - len(running)) :] + running[:room] if ended else running[:room]
        for job in shown:
            table.add_row(*_cells(self._rows[job], self._status[job]))
        if len(self._rows) > len(shown):
            table.add_row(f"... {len(self._rows) - len(shown)} more", *[""] * 7)
        return table

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _is_on_the_board(event: Event) -> bool:
    """Whether the table already shows all that there is to say."""
    if isinstance(event, JobStarted):
        return event.kept < event.total
    return isinstance(event, JobEnded) and event.status == "finished"


def _cells(row: Progress, status: str) -> tuple[str, ...]:
    filled = _BAR * row.done // max(1, row.total)
    bar = "█" * filled + "░" * (_BAR - filled)
    return (
        row.job,
        f"{bar} {count(row.done)}/{count(row.total)}",
        rate(row.rate) if row.rate else "",
        str(row.in_flight or ""),
        kinds(row.failed),
        f"{row.accuracy:.1f}" if row.accuracy is not None else "",
        clock(row.eta_s) if row.eta_s and status == "running" else "",
        status,
    )


def sentence(event: Event) -> str:
    """What a person reads of an event that is not mere progress; empty: nothing."""
    match event:
        case Planned():
            tasks = f"{len(event.jobs)} task{'s' if len(event.jobs) != 1 else ''}"
            return f"Run folder: {event.folder}   ({tasks}, mode {event.mode})"
        case Notice():
            lead = {"info": "", "warning": "note: ", "error": "error: "}[event.level]
            return f"{lead}{event.job + ': ' if event.job else ''}{event.text}"
        case JobStarted(stage="infer"):
            return _started(event)
        case JobEnded(stage="infer"):
            return _ended(event)
        case ReportReady():
            return "\n" + event.screen + "\n\nFiles: " + "  ".join(event.files)
        case Finished() if event.detail:
            return event.detail
        case _:
            return ""


def _started(event: JobStarted) -> str:
    text = f"{event.job}: {count(event.total)} requests"
    if event.kept == event.total:
        return f"{text}, all answered before; nothing to ask"
    if event.kept or event.retried:
        text += f"; found {count(event.kept)} finished, going on from there"
        if event.retried:
            text += f" ({count(event.retried)} failed ones are asked again)"
    return text


def _ended(event: JobEnded) -> str:
    text = f"{event.job}: {event.status} after {clock(event.elapsed_s)}"
    if event.answered or event.failed:
        text += f", {count(event.answered)} answered"
    if event.failed:
        text += f", failed {kinds(event.failed)}"
    return f"{text}. {event.detail}" if event.detail else text
