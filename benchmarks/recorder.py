"""The request bodies a command really posts, kept by an endpoint that answers at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Recorder:
    """Answers a POST with `answer`, a GET with a list of one model; keeps bodies as they come."""

    answer: str
    model: str
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client closes it."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                if head.startswith(b"post"):
                    self.bodies.append(body)
                writer.write(_response(self._reply(asked=head.startswith(b"post"))))
                await writer.drain()
        writer.close()

    def _reply(self, *, asked: bool) -> dict[str, object]:
        if not asked:
            return {"object": "list", "data": [{"id": self.model, "object": "model"}]}
        message = {"role": "assistant", "content": self.answer}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {
            "object": "chat.completion",
            "model": self.model,
            "choices": [choice],
            "usage": usage,
        }


async def recorded(
    recorder: Recorder, port: int, argv: Sequence[str], env: dict[str, str], log: Path
) -> int:
    """Runs a command against the recorder on `port`; its exit status."""
    server = await asyncio.start_server(recorder.serve, "127.0.0.1", port)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*argv, env=env, stdout=output, stderr=output)
        status = await process.wait()
    server.close()
    return status


def _response(reply: dict[str, object]) -> bytes:
    body = json.dumps(reply).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
