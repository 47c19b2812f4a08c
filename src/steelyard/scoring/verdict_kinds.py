r"""What a verdict can be: one of a few choices, or a number on a scale; and how either is written.

``read`` takes the words behind ``Verdict:``, the inside of ``\boxed{}``, a JSON value, a last line,
and says which verdict they are, or ``None`` when they are none or more than one.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import ClassVar, Protocol, TypeAlias

import msgspec

from steelyard.scoring import verdict_prose as prose

Asserted: TypeAlias = "str | None"
"""A verdict said in a sentence; ``None`` where the sentence hedges it."""

_WRAPPED = re.compile(r"\\(?:boxed|text|textbf|mathrm|mathbf|fbox)\s*\{([^{}]*)\}")
_MARKUP = re.compile(r"""[*_`$#"“”‘’「」『』【】()\[\]{}\\]|(?<!\w)'|'(?!\w)""")
_END = re.compile(r"[\s.。!,;:~✓✔✅✗✘❌]*\Z")
_GOES_ON = re.compile(
    r"\s*(?:\Z|[.。!,，;；:\-–—>|\n]|(?:because|since|as|due|slightly|因为|由于)\b)"
)
_TAKES_BACK = re.compile(
    r"[\s,，;；:\-–—]*(?:\b(?:but|though|although|however|if|only|unless|except"
    r"|yet|or|and|to|maybe)\b"
    r"|但|不过|然而|如果|除非|或)"
)
_BETWEEN = re.compile(r"\s*(?:(?:or|and|&|或者?|和|、)\s*|[:\-–—=/,|~\s]*)", re.IGNORECASE)
_NUMBER = re.compile(r"(?:得|给|打)?\s*([-+]?\d+(?:\.\d+)?)(?![\d.]*\d)")
_OUT_OF = re.compile(r"\s*(?:/|out of|of)\s*(\d+(?:\.\d+)?)(?![\d.]*\d)")
_REMARK = re.compile(r"\([^()\d]*\)[\s*]*\Z")
_POINTS = re.compile(r"\s*(?:points?|pts?|stars?|分|星)(?![A-Za-z])")
_FULL_MARKS = re.compile(r"\s*,?\s*(?:满分|总分)(?:为|是|:)?\s*(\d+(?:\.\d+)?)\s*分?")
_ENDS_NUMBER = re.compile(
    r"\s*(?:\Z|[.,;:!|。，；\n](?!\s*\d|[^.。\n]*\d\s*(?:分|/))|[-–—]\s*[^\s\d]"
    r"|(?:because|since|as|due|因为|由于)\b)"
)

VERDICT_CUES = (
    r"verdict|judge?ment|decision|ruling|grade|grading|conclusion|result|evaluation|assessment"
    "|判定|判断|判决|裁决|评判|评定|结论|结果|评价|评估"
)
SCORE_CUES = (
    "score|rating|grade|mark|points|overall|总体评分|综合评分|评分|得分|分数|打分|总分|评级"
)


class Kind(Protocol):
    """What a verdict can be."""

    @property
    def cues(self) -> str:
        """Words, as a regular expression, that announce a verdict at the head of a line."""

    @property
    def own(self) -> str:
        """Those of them behind which nothing else than a verdict may stand."""

    @property
    def keys(self) -> frozenset[str]:
        """Names, in small letters, of JSON fields that hold a verdict."""

    @property
    def named(self) -> bool:
        """Whether only a verdict behind a cue or key counts: there are others in the reply."""

    @property
    def countable(self) -> bool:
        """Whether numbers that are no verdict are likely to stand in a reply."""

    @property
    def lists(self) -> bool:
        """Whether a list in JSON can be a verdict."""

    def read(self, text: str, *, alone: bool) -> str | None:
        """The verdict that ``text`` begins with; ``alone``: that it is nothing else than."""

    def asserted(self, sentence: str) -> list[Asserted]:
        """The verdicts that a sentence of prose says, in order."""


class Choice(msgspec.Struct, frozen=True):
    """One of a few named verdicts."""

    spellings: Mapping[str, tuple[str, ...]]
    """For each verdict how it may be written."""
    cues: str
    own: str
    keys: frozenset[str]
    prose: prose.Prose
    nouns: str = ""
    """Words that may stand before a verdict, as a regular expression (``Output (a)``)."""
    cased: bool = False
    """Whether capitals matter (``m`` and ``M`` are different verdicts)."""
    named: bool = False
    countable: bool = False
    lists: ClassVar[bool] = False

    def read(self, text: str, *, alone: bool) -> str | None:
        """See ``Kind``. ``A - CORRECT`` is one verdict said twice, ``A: INCORRECT`` is none."""
        rest, label = flat(text).strip("<> "), self._label()
        found = label.match(rest)
        if not found:
            return None
        said = set()
        while found:
            said.add(self._verdict(found[1]))
            rest = rest[found.end() :]
            between = _BETWEEN.match(rest)
            found = label.match(rest, between.end() if between else 0)
        if len(said) > 1 or _TAKES_BACK.match(rest.lower()):
            return None
        return said.pop() if (_END if alone else _GOES_ON).match(rest) else None

    def asserted(self, sentence: str) -> list[Asserted]:
        """See ``Kind``."""
        return [
            None if said is None else self._verdict(said) for said in self.prose.asserted(sentence)
        ]

    def _verdict(self, written: str) -> str | None:
        """The verdict that is spelt so; ``None`` when this judge has no such verdict."""
        written = re.sub(r"\s+", " ", written)
        for verdict, spellings in self.spellings.items():
            for spelling in spellings:
                if written == spelling or (not self.cased and written.lower() == spelling.lower()):
                    return verdict
        return None

    def _label(self) -> re.Pattern[str]:
        every = [spelling for spellings in self.spellings.values() for spelling in spellings]
        return _labels(tuple(sorted(every, key=len, reverse=True)), self.nouns, cased=self.cased)


class Scale(msgspec.Struct, frozen=True):
    """A number from ``low`` to ``high``, both included."""

    low: float
    high: float
    whole: bool = False
    """Whether only whole numbers are on it."""
    name: str = ""
    """What is scored, where a reply scores several things; the line begins with it then."""
    lists: ClassVar[bool] = False

    @property
    def cues(self) -> str:
        """See ``Kind``."""
        return re.escape(self.name) if self.name else f"{SCORE_CUES}|{VERDICT_CUES}"

    @property
    def own(self) -> str:
        """See ``Kind``."""
        return re.escape(self.name) if self.name else SCORE_CUES

    @property
    def keys(self) -> frozenset[str]:
        """See ``Kind``."""
        if self.name:
            return frozenset({self.name.lower(), self.name.lower().replace(" ", "_")})
        return prose.SCORE_KEYS

    @property
    def named(self) -> bool:
        """See ``Kind``."""
        return bool(self.name)

    @property
    def countable(self) -> bool:
        """See ``Kind``."""
        return True

    def read(self, text: str, *, alone: bool) -> str | None:
        """See ``Kind``. ``7``, ``7.5``, ``7/10``, ``7 out of 10``, ``7 points``, ``7分``.

        Off the scale, out of another number than ``high``, a range and a share in % are none.
        """
        rest = flat(_REMARK.sub("", text))
        found = _NUMBER.match(rest)
        if not found:
            return None
        rest = rest[found.end() :]
        for ending in (_OUT_OF, _POINTS, _FULL_MARKS):
            tail = ending.match(rest)
            if tail and tail.lastindex and float(tail[1]) != self.high:
                return None
            rest = rest[tail.end() :] if tail else rest
        if _TAKES_BACK.match(rest.lower()) or not (_END if alone else _ENDS_NUMBER).match(rest):
            return None
        number = Decimal(found[1])
        on = self.low <= number <= self.high and not (self.whole and number % 1)
        return f"{number.normalize() + 0:f}" if on else None

    def asserted(self, sentence: str) -> list[Asserted]:
        """See ``Kind``."""
        if self.name:
            return []
        return [self.read(rest, alone=False) for rest in prose.scored(sentence)]


_CORRECT = {
    "correct": ("A", "correct", "right", "true", "yes", "正确", "对", "✓", "✔", "✅", "√"),
    "incorrect": (
        *("B", "incorrect", "wrong", "false", "no", "not correct", "is not correct", "not right"),
        *("not true", "cannot be considered correct", "can not be considered correct"),
        *("不正确", "错误", "错", "不对", "并非正确", "并不正确", "不是正确", "非正确", "✗", "✘"),
        *("❌", "×"),
    ),
}
_INVALID = (
    *("C", "invalid", "incomplete", "repetitive", "refusal", "incomplete/repetitive/refusal"),
    *("无效", "不完整", "重复", "拒绝回答", "拒答"),
)
_NAMED_AS_AN_ANSWER = (
    "output|response|answer|assistant|option|model|completion|candidate|summary|system"
    "|回答|回复|助手|选项|模型|输出|答案|候选"
)


def correctness(*, invalid: bool = True) -> Choice:
    """``correct``, ``incorrect``, and ``invalid`` where there is no answer to judge.

    Written as the letters A, B, C or in words.
    """
    return Choice(
        spellings=_CORRECT | ({"invalid": _INVALID} if invalid else {}),
        cues=rf"{VERDICT_CUES}|is_?\s?correct|correct(?:ness)?|是否正确|正确性",
        own=r"verdict|judge?ment|decision|ruling|correctness|判定|判断|判决|裁决|评判|判(?=为)",
        keys=prose.VERDICT_KEYS | {"correct", "is_correct", "correctness", "是否正确", "正确性"},
        prose=prose.Correctness(),
    )


def preference(
    first: str = "A", second: str = "B", tie: str = "C", *, cased: bool = False
) -> Choice:
    """``first``, ``second`` or ``tie``: which of two answers is better, by their names."""
    ways = {"first": (first, second), "second": (second, first)}
    stronger = {
        verdict: tuple(f"{one}{sign}{other}" for sign in (">>", " >> ", ">", " > "))
        + tuple(f"{other}{sign}{one}" for sign in ("<<", " << ", "<", " < "))
        for verdict, (one, other) in ways.items()
    }
    better = (" is better", " wins", " is the winner", "更好", " 更好", "胜出", "获胜")
    return Choice(
        spellings={
            verdict: (one, *stronger[verdict], *(f"{one}{word}" for word in better))
            for verdict, (one, _) in ways.items()
        }
        | {
            "tie": (
                tie,
                "tie",
                "tied",
                "draw",
                "equal",
                "both",
                f"{first}={second}",
                "A=B",
                "平局",
                "平手",
                "相当",
                "不相上下",
                "一样好",
            )
        },
        cues=rf"{VERDICT_CUES}|winner|preference|preferred|choice"
        r"|(?:better|best)(?:\s+(?:one|response|answer|output|assistant))?"
        "|胜者|胜出者|获胜者|优胜者|更好的?(?:回答|答案|一个)?",
        own="verdict|judge?ment|decision|ruling|winner|preference|判定|判决|裁决|胜者|获胜者|优胜者",
        keys=prose.VERDICT_KEYS
        | {"winner", "preference", "preferred", "choice", "better", "best"}
        | {"胜者", "获胜者", "优胜者", "更好"},
        prose=prose.Preference(first, second, tie, _NAMED_AS_AN_ANSWER),
        nouns=_NAMED_AS_AN_ANSWER,
        cased=cased,
    )


def flat(text: str) -> str:
    """``text`` without brackets, quotation marks, Markdown and LaTeX around its words."""
    for _ in range(3):
        text = _WRAPPED.sub(r" \1 ", text)
    return re.sub(r"[ \t]+", " ", _MARKUP.sub(" ", text)).strip()


@cache
def _labels(spellings: tuple[str, ...], nouns: str, *, cased: bool) -> re.Pattern[str]:
    either = "|".join(re.escape(spelling).replace(r"\ ", r"\s+") for spelling in spellings)
    noun = rf"(?:(?:{nouns})\s*)?" if nouns else ""
    pattern = rf"\s*{noun}({either})的?(?![A-Za-z0-9_\u4e00-\u9fff'’])"
    return re.compile(pattern, re.NOFLAG if cased else re.IGNORECASE)
