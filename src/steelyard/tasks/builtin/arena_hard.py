"""Arena-Hard 0.1: 500 hard questions of users; answers are compared with those of a baseline.

Source:  arXiv:2406.11939, https://github.com/lmarena/arena-hard-auto (Apache-2.0)
Data:    arena_hard/question.jsonl; the baseline's answers in arena_hard/baseline.jsonl, or under
         the authors' name for their baseline in arena_hard/model_answer/gpt-4-0314.jsonl; the
         option ``baseline`` names another file of this form
Row:     {"question_id": "328c149e...", "cluster": "ABC Sequence Puzzles & Groups",
         "turns": [{"content": "Use ABC notation to write ..."}]}
         {"question_id": "328c149e...", "choices": [{"turns": [{"content": "X:1 ..."}]}]}
Prompt:  the question alone
Marking: a judge says which answer is better, in both orders; a win counts 1, a tie a half
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from steelyard.core import DataError, MissingData, Prompt, Sample, Task
from steelyard.scoring import exact_match, pairwise
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, rows, samples

SOURCE = "https://github.com/lmarena/arena-hard-auto (data/arena-hard-v0.1)"
BASELINES = ("arena_hard/baseline.jsonl", "arena_hard/model_answer/gpt-4-0314.jsonl")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said about the comparison."""

    baseline: str = ""
    """A file with the answers to compare with."""


class Text(msgspec.Struct, frozen=True):
    """What was said in one turn."""

    content: str


class Row(msgspec.Struct, frozen=True):
    """One question."""

    question_id: str
    turns: list[Text]
    cluster: str = ""


class Choice(msgspec.Struct, frozen=True):
    """One answer; only the first one counts."""

    turns: list[Text | str]


class Answer(msgspec.Struct, frozen=True):
    """What a model answered to one question."""

    question_id: str
    choices: list[Choice]


def baseline_file(data: Data) -> Path:
    """The file with the answers to compare with; ``DataError`` when there is none."""
    named = data.options(Options).baseline
    if named:
        if Path(named).is_file():
            return Path(named)
        raise DataError(f"baseline={named}: no such file. It holds the answers to compare with.")
    found = data.find_any(BASELINES)
    if found is None:
        source = f"{SOURCE}, a file of model_answer,"
        raise MissingData(BASELINES[0], tuple(str(root) for root in data.roots), source)
    return found


def baseline(path: Path) -> Mapping[str, str]:
    """The answer to each question."""
    answers: dict[str, str] = {}
    for line, row in rows(path, Answer):
        if not row.choices or not row.choices[0].turns:
            raise DataError(f"{path}, line {line}: there is no answer in `choices[0].turns`")
        said = row.choices[0].turns[0]
        answers[row.question_id] = said if isinstance(said, str) else said.content
    return answers


def to_sample(answers: Mapping[str, str], path: Path, _: int, row: Row) -> Sample:
    """The baseline's answer is a field; there is no right one."""
    if len(row.turns) != 1:
        raise BadField("turns", row.turns, "one question")
    if row.question_id not in answers:
        raise BadField("question_id", row.question_id, f"one that {path} has an answer to")
    meta = {"baseline": answers[row.question_id], "cluster": row.cluster}
    return Sample(id=row.question_id, question=row.turns[0].content, meta=meta)


def read(data: Data) -> Iterator[Sample]:
    """The 500 questions."""
    asked = data.find("arena_hard/question.jsonl", SOURCE)
    path = baseline_file(data)
    return samples(asked, Row, partial(to_sample, baseline(path), path))


@task("arena_hard_judge_gen", options=Options)
def arena_hard(data: Data) -> Task:
    """Compared with the baseline."""
    return Task(
        name="arena_hard",
        version=1,
        samples=partial(read, data),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        metric="win_rate",
        judges=(pairwise(), pairwise(swapped=True)),
    )
