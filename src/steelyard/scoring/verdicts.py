r"""Reading a judge's verdict out of its reply: one parser for all judges.

Reasoning is removed and quotations are blanked out first (``judge_text``). Then, in order:

1. The whole reply is a verdict.
2. Explicit statements: a line ``Verdict: ...``, a JSON field, ``[[A]]``, ``<verdict>``, a last line
   that is nothing but a verdict. The last one stated counts.
3. Weak statements: a line ``Answer: ...``, a box, a line of its own, a verdict as the last words.
   The last one counts.
4. Sentences. They must agree, or the last must say that it concludes.

Whatever contradicts itself is not read: a verdict with two meanings (``A: INCORRECT``), a later
sentence that says otherwise, a verdict that is taken back. Nothing is guessed.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from steelyard.scoring.judge_text import (
    ANOTHERS,
    JUDGING,
    SAYING,
    after_reasoning,
    blank,
    is_introduced,
    out_of_its_block,
    plain,
    unquoted,
)
from steelyard.scoring.verdict_json import objects, verdicts
from steelyard.scoring.verdict_kinds import VERDICT_CUES, Kind
from steelyard.scoring.verdict_prose import CONCLUDES, doubted, heard


class Reading(NamedTuple):
    """A verdict, or ``None``, and in a few words where it stood or why there is none."""

    verdict: str | None
    why: str


class _Statement(NamedTuple):
    position: int
    verdict: str | None
    """``None``: announced, but not to be read."""
    explicit: bool
    where: str


_DECOR = r"[\s*_#\-+•\d.)(\[【<|`]*"
_MODIFIERS = (
    r"(?:(?:my|the|our|so|thus|therefore|hence|final|overall|total|also|is|最终的?|最后的?|综合|总体|我的"
    r"|本次|因此|所以|综上|故|,)\s*)*"
)
_QUALIFIER = r"(?:\s*[\w]{0,12}\s*\([^()\n]{0,40}\))?"
_COLON = r"[\s*_\])】>|]*(?::|=|—|–|-|\||→|】|\]|\bis\b:?|\bas\b|为:?|是:?)(?!=)"
_WEAK_CUES = "answer|choice|答案|选择"
_BOX = re.compile(r"\\boxed\s*\{((?:[^{}\n]|\{[^{}\n]*\})*)\}")
_DOUBLE = re.compile(r"\[\[([^\[\]\n]{1,40})\]\]")
_TAG = re.compile(
    rf"<(?P<tag>(?:final_?)?(?:{VERDICT_CUES}|score|rating|winner|answer))>(.*?)</(?P=tag)>",
    re.IGNORECASE | re.DOTALL,
)
_ALONE = "a line of its own"
_IN_BLOCK = "a JSON field in a code block"
_OPEN_BLOCK = re.compile(r"(?:```|~~~)\w*\s*\Z")
_CLOSED_BLOCK = re.compile(r"\s*(?:```|~~~)")
_MARKS = ((_DOUBLE, True), (_TAG, True), (_BOX, False))
_ASKED = re.compile(r"[^.。!;；\n?]{0,200}\?")
_SENTENCE = re.compile(r"[^。！？!；;\n.?]+(?:\.(?=\S)[^。！？!；;\n.?]*)*[.?。！？!；;]*")
_LONGEST_SENTENCE = 2000
_LAST_WORDS = re.compile(r"(.*)([.:。][\s*]*)([^.:。]*[.。]?)$")
_TAKEN_BACK = re.compile(
    r"(?:^|[.!?\n]\s*)wait\b|\bwait\s*[,.!—-]"
    r"|\b(?:hold on|on second thoughts?|scratch that|let me re\w+|i (?:was|am) wrong"
    r"|i made an? (?:mistake|error)|i (?:need|have) to (?:correct|revise)"
    r"|i(?:'ve| have)? changed? my)\b"
    r"|(?:^|[.!?\n]\s*)(?:actually|correction|no)\b\s*[,:]"
    r"|等等|等一下|(?:^|[。!?\n]\s*)(?:不对|更正|修正)[,，:。]|我错了|改判|重新(?:考虑|评估|判断|检查)",
    re.IGNORECASE,
)


def read(reply: str, kind: Kind) -> Reading:
    """The verdict that ``reply`` states."""
    text = after_reasoning(plain(reply))
    if text is None:
        return Reading(None, "the judge's reasoning never ends")
    text = out_of_its_block(text)
    if not text:
        return Reading(None, "the judge's reply is empty")
    if not kind.named:
        whole = kind.read(text, alone=True)
        if whole is not None:
            return Reading(whole, "the whole reply")
    return _decided(*_seen(text, kind), kind)


def _seen(text: str, kind: Kind) -> tuple[str, list[_Statement]]:
    """What remains of ``text`` for sentences, and the statements, in order."""
    said: list[_Statement] = []
    for found in objects(text):
        values = verdicts(found.fields, kind)
        opened = _OPEN_BLOCK.search(text, 0, found.start)
        closed = _CLOSED_BLOCK.match(text, found.end)
        where = _IN_BLOCK if opened else "a JSON field"
        alone = (opened.start(), closed.end()) if opened and closed else (found.start, found.end)
        if values and not _is_quoted(text, *alone):
            verdict = values.pop() if len(values) == 1 else None
            said.append(_Statement(found.start, verdict, explicit=True, where=where))
        text = text[: found.start] + blank(text[found.start : found.end]) + text[found.end :]
    original, text = text, unquoted(text)
    said += _on_lines(text, original, kind)
    if not kind.named:
        cued = {text.count("\n", 0, one.position) for one in said}
        marked = _in_marks(text, kind)
        said += [one for one in marked if text.count("\n", 0, one.position) not in cued]
        said += _at_the_end(text, original, kind)
    return text, sorted(said, key=lambda one: one.position)


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Whether JSON, alone in its code block or without one, is somebody else's."""
    seen = unquoted(text[:start] + "x" * (end - start) + text[end:])
    return is_introduced(text, start) or seen[start] != "x"


