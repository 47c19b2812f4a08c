"""Arena-Hard 0.1: 500 hard questions of users; answers are compared with those of a baseline.

Source:  arXiv:2406.11939, https://github.com/lmarena/arena-hard-auto (Apache-2.0)
Data:    arena_hard/question.jsonl; the baseline's answers in arena_hard/baseline.jsonl, or under
         the authors' name for their baseline in arena_hard/model_answer/gpt-4-0314.jsonl; the
         option ``baseline`` names another file of this form
Row:     {"question_id": "328c149e...", "cluster": "ABC Sequence Puzzles & Groups",
         "turns": [{"content": "Use ABC notation to write ..."}]}
         {"question_id": "328c149e...", "choices": [{"turns": [{"content": "X:1 ..."}]}]}
Prompt:  the question alone
Marking: a judge says which answer is better and by how much, in both orders: from 1, clearly the
         model's, to 0, clearly the baseline's
Figures: Arena-Hard's win rate, where a clear verdict counts three times, and the style-controlled
         one (``scoring/comparison_figures``)
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import arena_hard_figures, exact_match, graded_pairwise, styles
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples
from steelyard.tasks.model_answers import Text, answers, baseline_file

SOURCE = "https://github.com/lmarena/arena-hard-auto (data/arena-hard-v0.1)"
ANSWERS = f"{SOURCE}, a file of model_answer,"
BASELINES = ("arena_hard/baseline.jsonl", "arena_hard/model_answer/gpt-4-0314.jsonl")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said about the comparison."""

    baseline: str = ""
    """A file with the answers to compare with."""


class Row(msgspec.Struct, frozen=True):
    """One question."""

    question_id: str
    turns: list[Text]
    cluster: str = ""


def to_sample(baseline: Mapping[str, tuple[str, ...]], path: Path, _: int, row: Row) -> Sample:
    """The baseline's answer is a field; there is no right one."""
    if len(row.turns) != 1:
        raise BadField("turns", row.turns, "one question")
    if row.question_id not in baseline:
        raise BadField("question_id", row.question_id, f"one that {path} has an answer to")
    meta = {"baseline": baseline[row.question_id][0], "cluster": row.cluster}
    return Sample(id=row.question_id, question=row.turns[0].content, meta=meta)


def read(data: Data) -> Iterator[Sample]:
    """The 500 questions."""
    asked = data.find("arena_hard/question.jsonl", SOURCE)
    path = baseline_file(data, data.options(Options).baseline, BASELINES, ANSWERS)
    return samples(asked, Row, partial(to_sample, answers(path), path))


@task("arena_hard_judge_gen", options=Options)
def arena_hard(data: Data) -> Task:
    """Compared with the baseline."""
    return Task(
        name="arena_hard",
        version=1,
        samples=partial(read, data),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        metric="mean_grade",
        judges=(graded_pairwise(), graded_pairwise(swapped=True)),
        features=styles,
        figures=arena_hard_figures,
    )
