"""The figures of a calibration as values, and how a share of verdicts becomes one of them."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

import msgspec

from steelyard.core import Judgement
from steelyard.scoring.intervals import Estimate, Weighted, clustered_mean, mean
from steelyard.scoring.raters import Kappa

_NO_VERDICT = ("unparsed", "judge_failed", "unjudged")


class Held(NamedTuple):
    """One labelled answer, or pair of answers, and what the judge said of it, once."""

    question: str
    """Repeats of a question share it."""
    label: str | float
    said: Judgement
    orders: tuple[Judgement, ...] = ()
    """Of a pair: what was said with the first answer shown first, and with it shown second."""
    lengths: tuple[int, ...] = ()
    """Characters of the answer, or of both."""


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number, what it rests on, and its 95 % interval where there is one."""

    value: float
    n: int
    """Verdicts behind it (of ``same_every_time`` and ``same_pairs`` questions)."""
    low: float | None = None
    high: float | None = None


class LabelFigures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How well one label is found."""

    precision: Figure | None = None
    """Of the verdicts with this word, the share that people agree with."""
    recall: Figure | None = None
    """Of what people labelled so, the share that the judge found."""
    f1: float = 0.0


class Calibration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All figures. Shares are from 0 to 1."""

    asked: int
    """Answers or pairs that the judge was asked about, repeats included."""
    outcomes: Mapping[str, int]
    """How many of them ended how: ``right``, ``wrong``, ``unparsed``, ``judge_failed``..."""
    unparsed: Figure | None = None
    """Share of what was answered that states no verdict."""
    agreement: Figure | None = None
    """Share of verdicts that say what people say; of numbers: exactly."""
    agreement_on_accepting: Figure | None = None
    """Where people also say invalid: incorrect and invalid count as the same, as in a score."""
    kappa: Figure | None = None
    """Cohen's kappa; of numbers the quadratically weighted one."""
    macro_f1: float | None = None
    labels: Mapping[str, LabelFigures] = {}
    confusion: Mapping[str, Mapping[str, int]] = {}
    """By people's label, then by verdict (of pairs also ``order``: it was not the same in both), or
    by why there is none."""
    mean_difference: float | None = None
    """Of numbers: judge minus people."""
    mean_absolute_difference: Figure | None = None
    spearman: Figure | None = None
    agreement_in_order: tuple[Figure, ...] = ()
    """Of pairs: with the first answer shown first, and with it shown second."""
    agreement_in_both: Figure | None = None
    """Share of pairs with people's label in either order."""
    position: Mapping[str, float] = {}
    """``PositionBias``."""
    longer_preferred: Figure | None = None
    """One half when length does not matter; more may also mean that longer answers are better."""
    wrong_accepted_longer: Figure | None = None
    """Of answers that people reject and that are longer than the median of these."""
    wrong_accepted_shorter: Figure | None = None
    same_every_time: Figure | None = None
    """Of questions with several verdicts, the share with only one."""
    same_pairs: Figure | None = None
    """Of two verdicts on the same question, the share that are the same."""


def cell(one: Held, verdict: str) -> str:
    """The column of the matrix."""
    return one.said.outcome if one.said.outcome in _NO_VERDICT else verdict


def matrix(cells: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Counts by people's label, then by column."""
    found: dict[str, dict[str, int]] = {}
    for (label, column), count in sorted(Counter(cells).items()):
        found.setdefault(label, {})[column] = count
    return found


def consistency(verdicts: Iterable[tuple[Hashable, Hashable]]) -> dict[str, Figure | None]:
    """Both figures of what is said of one question, again and again."""
    said: dict[Hashable, list[Hashable]] = {}
    for question, verdict in verdicts:
        said.setdefault(question, []).append(verdict)
    often = [found for found in said.values() if len(found) > 1]
    if not often:
        return {}
    alike = [fmean(one == other for one, other in combinations(found, 2)) for found in often]
    return {
        "same_every_time": figure(mean([float(len(set(one)) == 1) for one in often]), len(often)),
        "same_pairs": figure(mean(alike), len(often)),
    }


def share(values: Iterable[tuple[str, bool]]) -> Figure | None:
    """The share of what holds, by question."""
    found = [(question, float(value)) for question, value in values]
    return figure(mean_by_question(found), len(found))


def mean_by_question(values: Iterable[tuple[str, float]]) -> Estimate | None:
    """The mean of values from 0 to 1; those of one question belong together."""
    together: dict[str, list[float]] = {}
    for question, value in values:
        together.setdefault(question, []).append(value)
    n = sum(map(len, together.values()))
    if n == len(together):
        return mean([value for (value,) in together.values()]) if n else None
    return clustered_mean(
        [[Weighted(1 / n, value) for value in found] for found in together.values()]
    )


def figure(found: Estimate | Kappa | None, n: int) -> Figure | None:
    """An estimate as a figure, without an interval where it has none."""
    if found is None:
        return None
    if found.low == found.high:  # a formula that says nothing here, not certainty
        return Figure(value=found.value, n=n)
    return Figure(value=found.value, n=n, low=found.low, high=found.high)
