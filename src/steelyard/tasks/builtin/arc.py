"""ARC: school science questions, 1,172 hard ones (challenge) and 2,376 easy ones.

Source:  arXiv:1803.05457, https://allenai.org/data/arc (CC BY-SA 4.0)
Data:    ARC/ARC-c/ARC-Challenge-{Dev,Test}.jsonl, ARC/ARC-e/ARC-Easy-{Dev,Test}.jsonl
Row:     {"id": "Mercury_7175875", "question": {"stem": "An astronomer observes ...", "choices":
         [{"text": "Planetary density will decrease.", "label": "A"}, ...]}, "answerKey": "C"}
Prompt:  question and options up to ``Answer:``; ppl and lm_eval: the question alone, the option's
         text behind ``Answer:``
Marking: 0-shot: the last option letter of the reply; 25-shot: the last capital letter; ``fixed``:
         the letter that the reply states. ppl: the option that makes the whole text most likely.
         lm_eval: the option with the largest sum (acc); ``character`` is acc_norm

AISBench's names ask the questions with four options, 1,165 and 2,365; lm_eval asks all.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from string import ascii_uppercase

import msgspec
from msgspec.structs import replace

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import last_capital, last_option, most_likely, stated_option
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples
from steelyard.tasks.likely import RULES, option_texts

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/ARC.zip"
CHALLENGE = "ARC/ARC-c/ARC-Challenge-{split}.jsonl"
EASY = "ARC/ARC-e/ARC-Easy-{split}.jsonl"
LISTED = "Question: {question}\n{choices}\nAnswer:"
ALONE = "Question: {question}\nAnswer:"


class Option(msgspec.Struct, frozen=True):
    """One option; its label is a letter or a digit."""

    text: str
    label: str


class Question(msgspec.Struct, frozen=True):
    """A question with three to five options."""

    stem: str
    choices: list[Option]


class Row(msgspec.Struct, frozen=True):
    """One row."""

    id: str
    question: Question
    answerKey: str


def to_sample(_: int, row: Row) -> Sample:
    """The right option's letter by its position is the target."""
    options = row.question.choices
    labels = [option.label for option in options]
    if row.answerKey not in labels:
        raise BadField("answerKey", row.answerKey, f"one of {', '.join(labels)}")
    return Sample(
        id=row.id,
        question=row.question.stem,
        target=ascii_uppercase[labels.index(row.answerKey)],
        choices=tuple(option.text for option in options),
    )


def every(data: Data, file: str, split: str = "Test") -> Iterator[Sample]:
    """All rows of a split."""
    return samples(data.find(file.format(split=split), SOURCE), Row, to_sample)


def four_options(data: Data, file: str, split: str = "Test") -> Iterator[Sample]:
    """The rows with four options."""
    return (sample for sample in every(data, file, split) if len(sample.choices) == 4)


def examples(data: Data, file: str) -> tuple[Sample, ...]:
    """The first 25 rows with four options of the development split."""
    return tuple(islice(four_options(data, file, "Dev"), 25))


def zero_shot(data: Data, name: str, file: str) -> Task:
    """No examples."""
    return Task(
        name=name,
        version=1,
        samples=partial(four_options, data, file),
        prompt=Prompt(style="chat", user=LISTED),
        scorer=last_option("ABCD"),
        variants={"fixed": stated_option("ABCD")},
    )


def many_shot(data: Data, name: str, file: str) -> Task:
    """Twenty-five worked examples, a turn of question and answer each."""
    made = zero_shot(data, name, file)
    return replace(made, shots=partial(examples, data, file), scorer=last_capital)


def compared(data: Data, name: str, file: str) -> Task:
    """Every option's text behind the question."""
    return Task(
        name=name,
        version=1,
        samples=partial(four_options, data, file),
        prompt=Prompt(user=ALONE),
        candidates=option_texts,
        scorer=most_likely("whole"),
        variants=RULES,
    )


def lm_eval(data: Data, name: str, file: str) -> Task:
    """Context and continuations of lm-evaluation-harness, which asks all rows."""
    made = compared(data, name, file)
    return replace(made, samples=partial(every, data, file), scorer=most_likely("sum"))


@task("ARC_c_gen_0_shot_chat_prompt")
def challenge_zero_shot(data: Data) -> Task:
    """The hard questions, without examples."""
    return zero_shot(data, "ARC-c", CHALLENGE)


@task("ARC_c_gen_25_shot_chat_prompt")
def challenge_many_shot(data: Data) -> Task:
    """The hard questions after 25 examples."""
    return many_shot(data, "ARC-c", CHALLENGE)


@task("ARC_c_ppl_0_shot_str")
def challenge_compared(data: Data) -> Task:
    """The hard questions, options compared."""
    return compared(data, "ARC-c", CHALLENGE)


@task("arc_challenge_lm_eval")
def challenge_lm_eval(data: Data) -> Task:
    """The hard questions as lm-evaluation-harness asks them."""
    return lm_eval(data, "arc_challenge_lm_eval", CHALLENGE)


@task("ARC_e_gen_0_shot_chat_prompt")
def easy_zero_shot(data: Data) -> Task:
    """The easy questions, without examples."""
    return zero_shot(data, "ARC-e", EASY)


@task("ARC_e_gen_25_shot_chat_prompt")
def easy_many_shot(data: Data) -> Task:
    """The easy questions after 25 examples."""
    return many_shot(data, "ARC-e", EASY)


@task("ARC_e_ppl_0_shot_str")
def easy_compared(data: Data) -> Task:
    """The easy questions, options compared."""
    return compared(data, "ARC-e", EASY)


@task("arc_easy_lm_eval")
def easy_lm_eval(data: Data) -> Task:
    """The easy questions as lm-evaluation-harness asks them."""
    return lm_eval(data, "arc_easy_lm_eval", EASY)
