"""Server-sent events of a finished answer, and when each of them had arrived.

Events are read out of the whole body, once, after it came: no state, and nothing to do when a
read ends in mid-character or mid-line. ``clock`` then says when each event's last byte was there.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from operator import add, ge, lt
from typing import NamedTuple


class Events(NamedTuple):
    """The events of a body that carried data, in order; two lists of the same length."""

    data: list[bytes]
    """The ``data:`` lines, joined by newlines; other fields and comments are left out."""
    ends: list[int]
    """Offset in the body behind the blank line that ended the event."""

    def first(self, number: int) -> "Events":
        """The first ``number`` events."""
        return Events(self.data[:number], self.ends[:number])


def events(body: bytes) -> Events:
    """The events of ``body``, the last one also when no blank line closes it.

    Bodies of the shape that services write (``data: …`` and a blank line, newline only) are split
    without a loop in Python; everything the standard allows beside it takes the general path.
    """
    found = _uniform(body)
    return _general(body) if found is None else found


def _uniform(body: bytes) -> Events | None:
    """Events when all of them are one ``data:`` line each, spelt alike; else ``None``."""
    lead = b"data: " if body.startswith(b"data: ") else b"data:"
    if not body.startswith(lead) or not body.endswith(b"\n\n") or b"\r" in body:
        return None
    pieces = body[len(lead) : -2].split(b"\n\n" + lead)
    # Two newlines an event leave none inside a piece, so each piece is one data line.
    if body.count(b"\n") != 2 * len(pieces):
        return None
    if len(lead) == 5 and (pieces[0][:1] == b" " or b"\n\ndata: " in body):
        return None
    around = len(lead) + 2
    places = range(around, around * len(pieces) + 1, around)
    return Events(pieces, list(map(add, accumulate(map(len, pieces)), places)))


_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")


def _general(body: bytes) -> Events:
    """Any stream of the standard: comments, other fields, all line ends, several data lines."""
    found = Events([], [])
    data: list[bytes] = []

    def close(end: int) -> None:
        found.data.append(b"\n".join(data))
        found.ends.append(end)
        data.clear()

    at = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    for line in _LINE.finditer(body, at):
        text, end = line[1], line.end()
        if text[:5] == b"data:":
            data.append(text[6:] if text[5:6] == b" " else text[5:])
        elif text == b"data":
            data.append(b"")
        elif not text and data:
            close(end)
    if data:
        close(len(body))
    return found


def clock(offsets: Sequence[int], times: Sequence[int], ends: Sequence[int]) -> list[int]:
    """The clock reading by which each of ``ends`` (rising offsets) had arrived.

    ``offsets`` say where each read ended and ``times`` when it returned. An end beyond the last
    read is a ``ValueError``.
    """
    first = bisect_left(offsets, ends[0]) if ends else 0
    last = first + len(ends)
    # Where every read brought one event, which is how a service that keeps up is read.
    one_each = last <= len(offsets) and all(map(ge, offsets[first:last], ends))
    if one_each and all(map(lt, offsets[first : last - 1], ends[1:])):
        return list(times[first:last])
    try:
        return [times[bisect_left(offsets, end)] for end in ends]
    except IndexError:
        raise ValueError(f"no read brought byte {max(ends)} of the body") from None
