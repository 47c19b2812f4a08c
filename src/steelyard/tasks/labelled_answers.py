"""Answers that people labelled: what the verdicts of a judge are held against.

    {"question": "6 * 7?", "answer": "It is 42.", "reference": "42", "label": "correct"}
    {"question": "Name a river.", "answer": "The Rhine.", "label": 4}
    {"question": "Name a river.", "answer_1": "The Rhine.", "answer_2": "Paris.", "label": 1}

One answer a row is labelled correct, incorrect or invalid, or with a number on the judge's scale;
of two answers the label names the better one, or a tie. The columns of LLMBar and PandaLM are
understood as they are. Columns ``annotator1``, ``annotator2``... take the place of ``label``: the
label that more than half of them gave, of numbers their mean. Every other column is a field that
a judge of one's own may name.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple, TypeAlias

from steelyard.core import Json, Sample
from steelyard.scoring import majority
from steelyard.scoring.clean import strip_reasoning
from steelyard.scoring.judging import FormJudge
from steelyard.tasks.files import BadField, built, rows

Row: TypeAlias = Mapping[str, Json]
Label: TypeAlias = str | float
LabelKind: TypeAlias = Literal["correctness", "score", "pairwise"]

_QUESTION = ("question", "instruction", "input", "query")
_REFERENCE = ("reference", "target", "gold")
_ANSWER = ("answer", "prediction", "response")
_FIRST = ("answer_1", "output_1", "response1")
_SECOND = ("answer_2", "output_2", "response2")
_ANNOTATOR = re.compile(r"annotator_?\d+")
_CORRECTNESS = {
    **dict.fromkeys(("correct", "true", "1", "正确"), "correct"),
    **dict.fromkeys(("incorrect", "false", "0", "错误"), "incorrect"),
    **dict.fromkeys(("invalid", "无效"), "invalid"),
}
_PREFERENCE = {"1": "1", "2": "2", **dict.fromkeys(("0", "tie", "平局"), "tie")}


class Labelled(NamedTuple):
    """One row."""

    sample: Sample
    """Its id is the number of the row, from 1."""
    answer: str
    """What the judge is asked about; of two answers the first."""
    label: Label
    """``correct``, ``incorrect``, ``invalid``; ``1``, ``2``, ``tie``; a number."""
    other: str = ""
    """The second answer."""


def holds_pairs(path: Path) -> bool:
    """Whether the rows of ``path`` hold two answers each; the first one decides."""
    _, first = next(rows(path, dict))
    return any(name in first for name in _FIRST)


def label_kind(judge: FormJudge) -> LabelKind:
    """What people's labels mean beside the verdicts of ``judge``."""
    if judge.against is not None:
        return "pairwise"
    return "correctness" if judge.scale is None else "score"


def labelled_answers(path: Path, judge: FormJudge) -> tuple[list[Labelled], int]:
    """The rows of ``path``, and how many were left out since their annotators have no majority.

    ``DataError`` says which row cannot be used.
    """
    words = _CORRECTNESS
    if not judge.says_invalid:
        words = {name: "incorrect" if word == "invalid" else word for name, word in words.items()}
    reads: dict[LabelKind, Callable[[str, Json], Label]] = {
        "correctness": partial(_word, words, "correct, incorrect or invalid (also true/1, "
                               "false/0, 正确, 错误, 无效)"),
        "pairwise": partial(_word, _PREFERENCE, "1 or 2, the better answer, or tie (also 0)"),
        "score": partial(_number, judge.scale or (0.0, 1.0)),
    }  # fmt: skip
    read = reads[label_kind(judge)]
    found = [row for _, row in built(path, dict, partial(_labelled, judge, read))]
    usable = [row for row in found if row is not None]
    return usable, len(found) - len(usable)


def _labelled(
    judge: FormJudge, read: Callable[[str, Json], Label], index: int, row: Row
) -> Labelled | None:
    reference = _text(row, _REFERENCE)
    if reference is None and judge.needs_reference:
        expected = f"the right answer, which the judge {judge.name} compares with"
        raise BadField("reference", None, expected)
    meta = {name: str(value) for name, value in row.items() if _is_field(name, value)}
    other = ""
    if judge.against is not None:
        # The first is cleaned where all answers are; neither may differ by what nobody judges.
        other = strip_reasoning(_needed(row, _SECOND, "the text of the second answer"))
        meta[judge.against] = other
        answer = _needed(row, _FIRST, "the text of the first answer")
    else:
        answer = _needed(row, _ANSWER, "the text of the answer that was labelled")
    sample = Sample(id=str(index + 1), question=_question(row), target=reference, meta=meta)
    label = _label(row, read)
    return None if label is None else Labelled(sample, answer, label, other)


def _is_field(name: str, value: Json) -> bool:
    if name == "label" or _ANNOTATOR.fullmatch(name):
        return False  # no judge is shown what people think
    return isinstance(value, str | int | float)


def _question(row: Row) -> str:
    expected = "the text of the question"
    question = _needed(row, _QUESTION, expected)
    about = row.get("input") if _named(row, _QUESTION) == "instruction" else None
    whole = f"{question}\n\n{about}" if isinstance(about, str) and about.strip() else question
    if not whole.strip():
        raise BadField(_named(row, _QUESTION), question, expected)
    return whole


def _label(row: Row, read: Callable[[str, Json], Label]) -> Label | None:
    annotators = [name for name in row if _ANNOTATOR.fullmatch(name)]
    if "label" in row or not annotators:
        return read("label", row.get("label"))
    given = [read(name, row[name]) for name in annotators]
    numbers = [label for label in given if not isinstance(label, str)]
    return fmean(numbers) if numbers else majority(given)


def _word(known: Mapping[str, str], expected: str, field: str, found: Json) -> str:
    text = str(found).strip().lower()
    label = known.get(text.removesuffix(".0"))
    if label is None:
        raise BadField(field, found, expected)
    return label


def _number(scale: tuple[float, float], field: str, found: Json) -> float:
    low, high = scale
    try:
        number = math.nan if isinstance(found, bool) else float(found)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        expected = f"a number from {low:g} to {high:g}, the judge's scale (--judge-prompt)"
        raise BadField(field, found, expected)
    return number


def _needed(row: Row, names: Sequence[str], expected: str) -> str:
    text = _text(row, names)
    if text is None:
        raise BadField(_named(row, names), row.get(_named(row, names)), expected)
    return text


def _text(row: Row, names: Sequence[str]) -> str | None:
    """The text in the first of ``names`` that ``row`` has. What JSON made no text of is one all the
    same: PandaLM holds an answer ``true``."""
    value = row.get(_named(row, names))
    return str(value) if isinstance(value, str | int | float) else None


def _named(row: Row, names: Sequence[str]) -> str:
    return next((name for name in names if name in row), names[0])
