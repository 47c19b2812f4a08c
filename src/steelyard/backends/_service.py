"""One endpoint of one HTTP service, asked through the engine's client."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from steelyard.backends import _reading
from steelyard.backends._reading import Wire
from steelyard.core import Failure, Reply, Request
from steelyard.engine import HttpClient, HttpRequest

T = TypeVar("T")


class Service(Generic[T]):
    """Sends what ``write`` makes of a request to ``target`` and reads the answer by ``wire``."""

    def __init__(
        self, client: HttpClient, target: str, write: Callable[[Request], bytes], wire: Wire[T]
    ) -> None:
        self._client = client
        self._target = target
        self._write = write
        self._wire = wire

    async def ask(self, request: Request) -> Reply:
        """Answer ``request``, once. Trouble on the way comes back as ``Reply.failure``."""
        sent = HttpRequest(target=self._target, body=self._write(request))
        exchange = await self._client.send(sent)
        reply = _reading.reply(request.key, exchange, self._wire, self._target)
        return reply if reply.failure is None else self._without_key(reply, reply.failure)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _without_key(self, reply: Reply, failure: Failure) -> Reply:
        """``reply`` with our key blotted out, should the service have quoted it."""
        clean = msgspec.structs.replace(failure, detail=self._client.redacted(failure.detail))
        return msgspec.structs.replace(reply, failure=clean)
