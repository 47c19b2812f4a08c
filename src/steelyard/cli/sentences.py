"""What a person reads of the events of a run.

Names and messages may come from a service, so control characters (terminal escapes) are left out.
"""

from steelyard.pipeline import (
    CalibrationReady,
    Event,
    Finished,
    JobEnded,
    JobStarted,
    LoadMeasured,
    Notice,
    Planned,
    PointMeasured,
    ReportReady,
    SweepReady,
)
from steelyard.reports import clock, count, kinds, one_line


def sentence(event: Event) -> str:
    """The text of an event that is not mere progress; empty: nothing."""
    return "\n".join(one_line(line) for line in _text(event).split("\n"))


def _text(event: Event) -> str:
    match event:
        case Planned():
            tasks = f"{len(event.jobs)} task{'s' if len(event.jobs) != 1 else ''}"
            return f"Run folder: {event.folder}   ({tasks}, mode {event.mode})"
        case Notice():
            lead = {"info": "", "warning": "note: ", "error": "error: "}[event.level]
            return f"{lead}{event.job + ': ' if event.job else ''}{event.text}"
        case JobStarted(stage="infer" | "judge" | "performance"):
            return _started(event)
        case JobEnded(stage="infer" | "judge" | "performance"):
            return _ended(event)
        case LoadMeasured():
            return f"\n{event.screen}"
        case PointMeasured():
            return event.line
        case ReportReady() | SweepReady() | CalibrationReady():
            return "\n" + event.screen + "\n\nFiles: " + "  ".join(event.files)
        case Finished() if event.detail:
            return event.detail
        case _:
            return ""


def _started(event: JobStarted) -> str:
    if event.total is None:
        return f"{event.job}: as many requests as fit"
    text = f"{event.job}: {count(event.total)} requests"
    if event.kept == event.total:
        return f"{text}, all answered before; nothing to ask"
    if event.kept or event.retried:
        done = "judged or in need of no judge" if event.stage == "judge" else "finished"
        text += f"; found {count(event.kept)} {done}, going on from there"
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
