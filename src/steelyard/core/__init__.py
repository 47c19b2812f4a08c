"""The vocabulary between rooms: record types, protocols, errors.

Rule: no I/O, no clocks, no defaults that decide behaviour. Everything here is a frozen
value or a protocol; every other room may import it and it imports none.
"""

from steelyard.core.errors import (
    ConfigError,
    DataError,
    DiskError,
    MissingData,
    MissingExtra,
    NoSuchName,
    PlanMismatch,
    RunStopped,
    ServiceError,
    SteelyardError,
    TornRecord,
)
from steelyard.core.protocols import (
    Backend,
    Fetcher,
    ModelLister,
    Noting,
    Scorer,
    Sink,
    Unread,
)
from steelyard.core.records import (
    Beat,
    Failure,
    FailureKind,
    Likelihood,
    Metric,
    Outcome,
    Reply,
    Score,
    Timing,
    Verdict,
)
from steelyard.core.tasks import Job, Load, Mode, ModelSpec, Plan, Prompt, Sample, Task, Traffic
from steelyard.core.wire import Candidate, Json, Message, Request, Sampling, ToolCall, Turn

__all__ = [
    "Backend",
    "Beat",
    "Candidate",
    "ConfigError",
    "DataError",
    "DiskError",
    "Failure",
    "FailureKind",
    "Fetcher",
    "Job",
    "Json",
    "Likelihood",
    "Load",
    "Message",
    "Metric",
    "MissingData",
    "MissingExtra",
    "Mode",
    "ModelLister",
    "ModelSpec",
    "NoSuchName",
    "Noting",
    "Outcome",
    "Plan",
    "PlanMismatch",
    "Prompt",
    "Reply",
    "Request",
    "RunStopped",
    "Sample",
    "Sampling",
    "Score",
    "Scorer",
    "ServiceError",
    "Sink",
    "SteelyardError",
    "Task",
    "Timing",
    "ToolCall",
    "TornRecord",
    "Traffic",
    "Turn",
    "Unread",
    "Verdict",
]
