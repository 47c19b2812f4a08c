"""Files with another model's answers, in the layout of FastChat and Arena-Hard (``model_answer``).

A line is ``{"question_id": 81, "choices": [{"turns": ["...", {"content": "..."}]}]}``; of several
choices the first counts.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from steelyard.core import DataError, MissingData
from steelyard.tasks.data import Data
from steelyard.tasks.files import rows


class Text(msgspec.Struct, frozen=True):
    """What was said in one turn."""

    content: str


class Choice(msgspec.Struct, frozen=True):
    """One answer to all turns."""

    turns: list[Text | str]


class Answer(msgspec.Struct, frozen=True):
    """What a model answered to one question."""

    question_id: int | str
    choices: list[Choice]


def answers(path: Path) -> Mapping[str, tuple[str, ...]]:
    """The answers to each question, turn by turn, by the question's id."""
    found: dict[str, tuple[str, ...]] = {}
    for line, row in rows(path, Answer):
        if not row.choices or not row.choices[0].turns:
            raise DataError(f"{path}, line {line}: there is no answer in `choices[0].turns`")
        turns = row.choices[0].turns
        found[str(row.question_id)] = tuple(
            one if isinstance(one, str) else one.content for one in turns
        )
    return found


def named_file(option: str, named: str) -> Path:
    """The file that the data set's ``option`` names; ``DataError`` when there is none."""
    if not Path(named).is_file():
        raise DataError(f"{option}={named}: no such file. It holds a model's answers.")
    return Path(named)


def baseline_file(data: Data, named: str, places: tuple[str, ...], source: str) -> Path:
    """The answers to compare with: the file that is ``named``, else the first of ``places``."""
    if named:
        return named_file("baseline", named)
    found = data.find_any(places)
    if found is None:
        raise MissingData(places[0], tuple(str(root) for root in data.roots), source)
    return found
