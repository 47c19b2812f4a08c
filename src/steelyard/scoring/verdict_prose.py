"""Verdicts said in a sentence: "the candidate's answer is not correct", "Output (b) is better".

Few ways are understood, on purpose. A sentence that asks, supposes or reports what somebody else
says is not heard at all; one that hedges ("partly correct", "might be right") is heard as a doubt.
"""

import re
from collections.abc import Iterator
from typing import Protocol


def words(text: str) -> frozenset[str]:
    """The words of ``text``."""
    return frozenset(text.split())


SCORE_KEYS = words(
    "score final_score overall_score total_score total rating overall_rating overall grade mark "
    "points verdict 评分 得分 分数 总分 打分 最终得分 最终评分 总体评分 综合评分"
)

VERDICT_KEYS = words(
    "verdict final_verdict judgment judgement final_judgment final_judgement decision "
    "final_decision grade label result conclusion evaluation answer final_answer 判定 结论 判断 "
    "最终判断 最终判定 最终结论 评判 结果"
)

CONCLUDES = re.compile(
    r"\b(?:therefore|thus|hence|so|overall|consequently|accordingly|finally|in conclusion"
    r"|to conclude|in summary|to sum up|ultimately|in short)\b"
    "|综上|因此|所以|总之|总的来说|总体而言|综合来看|最终|故",
    re.IGNORECASE,
)
"""A sentence with one of these takes precedence over what was said before it."""

_NOT_SAID = re.compile(
    r"\b(?:if|whether|unless|suppose|assuming|were|would have|question is|asks?|asked|hard to say"
    r"|which (?:of|one|response|answer|output|assistant)"
    r"|i (?:can ?not|can't|am unable to|could not) (?:determine|tell|say|judge|decide|verify)"
    r"|(?:says?|said|claims?|claimed|states?|stated|wrote|writes|asserts?|insists?|argues?|believes"
    r"|thinks|pretends?|declares?|instructs?|tells?|demands?))\b"
    r"|如果|假如|倘若|若是|是否|声称|自称|号称|写道|说自己|要求|无法判断|无法确定|不确定|不能说|不能断定|很难说|不好说|难以|哪个|哪一个"
    r"|(?:候选人|候选者|考生|学生|模型)[^,，。]{0,4}(?:认为|觉得|相信|坚称|表示)",
    re.IGNORECASE,
)
_I_SAY = re.compile(
    r"\b(?:i|we)(?: would| can| must|['’]d)? (?:say|claim|state|argue)\b", re.IGNORECASE
)
_DOUBTS = re.compile(
    r"\b(?:might|may|could|would|perhaps|possibly|probably|likely|seems?|appears?|arguably|partly"
    r"|partially|mostly|almost|nearly|largely|somewhat|half|not entirely|not fully|not completely"
    r"|not quite|hardly|technically|essentially)\b"
    "|也许|可能|或许|似乎|好像|部分|基本|大致|大体|几乎|不完全|不够|不太|差不多",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"\b(?:but|although|though|except|however|yet|only)\b|但|不过|然而|虽然|只是", re.IGNORECASE
)

