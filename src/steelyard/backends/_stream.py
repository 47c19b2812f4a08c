"""The events of an answer read one by one, and many at once where they are alike.

Most events of an answer repeat the one before them, byte for byte, around another text. Once one
was decoded as a whole, the texts of those that follow are cut out between the same bytes. That is
no guess: an event which is the same bytes around another JSON string is the same JSON but for that
string. Anything else (another field, a changed time stamp) ends the run.
"""

import re
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

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


class Source(Protocol):
    """Where events come from, one after the other."""

    def take(self) -> tuple[bytes, int] | None:
        """The next event's data and the offset at which it ends; ``None``: there is no more."""

    def alike(self, before: bytes, after: bytes) -> tuple[list[bytes], list[int]]:
        """What stands between ``before`` and ``after`` in the next events, and where those end.

        Not all of them need be looked at; the first that is not made so, or has nothing in between,
        ends the list. Nothing is taken.
        """

    def skip(self, ends: list[int]) -> None:
        """Take as many events as there are ``ends``, which are those of the next ones."""

    def end(self) -> None:
        """No more is asked for."""


class Listed:
    """The events of a body that was taken apart."""

    def __init__(self, events: sse.Events) -> None:
        self._events = events
        self._next = 0

    def take(self) -> tuple[bytes, int] | None:
        """See ``Source``."""
        data, ends = self._events
        if self._next == len(data):
            return None
        self._next += 1
        return data[self._next - 1], ends[self._next - 1]

    def alike(self, before: bytes, after: bytes) -> tuple[list[bytes], list[int]]:
        """See ``Source``."""
        data, ends = self._events
        head, tail = len(before), len(after)
        texts = []
        for number in range(self._next, len(data)):
            event = data[number]
            longer = len(event) > head + tail
            if not (longer and event.startswith(before) and event.endswith(after)):
                break
            texts.append(event[head : len(event) - tail])
        return texts, ends[self._next : self._next + len(texts)]

    def skip(self, ends: list[int]) -> None:
        """See ``Source``."""
        self._next += len(ends)

    def end(self) -> None:
        """See ``Source``."""


class Stream(Generic[T]):
    """The events of one answer, up to ``[DONE]``; those without data are left out."""

    def __init__(self, source: Source, decode: Callable[[bytes], T]) -> None:
        self.data = b""
        """Of the event that was read last."""
        self.end = 0
        """Where it ends."""
        self.done = False
        """``[DONE]`` was read."""
        self._source = source
        self._decode = decode
        self._number = -1

    def __iter__(self) -> Iterator[T]:
        """Every event, decoded; raises ``BadEvent``."""
        take = self._source.take
        while (event := take()) is not None:
            self.data, self.end = event
            self._number += 1
            if not self.data:
                continue
            if self.data == _DONE:
                self.done = True
                self._source.end()
                return
            try:
                yield self._decode(self.data)
            except _failures.UNDECODABLE as error:
                raise BadEvent(self._number, self.data, error) from error

    def alike(self, text: str) -> Run:
        """The events behind the last one that are like it but for ``text``, its one text.

        Empty texts end the run, since an event without text counts for nothing.
        """
        found = list(_TEXT.finditer(self.data))
        if len(found) != 1 or _decoded([found[0][1]]) != [text]:
            return _NO_RUN
        before, after = self.data[: found[0].start(1)], self.data[found[0].end(1) :]
        literals, ends = self._source.alike(before, after)
        texts = _decoded(literals)
        if not texts:
            return _NO_RUN
        self._source.skip(ends)
        self._number += len(ends)
        return Run(texts, ends)


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
