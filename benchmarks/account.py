"""One command: what it is, the clean environment it runs in, and what it cost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MEASURE = Path(__file__).parent / "measure.py"
HUBS = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
QUIET = ("DO_NOT_TRACK", "VLLM_NO_USAGE_STATS")


@dataclass(frozen=True)
class Command:
    """A command line, its first word a path, and what it needs in the environment besides."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """Where and how long a command may run."""

    cpus: tuple[int, ...]
    timeout_s: int
    memory_cpu: int | None = None
    """The processor from which its memory is read while it runs; None: it is not."""


@dataclass(frozen=True)
class Sample:
    """The memory of all processes of a command at one moment."""

    after_s: float
    processes: int
    resident_bytes: int
    """Shared pages counted once for every process."""
    proportional_bytes: int | None
    """Shared pages counted once in all; None where it was not read."""


@dataclass(frozen=True)
class Account:
    """What a command and everything it started have cost."""

    wall_s: float
    user_s: float
    system_s: float
    largest_process_bytes: int
    exit_status: int
    timed_out: bool
    started_ns: int
    ended_ns: int
    """Monotonic clock, like `started_ns`."""
    memory: tuple[Sample, ...]

    @property
    def cpu_s(self) -> float:
        """User and system time."""
        return self.user_s + self.system_s

    @property
    def most_bytes(self) -> int | None:
        """The most memory of all processes together, shared pages counted once."""
        read = [sample.proportional_bytes for sample in self.memory]
        return max((size for size in read if size is not None), default=None)


def clean_environment(
    work: Path, programs: Path | None, extra: Mapping[str, str]
) -> dict[str, str]:
    """No proxies, no hubs, no usage reports, caches below the work folder."""
    home = work / "home"
    home.mkdir(parents=True, exist_ok=True)
    first = f"{programs}:" if programs else ""
    path = f"{first}/usr/local/bin:/usr/bin:/bin"
    base = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "COLUMNS": "160"}
    return {**base, **dict.fromkeys((*HUBS, *QUIET), "1"), **extra}


def accounted(
    command: Command, env: Mapping[str, str], folder: Path, limits: Limits
) -> tuple[Account, str]:
    """Runs a command in `folder`; its account, and what it printed."""
    report, log = folder / "account.json", folder / "printed.log"
    watched = "-" if limits.memory_cpu is None else str(limits.memory_cpu)
    cpus = ",".join(map(str, limits.cpus))
    words = [str(report), str(log), cpus, str(limits.timeout_s), watched, *command.argv]
    subprocess.run([sys.executable, str(MEASURE), *words], env=env, cwd=folder, check=True)
    figures = json.loads(report.read_text(encoding="utf-8"))
    memory = tuple(Sample(*row) for row in figures.pop("memory"))
    return Account(**figures, memory=memory), log.read_text(encoding="utf-8", errors="replace")


def last_line(text: str) -> str:
    """The last line that is not blank, without a terminal's control sequences."""
    lines = [line.strip() for line in CONTROL.sub("", text).splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
