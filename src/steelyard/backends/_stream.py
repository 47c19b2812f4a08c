"""The events of an answer read one by one, and many at once where they are alike.

Most events of an answer repeat the one before them, byte for byte, around another text. Once one
was decoded as a whole, the texts of those that follow are cut out between the same bytes. That is
no guess: an event which is the same bytes around another JSON string is the same JSON but for that
string. Anything else (another field, a changed time stamp) ends the run.
"""

import re
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

import msgspec

from steelyard.backends import _failures
from steelyard.backends._failures import Unreadable
from steelyard.core import Failure
from steelyard.engine import sse

T = TypeVar("T")

_DONE = b"[DONE]"
_TEXT = re.compile(rb'"(?:content|text|reasoning_content|reasoning)"\s*:\s*"((?:[^"\\]|\\.)+)"')
_INSIDE = re.compile(rb'(?:[^"\\]|\\.)*')
_TEXTS = msgspec.json.Decoder(list[str])


class BadEvent(Unreadable):
    """An event that cannot be decoded; ``number`` counts from 0."""

    def __init__(self, number: int, data: bytes, error: Exception) -> None:
        detail = f"event {number + 1} of the stream is not the JSON that was expected ({error})"
        super().__init__(Failure(kind="protocol", detail=f"{detail}: {_failures.excerpt(data)}"))
        self.number = number


class Run(NamedTuple):
    """Events that are alike: their texts, and where they end."""

    texts: list[str]
    ends: list[int]


_NO_RUN = Run([], [])


class Stream(Generic[T]):
    """The events of one answer, up to ``[DONE]``; those without data are left out."""

    def __init__(self, events: sse.Events, decode: Callable[[bytes], T]) -> None:
        self.data = b""
        """Of the event that was read last."""
        self.end = 0
        """Where it ends."""
        self.done = False
        """``[DONE]`` was read."""
        self._events = events
        self._decode = decode
        self._next = 0

    def __iter__(self) -> Iterator[T]:
        """Every event, decoded; raises ``BadEvent``."""
        data, ends = self._events
        while self._next < len(data):
            number = self._next
            self._next += 1
            self.data, self.end = data[number], ends[number]
            if not self.data:
                continue
            if self.data == _DONE:
                self.done = True
                return
            try:
                yield self._decode(self.data)
            except _failures.UNDECODABLE as error:
                raise BadEvent(number, self.data, error) from error

    def alike(self, text: str) -> Run:
        """The events behind the last one that are like it but for ``text``, its one text.

        Empty texts end the run, since an event without text counts for nothing.
        """
        found = list(_TEXT.finditer(self.data))
        if len(found) != 1 or _decoded([found[0][1]]) != [text]:
            return _NO_RUN
        before, after = self.data[: found[0].start(1)], self.data[found[0].end(1) :]
        first = self._next
        texts = _decoded(_between(self._events.data[first:], before, after))
        self._next += len(texts)
        return Run(texts, self._events.ends[first : self._next])


def _between(events: list[bytes], before: bytes, after: bytes) -> list[bytes]:
    """What stands between ``before`` and ``after`` in the leading events that have both.

    Up to the first event that is not made so, or has nothing in between.
    """
    head, tail = len(before), len(after)
    count = len(events)
    while count and not _is_alike(events[count - 1], before, after):
        count -= 1
    events = events[:count]
    found = [event[head : len(event) - tail] for event in events]
    # Put together again, the events are what they should be: all of them at once.
    if b"\n".join(events) != before + (after + b"\n" + before).join(found) + after or not all(
        found
    ):
        alike = (_is_alike(event, before, after) for event in events)
        return found[: next((k for k, one in enumerate(alike) if not one), count)]
    return found


def _is_alike(event: bytes, before: bytes, after: bytes) -> bool:
    longer = len(event) > len(before) + len(after)
    return longer and event.startswith(before) and event.endswith(after)


def _decoded(literals: list[bytes]) -> list[str]:
    """JSON string contents, decoded; none when one of them is not the inside of one string.

    Without a backslash anywhere, a bare quote can only make the list longer or unreadable.
    """
    if not literals:
        return []
    joined = b'","'.join(literals)
    if b"\\" in joined and not all(map(_INSIDE.fullmatch, literals)):
        return []
    try:
        texts = _TEXTS.decode(b'["' + joined + b'"]')
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return texts if len(texts) == len(literals) else []
