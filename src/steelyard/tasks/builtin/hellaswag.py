"""HellaSwag: which of four endings makes sense? 10,042 beginnings (validation split).

Source:  arXiv:1905.07830, https://github.com/rowanz/hellaswag (MIT)
Data:    hellaswag/hellaswag.jsonl; the 10-shot task also hellaswag/hellaswag_train_sampled25.jsonl.
         The authors' own file works for lm_eval: hellaswag/hellaswag_val.jsonl
Row:     {"query": "Tango: A group of people sits around ... They", "choices": ["approach the ladies
         while they dance seductively.", ...], "gold": 3}
         {"activity_label": "Tango", "ctx_a": "A group ...", "ctx_b": "they", "endings": [...],
         "label": 3}
Prompt:  which ending makes the most sense, a letter; ppl and lm_eval: the beginning and each ending
Marking: the letter that AISBench's patterns read; ``fixed``: the one that the reply states. ppl:
         the ending that makes the whole text most likely. lm_eval: the ending with the largest sum
         (acc); ``character`` is acc_norm

A query is the activity, a colon and the beginning. AISBench's names leave the activity out; ppl
also cuts a second part in front of a colon, in 23 of 1,000 rows.
"""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice

import msgspec

from steelyard.core import Candidate, Prompt, Sample, Task
from steelyard.scoring import first_option, most_likely, stated_option
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples
from steelyard.tasks.likely import RULES, option_texts

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/hellaswag.zip"
AUTHORS = "https://github.com/rowanz/hellaswag/tree/master/data"
LETTERS = "ABCD"
WHICH = (
    "Which of the four endings continues this text in the way that makes the most sense? Answer "
    "with its letter.\n\n{question}\n\n{choices}\nAnswer:"
)


class Row(msgspec.Struct, frozen=True):
    """One beginning in the prepared form: activity and beginning are one text."""

    query: str
    choices: list[str]
    gold: int


class AuthorsRow(msgspec.Struct, frozen=True):
    """One beginning as the authors wrote it, in two parts and with marks in brackets."""

    activity_label: str
    ctx_a: str
    ctx_b: str
    endings: list[str]
    label: int | str


def to_sample(index: int, row: Row) -> Sample:
    """The whole query is the question, the right ending's letter the target."""
    if row.gold not in range(len(row.choices)) or len(row.choices) != len(LETTERS):
        raise BadField("gold", row.gold, "the number of one of four choices, from 0")
    choices = tuple(row.choices)
    return Sample(id=str(index), question=row.query, target=LETTERS[row.gold], choices=choices)


def prepared(index: int, row: AuthorsRow) -> Sample:
    """The authors' row in the prepared form, as lm-evaluation-harness makes it."""
    if not str(row.label).isdecimal():
        raise BadField("label", row.label, "the number of the right ending (test rows have none)")
    context = f"{row.activity_label}: {row.ctx_a} {row.ctx_b.capitalize()}"
    endings = [without_marks(ending) for ending in row.endings]
    return to_sample(index, Row(without_marks(context), endings, int(row.label)))


def without_marks(text: str) -> str:
    """``text`` without WikiHow's marks: a title ends a sentence, other brackets go."""
    plain = re.sub(r"\[.*?\]", "", text.strip().replace(" [title]", ". "))
    return plain.replace("  ", " ")


def validation(data: Data, parts: int) -> Iterator[Sample]:
    """The rows, without the first ``parts`` parts of the query that end in a colon and a blank."""
    return _cut(samples(data.find("hellaswag/hellaswag.jsonl", SOURCE), Row, to_sample), parts)


def examples(data: Data) -> tuple[Sample, ...]:
    """The first ten rows of the training sample."""
    path = data.find("hellaswag/hellaswag_train_sampled25.jsonl", SOURCE)
    return tuple(islice(_cut(samples(path, Row, to_sample), 1), 10))


def either_form(data: Data) -> Iterator[Sample]:
    """The rows with their activity, from whichever file there is; no blank behind the question."""
    authors = "hellaswag/hellaswag_val.jsonl"
    path = data.find_any(("hellaswag/hellaswag.jsonl", authors))
    if path is None:
        path = data.find("hellaswag/hellaswag.jsonl", f"{SOURCE} (or {authors} from {AUTHORS})")
    is_authors = path.name == "hellaswag_val.jsonl"
    found = samples(path, AuthorsRow, prepared) if is_authors else samples(path, Row, to_sample)
    for sample in found:
        query = str(sample.question)
        begun = query.rstrip()
        meta = {"blank": query[len(begun) :]}
        yield msgspec.structs.replace(sample, question=begun, meta=meta)


def endings(sample: Sample) -> tuple[Candidate, ...]:
    """Every ending behind a blank, and behind the blanks that the query ended with."""
    blank = sample.meta["blank"]
    return tuple(Candidate(text=f"{blank} {ending}") for ending in sample.choices)


def _cut(found: Iterator[Sample], parts: int) -> Iterator[Sample]:
    for sample in found:
        text = str(sample.question).split(": ", parts)[-1]
        yield msgspec.structs.replace(sample, question=text)


def asking(data: Data) -> Task:
    """The beginnings, answered by a letter."""
    return Task(
        name="hellaswag",
        version=1,
        samples=partial(validation, data, 1),
        prompt=Prompt(style="chat", user=WHICH),
        scorer=first_option(LETTERS),
        variants={"fixed": stated_option(LETTERS)},
    )


@task("hellaswag_gen_0_shot_chat_prompt")
def zero_shot(data: Data) -> Task:
    """No examples."""
    return asking(data)


@task("hellaswag_gen_10_shot_chat_prompt")
def ten_shot(data: Data) -> Task:
    """Ten examples, a turn of question and answer each."""
    return msgspec.structs.replace(asking(data), shots=partial(examples, data))


@task("hellaswag_ppl_0_shot_chat_prompt")
def compared(data: Data) -> Task:
    """Beginning and ending, nothing else."""
    return Task(
        name="hellaswag",
        version=1,
        samples=partial(validation, data, 2),
        prompt=Prompt(style="chat", user="{question}"),
        candidates=option_texts,
        scorer=most_likely("whole"),
        variants=RULES,
    )


@task("hellaswag_lm_eval")
def lm_eval(data: Data) -> Task:
    """Context and continuations of lm-evaluation-harness."""
    return Task(
        name="hellaswag_lm_eval",
        version=1,
        samples=partial(either_form, data),
        prompt=Prompt(user="{question}"),
        candidates=endings,
        scorer=most_likely("sum"),
        variants=RULES,
    )