_IS = (
    r"(?:(?:is|was)(?P<n1>\s+not|n['’]t)?"
    r"|(?:can|could|should|must|will|has to)\s*(?P<n2>not|n['’]t)?\s+(?:therefore\s+|thus\s+)?be)"
    r"(?:\s+(?:considered|marked|judged|graded|deemed|regarded|classified|labell?ed|treated|rated)"
    r"(?:\s+(?:as|to be))?)?"
)
_SURELY = (
    r"(?:\s+(?:clearly|fully|completely|entirely|totally|definitely|indeed|thus|therefore|also"
    r"|simply|actually|ultimately|nevertheless|factually|mathematically|just|plainly|exactly|both|still|certainly))*"
)
_CORRECTNESS = re.compile(
    rf"(?P<noun>\b(?:answer|response|solution|prediction|reply|submission|candidate|output|it))\s*"
    rf"{_IS}{_SURELY}(?P<n3>\s+not)?{_SURELY}\s+"
    r"(?P<word>correct|incorrect|right|wrong|invalid|incomplete)\b(?!\s+(?:answer|option|choice|in|to|for"
    r"|that|of|about|up|under|within|on|at|by|with|when)\b)(?!-)",
    re.IGNORECASE,
)
_MATCHING = re.compile(
    r"(?P<noun>\b(?:answer|response|solution|prediction|reply|submission|candidate|output|it))\s+"
    r"(?:(?:clearly|fully|exactly|completely|therefore|thus)\s+)?"
    r"(?:(?P<not>(?:does|do|did)\s*(?:not|n['’]t)\s+match|fails\s+to\s+match)|match(?:es|ed))\s+"
    r"the\s+(?:standard|reference|gold|correct|given|expected|ground[- ]truth)(?:\s+answer)?",
    re.IGNORECASE,
)
_I_FIND = re.compile(
    r"\b(?:I|we)\s+(?:(?:would|must|will|have to|therefore|thus)\s+)*"
    r"(?:judge|grade|mark|rate|consider|deem|label|classify|find)\s+"
    r"(?:it|this|(?:the|this)\s+(?:[\w'’]+\s+){0,3}?(?:answer|response|solution|reply))\s+"
    r"(?:(?:as|to\s+be)\s+)?(?P<no>not\s+)?(?P<word>correct|incorrect|right|wrong|invalid)\b",
    re.IGNORECASE,
)
_I_CHOOSE = re.compile(
    r"(?:\bI\s+(?:would\s+)?(?:say|choose|select|pick|answer|go with|vote for)"
    r"(?:\s+(?:option|grade))?|我选择?)\s*[(\[*]*([ABC])[)\]*]*(?=\s*(?:$|[.,;]|because|since))"
)
_I_WOULD = re.compile(r"\b(I|we)(?:\s+would|['’]d)\b", re.IGNORECASE)
_DENIES = re.compile(r"(?:\bnot|n['’]t|\bnever)\s+(?:\w+\s+){0,3}$|(?:并非|不是|不认为)\s*$")
_ITS_OWN = words(
    "candidate candidate's candidate’s candidates final model model's model’s student student's "
    "student’s given submitted provided predicted proposed overall whole entire llm assistant "
    "assistant's assistant’s"
)
_ANOTHERS = words(
    "standard reference gold correct true expected right official truth ground-truth first second "
    "third intermediate partial every each no neither one some part of not in to with for behind "
    "about within from any which that's old previous"
)
_INSIDE = words("in of to with for behind about within from and or nor neither")

_ZH_NO = (
    r"(?P<no>不能(?:被)?(?:算作|算是|算|视为|认为是|判为|认定为)|并非|并不是|并不|不是|不算|非|不)"
)
_ZH_CORRECTNESS = re.compile(
    r"(?P<whose>标准|参考|正确|步骤?的?|部分的?|中间)?(?:回答|答案|作答|解答|答复|结果|候选人|候选者|模型|考生|它|其)"
    r"(?:的(?:最终)?(?:回答|答案|结果))?"
    rf"(?:是|为|应?被?(?:判定为|判为|视为|认为是)|属于|应|完全|均|也|显然|确实|都)*(?:{_ZH_NO})?"
    r"(?:是|完全)*(?P<word>不正确|正确|错误|无效|错|对)的?(?=\s*(?:$|[,，、。.!;；]|因为|由于))"
)
_ZH_MATCHING = re.compile(
    r"(?<!步骤)与(?:标准|参考|正确)答案(?P<no>并?不)?(?:完全)?(?:一致|相符|符合|符|相同|匹配|等价)"
    r"(?=\s*(?:$|[,，、。.!;；]))"
)

