"""Social IQa: what do people feel, want or do next? 1,954 questions (development split).

Source:  arXiv:1904.09728, https://leaderboard.allenai.org/socialiqa (CC BY 4.0)
Data:    siqa/dev.jsonl and siqa/dev-labels.lst
Row:     {"context": "Tracy didn't go home that evening ...", "question": "What does Tracy need to
         do before this?", "answerA": "make a new plan", "answerB": ..., "answerC": ...}   label: 3
Prompt:  context, question and three options up to ``Answer:``; ppl: without the options, the text
         of each behind ``Answer:``
Marking: the option that the whole reply resembles most by edit distance; ``fixed``: the letter that
         the reply states. ppl: the option that makes the whole text most likely
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import most_likely, nearest_option, stated_option
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.labelled import labelled
from steelyard.tasks.likely import RULES, option_texts

SOURCE = "https://storage.googleapis.com/ai2-mosaic/public/socialiqa/socialiqa-train-dev.zip"


class Row(msgspec.Struct, frozen=True):
    """One question about a situation."""

    context: str
    question: str
    answerA: str
    answerB: str
    answerC: str


def to_sample(index: int, row: Row, right: int) -> Sample:
    """The right answer's letter is the target."""
    return Sample(
        id=str(index),
        question=row.question,
        target="ABC"[right],
        choices=(row.answerA, row.answerB, row.answerC),
        meta={"context": row.context},
    )


def development(data: Data) -> Iterator[Sample]:
    """The rows of the development split."""
    path = data.find("siqa/dev.jsonl", SOURCE)
    labels = data.find("siqa/dev-labels.lst", SOURCE)
    return labelled(path, labels, ("1", "2", "3"), Row, to_sample)


@task("siqa_gen_0_shot_chat", "siqa_gen")
def zero_shot(data: Data) -> Task:
    """No examples."""
    return Task(
        name="siqa",
        version=1,
        samples=partial(development, data),
        prompt=Prompt(style="chat", user="{context}\nQuestion: {question}\n{choices}\nAnswer:"),
        scorer=nearest_option,
        variants={"fixed": stated_option("ABC")},
    )


@task("siqa_ppl_0_shot_chat")
def compared(data: Data) -> Task:
    """Every answer's text behind the question."""
    return Task(
        name="siqa",
        version=1,
        samples=partial(development, data),
        prompt=Prompt(style="chat", user="{context}\nQuestion: {question}\nAnswer:"),
        candidates=option_texts,
        scorer=most_likely("whole"),
        variants=RULES,
    )
