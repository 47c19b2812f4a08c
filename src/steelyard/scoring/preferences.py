"""Folding comparisons of two answers: win rate, and what else than quality decided.

A value is 1 when the model's answer was preferred, 0 when the other was, 0.5 for a tie; a judge's
probability of preferring it may stand between.
"""

from collections.abc import Sequence
from math import exp, fsum, sqrt
from random import Random
from typing import NamedTuple

from steelyard.scoring.comparing import mcnemar_exact
from steelyard.scoring.intervals import Estimate, mean


class PositionBias(NamedTuple):
    """What the order of the answers does to a judge."""

    n: int
    """Comparisons judged in both orders."""
    consistent: int
    """Of these, with the same outcome in both."""
    first: int
    """With the answer that was shown first preferred, whichever it was."""
    second: int
    """With the answer that was shown second preferred."""
    p_value: float
    """Chance of a difference at least this large between ``first`` and ``second`` without bias."""


def win_rate(values: Sequence[float], *, seed: int = 0, resamples: int = 2000) -> Estimate:
    """The mean value, with the 95 % percentile interval of resampled comparisons.

    Comparisons that are all alike leave nothing to resample; they get Wilson's interval.
    """
    if len(set(values)) == 1:
        return mean(values)
    n = len(values)
    draw = Random(seed).choices
    means = sorted(fsum(draw(values, k=n)) / n for _ in range(resamples))
    cut = round(0.025 * resamples)
    return Estimate(fsum(values) / n, means[cut], means[-1 - cut])


def standard_error(values: Sequence[float]) -> float:
    """Of the mean: the sample's standard deviation by the root of its size."""
    n = len(values)
    centre = fsum(values) / n
    return sqrt(fsum((value - centre) ** 2 for value in values) / (n - 1) / n)


def decided(value: float) -> float:
    """Win, tie or loss: the nearest of 1, 0.5 and 0 that ``value`` is on the side of."""
    return 0.5 if value == 0.5 else float(value > 0.5)


def first_token_preference(first: float, second: float) -> float:
    """How far a judge prefers the answer whose name has the log-probability ``first``.

    For judges that answer with the name alone: the name's share of the probability of both.
    """
    return 1 / (1 + exp(min(700.0, second - first)))


def position_bias(straight: Sequence[float], swapped: Sequence[float]) -> PositionBias:
    """What the order did: values of the same comparisons, the answer shown first, then second."""
    pairs = list(zip(straight, swapped, strict=True))
    first = sum(one > other for one, other in pairs)
    second = sum(one < other for one, other in pairs)
    consistent = len(pairs) - first - second
    return PositionBias(len(pairs), consistent, first, second, mcnemar_exact(first, second))


def length_bias(
    values: Sequence[float], lengths: Sequence[int], other_lengths: Sequence[int]
) -> Estimate | None:
    """How often the longer answer is preferred: one half when length does not matter.

    More than that may be a bias, or longer answers that are better; this does not tell them apart.
    Ties count as a half; pairs of equal length say nothing. ``None`` when there are no others.
    """
    longer = [
        value if length > other else 1 - value
        for value, length, other in zip(values, lengths, other_lengths, strict=True)
        if length != other
    ]
    return mean(longer) if longer else None
