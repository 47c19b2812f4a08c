"""PIQA: which of two ways reaches an everyday goal? 1,838 goals (development split).

Source:  arXiv:1911.11641, https://yonatanbisk.com/piqa (AFL-3.0)
Data:    physicaliqa-train-dev/dev.jsonl and dev-labels.lst; a folder piqa works too
Row:     {"id": "valid-1", "goal": "dresser", "sol1": "replace drawer with bobby pin ",
         "sol2": "finish, woodgrain with  bobby pin "}   label: 1
Prompt:  goal and two options, a letter; ppl and lm_eval: the goal and each way
Marking: the last option letter of the reply; ``fixed``: the one that the reply states. ppl: the way
         that makes the whole text most likely. lm_eval: the way with the largest sum (acc);
         ``character`` is acc_norm
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import last_option, most_likely, stated_option
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.labelled import labelled
from steelyard.tasks.likely import RULES, option_texts

SOURCE = "https://storage.googleapis.com/ai2-mosaic/public/physicaliqa/physicaliqa-train-dev.zip"
FOLDERS = ("physicaliqa-train-dev", "piqa")
LISTED = (
    "Which of the two ways reaches the goal? Answer with its letter.\n\n"
    "Goal: {question}\n{choices}\nAnswer:"
)
REASON_FIRST = (
    "Which of the two ways reaches the goal? The last line of your reply must be 'ANSWER: $LETTER' "
    "(without quotes), where $LETTER is A or B.\n\nGoal: {question}\n{choices}"
)


class Row(msgspec.Struct, frozen=True):
    """One goal."""

    goal: str
    sol1: str
    sol2: str


def to_sample(index: int, row: Row, right: int) -> Sample:
    """The goal is the question, the right way's letter the target."""
    choices = (row.sol1, row.sol2)
    return Sample(id=str(index), question=row.goal, target="AB"[right], choices=choices)


def development(data: Data) -> Iterator[Sample]:
    """The rows of the development split."""
    path = data.find_any(tuple(f"{folder}/dev.jsonl" for folder in FOLDERS))
    path = path or data.find(f"{FOLDERS[0]}/dev.jsonl", SOURCE)
    labels = path.with_name("dev-labels.lst")
    return labelled(path, labels, ("0", "1"), Row, to_sample)


def asking(data: Data, prompt: Prompt) -> Task:
    """The goals under ``prompt``, answered by a letter."""
    return Task(
        name="piqa",
        version=1,
        samples=partial(development, data),
        prompt=prompt,
        scorer=last_option("AB"),
        variants={"fixed": stated_option("AB")},
    )


@task("piqa_gen_0_shot_chat_prompt")
def chat(data: Data) -> Task:
    """No examples; the letter on a last line."""
    return msgspec.structs.replace(
        asking(data, Prompt(style="chat", user=REASON_FIRST)), gold="ANSWER: {target}"
    )


@task("piqa_gen_0_shot_str")
def text(data: Data) -> Task:
    """No examples; the letter alone."""
    return asking(data, Prompt(user=LISTED))


@task("piqa_ppl_0_shot_str")
def compared(data: Data) -> Task:
    """Goal and way, nothing else."""
    return Task(
        name="piqa",
        version=1,
        samples=partial(development, data),
        prompt=Prompt(user="Q: {question}\nA:"),
        candidates=option_texts,
        scorer=most_likely("whole"),
        variants=RULES,
    )


@task("piqa_lm_eval")
def lm_eval(data: Data) -> Task:
    """Context and continuations of lm-evaluation-harness."""
    return Task(
        name="piqa_lm_eval",
        version=1,
        samples=partial(development, data),
        prompt=Prompt(user="Question: {question}\nAnswer:"),
        candidates=option_texts,
        scorer=most_likely("sum"),
        variants=RULES,
    )
