"""WinoGrande: which of two words fills the blank? 1,267 sentences (development split).

Source:  arXiv:1907.10641, https://github.com/allenai/winogrande (CC BY)
Data:    winogrande/dev.jsonl; the 5-shot task also winogrande/train_xs.jsonl
Row:     {"sentence": "Sarah was a much better surgeon than Maria so _ always got the easier
         cases.", "option1": "Sarah", "option2": "Maria", "answer": "2"}
Prompt:  the sentence and two options, a letter; lm_eval: the sentence up to the blank with each
         option in it, and the rest of the sentence
Marking: the last option letter of the reply; ``fixed``: the one that the reply states. lm_eval: the
         option after which the rest of the sentence has the largest sum (acc)
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice

import msgspec

from steelyard.core import Candidate, Prompt, Sample, Task
from steelyard.scoring import last_option, most_likely, stated_option
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/winogrande.zip"
BLANK = "_"
WHICH = (
    "Which option fills the blank '_' in this sentence? The last line of your reply must be "
    "'ANSWER: $LETTER' (without quotes), where $LETTER is A or B.\n\n{question}\n{choices}"
)


class Row(msgspec.Struct, frozen=True):
    """One sentence with a blank."""

    sentence: str
    option1: str
    option2: str
    answer: str


def to_sample(index: int, row: Row) -> Sample:
    """The right option's letter is the target."""
    if row.answer not in ("1", "2"):
        raise BadField("answer", row.answer, "1 or 2")
    if BLANK not in row.sentence:
        raise BadField("sentence", row.sentence, f"a sentence with a blank {BLANK!r}")
    return Sample(
        id=str(index),
        question=row.sentence,
        target="AB"[int(row.answer) - 1],
        choices=(row.option1, row.option2),
    )


def development(data: Data) -> Iterator[Sample]:
    """The rows of the development split."""
    return samples(data.find("winogrande/dev.jsonl", SOURCE), Row, to_sample)


def examples(data: Data) -> tuple[Sample, ...]:
    """Every second of the first ten rows of the smallest training set."""
    path = data.find("winogrande/train_xs.jsonl", SOURCE)
    return tuple(islice(samples(path, Row, to_sample), 0, 10, 2))


def filled(sample: Sample) -> tuple[Candidate, ...]:
    """What comes behind the blank is scored, after each option in its place.

    Blanks at the end of the beginning are scored with the rest.
    """
    before, _, rest = str(sample.question).partition(BLANK)
    made = []
    for option in sample.choices:
        lead = before + option
        begun = lead.rstrip()
        made.append(Candidate(lead=begun, text=f"{lead[len(begun) :]} {rest.strip()}"))
    return tuple(made)


def asking(data: Data) -> Task:
    """The sentences, answered by a letter."""
    return Task(
        name="winogrande",
        version=1,
        samples=partial(development, data),
        prompt=Prompt(style="chat", user=WHICH, shot_answer="ANSWER: {target}"),
        scorer=last_option("AB"),
        variants={"fixed": stated_option("AB")},
        gold="ANSWER: {target}",
    )


@task("winogrande_gen_0_shot_chat_prompt")
def zero_shot(data: Data) -> Task:
    """No examples."""
    return asking(data)


@task("winogrande_gen_5_shot_chat_prompt")
def five_shot(data: Data) -> Task:
    """Five examples, a turn of question and answer each."""
    return msgspec.structs.replace(asking(data), shots=partial(examples, data))


@task("winogrande_lm_eval")
def lm_eval(data: Data) -> Task:
    """Contexts and continuation of lm-evaluation-harness: there is nothing before the sentence."""
    return Task(
        name="winogrande_lm_eval",
        version=1,
        samples=partial(development, data),
        prompt=Prompt(user=""),
        candidates=filled,
        scorer=most_likely("sum"),
        variants={"whole": most_likely("whole"), "token": most_likely("token")},
    )
