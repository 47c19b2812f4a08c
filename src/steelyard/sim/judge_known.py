"""The wording of our own judges' forms, around the texts: so that it is not taken for an order.

A form says "select option C (INVALID)" to explain itself. Which words are the form's own is known
by comparing them with the forms themselves, letter by letter.
"""

import re
from functools import cache
from typing import Literal

import msgspec

from steelyard import scoring
from steelyard.scoring.judge_fence import Form

Asks = Literal["verdict", "letter", "two letters", "boxed", "numbers", "preference", "grade"]
"""How the answer is written: ``Verdict: CORRECT``, one of three letters or of two, a letter in a
box, a line with a number for each thing that is scored, ``[[A]]``, or ``[[A>>B]]``."""

NUMBER_LINE = re.compile(
    r"(?:^|[\"'“`])([^\n:\"'“`]{1,60}): ?<(?:a )?(?:number|score)>", re.MULTILINE
)

_TEXT = re.compile(r"\{(?:question|reference|candidate|first|second)\}")
_SETTINGS = {
    "mark": "[0-9A-Za-z]+",
    "low": r"-?[\d.e+-]+",
    "high": r"-?[\d.e+-]+",
    "steps": "(?: Use whole numbers only\\.)?",
    "guide": ".*?",
    "criteria": ".*?",
    "lines": "(?:[^\\n]+: <number>\\n?)*",
}


class KnownForm(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a form in front of its first text and behind its last."""

    asks: Asks
    head: re.Pattern[str]
    tail: re.Pattern[str]


@cache
def known_forms() -> tuple[KnownForm, ...]:
    """All forms that the library makes by itself."""
    return (
        _known("verdict", scoring.verifier().form),
        _known("two letters", scoring.letter_verifier().form),
        _known("letter", scoring.compass_verifier_judge().form),
        _known("boxed", scoring.compass_verifier_judge(steps=True).form),
        _known("numbers", scoring.score().form),
        _known("numbers", scoring.rubric(()).form),
        _known("preference", scoring.pairwise().form),
        _known("grade", scoring.graded_pairwise().form),
    )


def _known(asks: Asks, form: Form) -> KnownForm:
    words = f"{form.system}\n{form.user}" if form.system else form.user
    texts = list(_TEXT.finditer(words))
    head, tail = words[: texts[0].start()], words[texts[-1].end() :]
    if form.bare:
        head, tail = head[: head.rindex("<")], tail[tail.index(">") + 1 :]
    return KnownForm(asks=asks, head=_pattern(head), tail=_pattern(tail))


def _pattern(words: str) -> re.Pattern[str]:
    """``words`` with room for what settings put in; the same thing twice where it stands twice."""
    seen: set[str] = set()

    def room(found: re.Match[str]) -> str:
        name = found[1]
        again = name in seen
        seen.add(name)
        return f"(?P={name})" if again else f"(?P<{name}>{_SETTINGS[name]})"

    written = re.sub(rf"\\\{{({'|'.join(_SETTINGS)})\\\}}", room, re.escape(words))
    return re.compile(written, re.DOTALL)
