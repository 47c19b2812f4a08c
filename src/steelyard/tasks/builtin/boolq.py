"""BoolQ: yes or no, by a passage; 3,270 questions (validation split, as in SuperGLUE).

Source:  arXiv:1905.10044, https://github.com/google-research-datasets/boolean-questions
         (CC BY-SA 3.0)
Data:    SuperGLUE/BoolQ/val.jsonl
Row:     {"question": "does ethanol take more energy make that produces", "passage": "All biomass
         goes through ...", "idx": 0, "label": "false"}
Prompt:  passage, question, ``A. Yes`` and ``B. No``; lm_eval: passage and question up to
         ``Answer:``, then no or yes
Marking: str: the first capital letter of the reply; cot, noncot: the letter that AISBench's
         patterns read; ``fixed``: the letter that the reply states. lm_eval: the word with the
         largest sum (acc)

The five examples are rows of the questions asked (0, 2, 4, 6, 8), as AISBench has it: those five
see their own answer.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice

import msgspec

from steelyard.core import Marking, Prompt, Sample, Task
from steelyard.scoring import first_capital, first_option, most_likely, stated_option
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples
from steelyard.tasks.likely import RULES, option_texts

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/SuperGLUE.zip"
LISTED = "{passage}\nQuestion: {question}\n{choices}\nAnswer:"
REASON_FIRST = (
    "Answer the question about the passage. Think step by step first. The last line of your reply "
    "must be 'ANSWER: $LETTER' (without quotes), where $LETTER is A or B.\n\n"
    "{passage}\nQuestion: {question}\n{choices}"
)
LETTER_ONLY = (
    "Answer the question about the passage with one line, 'ANSWER: $LETTER' (without quotes), "
    "where $LETTER is A or B.\n\n{passage}\nQuestion: {question}\n{choices}"
)


class Row(msgspec.Struct, frozen=True):
    """One question about a passage."""

    question: str
    passage: str
    label: str | bool


def to_sample(words: tuple[str, str], index: int, row: Row) -> Sample:
    """The letter of the right one of ``words`` (yes and no, in either order) is the target."""
    label = str(row.label).lower()
    if label not in ("true", "false"):
        raise BadField("label", row.label, "true or false")
    said = "yes" if label == "true" else "no"
    return Sample(
        id=str(index),
        question=row.question,
        target="AB"[[word.lower() for word in words].index(said)],
        choices=words,
        meta={"passage": row.passage},
    )


def validation(data: Data, words: tuple[str, str] = ("Yes", "No")) -> Iterator[Sample]:
    """The rows of the validation split, with options in the order of ``words``."""
    path = data.find("SuperGLUE/BoolQ/val.jsonl", SOURCE)
    return samples(path, Row, partial(to_sample, words))


def examples(data: Data) -> tuple[Sample, ...]:
    """Every second of the first ten rows."""
    return tuple(islice(validation(data), 0, 10, 2))


def asking(data: Data, user: str, scorer: Marking, gold: str = "{target}") -> Task:
    """The questions under the prompt ``user``, answered by a letter."""
    return Task(
        name="BoolQ",
        version=1,
        samples=partial(validation, data),
        prompt=Prompt(user=user, shot_answer=" {target}\n"),
        scorer=scorer,
        variants={"fixed": stated_option("AB")},
        gold=gold,
    )


@task("SuperGLUE_BoolQ_gen_0_shot_str", "SuperGLUE_BoolQ_gen")
def zero_shot(data: Data) -> Task:
    """No examples."""
    return asking(data, LISTED, first_capital)


@task("SuperGLUE_BoolQ_gen_0_shot_str_perf")
def bare_question(data: Data) -> Task:
    """Passage, question and options alone, for measuring speed."""
    return asking(data, "{passage}\n{question}\n{choices}", first_capital)


@task("SuperGLUE_BoolQ_gen_0_shot_cot_str")
def reasoned(data: Data) -> Task:
    """No examples; reasoning first, the letter on a last line."""
    return asking(data, REASON_FIRST, first_option("AB"), "ANSWER: {target}")


@task("SuperGLUE_BoolQ_gen_0_shot_noncot_str")
def direct(data: Data) -> Task:
    """No examples and no reasoning."""
    return asking(data, LETTER_ONLY, first_option("AB"), "ANSWER: {target}")


@task("SuperGLUE_BoolQ_gen_5_shot_str")
def five_shot(data: Data) -> Task:
    """Five examples and the question in one text."""
    found = asking(data, LISTED, first_capital)
    return msgspec.structs.replace(found, shots=partial(examples, data))


@task("boolq_lm_eval")
def lm_eval(data: Data) -> Task:
    """Context and continuations of lm-evaluation-harness."""
    return Task(
        name="boolq_lm_eval",
        version=1,
        samples=partial(validation, data, ("no", "yes")),
        prompt=Prompt(user="{passage}\nQuestion: {question}?\nAnswer:"),
        candidates=option_texts,
        scorer=most_likely("sum"),
        variants=RULES,
    )
