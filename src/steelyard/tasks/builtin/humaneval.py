"""HumanEval: 164 Python functions to be completed, each with its tests.

Source:  arXiv:2107.03374, https://github.com/openai/human-eval (MIT)
Data:    humaneval/human-eval-v2-20210705.jsonl
Row:     {"task_id": "HumanEval/0", "prompt": "def f(x):\\n    \\"\\"\\"...", "entry_point": "f",
         "canonical_solution": "    return ...", "test": "def check(candidate):\\n    assert ..."}
Prompt:  complete the function; ``_perf`` asks with the function's head alone
Marking: the first fenced block (else the text) behind the prompt passes the tests, in the sandbox
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import humaneval as rule
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/humaneval.zip"
COMPLETE = "Complete this Python function. Reply with one fenced block of code.\n\n{question}"


class Row(msgspec.Struct, frozen=True):
    """One function: its head with a docstring, its body, and a function that checks it."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str


def to_sample(_: int, row: Row) -> Sample:
    """The head is the question, the body the target."""
    return Sample(
        id=row.task_id,
        question=row.prompt,
        target=row.canonical_solution,
        meta={"prompt": row.prompt, "test": row.test, "entry_point": row.entry_point},
    )


def read(data: Data) -> Iterator[Sample]:
    """The 164 functions."""
    return samples(data.find("humaneval/human-eval-v2-20210705.jsonl", SOURCE), Row, to_sample)


def functions(data: Data, prompt: Prompt) -> Task:
    """What both names share."""
    return Task(
        name="openai_humaneval",
        version=1,
        samples=partial(read, data),
        prompt=prompt,
        scorer=rule,
        metric="humaneval_pass@1",
        gold="```python\n{question}{target}\n```",
    )


@task("humaneval_gen_0_shot")
def zero_shot(data: Data) -> Task:
    """Asked to complete it."""
    return functions(data, Prompt(user=COMPLETE))


@task("humaneval_gen_0_shot_perf")
def bare_head(data: Data) -> Task:
    """The head alone, for measuring speed."""
    return functions(data, Prompt(user="{question}"))
