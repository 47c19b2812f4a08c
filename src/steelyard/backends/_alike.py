"""Reading the many events of a stream that differ in nothing but their text.

Most events of an answer repeat the one before them, byte for byte, around another text. Once one
was decoded as a whole, the texts of those that follow are cut out between the same bytes. That is
no guess: an event which is the same bytes around another JSON string is the same JSON but for that
string. Anything else (another field, a changed time stamp) ends the run.
"""

import re
from collections.abc import Sequence

import msgspec

_TEXT = re.compile(rb'"(?:content|text|reasoning_content|reasoning)"\s*:\s*"((?:[^"\\]|\\.)+)"')
_INSIDE = re.compile(rb'(?:[^"\\]|\\.)*')
_TEXTS = msgspec.json.Decoder(list[str])


def texts_alike(data: Sequence[bytes], number: int, text: str) -> list[str]:
    """The texts of the events behind ``number`` that are like it, up to the first that is not.

    ``text`` is the one text that event ``number`` carries. Empty texts end the run, since an event
    without text counts for nothing.
    """
    found = list(_TEXT.finditer(data[number]))
    if len(found) != 1 or _decoded([found[0][1]]) != [text]:
        return []
    before, after = data[number][: found[0].start(1)], data[number][found[0].end(1) :]
    # No event holds a line end: JSON has none inside its strings. Joined by one, events that are
    # alike are texts with always the same bytes between them.
    joined = b"\n".join(data[number + 1 :]) + b"\n"
    if not joined.startswith(before):
        return []
    pieces = joined[len(before) :].split(after + b"\n" + before)
    return _decoded(_literals(pieces, after + b"\n"))


def _literals(pieces: list[bytes], end: bytes) -> list[bytes]:
    """The leading pieces that are texts; one with a line end in it is followed by another event."""
    if b"\n" in b"".join(pieces[:-1]):
        pieces = pieces[: next(k for k, piece in enumerate(pieces) if b"\n" in piece) + 1]
    last, closed, _ = pieces[-1].partition(end)
    literals = [*pieces[:-1], last] if closed else pieces[:-1]
    return literals[: literals.index(b"")] if b"" in literals else literals


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
