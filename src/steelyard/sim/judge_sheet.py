"""What a judge is asked: the texts to be judged, the form of the answer, and all other words.

The texts are told from the rest by the lines around them. With a marker (``<candidate MARK>``,
``<Candidate's Answer Begin MARK>``) only lines that hold it count, letter by letter. Lines without
one are recognised as a hasty reader would: whatever looks like such a line is one, and of two texts
with one name the later counts. MT-Bench's lines (``[The Start of ...]``) are recognised as well.
Without any lines, headings like ``Reference answer:`` have to do.

A form of ours is known by its words in front of the texts and behind them. All words outside the
texts that are not the form's own are ``stray``; of a form that is not known everything is.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from itertools import pairwise

import msgspec

from steelyard.sim.judge_known import NUMBER_LINE, Asks, known_forms

_NOTICE = re.compile(r"a line <name (\w{8,})> and a line </name \1>")
_BEGIN = re.compile(r"<[^<>\n]{1,40} Begin( \w{8,})?>:?[ ]*\n")
_ROLES = {
    "originalquestion": "question",
    "standardanswer": "reference",
    "goldtarget": "reference",
    "candidatesanswer": "candidate",
    "candidateanswer": "candidate",
    "predictedanswer": "candidate",
}
_EDGES = ("begin", "end")
_SIGNS = [(f"{title}{edge}", role, edge) for title, role in _ROLES.items() for edge in _EDGES]
_LONGEST_SIGN = 80
_ALIKE = 0.8
_STARTED = re.compile(
    r"(?:\[|(?P<dialogue><\|))The Start of "
    r"(?P<whose>Reference Answer|Assistant(?: (?P<side>[AB]))?'s "
    r"(?:Answer|Conversation with User))(?P<mark> \w{8,})?(?:\]|\|>)\n(?P<text>.*?)\n"
    r"(?:\[|<\|)The End of (?P=whose)(?(mark)(?P=mark))(?:\]|\|>)",
    re.DOTALL,
)
_ASKED = re.compile(
    r"^\[(?:User )?Question(?P<mark> \w{8,})?\]\n(?P<text>.*?)\n\n\[The Start of ",
    re.DOTALL | re.MULTILINE,
)
_SIDES = {"A": "first", "B": "second"}
_HEADINGS = {
    "question": "question|problem|问题|题目",
    "reference": "(?:reference|standard|gold|correct)(?: answer)?|ground truth"
    "|(?:参考|标准|正确)答案",
    "candidate": r"(?:candidate|student|model|assistant)(?:['’]s)?(?: answer| output| response)?"
    "|response|prediction|(?:候选|考生|模型)(?:的)?(?:答案|回答)",
    "first": "(?:assistant|answer|response) a|(?:助手|回答)a",
    "second": "(?:assistant|answer|response) b|(?:助手|回答)b",
}
_HEADING = re.compile(
    r"^\W*(?:the )?(?:"
    + "|".join(f"(?P<{role}>{way})" for role, way in _HEADINGS.items())
    + r")\W{0,4}[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:-|–|to|and|到|至)\s*(\d+(?:\.\d+)?)")


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A judge's question, read."""

    asks: Asks
    texts: Mapping[str, str]
    """``question``, ``reference``, ``candidate``, or ``first`` and ``second``."""
    stray: str
    """Everything outside the texts that is not the wording of a known form."""
    low: float = 1.0
    high: float = 10.0
    whole: bool = False
    names: tuple[str, ...] = ()
    """What is scored; the answer has a line for each."""


class _Parts(msgspec.Struct, frozen=True, kw_only=True):
    texts: Mapping[str, str]
    head: str = ""
    between: str = ""
    tail: str = ""
    known: bool = False
    """Whether these are a form's own words as far as can be told."""


def read(prompt: str) -> Sheet | None:
    """The judge's question that ``prompt`` is; ``None`` when it is no such question."""
    ways: tuple[Callable[[str], _Parts | None], ...] = (_marked, _lined, _started, _headed)
    parts = next(filter(None, (way(prompt) for way in ways)), None)
    if parts is None or not ("candidate" in parts.texts or {"first", "second"} <= set(parts.texts)):
        return None
    for form in known_forms():
        head, tail = form.head.search(parts.head), form.tail.search(parts.tail)
        if head and tail:
            said = tail.groupdict(default="")
            free = [said.get(name, "") for name in ("guide", "criteria")]
            around = [*_around(parts.head, head), parts.between, *_around(parts.tail, tail)]
            stray = "\n\n".join(around + free)
            return _sheet(form.asks, parts, stray, said)
    outside = "\n\n".join((parts.head, parts.between, parts.tail))
    stray = "" if parts.known else outside
    return _sheet(_asked(outside, parts.texts), parts, stray, _scale(outside))


def _around(text: str, found: re.Match[str]) -> tuple[str, str]:
    return text[: found.start()], text[found.end() :]


