"""Sending a load test: every request once, and its answer read when there is time.

A place that is free is filled at once. What the answer says is worked out afterwards, between the
reads of other streams and in small portions, so that many answers which end together do not hold up
the requests that follow them; these are made beforehand, in the same portions. Of a dialogue each
answer is read at once: the next turn needs it.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from time import monotonic_ns
from typing import NamedTuple

from msgspec.structs import replace

from steelyard.core import Fetcher, Reply, Request, Sink, Unread
from steelyard.engine.ahead import Ahead
from steelyard.engine.dialogue import next_turn
from steelyard.engine.fatal import FirstReplies
from steelyard.engine.pacing import Closed, Pacing
from steelyard.engine.places import serve_turns

MOST_UNREAD_BYTES = 1 << 28
"""What answers that wait may take in memory; beyond that sending waits for reading."""

PORTION_NS = 300_000
"""How long answers are read before the network is looked at again."""

FIRST_PORTION_NS = 200_000_000
"""How long requests are made before the first one of a closed load is sent."""


async def drive_load(
    backend: Fetcher,
    requests: Iterable[Request],
    pacing: Pacing,
    *,
    fatal_after: int,
    sink: Sink,
) -> None:
    """Send ``requests`` as ``pacing`` says and hand every reply to ``sink``.

    Replies come about in the order in which they finish, each once. Raises ``RunStopped`` when the
    first ``fatal_after`` replies are hopeless, and whatever ``requests`` or ``sink`` raises; then
    what is in flight or unread leaves no reply. When it is cancelled, answers that are complete are
    still read, and only what is in flight leaves no reply.
    """
    ahead = Ahead(requests)
    load = _Load(backend, sink, FirstReplies(fatal_after), ahead)
    if isinstance(pacing, Closed):  # with a schedule there is time between two, and none to lose
        enough_ns = monotonic_ns() + FIRST_PORTION_NS
        while monotonic_ns() < enough_ns and ahead.make():
            pass
    try:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(load.read_on())
            await serve_turns(pacing, ahead, monotonic_ns(), load.converse)
            load.read_rest()
            reader.cancel()
    except asyncio.CancelledError:
        load.read_rest()
        raise
    except BaseExceptionGroup as group_error:
        error: BaseException = group_error
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from error.__cause__
    load.first_replies.end()


class _Waiting(NamedTuple):
    """An answer that waits to be read, and what was asked."""

    unread: Unread
    request: Request
    queued_ns: int
    due_ns: int | None
    size_bytes: int

    def reply(self) -> Reply:
        """The reply, with the times that only the sender knows."""
        reply = self.unread.reply()
        timing = replace(reply.timing, queued_ns=self.queued_ns, due_ns=self.due_ns)
        return replace(reply, timing=timing)


class _Load:
    """One run of ``drive_load``."""

    def __init__(
        self, backend: Fetcher, sink: Sink, first_replies: FirstReplies, ahead: Ahead
    ) -> None:
        self.first_replies = first_replies
        self._ahead = ahead
        self._backend = backend
        self._sink = sink
        self._waiting: deque[_Waiting] = deque()
        self._unread_bytes = 0
        """Memory of the answers that wait."""
        self._some = asyncio.Event()
        """There may be something to do: at first, requests to be made."""
        self._some.set()

    async def converse(self, request: Request, due_ns: int | None) -> bool:
        """Send one request, or one dialogue to its end."""
        asked: Request | None = request
        while asked is not None:
            queued_ns = monotonic_ns()
            unread = await self._backend.fetch(asked)
            answer = _Waiting(unread, asked, queued_ns, due_ns, unread.size_bytes)
            if not asked.then:
                self._later(answer)
                return True
            reply = self._take(answer)
            pause_s = asked.then[0].pause_s
            asked, due_ns = next_turn(asked, reply), None
            if asked is not None and pause_s:
                await asyncio.sleep(pause_s)
        return True

    async def read_on(self) -> None:
        """Read answers, and make requests when there are none, in portions with a look at the
        network in between, until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            if self._work(monotonic_ns() + PORTION_NS):
                self._some.set()
                await asyncio.sleep(0)

    def _work(self, until_ns: int) -> bool:
        """Do what there is to do; whether anything was left.

        Of requests that are slow to make one at most: then it is waited for the next answer.
        """
        while self._waiting or self._ahead.make():
            if self._waiting:
                self._take_first()
            elif self._ahead.slow:
                return False
            if monotonic_ns() >= until_ns:
                return True
        return False

    def read_rest(self) -> None:
        """Read what is left, when nothing is in flight any more."""
        while self._waiting:
            self._take_first()

    def _later(self, answer: _Waiting) -> None:
        self._waiting.append(answer)
        self._unread_bytes += answer.size_bytes
        self._some.set()
        while self._unread_bytes > MOST_UNREAD_BYTES:
            self._take_first()

    def _take_first(self) -> None:
        answer = self._waiting.popleft()
        self._unread_bytes -= answer.size_bytes
        self._take(answer)

    def _take(self, answer: _Waiting) -> Reply:
        """Read one answer and hand it out."""
        reply = answer.reply()
        self._sink(reply, answer.request)
        self.first_replies.note(reply.failure)
        return reply
