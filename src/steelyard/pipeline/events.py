"""What a run tells while it goes: typed events, for a board, for plain lines, for programs.

Every event is one JSON object with a ``type`` (``--json``). Times are seconds since the run began.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

import msgspec

from steelyard.perf.figures import Figures
from steelyard.perf.points import Point
from steelyard.perf.search import Found
from steelyard.pipeline.speed import SpeedNow
from steelyard.scoring.calibration_figures import Calibration

Stage: TypeAlias = Literal["infer", "judge", "eval", "report", "performance"]


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Common part of all events."""

    at_s: float = 0.0


class Planned(_Event, frozen=True, kw_only=True, tag="planned"):
    """The run is about to begin."""

    folder: str
    mode: str
    jobs: tuple[str, ...]
    """``model/dataset`` of every job."""


class Notice(_Event, frozen=True, kw_only=True, tag="notice"):
    """Something a person should know; nothing stopped."""

    text: str
    level: Literal["info", "warning", "error"] = "warning"
    job: str = ""


class JobStarted(_Event, frozen=True, kw_only=True, tag="job_started"):
    """A stage of a job begins."""

    job: str
    stage: Stage
    total: int | None
    """Requests of the whole job; ``None``: as many as fit into a given time."""
    kept: int = 0
    """Finished replies found on disk."""
    retried: int = 0
    """Failed ones that are asked again."""
    log: str = ""


class Progress(_Event, frozen=True, kw_only=True, tag="progress"):
    """Where a running job stands; sent about twice a second."""

    job: str
    stage: Stage
    total: int | None
    done: int
    """Answered or failed, those kept from before included."""
    in_flight: int = 0
    rate: float | None = None
    """Replies per second over the last seconds."""
    eta_s: float | None = None
    failed: Mapping[str, int] = {}
    retried: int = 0
    """Attempts beyond the first."""
    accuracy: float | None = None
    """Running share of right answers among those answered in this process, 0 to 100."""
    elapsed_s: float = 0.0
    speed: SpeedNow | None = None
    """Only of a load test."""


class JobEnded(_Event, frozen=True, kw_only=True, tag="job_ended"):
    """A stage of a job is over."""

    job: str
    stage: Stage
    status: Literal["finished", "stopped", "interrupted"]
    answered: int = 0
    failed: Mapping[str, int] = {}
    detail: str = ""
    elapsed_s: float = 0.0


class ScoreLine(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the table, as values."""

    dataset: str
    metric: str
    model: str
    value: float | None
    """``None`` when nothing was answered."""
    low: float | None
    high: float | None
    answered: int
    failed: int
    unparsed: int


class ReportReady(_Event, frozen=True, kw_only=True, tag="report"):
    """The summary was written."""

    screen: str
    """The table and its notes, as plain text."""
    files: tuple[str, ...]
    scores: tuple[ScoreLine, ...] = ()
    """The same table as values."""


class Finished(_Event, frozen=True, kw_only=True, tag="finished"):
    """The last event."""

    exit_code: int
    folder: str
    detail: str = ""


class LoadMeasured(_Event, frozen=True, kw_only=True, tag="measured"):
    """The figures of one load test are there."""

    job: str
    screen: str
    """Both tables and what there is to say, as plain text."""
    files: tuple[str, ...]
    figures: Figures
    """The same as values."""


class PointMeasured(_Event, frozen=True, kw_only=True, tag="point"):
    """One load test of a sweep is over, and measured."""

    job: str
    line: str
    """Its figures on one line."""
    files: tuple[str, ...]
    point: Point
    """The same as values."""


class SweepReady(_Event, frozen=True, kw_only=True, tag="sweep"):
    """The summary of a sweep was written."""

    job: str
    """Model and data set, without a load."""
    screen: str
    """The table, its notes and the answer, as plain text."""
    files: tuple[str, ...]
    points: tuple[Point, ...] = ()
    """The same table as values."""
    found: Found | None = None
    """Of a search: its answer."""


class CalibrationReady(_Event, frozen=True, kw_only=True, tag="calibration"):
    """The figures of a judge are there."""

    job: str
    screen: str
    """The tables and what there is to say, as plain text."""
    files: tuple[str, ...]
    figures: Calibration
    """The same as values."""


Event: TypeAlias = (
    Planned
    | Notice
    | JobStarted
    | Progress
    | JobEnded
    | ReportReady
    | LoadMeasured
    | PointMeasured
    | SweepReady
    | CalibrationReady
    | Finished
)


class Listener(Protocol):
    """Hears every event, in order; must return quickly."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
