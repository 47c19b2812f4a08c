"""A process and its descendants, and the memory they hold together (Linux `/proc`)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
GROWN = 1.02
UNREAD_S = 2.0


def children(pid: int) -> list[int]:
    """The direct children of a process; none when it is gone."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def descendants(pid: int) -> Iterator[int]:
    """All processes below a process, without itself."""
    for child in children(pid):
        yield child
        yield from descendants(child)


class Watch:
    """Looks at the memory of all descendants of a process.

    Resident sizes are cheap to read. Proportional ones, which count a shared page once in all, make
    the kernel walk the page tables, so they are read only when the resident size has grown by two
    percent, and every two seconds.
    """

    def __init__(self, pid: int, zero_ns: int) -> None:
        self._pid = pid
        self._zero_ns = zero_ns
        self._read_at_s = -UNREAD_S
        self._read_at_bytes = 0

    def look(self) -> tuple[float, int, int, int | None]:
        """Seconds since the start, processes, resident bytes, proportional bytes where read."""
        pids = list(descendants(self._pid))
        after_s = (time.monotonic_ns() - self._zero_ns) / 1e9
        resident = sum(map(_resident, pids))
        proportional = None
        grown = resident > self._read_at_bytes * GROWN
        if grown or after_s > self._read_at_s + UNREAD_S:
            proportional = sum(map(_proportional, pids))
            self._read_at_s = after_s
            self._read_at_bytes = max(resident, self._read_at_bytes)
        return after_s, len(pids), resident, proportional


def _resident(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    return 0


def _proportional(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        kib = (row.split()[1] for row in rows if row.startswith("Pss:"))
        return int(next(kib, "0")) * 1024
    return 0
