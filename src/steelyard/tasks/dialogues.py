"""Dialogues as load: the mode that is asked for, and output limits from reference answers."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

from steelyard.core import Sample, Turn
from steelyard.tasks.tokenizer import Tokenizer

_BATCH = 256


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said about every set of dialogues."""

    infer_mode: Literal["every", "every_with_gt", "last"] = "every"
    """History of the model's own answers, of reference answers, or only the last turn asked."""
    think_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    """Think time: seconds between an answer and the next turn."""


def dialogue(
    id: str, questions: list[str], references: list[str], meta: dict[str, str] | None = None
) -> Sample:
    """The sample of a dialogue. ``references`` are the answers, or empty when there are none."""
    answers: list[str | None] = [*references] or [None] * len(questions)
    later = zip(questions[1:], answers[1:], strict=True)
    return Sample(
        id=id,
        question=questions[0],
        given=answers[0],
        turns=tuple(Turn(question=question, given=answer) for question, answer in later),
        meta=meta or {},
    )


def thinking(samples: Iterable[Sample], think_s: float) -> Iterator[Sample]:
    """``samples`` with so much think time before every later turn."""
    for sample in samples:
        turns = tuple(replace(turn, pause_s=think_s) for turn in sample.turns)
        yield replace(sample, turns=turns) if think_s else sample


def limited_like_references(samples: Iterable[Sample], tokenizer: Tokenizer) -> Iterator[Sample]:
    """Every turn's output limit becomes the length of its reference answer in tokens, at least 1.

    A turn without reference answer keeps its limit.
    """
    found = iter(samples)
    while batch := list(islice(found, _BATCH)):
        answers = [answer for sample in batch for answer in _answers(sample)]
        counts = iter(tokenizer.counts([answer or "" for answer in answers]))
        limits = (max(1, n) if answer else None for answer, n in zip(answers, counts, strict=True))
        for sample in batch:
            yield _limited(sample, limits)


def _answers(sample: Sample) -> tuple[str | None, ...]:
    return (sample.given, *(turn.given for turn in sample.turns))


def _limited(sample: Sample, limits: Iterator[int | None]) -> Sample:
    """``sample`` with the next limits, one for each of its turns."""
    return replace(
        sample,
        max_tokens=next(limits) or sample.max_tokens,
        turns=tuple(
            replace(turn, max_tokens=next(limits) or turn.max_tokens) for turn in sample.turns
        ),
    )
