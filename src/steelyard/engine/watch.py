"""Numbers for a live board: a backend that counts what goes through it."""

from collections import Counter
from typing import NamedTuple

import msgspec

from steelyard.core import Backend, Fetcher, Reply, Request, Unread


class Counters(msgspec.Struct):
    """Counts of one job, kept up to date by ``Watched``."""

    in_flight: int = 0
    """Requests at the service now; those that wait for a retry are not."""
    attempts: int = 0
    """Finished attempts, failed ones included."""
    failures: Counter[str] = msgspec.field(default_factory=Counter)
    """Failed attempts by kind, and by number for HTTP statuses (``429``)."""

    def count(self, reply: Reply) -> None:
        """Take one finished attempt."""
        self.attempts += 1
        failure = reply.failure
        if failure is not None:
            self.failures[str(failure.status or failure.kind)] += 1


class Watched:
    """``backend``, counted."""

    def __init__(self, backend: Backend, counters: Counters) -> None:
        self._backend = backend
        self._counters = counters

    async def ask(self, request: Request) -> Reply:
        """See ``Backend``."""
        counters = self._counters
        counters.in_flight += 1
        try:
            reply = await self._backend.ask(request)
        finally:
            counters.in_flight -= 1
        counters.count(reply)
        return reply

    async def close(self) -> None:
        """See ``Backend``."""
        await self._backend.close()


class WatchedFetcher:
    """``backend``, counted."""

    def __init__(self, backend: Fetcher, counters: Counters) -> None:
        self._backend = backend
        self._counters = counters

    async def connect(self, number: int) -> None:
        """See ``Fetcher``."""
        await self._backend.connect(number)

    async def fetch(self, request: Request) -> Unread:
        """See ``Fetcher``."""
        counters = self._counters
        counters.in_flight += 1
        try:
            return _CountedUnread(await self._backend.fetch(request), counters)
        finally:
            counters.in_flight -= 1

    async def close(self) -> None:
        """See ``Fetcher``."""
        await self._backend.close()


class _CountedUnread(NamedTuple):
    """``unread``, which counts when it is read."""

    unread: Unread
    counters: Counters

    @property
    def size_bytes(self) -> int:
        """See ``Unread``."""
        return self.unread.size_bytes

    def reply(self) -> Reply:
        """See ``Unread``."""
        reply = self.unread.reply()
        self.counters.count(reply)
        return reply
