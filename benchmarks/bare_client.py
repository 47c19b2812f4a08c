"""The least a Python client can do: sends the given bodies, reads the answers, and exits.

    python bare_client.py PORT CONCURRENCY BODIES

BODIES holds one request body a line. CONCURRENCY keep-alive connections, uvloop for the loop,
httptools for the responses; nothing is parsed, kept or scored. What a whole evaluation costs
beyond this is the evaluation.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import httptools
import uvloop

HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


class Place(asyncio.Protocol):
    """One connection: sends the next body as soon as the last one is answered."""

    def __init__(self, bodies: Iterator[bytes]) -> None:
        self.finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._bodies = bodies
        self._parser = httptools.HttpResponseParser(self)
        self._answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first body."""
        self._transport = cast(asyncio.Transport, transport)
        self._send_next()

    def data_received(self, data: bytes) -> None:
        """Passes the bytes on to the parser."""
        self._parser.feed_data(data)

    def connection_lost(self, _: Exception | None) -> None:
        """Says how many answers came."""
        self.finished.set_result(self._answered)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a response."""
        self._answered += self._parser.get_status_code() == 200
        self._send_next()

    def _send_next(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            self._transport.close()
        else:
            self._transport.write(HEAD % len(body) + body)


async def answered(port: int, concurrency: int, bodies: list[bytes]) -> int:
    """How many bodies were answered with status 200."""
    loop = asyncio.get_running_loop()
    rest = iter(bodies)
    place = partial(Place, rest)
    count = min(concurrency, len(bodies))
    opened = [await loop.create_connection(place, "127.0.0.1", port) for _ in range(count)]
    return sum([await protocol.finished for _, protocol in opened])


def main(arguments: list[str]) -> None:
    """Runs the command line of the module docstring; exit status 1 when an answer is missing."""
    port, concurrency, path = arguments
    bodies = Path(path).read_bytes().splitlines()
    count = uvloop.run(answered(int(port), int(concurrency), bodies))
    print(f"answered {count} of {len(bodies)}")
    sys.exit(count != len(bodies))


if __name__ == "__main__":
    main(sys.argv[1:])