_MORE = r"(?:\s+(?:clearly|definitely|slightly|much|significantly|overall|still|therefore|far))*"
_BETTER = (
    r"(?:better|superior|preferred|preferable|stronger|(?:the\s+)?(?:winner|best|better|stronger)"
    r"(?:\s+(?:one|response|answer|output|choice|assistant|option))?)"
    r"(?!\s+(?:at|in|for|on|if|when|with|structured|formatted|written|choice of))(?![\w-])"
)
_NUMBER = r"(?=[\s:*_\[(【\"'`]*[-+]?\d)"
_SCORED = re.compile(
    r"\b(?:score|rating|grade|mark)(?:\s+(?:it|this))?\s+(?:of|is|as|at|should be)\s*:?\s*"
    + _NUMBER
    + r"|\b(?:give|rate|score|award|grade|assign)\s+"
    r"(?:(?:it|this|them|an?|(?:the|this|that)\s+(?:[\w'’]+\s+){0,2}?\w+)\s+)"
    r"(?:(?:a|an|as|with|at)\s+)*(?:(?:score|rating|grade|mark)\s+of\s+)?"
    + _NUMBER
    + r"|(?:得分|评分|分数)(?:为|是)\s*"
    + _NUMBER
    + r"|(?:给出?|给予|打出?|评为|得)(?:它|该回答|这个回答|此回答)?(?:打|评)?\s*"
    + _NUMBER
    + r"(?=[^\n]{0,12}分)",
    re.IGNORECASE,
)


class Prose(Protocol):
    """Reads verdicts out of sentences."""

    def asserted(self, sentence: str) -> list[str | None]:
        """The spellings of the verdicts that it says; ``None`` for one that it hedges."""


class Correctness:
    """Whether an answer is correct."""

    def asserted(self, sentence: str) -> list[str | None]:
        """See ``Prose``."""
        if not heard(sentence):
            return []
        said = sorted([*_english(sentence), *_chinese(sentence)])
        doubtful = any(_DOUBTS.search(_clause(sentence, start)) for start, *_ in said)
        if said and (doubtful or _TURNS.search(sentence, said[-1][1])):
            return [None] * len(said)
        return [word or None for *_, word in said]


class Preference:
    """Which of two answers is better; the names are those of the first and the second."""

    def __init__(self, first: str, second: str, tie: str, nouns: str) -> None:
        name = (
            rf"[(\[*]{{0,4}}(?<![A-Za-z0-9])(?P<name>{re.escape(first)}|{re.escape(second)})"
            r"(?![A-Za-z0-9])[)\]*]{0,4}"
        )
        noun = rf"(?:(?:{nouns})\s*)"
        self._tie = tie
        self._ways = re.compile(
            rf"(?<!than )(?<!as ){noun}?{name}(?:\s+(?:is|was){_MORE}\s+{_BETTER}|\s+(?:wins|won)\b"
            r"|\s*(?:明显|略微|略|稍微|稍|整体|总体)?(?:更好|更优|更佳|更强|胜出|获胜|优于)(?!地))"
            rf"|\bI(?: would|['’]d)? (?:prefer|choose|select|pick|say|vote for)\s+{noun}?"
            + name.replace("?P<name>", "?P<chosen>")
            + rf"(?=\s*(?:$|[,.;]|because|since|as\b))|我(?:选择?|更?偏好|认为应选)\s*{noun}?"
            + name.replace("?P<name>", "?P<zh>"),
            re.IGNORECASE,
        )
        self._ties = re.compile(
            r"\b(?:it is|it['’]s|this is|the (?:comparison|result) is) (?:therefore |clearly )?"
            r"a (?:tie|draw)\b"
            r"|\bboth (?:\w+ )?(?:are|is) equally (?:good|bad|helpful|strong)\b"
            r"|\bneither (?:\w+ )?is better\b|平局|不相上下|难分(?:高下|伯仲)|同样好|一样好"
            r"|两(?:者|个回答|个答案)[^,，。]{0,6}相当",
            re.IGNORECASE,
        )

    def asserted(self, sentence: str) -> list[str | None]:
        """See ``Prose``."""
        if not heard(sentence):
            return []
        said: list[tuple[int, str | None]] = [
            (found.start(), None if _is_doubted(sentence, found) else _first(found))
            for found in self._ways.finditer(sentence)
        ]
        said += [(found.start(), self._tie) for found in self._ties.finditer(sentence)]
        return [name for _, name in sorted(said, key=lambda one: one[0])]


