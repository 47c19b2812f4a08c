"""Sending requests: how many at once, when, how often again, and where replies go.

``drive`` knows nothing of a backend but ``ask``. One that is not a service (a local model that
works in batches) collects what is asked of it at the same time and answers each when its batch is
done; ``pacing.in_flight`` bounds what can be collected.

Does not live here: wire formats (backends), files (the sink), marking.
"""

import asyncio
import random
from collections.abc import Iterable, Iterator
from time import monotonic_ns

from msgspec.structs import replace

from steelyard.core import Backend, Failure, Reply, Request, RunStopped, Sink
from steelyard.engine.fatal import FirstReplies
from steelyard.engine.pacing import Pacing
from steelyard.engine.retry import OUT_OF_REACH, Policy


async def drive(
    backend: Backend, requests: Iterable[Request], pacing: Pacing, *, policy: Policy, sink: Sink
) -> None:
    """Ask ``requests``, taken one by one as ``pacing`` allows, and hand every reply to ``sink``.

    Replies come in the order in which they finish, each once: the last attempt's, timed from when
    the request was taken up. Raises ``RunStopped`` when the first replies are hopeless or the
    service stays away, and whatever ``requests`` or ``sink`` raises. Then, as when it is cancelled,
    requests in flight are abandoned and leave no reply.
    """
    job = _Job(backend, policy, sink)
    turns = zip(pacing.due(job.start_ns), requests, strict=False)
    try:
        async with asyncio.TaskGroup() as workers:
            job.free_places = pacing.in_flight
            job.start_worker(workers, turns)
    except BaseExceptionGroup as group:
        error = group.exceptions[0]
        raise error from error.__cause__
    job.first_replies.end()


_Turns = Iterator[tuple[int | None, Request]]
"""Requests with the time each is due, shared by all workers."""


class _Job:
    """One run of ``drive``."""

    def __init__(self, backend: Backend, policy: Policy, sink: Sink) -> None:
        self.start_ns = monotonic_ns()
        self.first_replies = FirstReplies(policy.fatal_after)
        self.free_places = 0
        self._answered = False
        self._out_of_reach_ns: int | None = None
        self._over = False
        self._backend = backend
        self._policy = policy
        self._sink = sink
        self._jitter = random.Random(policy.seed)

    def start_worker(self, workers: asyncio.TaskGroup, turns: _Turns) -> None:
        """Fill one place, if one is free."""
        if self.free_places > 0:
            self.free_places -= 1
            workers.create_task(self._work(workers, turns))

    async def _work(self, workers: asyncio.TaskGroup, turns: _Turns) -> None:
        """Serve turns until none are left. Each worker starts the next, so none is idle."""
        for due_ns, request in turns:
            if due_ns is not None:
                await _until(due_ns)
            self.start_worker(workers, turns)
            reply = await self._reply(request, due_ns)
            if self._over:
                return
            self._hand_out(reply)

    async def _reply(self, request: Request, due_ns: int | None) -> Reply:
        """Ask until there is an answer or a failure that stays; a pause keeps the place."""
        queued_ns = monotonic_ns()
        attempts = 1
        while True:
            reply = await self._backend.ask(request)
            self._note_reach(reply.failure)
            pause_s = None if reply.failure is None else self._pause_s(reply.failure, attempts)
            if pause_s is None:
                timing = replace(reply.timing, queued_ns=queued_ns, due_ns=due_ns)
                return replace(reply, timing=timing, attempts=attempts)
            await asyncio.sleep(pause_s)
            attempts += 1

    def _hand_out(self, reply: Reply) -> None:
        """Give ``reply`` to the sink. What this raises ends the job, before any other reply."""
        self._answered = self._answered or reply.failure is None
        self._over = True
        self._sink(reply)
        self.first_replies.note(reply.failure)
        self._over = False

    def _note_reach(self, failure: Failure | None) -> None:
        """Keep when the service went out of reach, if it is."""
        if failure is None or failure.kind not in OUT_OF_REACH:
            self._out_of_reach_ns = None
        elif self._out_of_reach_ns is None:
            self._out_of_reach_ns = monotonic_ns()

    def _pause_s(self, failure: Failure, attempts: int) -> float | None:
        """As the policy says; but one that is out of reach is waited for by the clock.

        A service that answered before is likely to come back (a restart), so no request is given
        up meanwhile; one that never answered is not waited for long.
        """
        policy = self._policy
        pause_s = policy.pause_s(failure, attempts, self._jitter)
        if self._out_of_reach_ns is None or not policy.retries:
            return pause_s
        now_ns = monotonic_ns()
        if self._answered:
            if now_ns - self._out_of_reach_ns < policy.outage_s * 1e9:
                return self._jitter.uniform(0.0, policy.base_s * 2.0 ** min(attempts, 4))
            raise RunStopped(
                f"the service answered before, but could not be reached for {policy.outage_s:g} s: "
                f"{failure.detail}. What was answered is kept; go on when it is back."
            )
        left_s = policy.unreachable_s - (now_ns - self.start_ns) / 1e9
        return pause_s if pause_s is not None and pause_s < left_s else None


async def _until(due_ns: int) -> None:
    """Sleep, and look again: the event loop's own clock lags, so its timers may be early."""
    left_ns = due_ns - monotonic_ns()
    if left_ns > 0:
        await asyncio.sleep(left_ns / 1e9)
        await _until(due_ns)
