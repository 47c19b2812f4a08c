"""Places in flight: who serves the next turn of a pacing, and when."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeAlias

from steelyard.core import Request
from steelyard.engine.alarm import Alarm
from steelyard.engine.pacing import Pacing, Turn

Serve: TypeAlias = Callable[[Request, int | None], Awaitable[bool]]
"""Serves one turn, given when it was due; ``False``: the job is over."""


async def serve_turns(
    pacing: Pacing, requests: Iterable[Request], start_ns: int, serve: Serve
) -> None:
    """Have every turn served, at most ``pacing.in_flight`` of them at once.

    Requests are taken when there is a place, not before. Raises what ``serve`` or ``requests``
    raises first; turns under way are then abandoned.
    """
    places = _Places(pacing, requests, start_ns, serve)
    try:
        async with asyncio.TaskGroup() as workers:
            places.start_worker(workers)
    finally:
        places.close()


class _Places:
    """The places of one job, each with a worker once it may be used."""

    def __init__(
        self, pacing: Pacing, requests: Iterable[Request], start_ns: int, serve: Serve
    ) -> None:
        self._alarm = Alarm()
        self._start_ns = start_ns
        self._serve = serve
        self._turns: Iterator[Turn] = iter(pacing.turns(requests, start_ns))
        self._opens = islice(pacing.opens(start_ns), pacing.in_flight)

    def start_worker(self, workers: asyncio.TaskGroup) -> None:
        """Fill one place, if one is free."""
        opens_ns = next(self._opens, None)
        if opens_ns is not None:
            workers.create_task(self._work(workers, opens_ns))

    def close(self) -> None:
        """To be called when no worker is left."""
        self._alarm.close()

    async def _work(self, workers: asyncio.TaskGroup, opens_ns: int) -> None:
        """Serve turns until none are left. Each worker starts the next, so none is idle."""
        if opens_ns > self._start_ns:
            await self._alarm.until(opens_ns)
        for due_ns, request in self._turns:
            if due_ns is not None:
                await self._alarm.until(due_ns)
            self.start_worker(workers)
            if not await self._serve(request, due_ns):
                return
