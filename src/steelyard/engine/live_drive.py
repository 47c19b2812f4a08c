"""Asking requests that come to be while others are under way (answers that are to be judged)."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic_ns

from steelyard.core import Backend, Request, Sink
from steelyard.engine.drive import Asking
from steelyard.engine.retry import Policy


class Gate:
    """How fast requests that come by themselves are passed on, by everybody who shares it.

    At most ``in_flight`` at once and, above 0, at most ``per_second`` begun in a second; a time in
    which nothing came is not made up for. For one event loop.
    """

    def __init__(self, in_flight: int, per_second: float = 0.0) -> None:
        self._places = asyncio.Semaphore(in_flight)
        self._gap_ns = round(1e9 / per_second) if per_second > 0 else 0
        self._next_ns = monotonic_ns()

    async def enter(self) -> None:
        """Wait for a place, and for the time to begin."""
        await self._places.acquire()
        now_ns = monotonic_ns()
        begins_ns = max(self._next_ns, now_ns)
        self._next_ns = begins_ns + self._gap_ns
        try:
            await _until(begins_ns)
        except BaseException:
            self._places.release()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()


async def _until(due_ns: int) -> None:
    """Sleep until then. And look again: the event loop's timers may be early."""
    left_ns = due_ns - monotonic_ns()
    if left_ns > 0:
        await asyncio.sleep(left_ns / 1e9)
        await _until(due_ns)


async def drive_live(
    backend: Backend,
    arriving: AsyncIterator[Request],
    gate: Gate,
    *,
    policy: Policy,
    sink: Sink,
) -> None:
    """Ask every request of ``arriving`` as soon as ``gate`` allows, and hand replies to ``sink``.

    Ends and raises as ``drive``.
    """
    asking = Asking(backend, policy, sink)
    try:
        async with asyncio.TaskGroup() as under_way:
            async for request in arriving:
                await gate.enter()
                task = under_way.create_task(asking.converse(request, None))
                # Also a task that is cancelled before it began gives its place back.
                task.add_done_callback(lambda _: gate.leave())
    except BaseExceptionGroup as group:
        error = group.exceptions[0]
        raise error from error.__cause__
    asking.end()
