"""Opening connections: name look-up, proxy, TLS, and telling what went wrong on the way."""

import asyncio
import os
import socket
import ssl
from functools import partial
from time import monotonic_ns
from typing import NamedTuple

from steelyard.core import ArrivalClock, Failure
from steelyard.engine.address import Address
from steelyard.engine.connection import (
    LONG_PORTION_NS,
    SHORT_PORTION_NS,
    Connection,
    ParseQueue,
)
from steelyard.engine.exchange import Exchange
from steelyard.engine.receiver import Receiver, available

AT_ONCE = 128
"""Connections that are being opened at a time: more would overrun a service's queue of new ones."""

KEEPALIVE_S = 60
"""Silence after which the kernel asks whether the peer is still there."""

_PLAIN_ANSWERS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""What OpenSSL says when the bytes it got are not TLS at all."""


class DialError(Exception):
    """No connection; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class Route(NamedTuple):
    """The way to a service."""

    service: Address
    proxy: Address | None
    tls: ssl.SSLContext | None
    """Set when the service is ``https``."""

    @property
    def hop(self) -> Address:
        """Where connections go."""
        return self.proxy or self.service

    @property
    def place(self) -> str:
        """The hop, the way a message names it."""
        return f"the proxy {self.proxy.netloc}" if self.proxy else self.service.netloc


def arrival_clock(base_url: str) -> ArrivalClock:
    """Who says when bytes of the service at ``base_url`` arrive; see ``receiver``."""
    return "event loop" if base_url[:6].lower() == "https:" or not available() else "kernel"


