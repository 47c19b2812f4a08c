"""HTTP/1.1 as bytes: response heads and chunks. Every head says that this is a simulation."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice

from steelyard.sim.wire import phrase

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
EVENTS = "text/event-stream; charset=utf-8"

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
END = b"0\r\n\r\n"
"""The chunk that ends a chunked body."""


def response(status: int, body: bytes, kind: str = JSON, *more: tuple[str, str]) -> bytes:
    """A complete response with a body of known length."""
    return b"%bContent-Length: %d\r\n\r\n%b" % (_head(status, kind, more), len(body), body)


def chunk(data: bytes) -> bytes:
    """``data`` as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunks(steps: Iterable[bytes], per_write: int) -> Iterator[bytes]:
    """What goes out in one write each: ``per_write`` steps, every one a chunk of its own."""
    framed = map(chunk, steps)
    if per_write == 1:
        return framed
    return iter(lambda: b"".join(islice(framed, per_write)), b"")


@cache
def _head(status: int, kind: str, more: tuple[tuple[str, str], ...]) -> bytes:
    lines = (
        f"HTTP/1.1 {status} {phrase(status)}",
        "Server: steelyard-sim",
        "X-Simulated: true",
        f"Content-Type: {kind}",
        *(f"{name}: {value}" for name, value in more),
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


STREAM_HEAD = b"%b\r\n" % _head(
    200, EVENTS, (("Cache-Control", "no-cache"), ("Transfer-Encoding", "chunked"))
)
"""The head of a chunked stream of events."""
