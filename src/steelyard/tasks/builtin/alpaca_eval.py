"""AlpacaEval 2: 805 instructions; answers are compared with those of GPT-4 Turbo.

Source:  https://github.com/tatsu-lab/alpaca_eval (instructions CC BY-NC 4.0)
Data:    alpaca_eval/alpaca_eval.json; another file of this form is another baseline. Beside it,
         for the length-controlled win rate of AlpacaEval's leaderboard, alpaca_eval/df_gamed.csv
Row:     {"dataset": "helpful_base", "instruction": "What are the names of ...",
         "output": "Several famous actors ...", "generator": "gpt4_1106_preview"}
         Of df_gamed.csv the columns index (the number of the instruction, from 0), preference
         (from 0, the baseline's answer, to 1, its own at another length; may be empty),
         std_delta_len (characters by which the latter is shorter, in standard deviations),
         instruction_difficulty, not_gamed_baseline (False). AlpacaEval keeps the difficulties also
         in instruction_difficulty.csv, which its length-controlled win rate does not read
Prompt:  the instruction alone
Marking: a judge says which answer is better, in both orders; a win counts 1, a tie a half
Figures: the win rate, also at equal length (``scoring/comparison_figures``)
"""

from collections.abc import Iterator, Sequence
from functools import partial
from math import isfinite
from pathlib import Path

import msgspec

from steelyard.core import DataError, Metric, Prompt, Sample, Score, Task
from steelyard.scoring import alpaca_eval_figures, exact_match, pairwise, styles
from steelyard.scoring.length_control import Anchor, LengthTable
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, built, samples

SOURCE = (
    "https://github.com/tatsu-lab/alpaca_eval (results/gpt4_1106_preview/model_outputs.json, "
    "renamed to alpaca_eval.json)"
)
TABLE = "alpaca_eval/df_gamed.csv"
BASELINE = "gpt4_1106_preview"
"""Whose answers at other lengths the table is about."""


class Row(msgspec.Struct, frozen=True):
    """One instruction with the baseline's answer."""

    instruction: str
    output: str
    dataset: str = ""
    generator: str = ""


class Gamed(msgspec.Struct, frozen=True):
    """One preference between the baseline and itself, told to write at another length."""

    index: int
    std_delta_len: float
    instruction_difficulty: float
    not_gamed_baseline: bool
    preference: str


def to_sample(table: LengthTable | None, index: int, row: Row) -> Sample:
    """The baseline's answer is a field; there is no right one."""
    if table and str(index) not in table.difficulties:
        raise BadField("instruction", row.instruction, f"one of those in {TABLE}, {index} is not")
    if table and row.generator not in ("", BASELINE):
        expected = f"{BASELINE}, which {TABLE} is about (without that file any baseline will do)"
        raise BadField("generator", row.generator, expected)
    meta = {"baseline": row.output, "dataset": row.dataset}
    return Sample(id=str(index), question=row.instruction, meta=meta)


def read(data: Data) -> Iterator[Sample]:
    """The 805 instructions."""
    path = data.find("alpaca_eval/alpaca_eval.json", SOURCE)
    return samples(path, Row, partial(to_sample, length_table(data)))


def length_table(data: Data) -> LengthTable | None:
    """AlpacaEval's table, where it is in a data folder."""
    path = data.find_any((TABLE,))
    return None if path is None else read_table(path)


def read_table(path: Path) -> LengthTable:
    """The difficulties, and the preferences that hold the effect of length."""
    difficulties: dict[str, float] = {}
    anchors = [one.row for one in built(path, Gamed, partial(to_anchor, difficulties)) if one.row]
    if not anchors:
        raise DataError(f"{path}: no row states a preference")
    return LengthTable(difficulties, anchors)


def to_anchor(difficulties: dict[str, float], _: int, row: Gamed) -> Anchor | None:
    """One preference, ``None`` where none is stated; notes how difficult the instruction is."""
    for field in ("std_delta_len", "instruction_difficulty"):
        if not isfinite(getattr(row, field)):
            raise BadField(field, getattr(row, field), "a finite number")
    if row.not_gamed_baseline:
        raise BadField("not_gamed_baseline", row.not_gamed_baseline, "False in every row")
    hard = difficulties.setdefault(str(row.index), row.instruction_difficulty)
    if hard != row.instruction_difficulty:
        expected = f"{hard} as before for index {row.index}"
        raise BadField("instruction_difficulty", row.instruction_difficulty, expected)
    if not row.preference:
        return None
    return Anchor(_share(row.preference), -row.std_delta_len, row.instruction_difficulty)


def _share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise BadField("preference", text, "a number from 0 to 1")
    return found


def figures(data: Data, scores: Sequence[Score]) -> tuple[Metric, ...]:
    """Those of AlpacaEval, with its table where that is there."""
    return alpaca_eval_figures(scores, length_table(data))


@task("alpaca_eval_judge_gen")
def alpaca_eval(data: Data) -> Task:
    """Compared with the baseline."""
    return Task(
        name="alpaca_eval",
        version=1,
        samples=partial(read, data),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        metric="win_rate",
        judges=(pairwise(), pairwise(swapped=True)),
        features=styles,
        figures=partial(figures, data),
    )
