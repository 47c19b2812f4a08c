"""Text on a screen: how wide it is, and making it fit.

Chinese, Japanese and Korean characters and most emoji take two columns, combining marks none.
"""

import re
import unicodedata
from typing import Literal, TypeAlias

Align: TypeAlias = Literal["left", "right"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NO_COLUMN = frozenset({"Mn", "Me", "Cf", "Cc"})


def width(text: str) -> int:
    """Columns that ``text`` takes on a screen."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(map(_columns, text))


def pad(text: str, columns: int, align: Align = "left") -> str:
    """``text`` with spaces up to ``columns``; longer text is left as it is."""
    space = " " * (columns - width(text))
    return space + text if align == "right" else text + space


def truncate(text: str, columns: int) -> str:
    """``text`` in at most ``columns`` (1 or more); ends with ``…`` where something was cut off."""
    if width(text) <= columns:
        return text
    room = columns - 1
    for position, letter in enumerate(text):
        room -= _columns(letter)
        if room < 0:
            return f"{text[:position]}…"
    return text


def one_line(text: str) -> str:
    """``text`` with every run of control characters (line ends, terminal escapes) as one space."""
    return _CONTROL.sub(" ", text)


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in _NO_COLUMN or "\u1160" <= letter <= "\u11ff":
        return 0  # the range holds the vowels and finals that join a Korean syllable
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
