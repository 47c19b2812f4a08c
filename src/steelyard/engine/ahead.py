"""Requests that are made before there is a place for them, while there is nothing else to do.

When many answers end together, all that is left to be done for each next request is to send it.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from steelyard.core import Request

MOST_AHEAD = 4096
"""Requests that wait at most."""

MOST_AHEAD_CHARS = 1 << 24
"""And about how much text they may hold together, in characters."""

_PARTS_CHARS = 1 << 16
"""What content that is no plain text counts as."""


class Ahead(Iterator[Request]):
    """``requests``, in their order. What they raise is raised when it is its turn."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self._source = iter(requests)
        self._made: deque[Request] = deque()
        self._chars = 0
        self._end: Exception | None = None
        """Why no more can be made."""

    def __next__(self) -> Request:
        if self._made:
            request = self._made.popleft()
            self._chars -= _chars(request)
            return request
        if self._end is not None:
            raise self._end
        return next(self._source)

    def make(self) -> bool:
        """Make one more, if it may be; whether it was."""
        full = len(self._made) >= MOST_AHEAD or self._chars >= MOST_AHEAD_CHARS
        if full or self._end is not None:
            return False
        try:
            request = next(self._source)
        except Exception as error:  # noqa: BLE001 - raised when it is its turn
            self._end = error
            return False
        self._made.append(request)
        self._chars += _chars(request)
        return True


def _chars(request: Request) -> int:
    contents = (message.content for message in request.messages)
    return sum(len(one) if isinstance(one, str) else _PARTS_CHARS for one in contents)
