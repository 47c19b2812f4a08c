"""Waiting until a moment, to a few hundredths of a millisecond.

The event loop's own timers count whole milliseconds, and a request of a schedule would be half of
one late. A timer of the kernel is exact; where there is none (the module in C was not built), the
event loop's has to do.
"""

import asyncio
import os
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from time import monotonic_ns

try:
    from steelyard.engine import _alarm
except ImportError:
    EXACT = False
else:
    EXACT = True

_TOO_SHORT_NS = 20_000
"""Not worth a wait: that long it takes to wake up."""


class Alarm:
    """Wakes any number of waiters, each at its moment, on the running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = count()
        self._descriptor = _alarm.create() if EXACT else None
        if self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._ring)

    async def until(self, due_ns: int) -> None:
        """Sleep until then (monotonic); not at all when that is over."""
        while (left_ns := due_ns - monotonic_ns()) > _TOO_SHORT_NS:
            if self._descriptor is None:
                await asyncio.sleep(left_ns / 1e9)
            else:
                await self._wait(due_ns)

    def close(self) -> None:
        """Wake nobody any more."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    async def _wait(self, due_ns: int) -> None:
        woken = self._loop.create_future()
        heappush(self._waiting, (due_ns, next(self._number), woken))
        self._set()
        await woken

    def _set(self) -> None:
        if self._descriptor is not None and self._waiting:
            _alarm.set(self._descriptor, self._waiting[0][0])

    def _ring(self) -> None:
        if self._descriptor is not None:
            with suppress(BlockingIOError):  # it was set anew in the meantime
                os.read(self._descriptor, 8)
        now_ns = monotonic_ns()
        while self._waiting and self._waiting[0][0] <= now_ns:
            woken = heappop(self._waiting)[2]
            if not woken.done():
                woken.set_result(None)
        self._set()
