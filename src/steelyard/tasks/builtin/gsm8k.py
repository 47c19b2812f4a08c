"""GSM8K: 1,319 word problems from grade school, each with one number for an answer.

Source:  arXiv:2110.14168, https://github.com/openai/grade-school-math (MIT)
Data:    gsm8k/test.jsonl; the eight rows of ``demo_gsm8k`` and the worked examples are built in
Row:     {"question": "A robe takes 2 bolts ...", "answer": "It takes 2/2=<<2/2=1>>1 ...\\n#### 3"}
Prompt:  think step by step; after four worked examples (first rows of the training split) or none
Marking: the last number of the reply; ``fixed`` also reads thousands separators (``1,234``)
"""

import re
from collections.abc import Iterator
from functools import partial

import msgspec
from msgspec.structs import replace

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import gsm8k, gsm8k_fixed
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data, packaged
from steelyard.tasks.files import BadField, samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/gsm8k.zip"
NUMBER = re.compile(r"-?\d+")
CALCULATION = re.compile(r"<<[^>]*>>")

STEP_BY_STEP = "Question: {question}\nLet's think step by step.\nAnswer:"
LAST_LINE = "'answer:$ANSWER' (without quotes), where $ANSWER is the number that was asked for."
FOUR_SHOT_TEXT = Prompt(user=STEP_BY_STEP, shot_answer=" {worked}\nThe answer is {target}.\n")
FOUR_SHOT_CHAT = Prompt(
    style="chat", user=STEP_BY_STEP, shot_answer="{worked}\nThe answer is {target}."
)


class Row(msgspec.Struct, frozen=True):
    """One problem; the answer is a worked solution, then ``####`` and the number."""

    question: str
    answer: str


def to_sample(index: int, row: Row) -> Sample:
    """Split the solution from its result and drop the calculator's notes (``<<2/2=1>>``)."""
    worked, _, result = row.answer.rpartition("####")
    target = result.strip().replace(",", "")
    if not NUMBER.fullmatch(target):
        raise BadField("answer", row.answer, "a solution that ends with #### and a whole number")
    worked = CALCULATION.sub("", worked).strip()
    return Sample(id=str(index), question=row.question, target=target, worked=worked)


def test_split(data: Data) -> Iterator[Sample]:
    """The rows that are asked."""
    return samples(data.find("gsm8k/test.jsonl", SOURCE), Row, to_sample)


def built_in(name: str) -> tuple[Sample, ...]:
    """Rows that ship with the package."""
    return tuple(samples(packaged(name), Row, to_sample))


def zero_shot(data: Data, prompt: Prompt) -> Task:
    """The test split under ``prompt``, without examples."""
    return Task(
        name="gsm8k",
        version=1,
        samples=partial(test_split, data),
        prompt=prompt,
        scorer=gsm8k,
        variants={"fixed": gsm8k_fixed},
        gold="The answer is {target}.",
    )


def four_shot(data: Data, prompt: Prompt) -> Task:
    """The test split under ``prompt``, after the four examples."""
    return replace(zero_shot(data, prompt), shots=partial(built_in, "gsm8k_examples.jsonl"))


def demo(made: Task) -> Task:
    """The same task on the first eight test rows, which need no data folder."""
    return replace(made, name="demo_gsm8k", samples=partial(built_in, "gsm8k.jsonl"))


@task("gsm8k_gen_4_shot_cot_str", "gsm8k_gen")
def four_shot_text(data: Data) -> Task:
    """Examples and question in one text."""
    return four_shot(data, FOUR_SHOT_TEXT)


@task("gsm8k_gen_4_shot_cot_chat_prompt")
def four_shot_chat(data: Data) -> Task:
    """Each example a turn of question and answer."""
    return four_shot(data, FOUR_SHOT_CHAT)


@task("gsm8k_gen_0_shot_cot_str")
def zero_shot_text(data: Data) -> Task:
    """No examples."""
    return zero_shot(data, Prompt(user=STEP_BY_STEP))


@task("gsm8k_gen_0_shot_cot_str_perf")
def bare_question(data: Data) -> Task:
    """The question alone, for measuring speed."""
    return zero_shot(data, Prompt(user="{question}"))


@task("gsm8k_gen_0_shot_cot_chat_prompt")
def zero_shot_chat(data: Data) -> Task:
    """No examples; reasoning first, the answer on a last line."""
    user = f"{{question}}\n\nReason step by step. Make the last line of your reply {LAST_LINE}"
    return zero_shot(data, Prompt(style="chat", user=user))


@task("gsm8k_gen_0_shot_noncot_chat_prompt")
def zero_shot_direct(data: Data) -> Task:
    """No examples and no reasoning."""
    user = f"{{question}}\n\nDo not explain. Reply with one line only: {LAST_LINE}"
    return zero_shot(data, Prompt(style="chat", user=user))


@task("demo_gsm8k_gen_4_shot_cot_chat_prompt", "demo_gsm8k_gen")
def demo_chat(data: Data) -> Task:
    """The demo, asked like ``gsm8k_gen_4_shot_cot_chat_prompt``."""
    return demo(four_shot(data, FOUR_SHOT_CHAT))


@task("demo_gsm8k_gen_0_shot_cot_str_perf")
def demo_bare_question(data: Data) -> Task:
    """The demo, asked like ``gsm8k_gen_0_shot_cot_str_perf``."""
    return demo(zero_shot(data, Prompt(user="{question}")))
