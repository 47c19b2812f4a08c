"""AIME 2024 and 2025: 30 competition problems a year, whose answers are whole numbers up to 999.

Source:  American Invitational Mathematics Examination I and II of the year (MAA)
Data:    aime/aime.jsonl (2024), aime2025/aime2025.jsonl
Row:     {"origin_prompt": "Every morning Aya goes ...", "gold_answer": "204"}
         {"question": "Find the sum of all integer bases ...", "answer": "70"}
Prompt:  reason step by step, final answer in a box
Marking: the box, compared as mathematical text. Leading zeros of the right answer are dropped
         (answer sheets say 025, models write 25); ``fixed`` compares by value. Judged: by
         letters as in AISBench, by CompassVerifier as in OpenCompass's two-stage guide
"""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from msgspec.structs import replace

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import (
    compass_verifier_judge,
    letter_verifier,
    math_v2,
    math_verify_fixed,
)
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/{folder}.zip"
IN_A_BOX = "{question}\nReason step by step and put the final answer in \\boxed{}."


class Row2024(msgspec.Struct, frozen=True):
    """One problem of 2024."""

    origin_prompt: str
    gold_answer: str


class Row2025(msgspec.Struct, frozen=True):
    """One problem of 2025."""

    question: str
    answer: str


def to_sample(index: int, question: str, answer: str) -> Sample:
    """A problem with its answer as a plain number."""
    if not answer.isdecimal():
        raise BadField("answer", answer, "a whole number")
    return Sample(id=str(index), question=question, target=str(int(answer)))


def rows_2024(data: Data) -> Iterator[Sample]:
    """The problems of 2024."""
    path = data.find("aime/aime.jsonl", SOURCE.format(folder="aime"))
    return samples(path, Row2024, lambda i, row: to_sample(i, row.origin_prompt, row.gold_answer))


def rows_2025(data: Data) -> Iterator[Sample]:
    """The problems of 2025."""
    path = data.find("aime2025/aime2025.jsonl", SOURCE.format(folder="aime2025"))
    return samples(path, Row2025, lambda i, row: to_sample(i, row.question, row.answer))


def aime(name: str, rows: Callable[[], Iterator[Sample]], prompt: Prompt) -> Task:
    """What both years share."""
    return Task(
        name=name,
        version=1,
        samples=rows,
        prompt=prompt,
        scorer=math_v2,
        variants={"fixed": math_verify_fixed},
        gold="The final answer is \\boxed{{target}}.",
    )


@task("aime2024_gen_0_shot_str", "aime2024_gen")
def aime2024_text(data: Data) -> Task:
    """2024, for services that take text."""
    return aime("aime2024", partial(rows_2024, data), Prompt(user=IN_A_BOX))


@task("aime2024_gen_0_shot_chat_prompt")
def aime2024_chat(data: Data) -> Task:
    """2024, for services that take dialogues."""
    return aime("aime2024", partial(rows_2024, data), Prompt(style="chat", user=IN_A_BOX))


def aime2025(data: Data) -> Task:
    """What the variants of 2025 share; all are for services that take dialogues."""
    return aime("aime2025", partial(rows_2025, data), Prompt(style="chat", user=IN_A_BOX))


@task("aime2025_gen_0_shot_chat_prompt", "aime2025_gen")
def aime2025_chat(data: Data) -> Task:
    """2025, marked by rule."""
    return aime2025(data)


@task("aime2025_gen_0_shot_llmjudge")
def aime2025_letters(data: Data) -> Task:
    """2025, judged right or wrong."""
    return replace(aime2025(data), judges=(letter_verifier(),))


@task("aime2025_judge_gen")
def aime2025_verified(data: Data) -> Task:
    """2025, judged right, wrong or invalid."""
    return replace(aime2025(data), judges=(compass_verifier_judge(),))
