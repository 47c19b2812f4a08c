"""The machine a benchmark runs on, and how busy others keep it."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

BUSY_PERCENT = 5.0
"""Above this share of CPU time used by others, figures are marked as not for quoting."""
WATCHED_S = 2.0


@dataclass(frozen=True)
class Host:
    """The machine and its state before the first run."""

    cpu: str
    cpus: int
    python: str
    busy_percent: float
    """Share of CPU time others used just before the first run."""


def host() -> Host:
    """The machine as it is now; takes two seconds."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return Host(
        cpu=models[0] if models else platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        busy_percent=busy_percent(WATCHED_S),
    )


def busy_percent(watched_s: float) -> float:
    """Share of the time of all CPUs that was used during the next `watched_s` seconds."""
    idle, total = _cpu_times()
    time.sleep(watched_s)
    idle_after, total_after = _cpu_times()
    return 100 * (1 - (idle_after - idle) / (total_after - total))


def _cpu_times() -> tuple[int, int]:
    """Idle and total time of all CPUs since boot, in clock ticks."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    ticks = [int(word) for word in first.split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)
