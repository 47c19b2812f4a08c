"""One endpoint of one HTTP service, asked through the engine's client."""

from collections.abc import Callable
from time import monotonic_ns
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from steelyard.backends import _reading
from steelyard.backends._failures import Unreadable
from steelyard.backends._reading import Wire
from steelyard.core import Failure, Reply, Request, Timing, Unread
from steelyard.engine import Fetched, HttpClient, HttpRequest

T = TypeVar("T")


class Service(Generic[T]):
    """Sends what ``write`` makes of a request to ``target`` and reads the answer by ``wire``."""

    def __init__(
        self,
        client: HttpClient,
        target: str,
        write: Callable[[Request], bytes],
        wire: Wire[T],
        *,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """``write`` may raise ``Unreadable``: a request that cannot be made up has failed."""
        self._client = client
        self._target = target
        self._write = write
        self._wire = wire
        self._headers = headers

    async def ask(self, request: Request) -> Reply:
        """Answer ``request``, once. Trouble on the way comes back as ``Reply.failure``."""
        return (await self.fetch(request)).reply()

    async def connect(self, number: int) -> None:
        """See ``Fetcher``."""
        await self._client.connect(number)

    async def fetch(self, request: Request) -> Unread:
        """See ``Fetcher``."""
        try:
            body = self._write(request)
        except Unreadable as trouble:
            return _Unsent(request.key, trouble.failure, monotonic_ns())
        sent = HttpRequest(target=self._target, body=body, headers=self._headers)
        return _Unread(self, request.key, await self._client.fetch(sent))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def read(self, key: str, fetched: Fetched) -> Reply:
        """The reply that ``fetched`` is to request ``key``."""
        reply = _reading.reply(key, fetched, self._wire, self._target)
        return reply if reply.failure is None else self._without_key(reply, reply.failure)

    def _without_key(self, reply: Reply, failure: Failure) -> Reply:
        """``reply`` with our key blotted out, should the service have quoted it."""
        clean = msgspec.structs.replace(failure, detail=self._client.redacted(failure.detail))
        return msgspec.structs.replace(reply, failure=clean)


class _Unsent(NamedTuple):
    """See ``Unread``; of a request that was never sent."""

    key: str
    failure: Failure
    at_ns: int

    @property
    def size_bytes(self) -> int:
        """See ``Unread``."""
        return 0

    def reply(self) -> Reply:
        """See ``Unread``."""
        clock = Timing(queued_ns=self.at_ns, sent_ns=self.at_ns, done_ns=self.at_ns)
        return Reply(key=self.key, timing=clock, failure=self.failure)


class _Unread(NamedTuple):
    """See ``Unread``."""

    service: Service[Any]
    key: str
    fetched: Fetched

    @property
    def size_bytes(self) -> int:
        """See ``Unread``."""
        return self.fetched.capture.size_bytes

    def reply(self) -> Reply:
        """See ``Unread``."""
        return self.service.read(self.key, self.fetched)
