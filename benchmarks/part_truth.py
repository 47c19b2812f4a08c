"""Part `truth`: what a generator reports beside what the endpoint logged, at a fixed load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import endpoint
from endpoint import Endpoint
from entries import Entry
from generators.contract import Generator, Load
from medians import median_spread, middle
from spread import Spread
from tables import aligned, number
from trial import Arena, Look, Trial, trial

TTFT_MS = 200.0
ITL_MS = 20.0
TOKENS = 128
ANSWER_S = (TTFT_MS + (TOKENS - 1) * ITL_MS) / 1000

HEAD = ["command", "version", "TTFT error ms", "ITL error ms", "of", "throughput %"]
HEAD += ["of ideal %", "CPU s/M", "largest MiB", "all MiB", "in flight", "others %"]


@dataclass(frozen=True)
class Difference:
    """Reported minus true."""

    ttft: Spread
    itl: Spread
    throughput_percent: float | None
    """Reported over true throughput, minus one; tokens where they are reported, else requests."""


def loads(in_flight: Iterable[int], seconds: float) -> list[Load]:
    """As many whole waves of requests as last about so many seconds."""
    waves = max(2, round(seconds / ANSWER_S))
    return [Load(waves * places, TOKENS, in_flight=places) for places in in_flight]


def streaming(arena: Arena) -> dict[str, str]:
    """The endpoint's options for this part."""
    return endpoint.streaming(TTFT_MS, ITL_MS, arena.logs)


def measured(
    arena: Arena, entries: Sequence[Entry[Generator]], load: Load, service: Endpoint
) -> list[Trial]:
    """One round over all generators."""
    return [trial(arena, entry, load, service, Look()) for entry in entries if not entry.reason]


def difference(run: Trial) -> Difference:
    """How far the report is from the log."""
    said, was = run.reported, run.truth
    true_itl = was.gaps if said.itl_of == "gaps" else was.mean_gaps
    pairs = ((said.tokens_per_s, was.tokens_per_s), (said.requests_per_s, was.requests_per_s))
    ratios = [100 * (one / other - 1) for one, other in pairs if one and other]
    return Difference(
        said.ttft.minus(was.ttft), said.itl.minus(true_itl), ratios[0] if ratios else None
    )


def of_ideal_percent(run: Trial) -> float | None:
    """Whole answers per second against those of a client that costs nothing."""
    places, achieved = run.load.in_flight, run.truth.requests_per_s
    return 100 * achieved * ANSWER_S / places if places and achieved else None


def record(run: Trial) -> dict[str, Any]:
    """What this part makes of a run, for JSON."""
    return {"difference": asdict(difference(run)), "of_ideal_percent": of_ideal_percent(run)}


def table(entries: Sequence[Entry[Generator]], load: Load, runs: Sequence[Trial]) -> list[str]:
    """One line a generator, medians over its runs."""
    title = (
        f"truth: {load.requests} streams of {load.tokens} tokens, {load.in_flight} in flight; "
        f"first token after {TTFT_MS:g} ms, then one every {ITL_MS:g} ms "
        f"(ideal: {(load.in_flight or 0) / ANSWER_S:.1f} requests/s)"
    )
    rows, reasons = [HEAD], []
    for entry in entries:
        own = [run for run in runs if run.name == entry.contender.name]
        trouble = next((run.trouble for run in own if run.trouble), entry.reason)
        if trouble or not own:
            reasons.append(f"{entry.contender.name} {entry.version}: {trouble}")
        else:
            rows.append([entry.contender.name, entry.version, *_cells(own)])
    return [title, *aligned(rows), *reasons]


def _cells(own: list[Trial]) -> list[str]:
    found = [difference(run) for run in own]
    return [
        three(median_spread([each.ttft for each in found])),
        three(median_spread([each.itl for each in found])),
        own[0].reported.itl_of,
        number(middle(each.throughput_percent for each in found), 1, signed=True),
        number(middle(map(of_ideal_percent, own)), 1),
        number(middle(run.cpu_s_per_million for run in own), 2),
        number(max(run.account.largest_process_bytes for run in own) / 2**20),
        number(_mib(max(run.account.most_bytes or 0 for run in own))),
        str(max(run.seen.most_in_flight for run in own)),
        number(max(run.busy_percent for run in own)),
    ]


def _mib(size: int) -> float | None:
    return size / 2**20 if size else None


def three(spread: Spread) -> str:
    """Errors of mean, median and P99."""
    figures = (spread.mean_ms, spread.p50_ms, spread.p99_ms)
    return " ".join(number(figure, 2, signed=True) for figure in figures)
