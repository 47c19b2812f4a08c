"""MT-Bench's judges: a rating from 1 to 10, or the better of two answers, for either turn.

The first turn is judged like any other answer. For the second, the sample's question is that of
the second turn and its target the reference of the second turn; what came before is in ``meta``:
``first_question``, ``first_answer`` and, with a reference, ``first_reference``. A comparison has
the other model's answers in ``meta`` as well: the field ``against`` and
``<against>_first_answer``.

A rating of r is worth (r - 1) / 9, so MT-Bench's score, the mean rating, is 1 + 9 * mean value.
MT-Bench asks with a reference in the fields math, reasoning and coding, without one elsewhere.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import ClassVar, Literal

import msgspec

from steelyard.core import DataError, Judgement, Message, Picture, Sample
from steelyard.scoring import mt_bench_forms as forms
from steelyard.scoring.judge_fence import Form
from steelyard.scoring.judge_readings import Points, Preferred
from steelyard.scoring.judging import FormJudge
from steelyard.scoring.verdict_kinds import Scale


class RatedDialogue(Points, frozen=True, kw_only=True, tag=True):
    """A rating of the last answer of a dialogue."""

    def answers(self, sample: Sample, answer: str) -> dict[str, str]:
        """See ``Points``; ``DataError`` when what came before is missing."""
        _check(sample, "first_answer", reference=self.needs_reference)
        return super().answers(sample, answer)


class PreferredDialogue(Preferred, frozen=True, kw_only=True, tag=True):
    """The better last answer of two dialogues; both turns are shown in the same order."""

    def answers(self, sample: Sample, answer: str) -> dict[str, str]:
        """See ``Preferred``; ``DataError`` when what came before is missing."""
        others = f"{self.against}_first_answer"
        _check(sample, "first_answer", others, reference=self.needs_reference)
        pair = (sample.meta["first_answer"], sample.meta[others])
        first, second = reversed(pair) if self.swapped else pair
        shown = super().answers(sample, answer)
        return {**shown, "first_earlier": first, "second_earlier": second}


def mt_bench(
    *, turn: Literal[1, 2] = 1, reference: bool = False, published: bool = False
) -> FormJudge:
    """A rating from 1 to 10.

    ``published`` leaves our marker out of the form, to the letter, for figures that are to be
    compared with those of others; an answer that imitates a line of the form gets it all the same.
    """
    form, name = {
        (1, False): (forms.SINGLE, "mt_bench"),
        (1, True): (forms.SINGLE_REFERENCE, "mt_bench_reference"),
        (2, False): (forms.SINGLE_TURN_2, "mt_bench_turn_2"),
        (2, True): (forms.SINGLE_REFERENCE_TURN_2, "mt_bench_reference_turn_2"),
    }[turn, reference]
    kind = RatedDialogue if turn == 2 else Points
    reading = kind(scale=Scale(1, 10), needs_reference=reference)
    return FormJudge(name=name, version=1, form=_marked(form, published=published), reading=reading)


def mt_bench_pairwise(
    *,
    against: str = "baseline",
    swapped: bool = False,
    turn: Literal[1, 2] = 1,
    reference: bool = False,
    published: bool = False,
) -> FormJudge:
    """Whether the answer is better than the one in the sample's field ``against``, or a tie.

    ``swapped`` shows the answer second; MT-Bench asks both and counts a win only when both agree,
    as ``in_both_orders`` does. ``published``: see ``mt_bench``.
    """
    form, name = {
        (1, False): (forms.PAIR, "mt_bench_pair"),
        (1, True): (forms.PAIR_REFERENCE, "mt_bench_pair_reference"),
        (2, False): (forms.PAIR_TURN_2, "mt_bench_pair_turn_2"),
        (2, True): (forms.PAIR_REFERENCE_TURN_2, "mt_bench_pair_reference_turn_2"),
    }[turn, reference]
    kind = PreferredDialogue if turn == 2 else Preferred
    reading = kind(against=against, swapped=swapped, needs_reference=reference)
    name += "_swapped" if swapped else ""
    return FormJudge(name=name, version=1, form=_marked(form, published=published), reading=reading)


class ByTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A judge of dialogues that asks about each answer in the form that is for it.

    The form is that of the answer's turn, with a reference where the sample has one.
    """

    name: str
    forms: Mapping[str, FormJudge]
    """By turn, and whether there is a reference: ``1``, ``1 reference``, ``2``, ``2 reference``.
    All of them read a reply alike."""

    needs_reference: ClassVar[bool] = False

    @property
    def id(self) -> str:
        """See ``core.Judge``."""
        ids = [one.id for _, one in sorted(self.forms.items())]
        return f"{self.name}@1#{sha256(msgspec.json.encode(ids)).hexdigest()[:8]}"

    @property
    def scale(self) -> tuple[float, float] | None:
        """See ``core.Judge``."""
        return self.forms["1"].scale

    def question(self, sample: Sample, answer: str | Picture, fence: str) -> tuple[Message, ...]:
        """See ``core.Judge``; a second turn is one that has ``first_question`` in ``meta``."""
        turn, referred = "1", bool(sample.target)
        if "first_question" in sample.meta:
            turn, referred = "2", referred and "first_reference" in sample.meta
        form = self.forms[f"{turn} reference" if referred else turn]
        return form.question(sample, answer, fence)

    def verdict(self, reply: str) -> Judgement:
        """See ``core.Judge``."""
        return self.forms["1"].verdict(reply)


def mt_bench_rating(*, published: bool = False) -> ByTurn:
    """MT-Bench's rating from 1 to 10 of every answer of a dialogue."""
    return ByTurn(
        name="mt_bench",
        forms={
            "1": mt_bench(published=published),
            "1 reference": mt_bench(reference=True, published=published),
            "2": mt_bench(turn=2, published=published),
            "2 reference": mt_bench(turn=2, reference=True, published=published),
        },
    )


def mt_bench_comparison(*, swapped: bool = False, published: bool = False) -> ByTurn:
    """MT-Bench's comparison of every answer of a dialogue with another model's.

    Those are in ``meta``: ``baseline``, ``baseline_2`` and, once more, ``baseline_2_first_answer``.
    """

    def form(turn: Literal[1, 2], *, reference: bool) -> FormJudge:
        return mt_bench_pairwise(
            against="baseline" if turn == 1 else "baseline_2",
            swapped=swapped,
            turn=turn,
            reference=reference,
            published=published,
        )

    return ByTurn(
        name="mt_bench_pair_swapped" if swapped else "mt_bench_pair",
        forms={
            "1": form(1, reference=False),
            "1 reference": form(1, reference=True),
            "2": form(2, reference=False),
            "2 reference": form(2, reference=True),
        },
    )


def _marked(form: Form, *, published: bool) -> Form:
    return msgspec.structs.replace(form, mark_always=not published)


def _check(sample: Sample, *fields: str, reference: bool) -> None:
    needed = ("first_question", *fields, *(("first_reference",) if reference else ()))
    missing = [name for name in needed if name not in sample.meta]
    if missing:
        raise DataError(
            f"sample {sample.id!r} has no field {missing[0]!r}, so the judge of a second turn "
            "would not see what came before. Add it, or judge the first turn."
        )
