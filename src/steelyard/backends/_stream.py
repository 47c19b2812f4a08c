"""A finished body read event by event, and many events at once where they are alike.

Most events of an answer repeat the one before them, byte for byte, around another text. Once one
was decoded as a whole, the texts of those that follow are cut out between the same bytes. That is
no guess: an event which is the same bytes around another JSON string is the same JSON but for that
string. Anything else (another field, a changed time stamp) ends the run.
"""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from operator import add
from typing import Generic, NamedTuple, TypeVar

import msgspec

from steelyard.backends import _failures
from steelyard.backends._failures import Unreadable
from steelyard.core import Failure
from steelyard.engine import sse

T = TypeVar("T")

_DONE = b"[DONE]"
_END = b"\n\n"
_MOST_SINGLES = 8
"""Events that are looked for one by one before all that are left are split at once."""

_TEXT = re.compile(rb'"(?:content|text|reasoning_content|reasoning)"\s*:\s*"((?:[^"\\]|\\.)+)"')
_INSIDE = re.compile(rb'(?:[^"\\]|\\.)*')
_TEXTS = msgspec.json.Decoder(list[str])


class BadEvent(Unreadable):
    """An event that cannot be decoded; ``start`` is where it begins in the body."""

    def __init__(self, number: int, start: int, data: bytes, error: Exception) -> None:
        detail = f"event {number} of the stream is not the JSON that was expected ({error})"
        super().__init__(Failure(kind="protocol", detail=f"{detail}: {_failures.excerpt(data)}"))
        self.start = start


class Run(NamedTuple):
    """Events that are alike: their texts, and where they end in the body."""

    texts: list[str]
    ends: list[int]


_NO_RUN = Run([], [])


class Stream(Generic[T]):
    """The events of one body that carry data, up to ``[DONE]``."""

    def __init__(self, body: bytes, decode: Callable[[bytes], T]) -> None:
        self.data = b""
        """Of the event that was read last."""
        self.end = 0
        """Where it ends in the body."""
        self.done = False
        """``[DONE]`` was read."""
        self._body = body
        self._decode = decode
        self._lead = b"data: " if body.startswith(b"data: ") else b"data:"
        self._number = 0
        self._singles = 0
        self._rest: Iterator[tuple[bytes, int]] | None = None
        """The events that are left, once they were split."""

    def __iter__(self) -> Iterator[T]:
        """Every event, decoded; raises ``BadEvent``."""
        while (found := self._next()) is not None:
            start = self.end
            self.data, self.end = found
            if not self.data:
                continue
            if self.data == _DONE:
                self.done = True
                return
            self._number += 1
            try:
                yield self._decode(self.data)
            except _failures.UNDECODABLE as error:
                raise BadEvent(self._number, start, self.data, error) from error

    def alike(self, text: str) -> Run:
        """The events behind the last one that are like it but for ``text``, its one text.

        Empty texts end the run, since an event without text counts for nothing.
        """
        found = list(_TEXT.finditer(self.data)) if self._rest is None else []
        if len(found) != 1 or _decoded([found[0][1]]) != [text]:
            return _NO_RUN
        before = self._lead + self.data[: found[0].start(1)]
        after = self.data[found[0].end(1) :]
        literals = _literals(self._body, self.end, before, after)
        texts = _decoded(literals)
        if not texts:
            return _NO_RUN
        first, step = self.end + len(before) + len(after) + 2, len(before) + len(after) + 2
        places = range(first, first + len(texts) * step, step)
        ends = list(map(add, accumulate(map(len, literals)), places))
        self._number += len(texts)
        self._singles = 0
        self.end = ends[-1]
        return Run(texts, ends)

    def _next(self) -> tuple[bytes, int] | None:
        """The next event's data and where it ends; ``None`` behind the last one."""
        if self._rest is None:
            self._singles += 1
            found = self._single() if self._singles <= _MOST_SINGLES else None
            if found is not None:
                return found
            offset = self.end
            data, ends = sse.events(self._body[offset:] if offset else self._body)
            self._rest = ((one, end + offset) for one, end in zip(data, ends, strict=True))
        return next(self._rest, None)

    def _single(self) -> tuple[bytes, int] | None:
        """The next event, if it is one line as services write it; else ``None``."""
        start = self.end + len(self._lead)
        stop = self._body.find(_END, start)
        data = self._body[start:stop]
        usual = stop >= 0 and self._body.startswith(self._lead, self.end)
        if not usual or b"\n" in data or b"\r" in data or (data[:1] == b" "):
            return None
        return data, stop + len(_END)


def _literals(body: bytes, start: int, before: bytes, after: bytes) -> list[bytes]:
    """What stands between ``before`` and ``after`` in the events from ``start`` on that have both.

    Up to the first event that is not made so, or has nothing in between.
    """
    lines = body[start:].split(b"\n")[0::2]
    head, tail = len(before), len(after)
    while lines and not (
        len(lines[-1]) > head + tail and lines[-1].startswith(before) and lines[-1].endswith(after)
    ):
        lines.pop()
    literals = [line[head : len(line) - tail] for line in lines]
    between = after + _END + before
    if body.startswith(before + between.join(literals) + after + _END, start):
        return literals[: literals.index(b"")] if b"" in literals else literals
    return literals[: _alike_lines(body, start, lines, (before, after))]


def _alike_lines(body: bytes, start: int, lines: list[bytes], around: tuple[bytes, bytes]) -> int:
    """How many of the leading ``lines`` are whole events with text between ``around``."""
    before, after = around
    least = len(before) + len(after)
    end = start
    for number, line in enumerate(lines):
        end += len(line)
        is_alike = line.startswith(before) and line.endswith(after) and len(line) > least
        if not (is_alike and body.startswith(_END, end)):
            return number
        end += len(_END)
    return len(lines)


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
