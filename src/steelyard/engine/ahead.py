"""Requests that are made before there is a place for them, while there is nothing else to do.

When many answers end together, all that is left to be done for each next request is to send it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from time import monotonic_ns

from steelyard.core import Json, Request

MOST_AHEAD = 4096
"""Requests that wait at most."""

MOST_AHEAD_CHARS = 1 << 24
"""And about how much text they may hold together, in characters."""

SLOW_NS = 3_000_000
"""A request that takes longer to make holds up what else is to be done."""

_VALUE_CHARS = 64
"""What a value in message parts or tools counts as, besides its text."""


class Ahead(Iterator[Request]):
    """``requests``, in their order. What they raise is raised when it is its turn."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self._source = iter(requests)
        self._made: deque[tuple[Request, int]] = deque()
        """With the characters of each."""
        self._chars = 0
        self._took_ns = self._took_before_ns = 0
        self._end: Exception | None = None
        """Why no more can be made."""

    def __next__(self) -> Request:
        if self._made:
            request, chars = self._made.popleft()
            self._chars -= chars
            return request
        if self._end is not None:
            raise self._end
        return next(self._source)

    @property
    def slow(self) -> bool:
        """Each of the last two took long: no more should be made at a time than are needed."""
        return min(self._took_ns, self._took_before_ns) > SLOW_NS

    def make(self) -> bool:
        """Make one more, if it may be; whether it was."""
        full = len(self._made) >= MOST_AHEAD or self._chars >= MOST_AHEAD_CHARS
        if full or self._end is not None:
            return False
        began_ns = monotonic_ns()
        try:
            request = next(self._source)
        except Exception as error:  # noqa: BLE001 - raised when it is its turn
            self._end = error
            return False
        self._took_before_ns, self._took_ns = self._took_ns, monotonic_ns() - began_ns
        chars = _chars(request)
        self._made.append((request, chars))
        self._chars += chars
        return True


def _chars(request: Request) -> int:
    contents = (message.content for message in request.messages)
    later = (len(turn.question) + len(turn.given or "") for turn in request.then)
    return sum(map(_held, chain(contents, request.tools))) + sum(later)


def _held(value: Json) -> int:
    """About the characters of a text, or of all that is in a part of a message or a tool."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_held, value.values()), _VALUE_CHARS * len(value))
    if isinstance(value, list):
        return sum(map(_held, value), _VALUE_CHARS * len(value))
    return 0
