"""Which of two answers is better, and by how much: the five verdicts of Arena-Hard's judges.

``[[A>>B]]``, ``[[A>B]]``, ``[[A=B]]``, ``[[B>A]]``, ``[[B>>A]]``; the signs may point the other way
(``[[B<<A]]``) and the verdict may be said in words ("Assistant A is slightly better").

A reply is read twice: for the grade, and by the rules for plain preferences (``preference``), which
know many more sentences. Both must name the same side, so a reply that says ``[[A>>B]]`` and then
"B is better" holds no verdict. A plain ``[[A]]`` states no grade, and none is guessed.

Source of the five verdicts: lmarena/arena-hard-auto, ``config/judge_config.yaml``.
"""

import re
from collections.abc import Mapping

import msgspec

from steelyard.scoring.verdict_kinds import Choice, preference
from steelyard.scoring.verdict_prose import doubted, heard
from steelyard.scoring.verdicts import Reading, read

SIDES: Mapping[str, str] = {
    "first_much": "first",
    "first_slightly": "first",
    "tie": "tie",
    "second_slightly": "second",
    "second_much": "second",
}
"""The five grades, and the side that each is on."""

_MUCH = ("significantly", "much", "far")
_SLIGHTLY = ("slightly", "marginally")
_MARK = re.compile(r"\[\[([^\[\]\n]{1,20})\]\]")


class _Grades:
    """Sentences that say a grade: "Assistant A is slightly better: [[A>B]]"."""

    def __init__(self, first: str, second: str) -> None:
        name = f"{re.escape(first)}|{re.escape(second)}"
        self._said = re.compile(
            rf"(?<!than )(?<![A-Za-z0-9])(?P<name>{name})(?:'s answer)?"
            rf" is (?P<grade>{'|'.join((*_MUCH, *_SLIGHTLY))}) better"
            r"(?!\s+(?:at|in|for|on|if|when|with)\b)(?![\w-])"
        )

    def asserted(self, sentence: str) -> list[str | None]:
        """See ``verdict_prose.Prose``; a mark counts when words beside it say a grade too."""
        found = list(self._said.finditer(sentence))
        if not found or not heard(sentence):
            return []
        said: list[str | None] = [
            None if doubted(sentence, one.start()) else f"{one['name']} is {one['grade']} better"
            for one in found
        ]
        return said + [re.sub(r"\s", "", mark) for mark in _MARK.findall(sentence)]


def read_grade(reply: str, first: str = "A", second: str = "B") -> Reading:
    """One of ``SIDES``, or none."""
    grade, why = read(reply, _grades(first, second))
    if grade is None:
        return Reading(None, why)
    side, _ = read(reply, _sides(first, second))
    if side != SIDES[grade]:
        return Reading(None, f"{why} says {grade}, but the reply also says otherwise")
    return Reading(grade, why)


def _grades(first: str, second: str) -> Choice:
    ways = {"first": (first, second), "second": (second, first)}
    degrees = {"much": (_MUCH, ">>", "<<"), "slightly": (_SLIGHTLY, ">", "<")}
    stated = {
        f"{side}_{degree}": (
            *(f"{better}{gap}{more}{gap}{other}" for gap in ("", " ")),
            *(f"{other}{gap}{less}{gap}{better}" for gap in ("", " ")),
            *(f"{better} is {word} better" for word in words),
        )
        for side, (better, other) in ways.items()
        for degree, (words, more, less) in degrees.items()
    }
    sides = _sides(first, second)
    ties = tuple(way for way in sides.spellings["tie"] if way != "both")
    return msgspec.structs.replace(
        sides, spellings={**stated, "tie": ties}, prose=_Grades(first, second)
    )


def _sides(first: str, second: str) -> Choice:
    """A plain preference whose tie has no name of its own, only signs and words."""
    tie = f"{first}={second}"
    found = preference(first, second, tie)
    signs = (f"{first} = {second}", f"{second}={first}", f"{second} = {first}")
    return msgspec.structs.replace(
        found, spellings={**found.spellings, "tie": (*found.spellings["tie"], *signs)}
    )
