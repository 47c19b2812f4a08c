"""One run of one load generator against the endpoint, with all that is known of it afterwards."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import truth
from account import Account, Limits, accounted, clean_environment, last_line
from endpoint import Endpoint, Seen
from entries import Entry
from generators.contract import Generator, Job, Load, Reported
from machine import busy_percent
from truth import Truth

WATCHED_S = 1.0


@dataclass(frozen=True)
class Arena:
    """What all runs share."""

    work: Path
    floor: Path
    """The C client's program."""
    tokenizer: Path
    server_cpu: int
    client_cpus: tuple[int, ...]
    limit_s: int

    @property
    def logs(self) -> Path:
        """Where the endpoint writes its log."""
        return self.work / "logs"

    def job(self, entry: Entry[Generator], load: Load, port: int) -> Job:
        """A job in a folder emptied for it."""
        folder = self.work / "runs" / entry.contender.name.replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Job(load, entry.programs, self.floor, port, folder, self.tokenizer)

    def environment(self, programs: Path, extra: Mapping[str, str]) -> dict[str, str]:
        """A clean environment for a command."""
        return clean_environment(self.work, programs, extra)


@dataclass(frozen=True)
class Look:
    """What is looked at besides the command's cost."""

    memory: bool = True
    tokens: bool = True
    """When every token was written; without it only arrivals and ends are known."""


@dataclass(frozen=True)
class Trial:
    """One run; with a trouble its figures mean nothing."""

    name: str
    load: Load
    busy_percent: float
    """Share of CPU time that others used just before."""
    account: Account
    seen: Seen
    truth: Truth
    reported: Reported
    trouble: str = ""

    @property
    def events(self) -> int:
        """Tokens that the endpoint streamed, each one event."""
        return self.seen.tokens

    @property
    def cpu_s_per_million(self) -> float | None:
        """CPU seconds of the command and all it started, for a million events."""
        return self.account.cpu_s / self.events * 1e6 if self.events else None

    @property
    def start_s(self) -> float:
        """Start of the process to the first request at the endpoint."""
        return (self.truth.first_arrival_ns - self.account.started_ns) / 1e9

    @property
    def close_s(self) -> float:
        """End of the last answer to the end of the process."""
        return (self.account.ended_ns - self.truth.last_end_ns) / 1e9


def as_record(run: Trial) -> dict[str, Any]:
    """All figures of a run for JSON, without those there is one of for every request."""
    record = asdict(run)
    del record["truth"]["arrivals_ns"], record["reported"]["due_ns"]
    read = (row for row in run.account.memory if row.proportional_bytes is not None)
    record["account"]["memory"] = [astuple(row) for row in read]
    return record


def trial(
    arena: Arena, entry: Entry[Generator], load: Load, service: Endpoint, look: Look
) -> Trial:
    """Runs a generator once; what the endpoint logged is read and thrown away."""
    generator = entry.contender
    job = arena.job(entry, load, service.port)
    print(f"{generator.name}: {_in_words(load)}", file=sys.stderr, flush=True)
    busy = busy_percent(WATCHED_S)
    command = generator.prepare(job)
    env = arena.environment(entry.programs, command.env)
    memory_cpu = arena.server_cpu if look.memory else None
    service.reset()
    account, text = accounted(
        command, env, job.folder, Limits(arena.client_cpus, arena.limit_s, memory_cpu)
    )
    log = arena.logs / "run.bin"
    seen = service.dumped(log.stem)
    happened = truth.read(log, probes=generator.probes, with_tokens=look.tokens)
    log.unlink()
    made = Trial(generator.name, load, busy, account, seen, happened, Reported())
    trouble = _trouble(made, text)
    if trouble:
        return replace(made, trouble=trouble)
    try:
        return replace(made, reported=generator.reported(job, text))
    except (LookupError, ValueError, TypeError, FileNotFoundError, StopIteration) as error:
        return replace(made, trouble=f"its report cannot be read: {error!r}")


def _trouble(made: Trial, text: str) -> str:
    """Why the figures mean nothing, or nothing."""
    account = made.account
    if account.timed_out:
        return f"killed after {account.wall_s:.0f} s: {last_line(text)}"
    if account.exit_status:
        return f"exit status {account.exit_status}: {last_line(text)}"
    if made.truth.answered < made.load.requests:
        return f"only {made.truth.answered} of {made.load.requests} requests were answered"
    return ""


def _in_words(load: Load) -> str:
    pace = f"{load.in_flight} in flight" if load.rate is None else f"{load.rate:g} a second"
    return f"{load.requests} requests of {load.tokens} tokens, {pace}"
