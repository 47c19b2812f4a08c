"""A loopback server that plays scripted bytes, for behaviour no well-made server shows.

Each connection plays the next script; the last script is played again for all later ones. A script
is a sequence of steps: bytes are sent, a number is a pause in seconds, and the words below act.
When a script is over the connection is closed.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from steelyard.core import Load
from steelyard.engine import Exchange, HttpClient, HttpOptions, HttpRequest

READ: Literal["read"] = "read"
"""Read one whole request and keep it in ``Wire.requests``."""
RESET: Literal["reset"] = "reset"
"""Cut the connection with a TCP reset."""
HANG: Literal["hang"] = "hang"
"""Do nothing until the client goes away."""
DEAF: Literal["deaf"] = "deaf"
"""Stop reading: what the client sends stays in the sockets."""

Step = bytes | float | Literal["read", "reset", "hang", "deaf"]
Script = Sequence[Step]


def ok(body: bytes, headers: str = "") -> bytes:
    """A well-formed answer with a length."""
    head = f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunk(data: bytes) -> bytes:
    """``data`` as one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


@dataclass
class Wire:
    """The running server and what reached it."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


async def _play(
    script: Script, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    for step in script:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        elif isinstance(step, (int, float)):
            await asyncio.sleep(step)
        elif step == READ:
            wire.requests.append(await _request(reader))
        elif step == HANG:
            while await reader.read(65536):
                pass
        elif step == DEAF:
            writer.transport.pause_reading()
        else:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return


@asynccontextmanager
async def playing(
    *scripts: Script, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Wire]:
    """A server that plays ``scripts`` on a free port."""
    wire = Wire(0)
    players: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        players.add(task)
        script = scripts[min(wire.connections, len(scripts) - 1)]
        wire.connections += 1
        try:
            await _play(script, wire, reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError):
            pass  # the client is gone, or the test over
        finally:
            writer.close()
            players.discard(task)

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        for player in list(players):
            player.cancel()
        if players:
            await asyncio.wait(players)


async def one_of(url: str, **options: object) -> Exchange:
    """One request to the service at ``url``."""
    client = HttpClient(HttpOptions(base_url=url, **options), load=Load(timeout_s=5))
    try:
        return await client.send(HttpRequest(client.path("v1/x"), b"{}"))
    finally:
        await client.close()
