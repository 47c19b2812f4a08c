"""A simulated judge's own opinion: how like a candidate's final answer is to the reference.

An answer is correct when it is as good as the reference, invalid when it is empty or begins with a
refusal, and else incorrect. A score is the likeness, put on the scale. Of two answers the one more
like the reference is better, and when nothing is known of a reference the longer one.

The final answer is what stands in the last box, else behind the last "the answer is", else the
whole text. It is as good as the reference (1) when its last number is the reference's, its last
option letter is, it consists of the reference's words, or its last line ends with them. Otherwise
another number or letter is worth nothing, and words count up to 0.8, as many of them as are there.
An answer worth twice as much as the other one is clearly better.
"""

import re
import unicodedata
from decimal import Decimal

from steelyard.sim.judge_sheet import Sheet

_BOX = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_STATED = re.compile(
    r"(?:\banswer(?: is|:)|####|答案(?:是|为|:))\s*((?:[^\n.。]|\.(?=\S))+)", re.IGNORECASE
)
_NUMBER = re.compile(r"-?(?:\d+(?:,\d{3})+|\d+)(?:\.\d+)?")
_WHOLE_NUMBER = re.compile(rf"[$€£¥]?\s*({_NUMBER.pattern})\s*(?:%|[^\W\d_]{{0,12}}\.?)")
_OPTION = re.compile(r"\(?([A-J])\)?\.?")
_LONE_CAPITAL = re.compile(r"(?<![A-Za-z'’])([A-J])(?![A-Za-z'’])")
_WORDS = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
_REFUSAL = re.compile(
    r"\W*(?:(?:i['’]?m |i am )?(?:sorry|afraid)\b.{0,20}\b(?:can(?:no|['’])?t|unable|won['’]t)"
    r"|i (?:can(?:no|['’])?t|am unable to|won['’]t) (?:answer|help|assist|provide|do)"
    r"|as an ai\b|(?:很?抱歉|对不起).{0,6}(?:无法|不能)|我(?:无法|不能)(?:回答|提供))",
    re.IGNORECASE,
)
_BY_WORDS = 0.8
_ENOUGH = 4
_OPPOSITE = {"correct": "incorrect", "incorrect": "correct", "invalid": "correct"} | {
    "first": "second",
    "second": "first",
    "tie": "first",
    "clearly first": "clearly second",
    "clearly second": "clearly first",
}


def compared(sheet: Sheet, reference: str | None) -> str:
    """The verdict on ``sheet``: a word, or a number on its scale."""
    if sheet.asks in ("preference", "grade"):
        return _preferred(sheet, reference)
    candidate = sheet.texts["candidate"]
    invalid = not candidate.strip() or _REFUSAL.match(_plain(candidate)) is not None
    if sheet.asks == "numbers":
        unknown = 0.5 if reference is None else likeness(candidate, reference)
        return _on_scale(sheet, 0.0 if invalid else unknown)
    if invalid:
        return "invalid"
    return "correct" if likeness(candidate, reference or "") == 1 else "incorrect"


def opposite(sheet: Sheet, verdict: str) -> str:
    """The verdict of a judge that errs."""
    if sheet.asks == "numbers":
        return f"{sheet.low + sheet.high - float(verdict):g}"
    return _OPPOSITE[verdict]


def _preferred(sheet: Sheet, reference: str | None) -> str:
    answers = sheet.texts["first"], sheet.texts["second"]
    worth = [len(one) if reference is None else likeness(one, reference) for one in answers]
    if worth[0] == worth[1]:
        return "tie"
    verdict = "first" if worth[0] > worth[1] else "second"
    clear = sheet.asks == "grade" and max(worth) >= 2 * min(worth)
    return f"clearly {verdict}" if clear else verdict


def _on_scale(sheet: Sheet, share: float) -> str:
    """The point of the scale; whole numbers where there are enough of them."""
    point = sheet.low + share * (sheet.high - sheet.low)
    steps = 0 if sheet.whole or sheet.high - sheet.low >= _ENOUGH else 2
    return f"{round(point, steps):g}"


def likeness(candidate: str, reference: str) -> float:
    """From 0 to 1, as the head of this file says."""
    said, wanted = _final(candidate), _final(reference)
    number, option = _WHOLE_NUMBER.fullmatch(wanted), _OPTION.fullmatch(wanted)
    if option:
        return float(_LONE_CAPITAL.findall(said)[-1:] == [option[1]])
    if number:
        return float(_values(said)[-1:] == _values(number[1]))
    words = _words(wanted)
    if not words:
        return float(said == wanted)
    if words in (_words(said), _words(said.rpartition("\n")[2])[-len(words) :]):
        return 1.0
    known = set(_words(_plain(candidate)))
    return _BY_WORDS * sum(word in known for word in words) / len(words)


def _plain(text: str) -> str:
    """``text`` in common characters, without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip()


def _final(text: str) -> str:
    """What stands in the last box, else behind the last "the answer is", else all of ``text``."""
    for way in (_BOX, _STATED):
        found = way.findall(_plain(text))
        if found:
            return str(found[-1]).strip().rstrip(".。")
    return _plain(text)


def _values(text: str) -> list[Decimal]:
    return [Decimal(found.replace(",", "")) for found in _NUMBER.findall(text)]


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())