def _decided(text: str, said: list[_Statement], kind: Kind) -> Reading:
    explicit = [one for one in said if one.explicit]
    if not said:
        return _by_sentences(text, kind)
    last = (explicit or said)[-1]
    if last.verdict is None:
        return Reading(None, f"{last.where} states no verdict, or more than one")
    start = last.position if explicit else 0
    others = [
        one.verdict
        for one in said
        if one.position > last.position
        or last.where == _IN_BLOCK
        or one.where == last.where == _ALONE
    ]
    prose = [verdict for _, verdict in _sentences(text, kind, start)]
    if any(one != last.verdict for one in (*others, *prose)) or _TAKEN_BACK.search(
        text, last.position
    ):
        return Reading(None, f"{last.where} says {last.verdict}, but the reply also says otherwise")
    return Reading(last.verdict, last.where)


def _by_sentences(text: str, kind: Kind) -> Reading:
    said = list(_sentences(text, kind, 0))
    if not said:
        return Reading(None, "no verdict in the judge's reply")
    sentence, verdict = said[-1]
    agreed = len({one for _, one in said}) == 1
    concluded = CONCLUDES.search(sentence) and len({v for s, v in said if s == sentence}) == 1
    position = text.rfind(sentence) + len(sentence)
    if verdict is None or not (agreed or concluded) or _TAKEN_BACK.search(text, position):
        return Reading(None, "the sentences of the judge's reply doubt or disagree")
    return Reading(verdict, "a sentence")


def _sentences(text: str, kind: Kind, start: int) -> Iterator[tuple[str, str | None]]:
    """Each sentence from ``start`` on that says a verdict, with the verdict."""
    for found in _SENTENCE.finditer(text, start):
        if len(found[0]) > _LONGEST_SENTENCE:
            continue
        for verdict in kind.asserted(found[0].replace("*", "").strip()):
            yield found[0], verdict
        cue = None if kind.named else _cue_in(found[0], kind.own)
        if cue and heard(found[0]) and not _is_anothers(found[0], cue.start()):
            verdict = kind.read(found[0][cue.end() :], alone=False)
            if verdict is not None:
                yield found[0], None if doubted(found[0], cue.start()) else verdict


def _on_lines(text: str, original: str, kind: Kind) -> Iterator[_Statement]:
    """Lines that begin with a cue. A cue with nothing behind it announces the next line."""
    cue = _cue(kind.cues)
    weak = None if kind.named else _cue(_WEAK_CUES)
    lines = list(re.finditer(r"[^\n]*\S[^\n]*", text))
    for number, line in enumerate(lines):
        for way, explicit in ((cue, True), (weak, False)):
            found = way.match(text, line.start(), line.end()) if way else None
            if not found or (not explicit and ":" not in (found["colon"] or "")):
                continue
            rest = original[found.end() : line.end()] if found["colon"] else ""
            if rest.strip(" *_:"):
                verdict = _behind_a_cue(rest, text[found.end() : line.end()], kind)
            elif number + 1 < len(lines):
                following = lines[number + 1]
                verdict = kind.read(original[slice(*following.span())], alone=True)
            else:
                verdict = None
            is_own = explicit and re.fullmatch(kind.own, found["cue"], re.IGNORECASE)
            if verdict is not None or (is_own and found["colon"] and rest.strip(" *_")):
                where = f"the line {found['cue']!r}"
                yield _Statement(found.start("cue"), verdict, explicit=explicit, where=where)
            break


