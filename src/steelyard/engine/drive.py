"""Sending requests: how many at once, when, how often again, and where replies go.

``drive`` knows nothing of a backend but ``ask``. One that is not a service (a local model that
works in batches) collects what is asked of it at the same time and answers each when its batch is
done; ``pacing.in_flight`` bounds what can be collected.

Does not live here: wire formats (backends), files (the sink), marking.
"""

import asyncio
import random
from collections.abc import Iterable
from time import monotonic_ns

from msgspec.structs import replace

from steelyard.core import Backend, Failure, Reply, Request, RunStopped, Sink
from steelyard.engine.dialogue import next_turn
from steelyard.engine.fatal import FirstReplies
from steelyard.engine.pacing import Pacing
from steelyard.engine.places import serve_turns
from steelyard.engine.retry import OUT_OF_REACH, Policy


async def drive(
    backend: Backend, requests: Iterable[Request], pacing: Pacing, *, policy: Policy, sink: Sink
) -> None:
    """Ask ``requests``, taken one by one as ``pacing`` allows, and hand every reply to ``sink``.

    A dialogue keeps its place in flight from its first turn to its last, think time included.
    Replies come in the order in which they finish, each once: the last attempt's, timed from when
    the request was taken up. Raises ``RunStopped`` when the first replies are hopeless or the
    service stays away, and whatever ``requests`` or ``sink`` raises. Then, as when it is cancelled,
    requests in flight are abandoned and leave no reply.
    """
    asking = Asking(backend, policy, sink)
    try:
        await serve_turns(pacing, requests, asking.start_ns, asking.converse)
    except BaseExceptionGroup as group:
        error = group.exceptions[0]
        raise error from error.__cause__
    asking.end()


class Asking:
    """One job of asking: retries, and when it is hopeless."""

    def __init__(self, backend: Backend, policy: Policy, sink: Sink) -> None:
        self.start_ns = monotonic_ns()
        self._first_replies = FirstReplies(policy.fatal_after)
        self._answered = False
        self._out_of_reach_ns: int | None = None
        self._over = False
        self._backend = backend
        self._policy = policy
        self._sink = sink
        self._jitter = random.Random(policy.seed)

    async def converse(self, request: Request, due_ns: int | None) -> bool:
        """Ask one request, or one dialogue to its end; whether the job goes on."""
        asked: Request | None = request
        while asked is not None:
            reply = await self._reply(asked, due_ns)
            if self._over:
                return False
            self._hand_out(reply, asked)
            pause_s = asked.then[0].pause_s if asked.then else 0.0
            asked, due_ns = next_turn(asked, reply), None
            if asked is not None and pause_s:
                await asyncio.sleep(pause_s)
        return True

    def end(self) -> None:
        """Nothing more comes; raises ``RunStopped`` when all there was is hopeless."""
        self._first_replies.end()

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

    def _hand_out(self, reply: Reply, request: Request) -> None:
        """Give ``reply`` to the sink. What this raises ends the job, before any other reply."""
        self._answered = self._answered or reply.failure is None
        self._over = True
        self._sink(reply, request)
        self._first_replies.note(reply.failure)
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
