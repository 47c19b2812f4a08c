"""Tiny arithmetic: 200 made-up word problems that the tiny model of this repository was not shown.

Source:  ``tools/tiny_model`` of Steelyard's repository, which makes them from a seed (Apache-2.0)
Data:    built in
Row:     {"question": "Ivan buys 5 bags with 7 eggs in each bag. How many eggs does Ivan buy?",
          "worked": "5 * 7 = 35.", "target": "35"}
Prompt:  the question as a chat turn, or as text after which ``Answer:`` waits to be continued
Marking: gsm8k's, the last number of the reply
"""

from collections.abc import Iterator

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import gsm8k, gsm8k_fixed
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data, packaged
from steelyard.tasks.files import samples


class Row(msgspec.Struct, frozen=True):
    """One problem with its solution."""

    question: str
    worked: str
    target: str


def to_sample(index: int, row: Row) -> Sample:
    """The row as it is; its number is its id."""
    return Sample(id=str(index), question=row.question, target=row.target, worked=row.worked)


def rows() -> Iterator[Sample]:
    """The rows that ship with the package."""
    return samples(packaged("tiny_arithmetic.jsonl"), Row, to_sample)


def tiny_arithmetic(name: str, prompt: Prompt) -> Task:
    """The rows under ``prompt``, without examples."""
    return Task(
        name=name,
        version=1,
        samples=rows,
        prompt=prompt,
        scorer=gsm8k,
        variants={"fixed": gsm8k_fixed},
        gold="{worked} The answer is {target}.",
    )


@task("tiny_arithmetic_gen")
def as_chat(data: Data) -> Task:
    """The bare question, for the model's chat form."""
    return tiny_arithmetic("tiny_arithmetic", Prompt(style="chat", user="{question}"))


@task("tiny_arithmetic_base_gen")
def as_text(data: Data) -> Task:
    """One text to be continued, for completions; named apart so that both can be in one run."""
    return tiny_arithmetic("tiny_arithmetic_base", Prompt(user="Question: {question}\nAnswer:"))
