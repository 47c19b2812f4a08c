"""Part `open`: requests at random moments, as independent users send them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

from endpoint import Endpoint
from entries import Entry
from generators.contract import Generator, Load
from medians import median_spread, middle
from part_truth import TOKENS, difference, three
from spread import UNKNOWN, Spread, spread_of
from tables import aligned, number
from trial import Arena, Look, Trial, trial

HEAD = ["command", "version", "rate /s", "gap CV", "says late ms", "is late ms", "TTFT error ms"]
HEAD += ["ITL error ms", "of", "CPU s/M", "largest MiB", "all MiB", "in flight", "others %"]


def load(rate: float, seconds: float) -> Load:
    """Poisson arrivals at `rate` per second for so many seconds."""
    return Load(round(rate * seconds), TOKENS, rate=rate)


def measured(
    arena: Arena, entries: Sequence[Entry[Generator]], asked: Load, service: Endpoint
) -> list[Trial]:
    """One round over the generators that can do it."""
    return [
        trial(arena, entry, asked, service, Look())
        for entry in entries
        if not entry.reason and entry.contender.open_load
    ]


def arrival_rate(run: Trial) -> float | None:
    """Requests per second between the first and the last arrival."""
    times = run.truth.arrivals_ns
    return (len(times) - 1) / (times[-1] - times[0]) * 1e9 if len(times) > 1 else None


def gap_variation(run: Trial) -> float | None:
    """Standard deviation of the gaps between arrivals over their mean: 1 for Poisson arrivals."""
    gaps = [later - earlier for earlier, later in pairwise(run.truth.arrivals_ns)]
    return pstdev(gaps) / fmean(gaps) if gaps else None


def true_lateness(run: Trial) -> Spread:
    """Arrival at the endpoint minus due, both in order; unknown when the schedule is not told."""
    due = sorted(run.reported.due_ns)
    arrived = run.truth.arrivals_ns
    if len(due) != len(arrived):
        return UNKNOWN
    return spread_of(there - wanted for there, wanted in zip(arrived, due, strict=True))


def record(run: Trial) -> dict[str, Any]:
    """What this part makes of a run, for JSON."""
    return {
        "arrival_rate": arrival_rate(run),
        "gap_variation": gap_variation(run),
        "true_lateness": asdict(true_lateness(run)),
        "difference": asdict(difference(run)),
    }


def table(entries: Sequence[Entry[Generator]], runs: Sequence[Trial]) -> list[str]:
    """One line a generator, medians over its runs."""
    asked = runs[0].load if runs else Load(0, TOKENS)
    title = f"open: {asked.requests} streams of {TOKENS} tokens, Poisson arrivals, {asked.rate}/s"
    rows, reasons = [HEAD], []
    for entry in entries:
        own = [run for run in runs if run.name == entry.contender.name]
        trouble = next((run.trouble for run in own if run.trouble), entry.reason)
        if not entry.contender.open_load:
            trouble = "cannot send at random moments"
        if trouble or not own:
            reasons.append(f"{entry.contender.name} {entry.version}: {trouble}")
        else:
            rows.append([entry.contender.name, entry.version, *_cells(own)])
    return [title, *aligned(rows), *reasons]


def _cells(own: list[Trial]) -> list[str]:
    found = [difference(run) for run in own]
    return [
        number(middle(map(arrival_rate, own)), 2),
        number(middle(map(gap_variation, own)), 3),
        _late(median_spread([run.reported.lateness for run in own])),
        _late(median_spread([true_lateness(run) for run in own])),
        three(median_spread([each.ttft for each in found])),
        three(median_spread([each.itl for each in found])),
        own[0].reported.itl_of,
        number(middle(run.cpu_s_per_million for run in own), 2),
        number(max(run.account.largest_process_bytes for run in own) / 2**20),
        number(max(run.account.most_bytes or 0 for run in own) / 2**20),
        str(max(run.seen.most_in_flight for run in own)),
        number(max(run.busy_percent for run in own)),
    ]


def _late(spread: Spread) -> str:
    """Median and P99."""
    return f"{number(spread.p50_ms, 2)} {number(spread.p99_ms, 2)}"
