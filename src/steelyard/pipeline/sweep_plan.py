"""What a sweep is to do: which loads, how much is sent at each, and when a load is good enough.

Requests per load, unless told: at a concurrency ten for every place, at a rate as many as take
``seconds``, and never fewer than 60.
"""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from steelyard.core import ConfigError, Job, Load
from steelyard.perf.points import Point
from steelyard.perf.search import Found, Span, Trial, found, next_load

LoadKind: TypeAlias = Literal["concurrency", "rate"]
"""Requests in flight (closed), or requests per second (open)."""

FEWEST_REQUESTS = 60
REQUESTS_PER_PLACE = 10
MOST_PLACES = 10_000
"""Places in flight of a rate that nobody limits: more than a service that keeps up will need."""


class SweepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A fixed series of loads, or a search; ``ConfigError`` for what cannot be."""

    kind: LoadKind
    loads: tuple[float, ...] = ()
    """The series, tried from the lowest to the highest, each once; empty: a search."""
    span: Span | None = None
    """Where to search; ``None``: a series."""
    attainment: float = 0.99
    """Share of the requests that must meet all objectives."""
    num_prompts: int | None = None
    """Requests per load; ``None``: enough to be steady."""
    seconds: float = 30.0
    """How long a rate is kept up, where ``num_prompts`` says nothing."""
    places: int | None = None
    """Places in flight at a rate; ``None``: as many as there are requests, so that a slow service
    holds nothing back."""

    def __post_init__(self) -> None:
        if bool(self.loads) == (self.span is not None):
            raise ConfigError("a sweep is either a series of loads or a search: give one of them")
        whole = self.kind == "concurrency"
        for load in self.loads:
            if not 0 < load < math.inf or (whole and not float(load).is_integer()):
                expected = "a whole number above 0" if whole else "a number above 0"
                raise ConfigError(f"{self.kind} {load:g}: expected {expected}")
        if self.span is not None and whole != (self.span.precision is None):
            raise ConfigError("a concurrency is searched in whole numbers, a rate in steps")
        if not 0 < self.attainment <= 1:
            raise ConfigError(f"attainment {self.attainment:g}: expected more than 0 and at most 1")

    @property
    def series(self) -> tuple[float, ...]:
        """The loads of a fixed series, rising."""
        return tuple(sorted(set(self.loads)))

    @property
    def first(self) -> float:
        """The load that is tried first, the lowest."""
        return self.series[0] if self.span is None else self.span.low

    def next(self, points: Sequence[Point]) -> float | None:
        """The load to try after ``points``; ``None``: that was all."""
        if self.span is not None:
            return next_load(self.span, trials(points))
        return self.series[len(points)] if len(points) < len(self.series) else None

    def found(self, points: Sequence[Point]) -> Found | None:
        """What a search has come to; ``None`` of a series."""
        return None if self.span is None else found(self.span, trials(points))

    def requests_at(self, load: float) -> int:
        """How many rows are asked at ``load``."""
        if self.num_prompts is not None:
            return self.num_prompts
        enough = REQUESTS_PER_PLACE * load if self.kind == "concurrency" else self.seconds * load
        return max(math.ceil(enough), FEWEST_REQUESTS)

    def load_at(self, base: Load, load: float, run: int) -> Load:
        """How hard to ask; of ``base`` counts what is no pace: time limit, senders, burstiness.

        The arrival times of every run of one rate are others.
        """
        still = replace(base, request_rate=0.0, traffic=None, use_timestamp=False, pressure_s=0.0)
        if self.kind == "concurrency":
            return replace(still, concurrency=int(load))
        traffic = base.traffic and replace(
            base.traffic, ramp_up_strategy=None, ramp_up_start_rps=0.0, ramp_up_end_rps=0.0
        )
        places = self.places or min(self.requests_at(load), MOST_PLACES)
        return replace(
            still,
            concurrency=places,
            request_rate=float(load),
            traffic=traffic,
            seed=base.seed + run - 1,
        )

    def paced(self, job: Job, load: float, run: int) -> Job:
        """``job``, asked as hard as ``load`` says, each row once."""
        model = job.model
        return replace(
            job, model=replace(model, load=self.load_at(model.load, load, run), repeats=1)
        )

    def suffix(self, load: float, run: int) -> str:
        """What the name of a load's files ends in: ``-c8``, ``-r2.5``, ``-c8-2`` of a repeat."""
        letter = "c" if self.kind == "concurrency" else "r"
        return f"-{letter}{written(load)}" + (f"-{run}" if run > 1 else "")


def trials(points: Sequence[Point]) -> list[Trial]:
    """The points that have a verdict, as the search sees them."""
    return [Trial(one.load, one.verdict) for one in points if one.verdict is not None]


def written(load: float) -> str:
    """A load as people write it: ``8``, ``2.5``."""
    return f"{load:.10g}"
