"""Rows of custom data: what the first one says about all, and how each becomes a sample."""

import math
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from string import ascii_uppercase
from typing import Literal, NamedTuple, TypeAlias

from steelyard.core import ConfigError, DataError, Json, Sample
from steelyard.tasks.files import BadField, rows

DataType: TypeAlias = Literal["mcq", "qa"]
Row: TypeAlias = Mapping[str, Json]


class Columns(NamedTuple):
    """What the question and the right answer are called in a file."""

    question: str
    answer: str


_COLUMNS = (Columns("question", "answer"), Columns("query", "response"), Columns("input", "target"))
"""Tried in this order; the last two are those of EvalScope and Inspect."""


class Shape(NamedTuple):
    """What the first row says about all rows."""

    columns: Columns
    options: int
    """How many options there are; 0 for question and answer."""
    options_listed: bool
    """Options stand in one list ``choices`` (then their number may vary), not in columns."""
    has_answers: bool
    has_ids: bool
    has_times: bool
    """The column ``timestamp`` holds milliseconds, as in a trace; else it is like any other."""


def read_shape(path: Path, data_type: DataType | None) -> Shape:
    """The shape of the file at ``path``, from its first row and the data type asked for."""
    line, first = next(rows(path, dict))
    columns = next((one for one in _COLUMNS if one.question in first), None)
    if columns is None:
        raise DataError(
            f"{path}, line {line}: the columns are {', '.join(first)}; expected `question`, and "
            "`answer`, options `A`, `B`... and `max_tokens` where there are any"
        )
    _refuse_gap(path, line, first)
    listed = isinstance(first.get("choices"), list)
    found = len(first["choices"] if listed else _filled_letters(first))
    if data_type == "mcq" and found < 2:
        raise ConfigError(
            f"{path}, line {line}: {found} options found; multiple choice needs the columns "
            "`A` and `B` at least. Fill them in, or ask for the data type qa."
        )
    return Shape(
        columns=columns,
        options=found if found > 1 and data_type != "qa" else 0,
        options_listed=listed,
        has_answers=not _is_blank(first.get(columns.answer)),
        has_ids=not _is_blank(first.get("id")),
        has_times=_number(first.get("timestamp")) is not None,
    )


def _refuse_gap(path: Path, line: int, first: Row) -> None:
    """Options ``A`` and ``C`` without ``B`` are a mistake in the file, not two kinds of column."""
    letters = _filled_letters(first)
    later = [one for one in ascii_uppercase[len(letters) :] if not _is_blank(first.get(one))]
    if letters and later:
        raise DataError(
            f"{path}, line {line}: there are options {', '.join(letters)} and {later[0]}, but no "
            f"option {ascii_uppercase[len(letters)]}. Options stand in columns A, B, C... without "
            "a gap."
        )


def to_sample(shape: Shape, index: int, row: Row) -> Sample:
    """The sample of one row; ``BadField`` where it does not fit ``shape``."""
    options = _options(shape, row)
    letters = ascii_uppercase[: len(options)]
    used = {*shape.columns, *letters, "choices", "id", "max_tokens"}
    return Sample(
        id=_id(row) if shape.has_ids else str(index),
        question=_question(shape.columns.question, row),
        target=_target(shape, letters, row),
        choices=options,
        max_tokens=_max_tokens(row),
        due_ms=_due_ms(row) if shape.has_times else None,
        meta={
            name: str(value)
            for name, value in row.items()
            if name not in used and isinstance(value, str | int | float)
        },
    )


def _options(shape: Shape, row: Row) -> tuple[str, ...]:
    if not shape.options:
        return ()
    if shape.options_listed:
        choices = row.get("choices")
        if not isinstance(choices, list) or not 2 <= len(choices) <= len(ascii_uppercase):
            raise BadField("choices", choices, "a list of 2 to 26 options, as in the first row")
        return tuple(_text("choices", choice) for choice in choices)
    letters = _filled_letters(row)
    if len(letters) < shape.options:
        raise BadField(ascii_uppercase[len(letters)], None, "an option, as in the first row")
    if len(letters) > shape.options:
        extra = letters[shape.options]
        raise BadField(extra, row[extra], "none, as in the first row")
    return tuple(_text(letter, row[letter]) for letter in letters)


def _filled_letters(row: Row) -> str:
    """The option columns, from ``A`` up to the first blank one."""
    return "".join(takewhile(lambda letter: not _is_blank(row.get(letter)), ascii_uppercase))


def _question(column: str, row: Row) -> str:
    """The question text; a dialogue of one user message counts as its text."""
    match row.get(column):
        case [{"role": "user", "content": str(text)}]:
            return text
        case asked if _is_blank(asked):
            raise BadField(column, asked, "a question")
        case asked:
            return _text(column, asked)


def _target(shape: Shape, letters: str, row: Row) -> str | None:
    column = shape.columns.answer
    answer = row.get(column)
    if not shape.has_answers:
        if not _is_blank(answer):
            raise BadField(column, answer, "none, as in the first row")
        return None
    if _is_blank(answer):
        raise BadField(column, answer, "an answer, as in the first row")
    target = _text(column, answer)
    if not letters:
        return target
    if target.strip() not in tuple(letters):
        raise BadField(column, answer, f"one of the letters {', '.join(letters)}")
    return target.strip()


def _id(row: Row) -> str:
    name = row.get("id")
    if _is_blank(name) or "#" in str(name):
        raise BadField("id", name, "a name without #")
    return _text("id", name)


def _max_tokens(row: Row) -> int | None:
    limit = row.get("max_tokens")
    if _is_blank(limit):
        return None
    if isinstance(limit, str) and limit.strip().isdecimal():
        limit = int(limit)
    if type(limit) is not int or limit < 1:
        raise BadField("max_tokens", limit, "a whole number of tokens, 1 or more")
    return limit


def _due_ms(row: Row) -> float:
    found = row.get("timestamp")
    due_ms = _number(found)
    if due_ms is None or due_ms < 0:
        raise BadField("timestamp", found, "milliseconds, 0 or more, as in the first row")
    return due_ms


def _number(value: Json) -> float | None:
    """A finite number, also one that is written as text, as in CSV files."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(column: str, value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise BadField(column, value, "a text or a number")


def _is_blank(value: Json) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
