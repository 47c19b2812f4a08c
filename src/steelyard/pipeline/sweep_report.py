"""A sweep as a value: what ``<dataset>_sweep.json`` holds."""

from typing import Literal, TypeAlias

import msgspec

from steelyard import __version__
from steelyard.perf.points import Point
from steelyard.perf.search import Found, bracket
from steelyard.pipeline.sweep_plan import SweepPlan, trials

SweepStatus: TypeAlias = Literal["finished", "interrupted", "stopped"]


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one data set at many loads."""

    model: str
    dataset: str
    """The task's name, without a load."""
    status: SweepStatus
    detail: str = ""
    """Why it was stopped, or ended early."""
    notes: tuple[str, ...] = ()
    """What else a reader must know of how it was made."""
    slo: str = ""
    """The objectives, as they were given; empty: none."""
    plan: SweepPlan
    points: tuple[Point, ...]
    """In the order in which they were tried."""
    found: Found | None = None
    """Of a search: its answer."""
    version: str = __version__

    @property
    def by_load(self) -> tuple[Point, ...]:
        """The points from the lowest load to the highest, the runs of a load in their order."""
        return tuple(sorted(self.points, key=lambda one: (one.load, one.run)))

    @property
    def best(self) -> float | None:
        """The highest load below every failure; ``None``: none, or no objectives."""
        return bracket(trials(self.points)).best

    @property
    def failed(self) -> float | None:
        """The lowest load that did not meet the objectives at least once."""
        return bracket(trials(self.points)).failed
