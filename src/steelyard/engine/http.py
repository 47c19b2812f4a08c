"""``HttpClient``: requests to one service over kept-alive connections.

Lives here: the request's bytes, the pool, the limit for an attempt. Connections are opened in
``dial``, read in ``connection`` and understood in ``framing``. Retries and concurrency are
``drive``'s business; a client opens as many connections as there are requests at a time.
"""

import asyncio
import os
from contextlib import suppress
from time import monotonic_ns
from typing import NamedTuple

import msgspec

from steelyard.core import Failure, Load
from steelyard.engine.address import address
from steelyard.engine.capture import Capture
from steelyard.engine.connection import Connection
from steelyard.engine.dial import Dialer, DialError, Route
from steelyard.engine.event_stream import EventStream, event_stream
from steelyard.engine.exchange import Exchange, HttpRequest
from steelyard.engine.options import HttpOptions
from steelyard.engine.patience import Patience
from steelyard.engine.proxy import proxy_for
from steelyard.engine.request_bytes import RequestBytes
from steelyard.engine.tls import tls_context

LONGEST_IDLE_NS = 30 * 10**9
"""An unused connection older than this is not trusted: routers forget them silently."""


class Fetched(NamedTuple):
    """What came of one attempt, as it was read."""

    capture: Capture
    failure: Failure | None

    def exchange(self) -> Exchange:
        """The exchange, put together."""
        return self.capture.exchange(self.failure)

    def event_stream(self) -> EventStream | None:
        """The events of a whole answer of the usual shape; ``None`` for anything else."""
        capture = self.capture
        head = capture.reader.head
        if self.failure is not None or head is None or "content-encoding" in head.headers:
            return None
        if not capture.reader.in_kept_events:
            return None
        return event_stream(capture.reads, capture.times, capture.sent_ns)


class HttpClient:
    """A client of one service, for one event loop.

    Raises ``ConfigError`` when the options are not usable: a missing key variable, a header with a
    line break, an unreadable certificate.
    """

    def __init__(self, options: HttpOptions, *, load: Load) -> None:
        service = address(options.base_url)
        proxy = proxy_for(service, options, os.environ)
        tls = tls_context(options) if service.scheme == "https" else None
        route = Route(service, proxy, tls)
        self._service = service
        self._bytes = RequestBytes(options, route)
        self._dialer = Dialer(route, options.connect_timeout_s)
        self._patience = Patience(load.timeout_s)
        self._idle: list[Connection] = []
        self._running: dict[Connection, int] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._inspect_ns = 0

    def __repr__(self) -> str:
        return f"HttpClient({self._service.scheme}://{self._service.netloc})"

    def path(self, name: str) -> str:
        """The target of ``name`` (``v1/models``) below the base URL's path."""
        service = self._service
        query = f"?{service.query}" if service.query else ""
        return f"{service.prefix}{name.lstrip('/')}{query}"

    def redacted(self, text: str) -> str:
        """``text`` without key and password, should a service have quoted them."""
        return self._bytes.redacted(text)

    async def send(self, request: HttpRequest) -> Exchange:
        """One attempt, whatever comes of it: trouble on the way is ``Exchange.failure``.

        A kept connection that turns out closed before a byte of the answer came is replaced once
        by a fresh one. Cancelling drops the connection.
        """
        return (await self.fetch(request)).exchange()

    async def connect(self, number: int) -> None:
        """Open ``number`` connections for requests that are about to be sent.

        Where the first one fails the others are not tried, and no longer is waited than for one:
        what is wrong is for the requests to find out.
        """
        with suppress(DialError, TimeoutError):
            await self._open_spare()
            async with asyncio.timeout(self._dialer.limit_s), asyncio.TaskGroup() as group:
                for _ in range(number - 1):
                    group.create_task(self._open_spare_or_not())

    async def _open_spare(self) -> None:
        connection = await self._dialer.open(self._dialer.limit_s)
        connection.idle_ns = monotonic_ns()
        self._idle.append(connection)

    async def _open_spare_or_not(self) -> None:
        with suppress(DialError):
            await self._open_spare()

    async def fetch(self, request: HttpRequest) -> Fetched:
        """Like ``send``, but what came is only put together when it is asked for."""
        began_ns = monotonic_ns()
        payload = self._bytes.payload(request)
        connection = self._kept()
        if connection is not None:
            fetched = await self._fetch(connection, payload, request.method, began_ns)
            if fetched.capture.reads or not _broken(fetched.failure):
                return fetched
        try:
            connection = await self._dialer.open(self._patience.limit_ns / 1e9)
        except DialError as error:
            nothing = Capture(request.method)
            nothing.sent_ns, nothing.over_ns = began_ns, monotonic_ns()
            return Fetched(nothing, error.failure)
        return await self._fetch(connection, payload, request.method, began_ns)

    async def close(self) -> None:
        """Close every connection. Requests still under way end in a failure."""
        if self._sweep is not None:
            self._sweep.cancel()
        connections = [*self._idle, *self._running]
        self._idle.clear()
        for connection in connections:
            await connection.dropped()
        self._dialer.close()

    def _kept(self) -> Connection | None:
        """The kept connection that was used last, if there is one to be trusted."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and monotonic_ns() - connection.idle_ns < LONGEST_IDLE_NS:
                return connection
            connection.drop()
        return None

    async def _fetch(
        self, connection: Connection, payload: bytes, method: str, began_ns: int
    ) -> Fetched:
        answered = connection.begin(payload, method)
        self._running[connection] = began_ns
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._tick_s(), self._tick)
        try:
            failure = await answered
        except asyncio.CancelledError:
            connection.drop()
            raise
        finally:
            del self._running[connection]
        capture = connection.finish()
        if connection.usable:
            self._idle.append(connection)
        if failure is not None:
            detail = self.redacted(failure.detail)
            return Fetched(capture, msgspec.structs.replace(failure, detail=detail))
        head = capture.reader.head
        if head is not None and 200 <= head.status < 300:
            self._patience.succeeded(capture.times[-1] - began_ns)
        return Fetched(capture, None)

    def _tick_s(self) -> float:
        """How often limits are looked at: one late look in twenty, at most every 50 ms."""
        return min(0.05, max(0.005, self._patience.limit_ns / 20e9))

    def _tick(self) -> None:
        """One sweep over what is under way, in place of a timer for every request."""
        now_ns = monotonic_ns()
        limit_ns = self._patience.limit_ns
        inspect = now_ns > self._inspect_ns
        for connection, began_ns in self._running.items():
            if now_ns - began_ns >= limit_ns:
                connection.expire(f"no complete answer within {self._patience}")
            elif inspect:
                connection.inspect(now_ns)
        if inspect:
            self._inspect_ns = now_ns + 10**9
        self._sweep = None
        if self._running:
            self._sweep = asyncio.get_running_loop().call_later(self._tick_s(), self._tick)


def _broken(failure: Failure | None) -> bool:
    return failure is not None and failure.kind == "broken_stream"
