"""A loopback HTTP server that plays scripted answers, and ``talk``, which asks it questions.

An ``Answer`` is a status, headers and pieces. Every piece is written by itself, so the client reads
it by itself; a number is a pause in seconds. Bodies are chunked, one chunk a piece, unless
``framing`` says otherwise.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from steelyard import backends
from steelyard.core import Backend, Load, Message, ModelSpec, Reply, Request, Sampling

QUESTION = Request(
    key="0001#0",
    messages=(Message("user", "What is 2+2?"),),
    sampling=Sampling(max_tokens=64, extra={"temperature": 0.0}),
)


@dataclass(frozen=True)
class Answer:
    """One scripted response."""

    pieces: Sequence[bytes | float]
    status: int = 200
    reason: str = "OK"
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Literal["chunked", "cut", "length", "until-close", "raw"] = "chunked"
    """``cut``: chunked, but the last chunk never comes. ``raw``: the pieces hold the head too."""


@dataclass(frozen=True)
class Received:
    """One request as the server read it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Server:
    """Plays its answers in order, the last one again and again."""

    answers: Sequence[Answer]
    received: list[Received] = field(default_factory=list)
    url: str = ""
    connections: dict[asyncio.StreamWriter, asyncio.Task[Any]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as the client keeps it."""
        task = asyncio.current_task()
        assert task is not None
        self.connections[writer] = task
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.received.append(await _read(reader))
                answer = self.answers[min(len(self.received), len(self.answers)) - 1]
                await _play(answer, writer)
                if answer.framing in ("cut", "until-close", "raw"):
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def close(self) -> None:
        """End every connection, in mid-answer if need be, and wait until it has ended."""
        for writer, task in self.connections.items():
            writer.close()
            task.cancel()
        if self.connections:
            await asyncio.wait(self.connections.values())


@contextlib.asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[Server]:
    """A server on a free port of the loopback."""
    server = Server(answers)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield server
        await server.close()


@contextlib.asynccontextmanager
async def connected(
    url: str, backend: str = "openai_chat", load: Load | None = None, **options: Any
) -> AsyncIterator[Backend]:
    """A backend for ``url``, closed afterwards."""
    options = {"base_url": url, "model": "m", "trust_env": False, **options}
    if backend in ("tgi", "mindie"):
        del options["model"]
    spec = ModelSpec(abbr="demo", backend=backend, options=options, load=load or Load())
    opened = backends.open_backend(spec)
    try:
        yield opened
    finally:
        await opened.close()


def talk(
    *answers: Answer, request: Request = QUESTION, path: str = "", **options: Any
) -> tuple[Reply, Server]:
    """Ask once for every answer; the last reply, and the server with what it received."""

    async def scenario() -> tuple[Reply, Server]:
        async with serving(*answers) as server, connected(server.url + path, **options) as backend:
            for _ in answers:
                reply = await backend.ask(request)
        return reply, server

    return asyncio.run(scenario())


def json_answer(value: Any, status: int = 200, **more: Any) -> Answer:
    """A JSON document with its length."""
    more = {"headers": {"Content-Type": "application/json"}, "framing": "length", **more}
    return Answer((msgspec.json.encode(value),), status=status, **more)


def sse_answer(*pieces: bytes | float, **more: Any) -> Answer:
    """A stream of server-sent events, one read a piece."""
    return Answer(pieces, **{"headers": {"Content-Type": "text/event-stream"}, **more})


def event(value: Any) -> bytes:
    """One event as most services write it."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def message(finish: str = "stop", **fields: Any) -> dict[str, Any]:
    """A whole chat reply."""
    return {"choices": [{"message": {"role": "assistant", **fields}, "finish_reason": finish}]}


def delta(finish: str | None = None, **fields: Any) -> bytes:
    """One event of a chat stream."""
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


DONE = b"data: [DONE]\n\n"


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, headers, msgspec.json.decode(body) if body else None)


async def _play(answer: Answer, writer: asyncio.StreamWriter) -> None:
    if answer.framing != "raw":
        writer.write(_head(answer))
    for piece in answer.pieces:
        if isinstance(piece, float):
            await asyncio.sleep(piece)
            continue
        chunked = answer.framing in ("chunked", "cut")
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await writer.drain()
        await asyncio.sleep(0)
    if answer.framing == "chunked":
        writer.write(b"0\r\n\r\n")
    await writer.drain()


def _head(answer: Answer) -> bytes:
    headers = dict(answer.headers)
    if answer.framing in ("chunked", "cut"):
        headers["Transfer-Encoding"] = "chunked"
    elif answer.framing == "length":
        headers["Content-Length"] = str(sum(len(piece) for piece in answer.pieces))
    else:
        headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
