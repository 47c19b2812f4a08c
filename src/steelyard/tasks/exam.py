"""Four-option exams in many subjects (MMLU, C-Eval, CMMLU): one task per subject.

Every variant that asks for answers has the marking rule ``fixed`` beside its own: the letter that
the reply states. One that asks for likelihoods compares the option letters; beside its own rule,
the mean over the whole text, stands ``sum``, the letter alone.

A subject has two CSV files of the same form: questions to ask, and worked examples to show.

    question,A,B,C,D,answer
    The pleura,have no sensory innervation.,...,are composed of respiratory epithelium.,C
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

import msgspec

from steelyard.core import Candidate, Marking, Prompt, Sample, Task
from steelyard.scoring import stated_option
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples
from steelyard.tasks.likely import RULES

LETTERS = "ABCD"


class Row(msgspec.Struct, frozen=True):
    """One question with its four options; further columns of a file are not read."""

    question: str
    A: str
    B: str
    C: str
    D: str
    answer: str


class Subject(NamedTuple):
    """One sub-data set."""

    title: str
    """The subject's name in prompts."""
    families: tuple[str, ...]
    """The averages that it counts in (``stem``...)."""
    questions: int
    """Number of asked questions: its weight in weighted averages."""


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a variant of an exam asks and marks."""

    prompt: Prompt
    scorer: Marking
    gold: str = "{target}"
    shots: int = 0
    """Worked examples shown, the first ones of the file."""
    candidates: Callable[[Sample], tuple[Candidate, ...]] | None = None
    """See ``Task``."""

    @property
    def variants(self) -> Mapping[str, Marking]:
        """The rules beside its own."""
        asks = self.candidates is None
        if asks:
            return {"fixed": stated_option(LETTERS)}
        return {by: RULES[by] for by in ("whole", "sum")}


class Exam(msgspec.Struct, frozen=True, kw_only=True):
    """What all variants of an exam share."""

    group: str
    abbr: str
    """Task name, with ``{subject}``."""
    asked: str
    """File of the asked questions, with ``{subject}``; relative to a data folder."""
    shown: str
    """File of the worked examples, likewise."""
    source: str
    subjects: Mapping[str, Subject]
    columns: Sequence[str] = ()
    """Names of the columns where the files have no header."""

    def tasks(self, data: Data, manner: Manner) -> Iterator[Task]:
        """One task per subject; prompts may name the field ``subject``, its title."""
        for name in self.subjects:
            yield Task(
                name=self.abbr.format(subject=name),
                version=1,
                samples=partial(self._read, data, self.asked, name),
                shots=partial(self._shots, data, name, manner.shots),
                prompt=manner.prompt,
                scorer=manner.scorer,
                variants=manner.variants,
                candidates=manner.candidates,
                gold=manner.gold,
                group=self.group,
                merged_name=f"{self.group}dataset",
            )

    def _read(self, data: Data, file: str, name: str) -> Iterator[Sample]:
        path = data.find(file.format(subject=name), self.source)
        build = partial(_sample, {"subject": self.subjects[name].title})
        return samples(path, Row, build, columns=self.columns)

    def _shots(self, data: Data, name: str, count: int) -> tuple[Sample, ...]:
        return tuple(islice(self._read(data, self.shown, name), count)) if count else ()


def _sample(meta: Mapping[str, str], index: int, row: Row) -> Sample:
    letter = row.answer.strip()
    if letter not in LETTERS or len(letter) != 1:
        raise BadField("answer", row.answer, "A, B, C or D")
    options = (row.A, row.B, row.C, row.D)
    return Sample(id=str(index), question=row.question, target=letter, choices=options, meta=meta)
