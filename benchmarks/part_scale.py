"""Part `scale`: what Steelyard holds at once, and what many requests cost it in memory and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import endpoint
from endpoint import Endpoint
from entries import Entry
from generators.contract import Generator, Load
from part_truth import difference, three
from tables import aligned, number
from trial import Arena, Look, Trial, trial

HELD_S = 60
HELD_TOKENS = 120
UNPACED = 500

HEAD = ["run", "requests x tokens", "answered", "in flight", "TTFT error ms", "ITL error ms"]
HEAD += ["most MiB", "MiB at last answer", "processes", "close s", "wall s", "CPU s", "CPU s/M"]
HEAD += ["others %"]


@dataclass(frozen=True)
class Sizes:
    """How large the runs are."""

    streams: int = 10_000
    senders: int = 2
    many: int = 250_000
    compared: int = 20_000


@dataclass(frozen=True)
class Stage:
    """One run of this part."""

    name: str
    load: Load
    ttft_ms: float = 0
    itl_ms: float = 0
    tokens_logged: bool = False

    def streaming(self, arena: Arena) -> dict[str, str]:
        """The endpoint's options for it."""
        return endpoint.streaming(self.ttft_ms, self.itl_ms, arena.logs)


def stages(sizes: Sizes) -> tuple[Stage, ...]:
    """Streams held for a minute; many short answers; short and long answers, for comparison."""
    interval_ms = 1000 * HELD_S / HELD_TOKENS
    held = Load(sizes.streams, HELD_TOKENS, in_flight=sizes.streams, senders=sizes.senders)
    return (
        Stage("held", held, ttft_ms=interval_ms, itl_ms=interval_ms, tokens_logged=True),
        Stage("many", Load(sizes.many, 64, in_flight=UNPACED)),
        Stage("short", Load(sizes.compared, 64, in_flight=UNPACED)),
        Stage("long", Load(sizes.compared, 512, in_flight=UNPACED)),
    )


def measured(arena: Arena, entry: Entry[Generator], stage: Stage, service: Endpoint) -> Trial:
    """One run."""
    return trial(arena, entry, stage.load, service, Look(tokens=stage.tokens_logged))


def at_last_answer_bytes(run: Trial) -> int | None:
    """Memory of all processes when the last answer ended, as last read before."""
    end_s = (run.truth.last_end_ns - run.account.started_ns) / 1e9
    read = [row for row in run.account.memory if row.proportional_bytes and row.after_s <= end_s]
    return read[-1].proportional_bytes if read else None


def table(entry: Entry[Generator], runs: Sequence[tuple[Stage, Trial]]) -> list[str]:
    """One line a run."""
    title = (
        f"scale: {entry.contender.name} {entry.version}; held: {HELD_S} s, one token every "
        f"{1000 * HELD_S / HELD_TOKENS:g} ms; the others without pauses"
    )
    rows, reasons = [HEAD], []
    for stage, run in runs:
        rows.append(_cells(stage, run))
        if run.trouble:
            reasons.append(f"{stage.name}: {run.trouble}")
    return [title, *aligned(rows), *reasons]


def _cells(stage: Stage, run: Trial) -> list[str]:
    found = difference(run)
    last = at_last_answer_bytes(run)
    most = run.account.most_bytes
    return [
        stage.name,
        f"{run.load.requests} x {run.load.tokens}",
        str(run.truth.answered),
        str(run.seen.most_in_flight),
        three(found.ttft),
        three(found.itl),
        number(most / 2**20 if most else None),
        number(last / 2**20 if last else None),
        str(max((row.processes for row in run.account.memory), default=0)),
        number(run.close_s, 2),
        number(run.account.wall_s, 1),
        number(run.account.cpu_s, 1),
        number(run.cpu_s_per_million, 2),
        number(run.busy_percent),
    ]
