"""The stages of a run, and the loop that takes jobs through them.

Rule: a stage is a function over record files; nothing that matters lives only in memory.
No flags are parsed here and nothing is printed: progress leaves as typed events.
"""

from steelyard.pipeline.events import (
    CalibrationReady,
    Event,
    Finished,
    JobEnded,
    JobStarted,
    Listener,
    LoadMeasured,
    Notice,
    Planned,
    PointMeasured,
    Progress,
    ReportReady,
    SweepReady,
)
from steelyard.pipeline.measuring import Measuring
from steelyard.pipeline.preview import JobPreview, preview
from steelyard.pipeline.run import RunResult, run_plan
from steelyard.pipeline.state import Cluster, Settings

__all__ = [
    "CalibrationReady",
    "Cluster",
    "Event",
    "Finished",
    "JobEnded",
    "JobPreview",
    "JobStarted",
    "Listener",
    "LoadMeasured",
    "Measuring",
    "Notice",
    "Planned",
    "PointMeasured",
    "Progress",
    "ReportReady",
    "RunResult",
    "Settings",
    "SweepReady",
    "preview",
    "run_plan",
]
