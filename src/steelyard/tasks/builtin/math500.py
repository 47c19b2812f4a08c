"""MATH-500: the 500 test problems of the MATH competition set that PRM800K's authors held out.

Source:  arXiv:2103.03874 (MATH), arXiv:2305.20050 (the selection); both MIT
Data:    math/test_prm800k_500.jsonl, or the same rows as one object in .json
Row:     {"problem": "Convert the point $(0,3)$ ...", "solution": "We have that ... $\\boxed{...}$"}
Prompt:  reason step by step, final answer in a box; the five worked examples of the 5-shot task are
         the first five problems themselves, as AISBench has it: those five are not held out
Marking: math500: equal by value (math-verify, strict). math_prm800k_500: the box, compared as
         mathematical text. ``fixed``: by value, also where the reply is careless with its LaTeX
"""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice

import msgspec
from msgspec.structs import replace

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import math_v2, math_verify, math_verify_fixed
from steelyard.scoring.extract import boxed
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/math.zip"
LINES = "math/test_prm800k_500.jsonl"
OBJECT = "math/test_prm800k_500.json"
IN_A_BOX = "{question}\nReason step by step and put the final answer in \\boxed{}."
BARE_DIGITS = (
    (re.compile(r"\\(frac|sqrt) ?(\d)"), r"\\\1{\2}"),
    (re.compile(r"(\\frac\{\w+\}) ?(\d)"), r"\1{\2}"),
)


class Row(msgspec.Struct, frozen=True):
    """One problem; the answer is what the solution puts in its last box."""

    problem: str
    solution: str


def to_sample(index: int, row: Row) -> Sample:
    """Take the answer out of the solution."""
    target = braced(boxed(row.solution))
    if not target:
        raise BadField("solution", row.solution, "a solution with \\boxed{...}")
    return Sample(id=str(index), question=row.problem, target=target, worked=row.solution)


def braced(latex: str) -> str:
    r"""``\frac43`` as ``\frac{4}{3}``, ``\sqrt2`` as ``\sqrt{2}``.

    Eight solutions are spelt the short way, which math-verify's strict rule does not read.
    """
    for pattern, spelling in BARE_DIGITS:
        latex = pattern.sub(spelling, latex)
    return latex


def problems(data: Data, file: str) -> Iterator[Sample]:
    """The 500 problems."""
    return samples(data.find(file, SOURCE), Row, to_sample)


def first_five(data: Data, file: str) -> tuple[Sample, ...]:
    """The worked examples."""
    return tuple(islice(problems(data, file), 5))


def math500(data: Data, file: str, prompt: Prompt) -> Task:
    """What all variants share."""
    return Task(
        name="math_prm800k_500",
        version=1,
        samples=partial(problems, data, file),
        prompt=prompt,
        scorer=math_v2,
        variants={"fixed": math_verify_fixed},
        gold="The final answer is $\\boxed{{target}}$.",
    )


@task("math500_gen_0_shot_cot_chat_prompt", "math500_gen")
def by_value(data: Data) -> Task:
    """Marked by value."""
    made = math500(data, LINES, Prompt(style="chat", user=IN_A_BOX))
    return replace(made, scorer=math_verify)


@task("math_prm800k_500_0shot_cot_gen")
def zero_shot(data: Data) -> Task:
    """Marked as text, without examples."""
    return math500(data, OBJECT, Prompt(style="chat", user=IN_A_BOX))


@task("math_prm800k_500_5shot_cot_gen")
def five_shot(data: Data) -> Task:
    """Marked as text, after five worked examples."""
    made = math500(data, OBJECT, Prompt(style="chat", user=IN_A_BOX, shot_answer="{worked}"))
    return replace(made, shots=partial(first_five, data, OBJECT))
