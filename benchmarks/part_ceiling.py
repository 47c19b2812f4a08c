"""Part `ceiling`: streams without pauses, so that one side has all it can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import endpoint
from endpoint import Endpoint
from entries import Entry
from generators.contract import Generator, Load
from medians import middle
from tables import aligned, number
from trial import Arena, Look, Trial, trial

TOKENS = 128
IN_FLIGHT = 64
FEW = 64
SATURATED = 0.9
"""From this share of a processor on a side counts as having all it can do."""

HEAD = ["command", "version", "CPU s", "CPU s/M", "fixed CPU s", "CPU s/M beyond", "wall s"]
HEAD += ["events/s", "server %", "client %", "full", "start s", "close s", "largest MiB"]
HEAD += ["others %"]
LOOK = Look(memory=False, tokens=False)


@dataclass(frozen=True)
class Pair:
    """A run with very few requests, which shows the fixed costs, and one with many."""

    few: Trial
    many: Trial

    @property
    def beyond_cpu_s_per_million(self) -> float | None:
        """CPU seconds for a million events more."""
        events = self.many.events - self.few.events
        cpu_s = self.many.account.cpu_s - self.few.account.cpu_s
        return cpu_s / events * 1e6 if events > 0 else None

    @property
    def server_share(self) -> float:
        """The endpoint's processor time while it was asked."""
        return self.many.seen.cpu_s / self.many.truth.duration_s

    @property
    def client_share(self) -> float:
        """The command's processor time, without its fixed part, in the same stretch."""
        duration_s = self.many.truth.duration_s - self.few.truth.duration_s
        return (self.many.account.cpu_s - self.few.account.cpu_s) / duration_s

    @property
    def full(self) -> str:
        """Which side had all it could do."""
        sides = {"server": self.server_share, "client": self.client_share}
        full = [side for side, share in sides.items() if share >= SATURATED]
        return "+".join(full) or "neither"


def streaming(arena: Arena) -> dict[str, str]:
    """The endpoint's options for this part."""
    return endpoint.streaming(0, 0, arena.logs)


def measured(
    arena: Arena, entries: Sequence[Entry[Generator]], requests: int, service: Endpoint
) -> list[Pair]:
    """One round over all generators."""
    loads = [Load(count, TOKENS, in_flight=IN_FLIGHT) for count in (FEW, requests)]
    return [
        Pair(*(trial(arena, entry, load, service, LOOK) for load in loads))
        for entry in entries
        if not entry.reason
    ]


def table(entries: Sequence[Entry[Generator]], pairs: Sequence[Pair]) -> list[str]:
    """One line a generator, medians over its runs."""
    requests = max((pair.many.load.requests for pair in pairs), default=0)
    title = (
        f"ceiling: {requests} streams of {TOKENS} tokens without pauses, {IN_FLIGHT} in flight; "
        f"fixed: the same with {FEW} streams"
    )
    rows, reasons = [HEAD], []
    for entry in entries:
        own = [pair for pair in pairs if pair.many.name == entry.contender.name]
        troubles = (pair.few.trouble or pair.many.trouble for pair in own)
        trouble = next(filter(None, troubles), entry.reason)
        if trouble or not own:
            reasons.append(f"{entry.contender.name} {entry.version}: {trouble}")
        else:
            rows.append([entry.contender.name, entry.version, *_cells(own)])
    return [title, *aligned(rows), *reasons]


def _cells(own: list[Pair]) -> list[str]:
    many = [pair.many for pair in own]
    return [
        number(middle(run.account.cpu_s for run in many), 2),
        number(middle(run.cpu_s_per_million for run in many), 2),
        number(middle(pair.few.account.cpu_s for pair in own), 2),
        number(middle(pair.beyond_cpu_s_per_million for pair in own), 2),
        number(middle(run.account.wall_s for run in many), 2),
        number(middle(run.truth.tokens_per_s for run in many)),
        number(middle(100 * pair.server_share for pair in own)),
        number(middle(100 * pair.client_share for pair in own)),
        own[-1].full,
        number(middle(run.start_s for run in many), 2),
        number(middle(run.close_s for run in many), 2),
        number(max(run.account.largest_process_bytes for run in many) / 2**20),
        number(max(run.busy_percent for run in many)),
    ]
