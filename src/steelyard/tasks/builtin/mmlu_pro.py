"""MMLU-Pro: 12,032 questions with up to ten options in 14 categories.

Source:  arXiv:2406.01574, https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro (MIT)
Data:    mmlu_pro/{test,validation}-00000-of-00001.parquet; validation has five worked examples for
         each category, which the 5-shot task cannot do without
Row:     {"question_id": 70, "question": "Typical advertising ...", "options": ["Safe ...", ...],
         "answer": "I", "cot_content": "A: Let's think step by step. ...", "category": "business"}
Prompt:  think step by step, a last line ``ANSWER: `` with the letter; or the authors' form, five
         reasoned examples and ``The answer is (X).``
Marking: 0-shot: the first letter behind ``ANSWER:``. 5-shot: the first "answer is (X)", which is
         the authors' rule; ``aisbench``: the first line is the letter or the option's text, which
         a reasoned reply never is. ``fixed``: the letter that the reply states. Judged by letters,
         right or wrong, as in OpenCompass's two-stage guide
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from string import ascii_uppercase

import msgspec
from msgspec.structs import replace

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import (
    letter_verifier,
    mmlu_pro_0_shot,
    mmlu_pro_5_shot,
    mmlu_pro_official,
    stated_option,
)
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/mmlu_pro.zip"
FILE = "mmlu_pro/{split}-00000-of-00001.parquet"
NO_OPTION = "N/A"
OPENING = "A: Let's think step by step."
FIXED = stated_option("ABCDEFGHIJKLMNOP")

REASON_FIRST = (
    "Answer this multiple-choice question about {category}. Think step by step first. The last "
    "line of your reply must be 'ANSWER: $LETTER' (without quotes), where $LETTER is the letter of "
    "an option.\n\n{question}\n{choices}"
)
FIVE_SHOT = Prompt(
    intro="The following are multiple-choice questions about {category}, with their answers. Think "
    'step by step and finish with "The answer is (X).", where X is the letter of an option.\n',
    user="Question:\n{question}\nOptions:\n{choices}\nAnswer: Let's think step by step.",
    shot_answer=" {worked}\n",
)

CATEGORIES = {
    "biology": 717,
    "business": 789,
    "chemistry": 1132,
    "computer science": 410,
    "economics": 844,
    "engineering": 969,
    "health": 818,
    "history": 381,
    "law": 1101,
    "math": 1351,
    "other": 924,
    "philosophy": 499,
    "physics": 1299,
    "psychology": 798,
}
"""Category and its number of test questions."""


class Row(msgspec.Struct, frozen=True):
    """One question. Files pad missing options with ``N/A``."""

    question_id: int
    question: str
    options: list[str]
    answer: str
    cot_content: str
    category: str


def to_sample(_: int, row: Row) -> Sample:
    """One question under its own number; padding behind the last option is dropped."""
    options = list(row.options)
    while options and options[-1] == NO_OPTION:
        options.pop()
    letters = ascii_uppercase[: len(options)]
    if row.answer not in tuple(letters):
        raise BadField("answer", row.answer, f"one of the letters {letters}")
    return Sample(
        id=str(row.question_id),
        question=row.question,
        target=row.answer,
        choices=tuple(options),
        worked=row.cot_content.removeprefix(OPENING).strip(),
        meta={"category": row.category},
    )


def split(data: Data, name: str) -> Callable[[str], tuple[Sample, ...]]:
    """A function from category to samples. The file is read once for all categories."""

    @cache
    def by_category() -> dict[str, list[Sample]]:
        found: dict[str, list[Sample]] = {category: [] for category in CATEGORIES}
        source = f"{SOURCE} ({name} split)"
        for sample in samples(data.find(FILE.format(split=name), source), Row, to_sample):
            found.setdefault(sample.meta["category"], []).append(sample)
        return found

    return lambda category: tuple(by_category()[category])


def abbr(category: str) -> str:
    """The task name of a category."""
    return f"mmlu_pro_{category.replace(' ', '_')}"


def zero_shot(data: Data, prompt: Prompt) -> Iterator[Task]:
    """One task per category under ``prompt``, without examples."""
    asked = split(data, "test")
    for category in CATEGORIES:
        yield Task(
            name=abbr(category),
            version=1,
            samples=partial(asked, category),
            prompt=prompt,
            scorer=mmlu_pro_0_shot,
            variants={"fixed": FIXED},
            gold="ANSWER: {target}",
            group="mmlu_pro",
            merged_name="mmluprodataset",
        )


@task("mmlu_pro_gen_0_shot_str", "mmlu_pro_gen")
def letter_on_last_line(data: Data) -> Iterator[Task]:
    """No examples; reasoning first."""
    return zero_shot(data, Prompt(user=REASON_FIRST))


@task("mmlu_pro_judge_gen")
def judged(data: Data) -> Iterator[Task]:
    """No examples; a judge says whether the letter is right."""
    judges = (letter_verifier(),)
    return (replace(made, judges=judges) for made in zero_shot(data, Prompt(user=REASON_FIRST)))


@task("mmlu_pro_gen_5_shot_str")
def five_shot(data: Data) -> Iterator[Task]:
    """Five reasoned examples of the same category."""
    shown = split(data, "validation")
    for category, made in zip(CATEGORIES, zero_shot(data, FIVE_SHOT), strict=True):
        yield replace(
            made,
            shots=partial(shown, category),
            scorer=mmlu_pro_official,
            variants={"fixed": FIXED, "aisbench": mmlu_pro_5_shot},
            gold="{target}\nThe answer is ({target}).",
        )