def _sheet(asks: Asks, parts: _Parts, stray: str, said: Mapping[str, str]) -> Sheet:
    return Sheet(
        asks=asks,
        texts=parts.texts,
        stray=stray,
        low=float(said.get("low") or 1),
        high=float(said.get("high") or 10),
        whole="whole numbers" in said.get("steps", ""),
        names=tuple(NUMBER_LINE.findall(said.get("lines", ""))),
    )


def _asked(outside: str, texts: Mapping[str, str]) -> Asks:
    """The form of answer that the words of an unknown form are likely to want."""
    if "second" in texts:
        return "grade" if ">>" in outside else "preference"
    if NUMBER_LINE.search(outside) or "[[rating]]" in outside:
        return "numbers"
    if "\\boxed{" in outside:
        return "boxed"
    return "letter" if re.search(r"\bletters?\b|字母", outside) else "verdict"


def _scale(outside: str) -> dict[str, str]:
    lines = "\n".join(found[0] for found in NUMBER_LINE.finditer(outside))
    found = _RANGE.search(outside)
    return {"lines": lines} | ({"low": found[1], "high": found[2]} if found else {})


def _marked(prompt: str) -> _Parts | None:
    """Texts between lines that hold the request's marker, which the first notice tells."""
    notice = _NOTICE.search(prompt)
    return _between(prompt, rf"<(\w+) {notice[1]}>\n(.*?)\n</\1 {notice[1]}>") if notice else None


def _lined(prompt: str) -> _Parts | None:
    """Texts between the lines ``<... Begin>`` and ``<... End>``, with or without a marker."""
    first = _BEGIN.search(prompt)
    if first is None:
        return None
    if first[1]:
        mark = first[1]
        return _between(prompt, rf"<([^<>\n]+) Begin{mark}>:?[ ]*\n(.*?)\n<\1 End{mark}>")
    texts: dict[str, list[str]] = {}
    gaps: list[list[str]] = []
    here: list[str] = []
    for line in prompt[first.start() :].split("\n"):
        role, sign = _sign(line)
        if not sign:
            here.append(line)
        elif sign == "begin":
            here = texts[role] = []
        else:
            here = [""]
            gaps.append(here)
    *between, tail = ["\n".join(lines) for lines in gaps or [[]]]
    return _Parts(
        texts={role: "\n".join(lines) for role, lines in texts.items()},
        head=prompt[: first.start()],
        between="\n\n".join(between),
        tail=tail,
    )


def _started(prompt: str) -> _Parts | None:
    """MT-Bench's forms: of a dialogue the last question, and the last answer of each side."""
    texts: dict[str, str] = {}
    asked = _ASKED.search(prompt)
    if asked:
        texts["question"] = asked["text"]
    for found in _STARTED.finditer(prompt):
        said = found["text"]
        if found["dialogue"]:
            speaks = rf"(?m)^### [A-Z][^\n:]*?{found['mark'] or ''}:\n"
            *_, texts["question"], said = ["", *re.split(speaks, said.strip("\n"))]
        role = "reference" if "Reference" in found["whose"] else _SIDES.get(found["side"], "")
        texts[role or "candidate"] = said.rstrip("\n") if found["dialogue"] else said
    if "second" not in texts and "first" in texts:
        texts["candidate"] = texts.pop("first")
    words = prompt[: asked.start()] if asked else _STARTED.sub("", prompt)
    return _Parts(texts=texts, between=words, known=True) if len(texts) > 1 else None


def _headed(prompt: str) -> _Parts | None:
    """Texts behind headings, each up to the next; nothing tells them from the form."""
    found = list(_HEADING.finditer(prompt))
    ends = [one.start() for one in found[1:]] + [len(prompt)]
    texts = {
        str(one.lastgroup): prompt[one.end() : end].strip()
        for one, end in zip(found, ends, strict=False)
    }
    comparable = {"candidate", "reference"} <= set(texts) or {"first", "second"} <= set(texts)
    return _Parts(texts=texts, between=prompt) if comparable else None


def _between(prompt: str, way: str) -> _Parts | None:
    found = list(re.finditer(way, prompt, re.DOTALL))
    if not found:
        return None
    gaps = pairwise(found)
    return _Parts(
        texts={_role(one[1]): one[2] for one in found},
        head=prompt[: found[0].start()],
        between="\n\n".join(prompt[one.end() : next_one.start()] for one, next_one in gaps),
        tail=prompt[found[-1].end() :],
    )


def _role(title: str) -> str:
    return _ROLES.get(_letters(title), title)


def _sign(line: str) -> tuple[str, str]:
    """Whose text begins or ends with ``line``, and which of both; empty when it is any line."""
    letters = _letters(line) if len(line) <= _LONGEST_SIGN else ""
    for name, role, sign in _SIGNS if any(_ends_like(letters, one) for one in _EDGES) else ():
        if SequenceMatcher(None, name, letters).ratio() > _ALIKE and _ends_like(letters, sign):
            return role, sign
    return "", ""


def _ends_like(letters: str, sign: str) -> bool:
    return SequenceMatcher(None, letters[-len(sign) :], sign).ratio() > 0.6


def _letters(text: str) -> str:
    return re.sub("[^a-z]+", "", unicodedata.normalize("NFKC", text).casefold())