def _behind_a_cue(rest: str, unquoted_rest: str, kind: Kind) -> str | None:
    """The verdict at the head of ``rest``, or the one that its sentences agree on."""
    verdict = kind.read(rest, alone=False)
    if verdict is None:
        said = {one for _, one in _sentences(unquoted_rest, kind, 0)}
        verdict = said.pop() if len(said) == 1 else None
    return verdict


def _in_marks(text: str, kind: Kind) -> Iterator[_Statement]:
    r"""``[[A]]``, ``<verdict>A</verdict>`` and ``\boxed{A}``, unless they are somebody else's.

    A mark inside a question asks and states nothing. Different ones on one line are alternatives,
    not statements.
    """
    ways = ((_DOUBLE, True), (_TAG, True)) if kind.countable else _MARKS
    by_line: dict[int, list[_Statement]] = {}
    for way, explicit in ways:
        for found in way.finditer(text):
            if _ASKED.match(text, found.end()):
                continue
            inside = found[found.lastindex or 1]
            verdict = kind.read(inside, alone=True)
            if (explicit or verdict is not None) and not _is_anothers(text, found.start()):
                one = _Statement(found.start(), verdict, explicit=explicit, where="a mark")
                by_line.setdefault(text.count("\n", 0, one.position), []).append(one)
    for marks in by_line.values():
        if len({one.verdict for one in marks}) == 1:
            yield from marks
        else:
            yield max(marks, key=lambda one: one.position)._replace(verdict=None)


def _at_the_end(text: str, original: str, kind: Kind) -> Iterator[_Statement]:
    """A first, last or other line that is a verdict, and a verdict as the last words."""
    lines = list(re.finditer(r"[^\n]*\S[^\n]*", text))
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        if number and not last and kind.countable:
            continue
        verdict = kind.read(line[0], alone=True)
        if verdict is not None:
            yield _Statement(line.start(), verdict, explicit=last, where=_ALONE)
        elif last and not kind.countable:
            yield from _last_words(line, kind)


def _last_words(line: re.Match[str], kind: Kind) -> Iterator[_Statement]:
    """``Both match. A`` and ``Based on the criteria: A``."""
    words = _LAST_WORDS.match(line[0])
    if words is None:
        return
    head, stop, tail = words.groups()
    verdict = kind.read(tail, alone=True)
    before = {kind.read(word, alone=True) for word in re.findall(r"\b[A-Z]+\b", head)}
    before |= {kind.read(head, alone=False), kind.read(head.rpartition(" ")[2], alone=True)}
    if before - {None, verdict}:
        return
    clause = re.split(r"[.。;；]", head)[-1]
    anothers = ANOTHERS.search(clause) and (":" in clause or not JUDGING.search(clause))
    if verdict is not None and not (":" in stop and (anothers or not heard(clause))):
        start = line.start() + words.start(3)
        yield _Statement(start, verdict, explicit=False, where="the last words")


def _is_anothers(text: str, position: int) -> bool:
    """Whether the clause up to ``position`` speaks of somebody else's words."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    clause = re.split(r"[.;。；]\s", line)[-1]
    own = _cue(VERDICT_CUES).match(clause)
    return not own and bool(ANOTHERS.search(clause) or SAYING.search(clause))


def _cue_in(sentence: str, cues: str) -> re.Match[str] | None:
    """Where ``sentence`` announces a verdict: ``Verdict: ...`` or "the final verdict is ..."."""
    begins = _cue(cues).match(sentence)
    if begins and begins["colon"]:
        return begins
    return _inner_cue(cues).search(sentence)


@cache
def _inner_cue(cues: str) -> re.Pattern[str]:
    limits = "max|maximum|highest|best|possible|minimum|lowest|average|perfect|full"
    not_limits = "".join(f"(?<!{word} )" for word in limits.split("|"))
    return re.compile(
        rf"(?<![\w.]){not_limits}\w*?(?<!误)(?:{cues})\s*(?:\bis\b|\bof\b|为|是)\s*:?",
        re.IGNORECASE,
    )


@cache
def _cue(cues: str) -> re.Pattern[str]:
    return re.compile(
        rf"{_DECOR}{_MODIFIERS}(?P<cue>{cues})s?{_QUALIFIER}"
        rf"(?:(?P<colon>{_COLON})|[\s*_:#]*(?=\n|\Z))",
        re.IGNORECASE,
    )