class Dialer:
    """Opens connections to one service. Names are looked up once, and anew when all fail."""

    def __init__(self, route: Route, limit_s: float) -> None:
        self._route = route
        self._stamped = route.tls is None and available()
        portion_ns = LONG_PORTION_NS if self._stamped else SHORT_PORTION_NS
        self._new_connection = partial(Connection, ParseQueue(portion_ns))
        self._receiver: Receiver | None = None
        self.limit_s = limit_s
        """For one connection."""
        self._opening = asyncio.Semaphore(AT_ONCE)
        self._look_up = asyncio.Lock()
        self._hosts: list[str] = []
        self._doubtful = False
        self._no_hosts: Failure | None = None
        self._looked_up_ns = 0

    async def open(self, attempt_s: float) -> Connection:
        """A new connection, ready for requests; ``DialError`` when there is none to be had.

        ``attempt_s`` bounds it together with the wait for others that are being opened.
        """
        try:
            async with (
                asyncio.timeout(attempt_s),
                self._opening,
                asyncio.timeout(self.limit_s),
            ):
                connection = await self._reach()
                if self._route.proxy is not None and self._route.tls is not None:
                    await self._tunnel(connection)
        except TimeoutError:
            raise DialError(self._too_late(min(attempt_s, self.limit_s))) from None
        except OSError as error:
            raise DialError(_failure(error, self._route)) from None
        _keep_alive(connection)
        if self._stamped:
            if self._receiver is None:
                self._receiver = Receiver()
            connection.read_by(self._receiver)
        return connection

    def close(self) -> None:
        """Read no connection any more; to be called when all are closed.

        One that is being opened meanwhile is left to the event loop.
        """
        self._stamped = False
        if self._receiver is not None:
            self._receiver.close()

    async def _reach(self) -> Connection:
        """Connect to the first address of the next hop that answers."""
        hosts = await self._addresses()
        failures: list[Failure] = []
        for place, host in enumerate(hosts):
            try:
                async with asyncio.timeout(self.limit_s / (len(hosts) - place)):
                    connection = await self._connect(host)
            except TimeoutError:
                failures.append(self._too_late(self.limit_s))
            except OSError as error:
                failures.append(_failure(error, self._route))
            else:
                if place:
                    self._hosts = [host, *(other for other in hosts if other != host)]
                return connection
        self._doubtful = True
        raise DialError(max(failures, key=lambda failure: failure.kind == "refused"))

    async def _connect(self, host: str) -> Connection:
        route, loop = self._route, asyncio.get_running_loop()
        port = route.hop.port
        if route.proxy is not None or route.tls is None:
            _, connection = await loop.create_connection(self._new_connection, host, port)
        else:
            name = route.service.host
            _, connection = await loop.create_connection(
                self._new_connection, host, port, ssl=route.tls, server_hostname=name
            )
        return connection

    async def _tunnel(self, connection: Connection) -> None:
        """Have the proxy pass the connection on to the service, and start TLS in it."""
        service, proxy, tls = self._route
        head = f"CONNECT {service.netloc} HTTP/1.1\r\nHost: {service.netloc}\r\n"
        if proxy is not None and proxy.basic:
            head += f"Proxy-Authorization: {proxy.basic}\r\n"
        try:
            failure = await connection.begin(f"{head}\r\n".encode("ascii"), "CONNECT")
            answer = connection.finish().exchange(failure)
            self._check_tunnel(answer)
            if connection.transport is not None and tls is not None:
                connection.transport = await asyncio.get_running_loop().start_tls(
                    connection.transport, connection, tls, server_hostname=service.host
                )
        except BaseException:
            connection.drop()
            raise

    def _check_tunnel(self, answer: Exchange) -> None:
        if answer.failure is None and answer.status < 300:
            return
        said = answer.failure.detail if answer.failure else f"{answer.status} {answer.reason}"
        place, netloc = self._route.place, self._route.service.netloc
        detail = f"{place} gave no way to {netloc} ({said})"
        raise DialError(Failure(kind="connect", detail=detail))

    async def _addresses(self) -> list[str]:
        """The hop's addresses. Who waits while another looks them up shares what was found."""
        asked_ns = monotonic_ns()
        async with self._look_up:
            if (self._doubtful or not self._hosts) and self._looked_up_ns < asked_ns:
                await self._resolve()
            if not self._hosts and self._no_hosts is not None:
                raise DialError(self._no_hosts)
            return self._hosts

    async def _resolve(self) -> None:
        hop = self._route.hop
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                hop.host, hop.port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not a host name"
            name = f'"{hop.host}"' + (" (the proxy)" if self._route.proxy else "")
            detail = f"host name {name} cannot be resolved ({reason})"
            self._hosts = []
            self._no_hosts = Failure(kind="connect", detail=detail)
        else:
            self._hosts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
            self._doubtful = False
        self._looked_up_ns = monotonic_ns()

    def _too_late(self, limit_s: float) -> Failure:
        detail = f"no connection to {self._route.place} within {limit_s:g} s"
        return Failure(kind="connect", detail=detail)


def _keep_alive(connection: Connection) -> None:
    """Let the kernel notice a peer that vanished during a long wait for an answer."""
    sock = connection.transport.get_extra_info("socket") if connection.transport else None
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)


def _failure(error: OSError, route: Route) -> Failure:
    """What ``error`` means to a person who wants to reach the service."""
    if isinstance(error, ConnectionRefusedError):
        detail = f"nothing listens on {route.place} (connection refused)"
        return Failure(kind="refused", detail=detail)
    if isinstance(error, ssl.SSLCertVerificationError):
        detail = (
            f"TLS: certificate verify failed: {error.verify_message} "
            "(give --set ca_file=… or --set verify_tls=false)"
        )
    elif isinstance(error, ssl.SSLError):
        detail = f"TLS with {route.service.netloc} failed: {error.reason or error}"
        if error.reason in _PLAIN_ANSWERS:
            detail += " (does the service speak https on this port?)"
    elif route.tls is not None and isinstance(error, ConnectionError):
        detail = f"TLS with {route.service.netloc} failed: the connection was closed"
    else:
        why = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
        detail = f"{route.place} cannot be reached: {why}"
    return Failure(kind="connect", detail=detail)
