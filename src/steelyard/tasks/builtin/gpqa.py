"""GPQA Diamond: 198 questions of biology, physics and chemistry that searching does not answer.

Source:  arXiv:2311.12022, https://huggingface.co/datasets/Idavidrein/gpqa (CC BY 4.0, gated: its
         authors ask that no example is published in plain text)
Data:    gpqa/gpqa_diamond.csv; further columns are not read
Row:     Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3
         "Made up: what is 6 * 7?",42,13,48,67
Prompt:  options turned by one place more from row to row, so that the right one stands at D, C, B
         and A in turn; reasoning, then a last line ``ANSWER: `` with the letter. ``str`` asks for
         "The correct answer is (X)"
Marking: chat: the last letter behind ``Answer:``; ``str``: ``first_option``; ``fixed``: the letter
         that the reply states. Judged as in OpenCompass's two-stage guide: the first letter behind
         ``Answer:``, and CompassVerifier where that is not the right one
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Marking, Prompt, Sample, Task
from steelyard.scoring import (
    compass_verifier_judge,
    first_option,
    gpqa_first,
    gpqa_last,
    stated_option,
)
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/gpqa.zip"
LETTERS = "ABCD"

LETTER_LAST = Prompt(
    style="chat",
    user="Answer this multiple-choice question. Reason step by step first. The last line of your "
    "reply must be 'ANSWER: $LETTER' (without quotes), where $LETTER is A, B, C or D.\n\n"
    "{question}\n\n{choices}",
)
IN_BRACKETS = Prompt(
    user="{question}\n\n{choices}\n\nWhich option is right? Reply in this form: "
    '"The correct answer is (your letter)".'
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    question: str = msgspec.field(name="Question")
    right: str = msgspec.field(name="Correct Answer")
    wrong_1: str = msgspec.field(name="Incorrect Answer 1")
    wrong_2: str = msgspec.field(name="Incorrect Answer 2")
    wrong_3: str = msgspec.field(name="Incorrect Answer 3")


def to_sample(index: int, row: Row) -> Sample:
    """The options, turned to the left by one place for the first row, by two for the second..."""
    options = [one.strip() for one in (row.right, row.wrong_1, row.wrong_2, row.wrong_3)]
    turn = (index + 1) % 4
    return Sample(
        id=str(index),
        question=row.question.strip(),
        target=LETTERS[-turn % 4],
        choices=(*options[turn:], *options[:turn]),
    )


def diamond(data: Data) -> Iterator[Sample]:
    """The 198 questions."""
    return samples(data.find("gpqa/gpqa_diamond.csv", SOURCE), Row, to_sample)


def gpqa(data: Data, prompt: Prompt, scorer: Marking, gold: str) -> Task:
    """What all variants share."""
    return Task(
        name="GPQA_diamond",
        version=1,
        samples=partial(diamond, data),
        prompt=prompt,
        scorer=scorer,
        variants={"fixed": stated_option(LETTERS)},
        gold=gold,
    )


@task("gpqa_gen_0_shot_str", "gpqa_gen")
def in_brackets(data: Data) -> Task:
    """For services that take text."""
    return gpqa(data, IN_BRACKETS, first_option(LETTERS), "The correct answer is ({target})")


@task("gpqa_gen_0_shot_cot_chat_prompt")
def letter_last(data: Data) -> Task:
    """For services that take dialogues; reasoning first."""
    return gpqa(data, LETTER_LAST, gpqa_last, "ANSWER: {target}")


@task("gpqa_judge_gen")
def verified(data: Data) -> Task:
    """By rule, and by a judge where the rule finds no right answer."""
    made = gpqa(data, LETTER_LAST, gpqa_first, "ANSWER: {target}")
    return msgspec.structs.replace(made, judges=(compass_verifier_judge(),), cascade=True)
