"""AlpacaEval 2: 805 instructions; answers are compared with those of GPT-4 Turbo.

Source:  https://github.com/tatsu-lab/alpaca_eval (instructions CC BY-NC 4.0)
Data:    alpaca_eval/alpaca_eval.json; another file of this form is another baseline
Row:     {"dataset": "helpful_base", "instruction": "What are the names of ...",
         "output": "Several famous actors ...", "generator": "gpt4_1106_preview"}
Prompt:  the instruction alone
Marking: a judge says which answer is better, in both orders; a win counts 1, a tie a half
Figures: the win rate, also at equal length (``scoring/comparison_figures``)
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import alpaca_eval_figures, exact_match, pairwise, styles
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import samples

SOURCE = (
    "https://github.com/tatsu-lab/alpaca_eval (results/gpt4_1106_preview/model_outputs.json, "
    "renamed to alpaca_eval.json)"
)


class Row(msgspec.Struct, frozen=True):
    """One instruction with the baseline's answer."""

    instruction: str
    output: str
    dataset: str = ""


def to_sample(index: int, row: Row) -> Sample:
    """The baseline's answer is a field; there is no right one."""
    meta = {"baseline": row.output, "dataset": row.dataset}
    return Sample(id=str(index), question=row.instruction, meta=meta)


def read(data: Data) -> Iterator[Sample]:
    """The 805 instructions."""
    return samples(data.find("alpaca_eval/alpaca_eval.json", SOURCE), Row, to_sample)


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
        figures=alpaca_eval_figures,
    )
