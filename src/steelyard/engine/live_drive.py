"""Asking requests that come to be while others are under way (answers that are to be judged)."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic_ns

import msgspec

from steelyard.core import Backend, Request, Sink
from steelyard.engine.drive import Asking
from steelyard.engine.places import until
from steelyard.engine.retry import Policy


class Pace(msgspec.Struct, frozen=True):
    """How fast requests that come by themselves are passed on."""

    in_flight: int
    """So many at once at most."""
    per_second: float = 0.0
    """Above 0: so many are begun in a second at most. A time in which nothing came is not made up
    for."""


async def drive_live(
    backend: Backend,
    arriving: AsyncIterator[Request],
    pace: Pace,
    *,
    policy: Policy,
    sink: Sink,
) -> None:
    """Ask every request of ``arriving`` as soon as ``pace`` allows, and hand replies to ``sink``.

    Ends and raises as ``drive``.
    """
    asking = Asking(backend, policy, sink)
    places = asyncio.Semaphore(pace.in_flight)
    gap_ns = round(1e9 / pace.per_second) if pace.per_second > 0 else 0
    next_ns = monotonic_ns()

    async def serve(request: Request) -> None:
        try:
            await asking.converse(request, None)
        finally:
            places.release()

    try:
        async with asyncio.TaskGroup() as under_way:
            async for request in arriving:
                await places.acquire()
                await until(next_ns)
                late_ns = monotonic_ns() - next_ns
                next_ns += gap_ns + (late_ns if late_ns > gap_ns else 0)
                under_way.create_task(serve(request))
    except BaseExceptionGroup as group:
        error = group.exceptions[0]
        raise error from error.__cause__
    asking.end()
