"""The figures of one load test as values: what ``<dataset>_figures.json`` holds.

Here are only the structs; how each figure is computed stands where it is computed (``latency``,
``rates``, ``steady``, ``goodput``, ``client``). Units are written out in ``unit``. A figure that
cannot be computed is absent or ``None``, never zero; a ``low`` and ``high`` of ``None`` mean that
the data say too little for a 95 % interval.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

Stage: TypeAlias = Literal["total", "steady", "stable"]
"""Whole run; our own steady window; the window of AISBench's ``stable_stage``."""


class Estimate(msgspec.Struct, frozen=True, omit_defaults=True):
    """One statistic with its 95 % interval."""

    value: float
    low: float | None = None
    high: float | None = None
    supported: bool = True
    """False for a percentile so far out that the data cannot bound it."""


class Stat(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the statistics table."""

    name: str
    unit: str
    """``ms``, ``token/s`` or nothing for counts."""
    stage: Stage
    n: int
    """Requests that the row rests on."""
    values: Mapping[str, Estimate]
    """``Average``, ``Min``, ``P99``... in the order of the columns."""


class Common(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the table of common metrics."""

    name: str
    unit: str
    stage: Stage
    value: float | None
    """``None`` when it cannot be computed."""
    low: float | None = None
    high: float | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the run that a stage is made of."""

    start_ns: int
    """Since the run's start, as in ``Columns``."""
    end_ns: int
    why: str
    """The rule that found it and what it saw, in words."""


class SloShare(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many requests met one service level objective."""

    name: str
    """``ttft``, ``tpot``, ``e2el``, ``itl``; ``all`` for all of them together."""
    limit_ms: float | None
    met: int
    missed: int
    """Failed requests are among them."""
    undecided: int
    """Requests without what is needed to tell (no token count)."""
    share: Estimate | None
    """met / (met + missed), 0 to 1."""


class Goodput(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that met every objective."""

    requests_per_s: Estimate | None
    """Of the decided requests those that met all, per second of the run's duration."""
    together: SloShare
    each: tuple[SloShare, ...]
    in_window: SloShare | None = None
    """``together``, of the requests alone that were sent in the run's window, where it has one."""


class ClientHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the measuring side kept up. ``None``: nothing was noted to tell from."""

    client_bound: bool
    """The figures say more about the client than about the service."""
    reasons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    cpu_share: float | None = None
    """CPU time of the busiest sender process per second of wall time; 1 is a whole core."""
    loop_delay_p50_ms: float | None = None
    loop_delay_p90_ms: float | None = None
    loop_delay_p99_ms: float | None = None
    loop_delay_max_ms: float | None = None
    lateness_p50_ms: float | None = None
    """Sent minus due, of requests that a schedule gave a time."""
    lateness_p99_ms: float | None = None
    lateness_max_ms: float | None = None
    waiting_p50_ms: float | None = None
    """Sent minus queued: waiting for a connection."""
    waiting_p99_ms: float | None = None
    waiting_max_ms: float | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run says."""

    stats: tuple[Stat, ...]
    common: tuple[Common, ...]
    failures: Mapping[str, int]
    """Failed requests by kind, in the order of their number; kinds that did not occur are absent.
    """
    window: Window | None
    """The steady or stable window; ``None`` when there is none or none was looked for."""
    no_window: str
    """Why there is no window; empty when there is one or none was looked for."""
    goodput: Goodput | None = None
    client: ClientHealth | None = None
    notes: tuple[str, ...] = ()
    """What a reader must know to read the figures right."""
