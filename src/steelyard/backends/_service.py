"""One endpoint of one HTTP service, asked through the engine's client."""

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

import msgspec

from steelyard.backends import _reading
from steelyard.backends._reading import Wire
from steelyard.core import Failure, Reply, Request
from steelyard.engine import Fetched, HttpClient, HttpRequest

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
        return (await self.fetch(request))()

    async def fetch(self, request: Request) -> Callable[[], Reply]:
        """See ``Fetcher``."""
        sent = HttpRequest(target=self._target, body=self._write(request))
        fetched = await self._client.fetch(sent)
        return partial(self._read, request.key, fetched)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _read(self, key: str, fetched: Fetched) -> Reply:
        reply = _reading.reply(key, fetched, self._wire, self._target)
        return reply if reply.failure is None else self._without_key(reply, reply.failure)

    def _without_key(self, reply: Reply, failure: Failure) -> Reply:
        """``reply`` with our key blotted out, should the service have quoted it."""
        clean = msgspec.structs.replace(failure, detail=self._client.redacted(failure.detail))
        return msgspec.structs.replace(reply, failure=clean)