def scored(sentence: str) -> list[str]:
    """What follows where a sentence gives a score: the number and all behind it."""
    sentence = _I_WOULD.sub(r"\1", sentence)
    if not heard(sentence):
        return []
    return [
        sentence[found.end() :]
        for found in _SCORED.finditer(sentence)
        if not _DOUBTS.search(_clause(sentence, found.end()))
    ]


def doubted(sentence: str, position: int) -> bool:
    """Whether the clause up to ``position`` hedges what comes then."""
    return bool(_DOUBTS.search(_I_WOULD.sub(r"\1", _clause(sentence, position))))


def heard(sentence: str) -> bool:
    """Whether a sentence says what it says, and does not ask, suppose or report it."""
    return not (sentence.rstrip().endswith("?") or _NOT_SAID.search(_I_SAY.sub(" ", sentence)))


def _first(found: re.Match[str]) -> str | None:
    return next(filter(None, found.groups()), None)


def _is_doubted(sentence: str, found: re.Match[str]) -> bool:
    clause = _clause(sentence, found.start())
    return bool(_DOUBTS.search(clause + found[0]) or _DENIES.search(clause))


def _clause(sentence: str, end: int) -> str:
    """The clause up to ``end``; with the words before its comma when these are one or two."""
    before, comma, clause = sentence[:end].rpartition(",")
    return before + comma + clause if len(before.split()) < 3 else clause


def _english(sentence: str) -> Iterator[tuple[int, int, str]]:
    """Where each statement begins and ends, and what it says."""
    for found in _CORRECTNESS.finditer(sentence):
        if _is_of_the_candidate(sentence, found.start()):
            negated = bool(found["n1"]) + bool(found["n2"]) + bool(found["n3"])
            yield *found.span("word"), _unless(negated, found["word"].lower())
    for found in _MATCHING.finditer(sentence):
        if _is_of_the_candidate(sentence, found.start()):
            yield *found.span(), "incorrect" if found["not"] else "correct"
    for found in _I_FIND.finditer(sentence):
        yield *found.span(), _unless(bool(found["no"]), found["word"].lower())
    for found in _I_CHOOSE.finditer(sentence):
        yield *found.span(), found[1]


def _chinese(sentence: str) -> Iterator[tuple[int, int, str]]:
    """See ``_english``."""
    for found in _ZH_CORRECTNESS.finditer(sentence):
        if not found["whose"]:
            yield *found.span("word"), _unless(bool(found["no"]), found["word"])
    for found in _ZH_MATCHING.finditer(sentence):
        yield *found.span(), "incorrect" if found["no"] else "correct"


def _unless(negated: int, word: str) -> str:
    """``word``, or its opposite; ``""`` for a double negation, which nobody should rely on."""
    wrong = {"incorrect", "wrong", "错误", "错", "不正确"}
    if word in {"invalid", "incomplete", "无效"}:
        return "" if negated else word
    if not negated:
        return word
    return "" if negated > 1 or word in wrong else "incorrect"


def _is_of_the_candidate(sentence: str, start: int) -> bool:
    """Whether the noun at ``start`` is the candidate's answer as a whole."""
    before = re.findall(r"[\w'’-]+|[^\w\s]", sentence[:start].lower())
    while before and before[-1] in _ITS_OWN:
        before.pop()
    if before and before[-1] in {"the", "this", "that", "its", "their", "a"}:
        before.pop()
        return not before or before[-1] not in _INSIDE
    return not before or before[-1] not in _ANOTHERS
