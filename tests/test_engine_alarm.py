"""Waiting until a moment, with the kernel's timer and without.

- Nobody is woken early, and with the kernel's timer hardly late.
- Waiters may come in any order; one that gives up does not hold up the others.
- Nothing is left open.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from steelyard.engine import alarm as alarm_module
from steelyard.engine import run
from steelyard.engine.alarm import Alarm

MS = 1_000_000


@pytest.fixture(params=[True, False], ids=["kernel", "event loop"], autouse=True)
def exact(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With the module in C, and as on a system without."""
    if request.param and not alarm_module.EXACT:
        pytest.skip("the modules in C were not built on this system")
    monkeypatch.setattr(alarm_module, "EXACT", request.param)
    return request.param


def with_alarm(main: Callable[[Alarm], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        alarm = Alarm()
        try:
            await main(alarm)
        finally:
            alarm.close()

    run(whole())


def test_waiters_in_any_order_are_woken_at_their_moments(exact: bool) -> None:
    late_ns: list[int] = []

    async def wait(alarm: Alarm, due_ns: int) -> None:
        await alarm.until(due_ns)
        late_ns.append(time.monotonic_ns() - due_ns)

    async def main(alarm: Alarm) -> None:
        start_ns = time.monotonic_ns()
        moments = [start_ns + round(number * 3.37 * MS) for number in range(60)]
        async with asyncio.TaskGroup() as group:
            for due_ns in moments[1::2] + moments[::2]:
                group.create_task(wait(alarm, due_ns))

    with_alarm(main)
    assert len(late_ns) == 60
    assert min(late_ns) > -0.05 * MS
    if exact:  # the event loop's own timers are half a millisecond late
        assert statistics.median(late_ns) < 0.4 * MS


def test_a_moment_that_is_over_is_not_waited_for() -> None:
    async def main(alarm: Alarm) -> None:
        began_ns = time.monotonic_ns()
        await alarm.until(began_ns - 10**9)
        await alarm.until(0)
        assert time.monotonic_ns() - began_ns < 50 * MS

    with_alarm(main)


def test_a_waiter_that_gives_up_does_not_hold_up_the_others() -> None:
    async def main(alarm: Alarm) -> None:
        began_ns = time.monotonic_ns()
        first = asyncio.create_task(alarm.until(began_ns + 20 * MS))
        second = asyncio.create_task(alarm.until(began_ns + 40 * MS))
        await asyncio.sleep(0.005)
        first.cancel()
        await asyncio.wait_for(second, 5)
        assert first.cancelled()
        assert time.monotonic_ns() - began_ns >= 39.9 * MS

    with_alarm(main)


def test_nothing_is_left_open() -> None:
    async def main(alarm: Alarm) -> None:
        await alarm.until(time.monotonic_ns() + MS)

    with_alarm(main)
    opened = Path("/proc/self/fd")
    before = len(list(opened.iterdir())) if opened.is_dir() else 0
    with_alarm(main)
    if before:
        assert len(list(opened.iterdir())) == before
