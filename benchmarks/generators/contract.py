"""What a load generator is told and what it reports: the nouns of this folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from account import Command
from endpoint import HOST
from spread import UNKNOWN, Spread
from venvs import Steps

PROMPT_TOKENS = 128
ROOM_S = 10


@dataclass(frozen=True)
class Load:
    """What is to be sent; either so many in flight all the time, or at random moments."""

    requests: int
    tokens: int
    """Output tokens of every request."""
    in_flight: int | None = None
    rate: float | None = None
    """Poisson arrivals per second, however many are in flight."""
    senders: int | None = None
    """Sender processes, for those that let the user choose; None: their default."""

    @property
    def room(self) -> int:
        """Places in flight for those that must be told a number; answers take under 10 s here."""
        return self.in_flight or round(ROOM_S * (self.rate or 0))


@dataclass(frozen=True)
class Job:
    """One load test to run against `http://127.0.0.1:port/v1`."""

    load: Load
    programs: Path
    """The `bin` folder of the generator's environment."""
    floor: Path
    """The C client's program."""
    port: int
    folder: Path
    """Empty; configuration and results go here, and the command is started here."""
    tokenizer: Path
    """A local tokenizer's folder; the hub's cache has the same one as `local/small`."""

    @property
    def address(self) -> str:
        """The endpoint's address without a path."""
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True)
class Reported:
    """What a generator says it measured; None and unknown spreads: it does not say."""

    ttft: Spread = UNKNOWN
    itl: Spread = UNKNOWN
    itl_of: Literal["gaps", "requests"] = "gaps"
    """Of all gaps between tokens together, or of the mean gap of each request."""
    requests_per_s: float | None = None
    tokens_per_s: float | None = None
    lateness: Spread = UNKNOWN
    """Sent minus due."""
    due_ns: tuple[int, ...] = ()
    """When the requests were due, monotonic clock; empty: it does not say."""


@dataclass(frozen=True)
class Generator:
    """One way to send a load; adding one is a file in this folder and a line in its `__init__`."""

    name: str
    distribution: str
    """What its version is asked of; empty: it has none."""
    steps: Steps
    """What is installed, one pip command a step."""
    pinned: bool
    """Whether the steps name exact versions, so that what is installed can be kept."""
    setup: str
    """How it is set up and what its figures mean, in a sentence."""
    prepare: Callable[[Job], Command]
    """Writes what the command needs into the job's folder."""
    reported: Callable[[Job, str], Reported]
    """The figures of its own report, found in the job's folder or in what was printed."""
    probes: int = 0
    """Requests that it sends before the load begins."""
    open_load: bool = True
    """Whether it can send at random moments."""


def joined(options: Mapping[str, str]) -> tuple[str, ...]:
    """Options and their values as words."""
    return tuple(word for pair in options.items() for word in pair)


def newest(folder: Path, pattern: str) -> Path:
    """The last file by name below `folder` that matches; FileNotFoundError without one."""
    found = sorted(folder.rglob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} below {folder}")
    return found[-1]


def read_json(folder: Path, pattern: str) -> dict[str, Any]:
    """The object in the newest file that matches."""
    found: dict[str, Any] = json.loads(newest(folder, pattern).read_text(encoding="utf-8"))
    return found
