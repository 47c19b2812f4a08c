"""How an answer is styled: its length, and the Markdown that people and judges fall for.

What is counted, and that code blocks are left out, is as in Arena-Hard (lmarena/arena-hard-auto,
``utils/add_markdown_info.py``). Unlike there a block that never closes runs to the end, and one
that holds a backtick is a block too.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_HEADER = re.compile(r"^#{1,6}\s", re.MULTILINE)
_ITEM = re.compile(r"^[^\S\n]*(?:\d+\.|[-*+])\s", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")


class Style(NamedTuple):
    """Counts of one answer."""

    length: int
    """Tokens, or characters: the same in all answers that are compared."""
    headers: int = 0
    lists: int = 0
    """List items, with numbers or without."""
    bold: int = 0
    """Bold spans."""


def style_of(answer: str, *, tokens: int | None = None) -> Style:
    """The style of an answer; without ``tokens`` its length is in characters, code included."""
    text = _BLOCK.sub("", answer)
    return Style(
        length=len(answer) if tokens is None else tokens,
        headers=len(_HEADER.findall(text)),
        lists=len(_ITEM.findall(text)),
        bold=len(_BOLD.findall(text)),
    )


def difference(style: Style, other: Style, features: Sequence[str]) -> tuple[float, ...]:
    """(x - y) / (x + y + 1) of each feature: from -1 to 1, and 0 for answers styled alike."""
    pairs = [(getattr(style, name), getattr(other, name)) for name in features]
    return tuple((one - another) / (one + another + 1) for one, another in pairs)
