"""Which load to try next: the search for the highest load that still meets its objectives.

Pure decisions: given what was tried so far, ``next_load`` says what to try now and ``found`` what
the trials say. Nothing is sent here.

1. Climb: the lowest load, then twice as much each time, until one does not meet the objectives.
2. Bisect between the highest that met them and the lowest that did not: whole numbers until they
   are neighbours, rates (by their geometric mean) until they are ``precision`` apart.
3. Confirm: the load that is left is tried ``confirmations`` times more. When it fails once, it is
   the new lowest failure, and the search goes on below it.

So what is confirmed never failed, everything above it that was tried did or was above a failure,
and no load is tried more than ``1 + confirmations`` times. Where meeting the objectives depends on
nothing but the load, and ends at some load, the answer is exact.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from steelyard.core import ConfigError

Verdict: TypeAlias = Literal["met", "missed", "client"]
"""``client``: the measuring side was the limit, so nothing is known of the service: the search goes
no higher, but this is no failure of the service."""

FINEST = 0.01
"""Rates are whole in their first three digits, so they cannot be told apart more finely."""


class Trial(NamedTuple):
    """One load that was tried."""

    load: float
    verdict: Verdict


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Where to search, and how finely; ``ConfigError`` for what cannot be searched."""

    low: float = 1
    high: float = 512
    precision: float | None = None
    """Highest ratio, less 1, of lowest failure to answer (0.05); ``None``: whole numbers."""
    confirmations: int = 2

    def __post_init__(self) -> None:
        whole = self.precision is None
        if not 0 < self.low <= self.high:
            raise ConfigError(
                f"searched from {self.low:g} to {self.high:g}: expected a start above 0 and an end "
                "that is not below it"
            )
        if whole and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ConfigError(
                f"searched from {self.low:g} to {self.high:g}: expected whole numbers"
            )
        if self.precision is not None and self.precision < FINEST:
            raise ConfigError(f"precision {self.precision:g}: expected {FINEST:g} or more")

    def between(self, low: float, high: float) -> float | None:
        """The load to try between two others; ``None``: they are close enough."""
        if self.precision is None:
            return (low + high) // 2 if high - low > 1 else None
        if high <= low * (1 + self.precision):
            return None
        middle = float(f"{sqrt(low * high):.3g}")
        return middle if low < middle < high else None


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a search has come to."""

    best: float | None
    """The highest load that met the objectives every time, below every failure; ``None``: none."""
    runs: int = 0
    """How often ``best`` was tried."""
    confirmed: bool = False
    """The search is done, and ``best`` was tried as often as was asked for."""
    failed: float | None = None
    """The lowest load that did not meet them at least once; ``None``: none was that high."""
    limit: Literal["service", "client", "range"] | None = None
    """What lies above ``best``: a load that the service failed, one that the client could not
    measure, or the end of the range; ``None``: not known yet."""


class Bracket(NamedTuple):
    """Where the limit lies, as far as some trials tell."""

    best: float | None
    """The highest load below every failure; ``None``: none was tried."""
    failed: float | None
    """The lowest load that did not meet the objectives in one of its trials."""


def bracket(trials: Sequence[Trial]) -> Bracket:
    """Between which two loads the limit lies; ``None`` where no trial says so."""
    failed = min((load for load, verdict in trials if verdict != "met"), default=None)
    below = [load for load, _ in trials if failed is None or load < failed]
    return Bracket(max(below, default=None), failed)


def next_load(span: Span, trials: Sequence[Trial]) -> float | None:
    """The load to try now; ``None``: the search is done."""
    if not trials:
        return span.low
    best, failed = bracket(trials)
    if best is None:
        return None
    further = _climbed(span, best) if failed is None else span.between(best, failed)
    if further is not None:
        return further
    return best if _runs(trials, best) <= span.confirmations else None


def found(span: Span, trials: Sequence[Trial]) -> Found:
    """What ``trials``, all of them or those before an interruption, say."""
    best, failed = bracket(trials)
    limit: Literal["service", "client", "range"] | None = None
    if failed is not None:
        limit = "service" if Trial(failed, "missed") in trials else "client"
    elif best == span.high:
        limit = "range"
    return Found(
        best=best,
        runs=_runs(trials, best),
        confirmed=best is not None and next_load(span, trials) is None,
        failed=failed,
        limit=limit,
    )


def _runs(trials: Sequence[Trial], load: float | None) -> int:
    return sum(trial.load == load for trial in trials)


def _climbed(span: Span, best: float) -> float | None:
    return min(2 * best, span.high) if best < span.high else None
