"""Reading a program out of an answer, each data set by its own rule; ``""`` when there is none.

The rules are those of AISBench and OpenCompass; ``last_fence`` is OpenCompass's extractor v2. They
take time in proportion to the text, however it is made.
"""

import re

_FENCE = "```"
_BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
_BEGINS = (re.compile(r"\[BEGIN\]\s*"), re.compile(r"BEGIN\s*"))
_QUOTED_BEGINS = (re.compile(r"\[BEGIN\]\s*'"), re.compile(r"BEGIN\s*'"))
_ENDS = (re.compile(r"\[DONE\]"), re.compile(r"DONE"))
_QUOTED_ENDS = (re.compile(r"'\s*\[DONE\]"), re.compile(r"'\s*DONE"))
_QUOTE = re.compile(r"'")


def fenced_or_all(text: str) -> str:
    """HumanEval's rule: the first fenced block that is closed, else the whole text."""
    if _FENCE not in text:
        return text
    block = _BLOCK.search(text)
    return block[1] if block else text


def first_fence(text: str) -> str:
    """The lines between the first and the second line with a fence."""
    return _between_fences(text, first=True)


def last_fence(text: str) -> str:
    """The lines between the last line with a fence and the one before it."""
    return _between_fences(text, first=False)


def _between_fences(text: str, *, first: bool) -> str:
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if _FENCE in line]
    if len(fences) < 2:
        return ""
    begin, end = fences[:2] if first else fences[-2:]
    return "\n".join(lines[begin + 1 : end])


def begin_done(text: str) -> str:
    """MBPP's rule: what stands between BEGIN and DONE, or in a fence, or the whole text.

    Marks come with or without brackets and quotes; the first way that fits is taken, with the
    longest text that it allows. It is cut at a fence and at DONE, and ``\\_`` is an underscore.
    """
    code = _marked(text).partition(_FENCE)[0]
    code, done, _ = code.partition("DONE")
    if done:
        code = code.removesuffix("[").rstrip().removesuffix("'")
    return code.replace("\\_", "_").strip()


def _marked(text: str) -> str:
    """The part that is marked as code; the whole text when nothing is."""
    for found in (_between_marks(text), _fenced(text)):
        if found is not None:
            return found
    for begin in (_QUOTED_BEGINS[0], _BEGINS[0]):
        begun = begin.search(text)
        if begun:
            return text[begun.end() :]
    quoted = _longest(text, _QUOTE, _QUOTED_ENDS[0])
    return text if quoted is None else quoted


def _between_marks(text: str) -> str | None:
    for begins, ends in (
        (_QUOTED_BEGINS, _QUOTED_ENDS),
        (_QUOTED_BEGINS, _ENDS),
        (_BEGINS, _ENDS),
    ):
        for end in ends:
            for begin in begins:
                found = _longest(text, begin, end)
                if found is not None:
                    return found
    return None


def _fenced(text: str) -> str | None:
    for opening in (_FENCE + "python", _FENCE):
        _, opened, inside = text.partition(opening)
        if opened and _FENCE in inside:
            return inside[: inside.rindex(_FENCE)]
    for opening in (_FENCE + "python", _FENCE):
        _, opened, inside = text.partition(opening)
        if opened:
            return inside
    return None


def _longest(text: str, begin: re.Pattern[str], end: re.Pattern[str]) -> str | None:
    """What lies between the first ``begin`` and the last ``end`` behind it."""
    first = begin.search(text)
    last = None
    for found in end.finditer(text, first.end() if first else len(text)):
        last = found
    return text[first.end() : last.start()] if first and last else None
