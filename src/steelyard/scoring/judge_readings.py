"""What a judge's reply is worth: from the verdict that was read to a value between 0 and 1."""

from collections.abc import Mapping
from math import fsum
from typing import ClassVar, TypeAlias

import msgspec

from steelyard.core import DataError, Judgement, Outcome, Sample
from steelyard.scoring.verdict_grades import read_grade
from steelyard.scoring.verdict_kinds import Scale, correctness, preference
from steelyard.scoring.verdict_lists import ScoreList, unfenced
from steelyard.scoring.verdicts import read

_CORRECTNESS: Mapping[str, tuple[Outcome, float]] = {
    "correct": ("right", 1.0),
    "incorrect": ("wrong", 0.0),
    "invalid": ("invalid", 0.0),
}

_GRADES: Mapping[str, tuple[str, float]] = {
    "first_much": ("clear win", 1.0),
    "first_slightly": ("win", 0.75),
    "tie": ("tie", 0.5),
    "second_slightly": ("loss", 0.25),
    "second_much": ("clear loss", 0.0),
}


class Correctness(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Correct, incorrect and, where the judge may say so, invalid. Invalid is worth nothing."""

    invalid: bool = True
    needs_reference: bool = True
    scale: ClassVar[None] = None

    def answers(self, sample: Sample, answer: str) -> dict[str, str]:
        """The fields of the form that hold answers."""
        return {"candidate": answer}

    def judgement(self, reply: str) -> Judgement:
        """What the reply says."""
        verdict, why = read(reply, correctness(invalid=self.invalid))
        if verdict is None:
            return Judgement(outcome="unparsed", why=why)
        outcome, value = _CORRECTNESS[verdict]
        return Judgement(outcome=outcome, value=value, answer=verdict, why=why)


class Points(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A number on a scale; its lower end is worth 0, its upper end 1."""

    scale: Scale
    needs_reference: bool = False

    def answers(self, sample: Sample, answer: str) -> dict[str, str]:
        """See ``Correctness``."""
        return {"candidate": answer}

    def judgement(self, reply: str) -> Judgement:
        """See ``Correctness``."""
        verdict, why = read(reply, self.scale)
        if verdict is None:
            return Judgement(outcome="unparsed", why=why)
        return _worth(_share(verdict, self.scale), verdict, why, {})


class Criterion(msgspec.Struct, frozen=True):
    """One thing that is rated."""

    name: str
    about: str = ""
    weight: float = 1.0


class Rubric(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A number for each criterion; all of them are needed."""

    criteria: tuple[Criterion, ...]
    scale: Scale
    needs_reference: bool = False

    def answers(self, sample: Sample, answer: str) -> dict[str, str]:
        """See ``Correctness``."""
        return {"candidate": answer}

    def judgement(self, reply: str) -> Judgement:
        """See ``Correctness``."""
        parts: dict[str, float] = {}
        said: list[str] = []
        for one in self.criteria:
            verdict, why = read(reply, msgspec.structs.replace(self.scale, name=one.name))
            if verdict is None:
                return Judgement(outcome="unparsed", why=f"{one.name}: {why}")
            parts[one.name] = _share(verdict, self.scale)
            said.append(f"{one.name} {verdict}")
        weights = fsum(one.weight for one in self.criteria)
        value = fsum(one.weight * parts[one.name] for one in self.criteria) / weights
        return _worth(value, ", ".join(said), "one line for each criterion", parts)


class PointList(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A list with a number for each criterion; the value is the smallest of them.

    Source: VIEScore (arXiv:2312.14867), whose score of a picture is the least of its sub-scores.
    """

    name: str
    """What the smallest is called among the parts."""
    criteria: tuple[str, ...]
    """In the order of the list."""
    scale: ScoreList
    needs_reference: bool = False

    def judgement(self, reply: str) -> Judgement:
        """See ``Correctness``."""
        verdict, why = read(unfenced(reply), self.scale)
        if verdict is None:
            return Judgement(outcome="unparsed", why=why)
        low, high = self.scale.low, self.scale.high
        shares = [(number - low) / (high - low) for number in self.scale.numbers(verdict)]
        parts = {self.name: min(shares), **dict(zip(self.criteria, shares, strict=True))}
        return _worth(min(shares), f"[{verdict}]", why, parts)


class Preferred(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Whether the answer or another one is better; a tie is worth a half."""

    against: str
    """The sample's field (``meta``) that holds the other answer."""
    swapped: bool = False
    """Whether the answer is shown second."""
    names: tuple[str, str, str] = ("A", "B", "C")
    """What the judge calls the first answer, the second, and a tie."""
    cased: bool = False
    needs_reference: bool = False
    scale: ClassVar[None] = None

    def answers(self, sample: Sample, answer: str) -> dict[str, str]:
        """See ``Correctness``; ``DataError`` when the sample has no other answer."""
        return _both(sample, answer, self.against, swapped=self.swapped)

    def judgement(self, reply: str) -> Judgement:
        """See ``Correctness``; ``answer`` is what it means for the answer: win, loss or tie."""
        verdict, why = read(reply, preference(*self.names, cased=self.cased))
        if verdict is None:
            return Judgement(outcome="unparsed", why=why)
        won = (verdict == "first") is not self.swapped
        said, value = ("tie", 0.5) if verdict == "tie" else ("win", 1.0) if won else ("loss", 0.0)
        return _worth(value, said, why, {"preference": value})


class Graded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Which of two answers is better and by how much, as Arena-Hard's judges say it.

    Clearly better 1, slightly 0.75, a tie 0.5, slightly worse 0.25, clearly worse 0: the five
    verdicts at equal distances, CompassArena's scale from -1 to 1 moved to 0 to 1. The mean value
    is so no share of wins; ``style_control.votes`` counts the verdicts as Arena-Hard does.
    """

    against: str
    """See ``Preferred``."""
    swapped: bool = False
    """See ``Preferred``."""
    needs_reference: bool = False
    scale: ClassVar[None] = None

    def answers(self, sample: Sample, answer: str) -> dict[str, str]:
        """See ``Preferred``."""
        return _both(sample, answer, self.against, swapped=self.swapped)

    def judgement(self, reply: str) -> Judgement:
        """See ``Correctness``; ``answer`` is what it means for the answer, such as clear win."""
        names = ("B", "A") if self.swapped else ("A", "B")
        grade, why = read_grade(reply, *names)
        if grade is None:
            return Judgement(outcome="unparsed", why=why)
        said, value = _GRADES[grade]
        return _worth(value, said, why, {"grade": value})


Reading: TypeAlias = Correctness | Points | Rubric | Preferred | Graded


def _both(sample: Sample, answer: str, against: str, *, swapped: bool) -> dict[str, str]:
    """The form's fields for two answers, in the order in which they are shown."""
    if against not in sample.meta:
        raise DataError(
            f"sample {sample.id!r} has no field {against!r}, which holds the answer to "
            "compare with. Name the field that does."
        )
    pair = (answer, sample.meta[against])
    first, second = reversed(pair) if swapped else pair
    return {"first": first, "second": second}


def _share(verdict: str, scale: Scale) -> float:
    return (float(verdict) - scale.low) / (scale.high - scale.low)


def _worth(value: float, said: str, why: str, parts: Mapping[str, float]) -> Judgement:
    outcome: Outcome = "right" if value == 1 else "wrong" if value == 0 else "partial"
    return Judgement(outcome=outcome, value=value, answer=said, why=why, parts=parts)
