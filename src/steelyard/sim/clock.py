"""Calling back at an exact time: one heap of due times, one kernel timer.

Event loops round their timers to milliseconds, too coarse for token gaps. On Linux a timerfd wakes
the loop at the nanosecond asked for (monotonic clock); elsewhere the loop's own timer has to do.
"""

import asyncio
import ctypes
import math
import os
import sys
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = 0o2004000
_ABSOLUTE = 1
_REST_NS = 100_000
"""Between two rings. Under load it lets calls gather, which are then made for one wake-up."""


class _Alarm(Protocol):
    def set(self, due_ns: int) -> None:
        """Ring at ``due_ns``; the time set before is forgotten."""

    def close(self) -> None:
        """Never ring again."""


class Clock:
    """Calls back at monotonic times, never too early. Single calls cannot be taken back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._ready: list[Callable[[], None]] = []
        self._made = 0
        self._set_for: int | None = None
        linux = sys.platform == "linux"
        self._alarm: _Alarm = _TimerFd(loop, self._ring) if linux else _LoopTimer(loop, self._ring)

    def at(self, due_ns: int, call: Callable[[], None]) -> None:
        """Call ``call`` at ``due_ns``; what is due already is called in the loop's next round."""
        if due_ns <= time.monotonic_ns():
            if not self._ready:
                self._loop.call_soon(self._call_ready)
            self._ready.append(call)
            return
        self._made += 1
        heappush(self._heap, (due_ns, self._made, call))
        if self._set_for is None or due_ns < self._set_for:
            self._set_for = due_ns
            self._alarm.set(due_ns)

    def close(self) -> None:
        """Forget everything that is pending."""
        self._heap.clear()
        self._ready.clear()
        self._alarm.close()

    def _call_ready(self) -> None:
        ready, self._ready = self._ready, []
        for call in ready:
            call()

    def _ring(self) -> None:
        heap = self._heap
        now = time.monotonic_ns()
        # No alarm is set from within the calls: one is enough when they all have been made.
        self._set_for = 0
        while heap and heap[0][0] <= now:
            heappop(heap)[2]()
        self._set_for = max(heap[0][0], now + _REST_NS) if heap else None
        if self._set_for is not None:
            self._alarm.set(self._set_for)


class _TimeSpec(ctypes.Structure):
    _fields_ = (
        ("every_s", ctypes.c_long),
        ("every_ns", ctypes.c_long),
        ("at_s", ctypes.c_long),
        ("at_ns", ctypes.c_long),
    )


class _TimerFd:
    """A Linux timerfd that the loop watches."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._fd = libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._spec = _TimeSpec()
        self._reference = ctypes.byref(self._spec)
        self._loop = loop
        self._call = ring
        loop.add_reader(self._fd, self._readable)

    def set(self, due_ns: int) -> None:
        self._spec.at_s, self._spec.at_ns = divmod(due_ns, 1_000_000_000)
        self._settime(self._fd, _ABSOLUTE, self._reference, None)

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _readable(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # set anew since it rang
            return
        self._call()


class _LoopTimer:
    """The loop's own timer, rounded up to its milliseconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, due_ns: int) -> None:
        self.close()
        wait_ms = math.ceil(max(0, due_ns - time.monotonic_ns()) / 1e6)
        self._handle = self._loop.call_later(wait_ms / 1e3, self._ring)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
