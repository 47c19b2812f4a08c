"""One client connection: bytes to requests, and one response after the other.

Requests that arrive while a response is under way (pipelining) wait here. Nothing is decided in
this file: requests go to the ``Handler``, and whoever answers one calls ``finished``.
"""

import asyncio
import socket
import struct
import time
from collections import deque
from typing import Protocol, cast

import httptools
import msgspec

from steelyard.sim import framing

_MAX_BODY_BYTES = 256 * 1024 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Incoming(msgspec.Struct, frozen=True):
    """One complete request."""

    method: str
    target: str
    body: bytes
    authorization: str
    keep_alive: bool
    arrival_ns: int
    """When the read that completed it returned."""


class Sender(Protocol):
    """Whoever is writing a response piece by piece."""

    def resume(self) -> None:
        """The kernel takes bytes again."""

    def gone(self) -> None:
        """The client has left."""


class Handler(Protocol):
    """Answers requests."""

    def opened(self, connection: "Connection") -> None:
        """A client has connected."""

    def closed(self, connection: "Connection") -> None:
        """The connection is gone."""

    def handle(self, connection: "Connection", incoming: Incoming) -> None:
        """Answer ``incoming``, now or later, then call ``connection.finished``."""


class Connection(asyncio.Protocol):
    """The protocol object of one connection."""

    def __init__(self, handler: Handler) -> None:
        self.sender: Sender | None = None
        """Told about trouble of the connection; set by whoever answers over time."""
        self.paused = False
        """The kernel has enough for now; what is written all the same is kept in memory."""
        self._handler = handler
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Incoming] = deque()
        self._busy = False
        self._draining = False
        self._closing = False
        self._keep_alive = True
        self._url = b""
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._authorization = b""
        self._expects = False
        self._arrival_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of ``asyncio.Protocol``."""
        self._transport = cast(asyncio.Transport, transport)
        self._handler.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Part of ``asyncio.Protocol``."""
        self._waiting.clear()
        self._transport = None
        if self.sender is not None:
            self.sender.gone()
            self.sender = None
        self._handler.closed(self)

    def pause_writing(self) -> None:
        """Part of ``asyncio.Protocol``."""
        self.paused = True

    def resume_writing(self) -> None:
        """Part of ``asyncio.Protocol``."""
        self.paused = False
        if self.sender is not None:
            self.sender.resume()

    def data_received(self, data: bytes) -> None:
        """Part of ``asyncio.Protocol``."""
        self._arrival_ns = time.monotonic_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request itself came through whole; like most servers this one does not switch.
            self._parser = httptools.HttpRequestParser(self)
        except httptools.HttpParserError:
            self._refuse(400)
        self._drain()

    def on_message_begin(self) -> None:
        """Called by the parser, as are the following."""
        self._url = self._authorization = b""
        self._body = []
        self._body_bytes = 0
        self._expects = False

    def on_url(self, part: bytes) -> None:
        """A part of the request target."""
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; two are of interest."""
        lowered = name.lower()
        if lowered == b"authorization":
            self._authorization = value
        elif lowered == b"expect":
            self._expects = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        """The body is next; some clients wait for leave to send it."""
        if self._expects:
            self.write(framing.CONTINUE)

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        if self._closing:
            return
        self._body_bytes += len(part)
        if self._body_bytes > _MAX_BODY_BYTES:
            self._refuse(413)
        else:
            self._body.append(part)

    def on_message_complete(self) -> None:
        """The request is whole; it is answered when the parser has returned."""
        self._waiting.append(
            Incoming(
                method=self._parser.get_method().decode("latin-1"),
                target=self._url.decode("latin-1"),
                body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
                authorization=self._authorization.decode("latin-1"),
                keep_alive=self._parser.should_keep_alive(),
                arrival_ns=self._arrival_ns,
            )
        )

    def write(self, data: bytes) -> None:
        """Hand ``data`` to the kernel, or nothing when the client has left."""
        if self._transport is not None:
            self._transport.write(data)

    def finished(self) -> None:
        """The current response is complete: the next request may be answered."""
        self.sender = None
        self._busy = False
        if not self._keep_alive:
            self.close()
        elif not self._draining:
            self._drain()

    def close(self) -> None:
        """End the connection after what was written."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection with a reset; what the kernel has not sent yet is lost."""
        self._closing = True
        if self.sender is not None:
            self.sender.gone()
            self.sender = None
        if self._transport is not None:
            plug: socket.socket | None = self._transport.get_extra_info("socket")
            if plug is not None:  # it is gone while TLS says goodbye
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()

    def _drain(self) -> None:
        self._draining = True
        while self._waiting and not self._busy and not self._closing:
            incoming = self._waiting.popleft()
            self._busy = True
            self._keep_alive = incoming.keep_alive
            self._handler.handle(self, incoming)
        self._draining = False

    def _refuse(self, status: int) -> None:
        if self._closing:
            return
        if not self._busy:
            self.write(framing.response(status, b"", framing.TEXT, ("Connection", "close")))
        self.close()
