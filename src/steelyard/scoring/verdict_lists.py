r"""A verdict that is a list of scores: ``[8, 7]``, as judges of pictures are asked for it.

``output score = [8, 7]``, ``Score: [8.5, 7]``, ``评分：[8, 7]``, ``{"score": [8, 7]}``,
``[[8, 7]]``, ``\boxed{[8, 7]}``, a line of its own, a code block of its own, "I give it [8, 7]".
A list with more or fewer numbers, or with one that is not on the scale, states no verdict; numbers
that stand in no brackets are no list.
"""

import re
from decimal import Decimal
from typing import ClassVar

import msgspec

from steelyard.scoring.judge_text import SAYING, is_introduced
from steelyard.scoring.verdict_kinds import SCORE_CUES, VERDICT_CUES, Asserted
from steelyard.scoring.verdict_prose import SCORE_KEYS, doubted, heard, words

_ITEM = r"[-+]?\d+(?:\.\d+)?(?:\s*/\s*\d+(?:\.\d+)?)?"
_LIST = rf"\[\s*(?:{_ITEM}\s*(?:[,，、;；]\s*{_ITEM}\s*)*)?\]"
_LISTS = re.compile(_LIST)
_WRAPPED = re.compile(r"\\(?:boxed|text|mathbf|textbf)\s*\{((?:[^{}])*)\}")
_MARKUP = re.compile(r"[*_`$\"“”‘’'「」]")
_END = re.compile(r"[\s.。!,;]*\Z")
_TAKEN_BACK = re.compile(
    r"[\s,，;；:\-–—]*(?:/|\d|%|\b(?:but|though|although|however|if|only|unless|except|yet|or|to"
    r"|maybe)\b|但|不过|然而|如果|除非|或)",
    re.IGNORECASE,
)
_OUTPUT = (
    r"(?:final[\s_])?output(?:[\s_]scores?)?|scores?[\s_](?:list|pair)|scores?|输出(?:评分|分数)?"
)
_GIVES = re.compile(
    rf"\b(?:scores?|scored|scoring|ratings?|rated?|give|giving|assign|award|output|list|verdict"
    rf"|evaluation)\b|{SCORE_CUES}|评|给|打",
    re.IGNORECASE,
)
_FENCED = re.compile(
    rf"^(?P<mark>```+|~~~+)\w*[ \t]*\n\s*(?P<inside>[^\n\[\]{{}}]{{0,40}}{_LIST}\s*?)\n?[ \t]*"
    rf"(?P=mark)[ \t]*$|^[ \t]*`(?P<line>[^\n`\[\]{{}}]{{0,40}}{_LIST})`[.。]?[ \t]*$",
    re.MULTILINE,
)


class ScoreList(msgspec.Struct, frozen=True):
    """So many numbers from ``low`` to ``high``, both included; see ``verdict_kinds.Kind``.

    A verdict is written ``8, 7.5``.
    """

    low: float
    high: float
    length: int = 2
    named: ClassVar[bool] = False
    countable: ClassVar[bool] = False
    lists: ClassVar[bool] = True
    cues: ClassVar[str] = f"{_OUTPUT}|{SCORE_CUES}|{VERDICT_CUES}"
    own: ClassVar[str] = f"{_OUTPUT}|{SCORE_CUES}"
    keys: ClassVar[frozenset[str]] = SCORE_KEYS | words(
        "output_score output_scores score_list list"
    )

    def read(self, text: str, *, alone: bool) -> str | None:
        """See ``Kind``: the list that ``text`` begins with, and no other behind it."""
        rest = text
        for _ in range(2):
            rest = _WRAPPED.sub(r" \1 ", rest)
        rest = _MARKUP.sub("", rest).strip("<> ")
        if rest.startswith("[["):
            rest = re.sub(r"\A\[(\[[^\[\]]*\])\]", r"\1", rest)
        found = _LISTS.match(rest)
        if found is None:
            return None
        verdict, rest = self._verdict(found[0]), rest[found.end() :]
        if alone:
            return verdict if _END.match(rest) else None
        others = {self._verdict(other) for other in _LISTS.findall(rest)}
        return None if _TAKEN_BACK.match(rest) or others - {verdict} else verdict

    def asserted(self, sentence: str) -> list[Asserted]:
        """See ``Kind``: lists behind words of rating; ``None`` for a hedged one, or no verdict."""
        if not heard(sentence):
            return []
        said: list[Asserted] = []
        for found in _LISTS.finditer(sentence):
            before = sentence[: found.start()]
            if _GIVES.search(before) and not SAYING.search(before):
                hedged = doubted(sentence, found.start())
                said.append(None if hedged else self.read(sentence[found.start() :], alone=False))
        return said

    def numbers(self, verdict: str) -> tuple[float, ...]:
        """The numbers of a verdict."""
        return tuple(map(float, verdict.split(", ")))

    def _verdict(self, written: str) -> str | None:
        items = [one.strip() for one in re.split("[,，、;；]", written[1:-1]) if one.strip()]
        numbers = [self._number(item) for item in items]
        if len(numbers) != self.length or None in numbers:
            return None
        return ", ".join(f"{number.normalize() + 0:f}" for number in numbers if number is not None)

    def _number(self, item: str) -> Decimal | None:
        """A number on the scale; ``8/10`` only where ten is the most."""
        given, slash, most = item.partition("/")
        if slash and float(most) != self.high:
            return None
        number = Decimal(given.strip())
        return number if self.low <= number <= self.high else None


def unfenced(reply: str) -> str:
    """``reply`` with every list on one line, and no code marks around one that is alone in them.

    A list in code is how some judges set it off; one that is announced as somebody else's stays a
    quotation.
    """

    reply = _LISTS.sub(lambda found: re.sub(r"\s+", " ", found[0]), reply)

    def bare(found: re.Match[str]) -> str:
        if is_introduced(reply, found.start()):
            return found[0]
        return str(found["inside"] or found["line"]).strip()

    return _FENCED.sub(bare, reply)
