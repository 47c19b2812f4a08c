"""95 % intervals, and the estimates that they surround, for shares and means between 0 and 1.

One idea serves all: the Wilson interval of a share, with the number of independent answers that
would be as informative as the data at hand (its effective sample size). For single right-or-wrong
answers that number is their count and the interval is Wilson's own; repeated answers to one
question are less informative than as many questions, partial marks are more so. The interval never
leaves 0 to 1 and never has width zero.

Sources: Wilson 1927 (JASA 22); effective sample size with Wilson: Franco, Little, Louis and Slud
2019 (J. Survey Statistics and Methodology 7); clustering by question: Miller 2024
(arXiv:2411.00640).
"""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple

Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

_ROUNDING = 1e-30
"""A variance below this is rounding error: values are all alike."""


class Interval(NamedTuple):
    """Both ends of a 95 % interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A mean with its 95 % interval, all between 0 and 1."""

    value: float
    low: float
    high: float


class Weighted(NamedTuple):
    """One answer's value and its share of the estimate; the shares of all answers sum to 1."""

    weight: float
    value: float


def wilson(right: float, n: float) -> Interval:
    """Wilson's score interval for ``right`` of ``n``; neither need be whole. ``n`` is above 0."""
    share = right / n
    spread = Z_95 * sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    centre = share + Z_95**2 / (2 * n)
    scale = 1 + Z_95**2 / n
    # At 0 and 1 the interval ends there exactly; rounding must not move it off.
    low = (centre - spread) / scale if right > 0 else 0.0
    high = (centre + spread) / scale if right < n else 1.0
    return Interval(low, high)


def mean(values: Sequence[float]) -> Estimate:
    """The mean of independent values.

    Variance: sum((v - mean)^2) / n^2. Right-or-wrong values give Wilson's interval of their share.
    """
    n = len(values)
    centre = fsum(values) / n
    variance = fsum((value - centre) ** 2 for value in values) / n**2
    return estimate(centre, variance, n)


def clustered_mean(clusters: Sequence[Sequence[Weighted]]) -> Estimate:
    """The weighted mean of answers that belong together in clusters (repeats of one question).

    Variance: N / (N - 1) times the sum over the N clusters of the squared sums of
    weight * (value - mean), but no less than if all answers were independent. One cluster alone
    counts as one answer.
    """
    n = len(clusters)
    centre = fsum(weight * value for cluster in clusters for weight, value in cluster)
    between = fsum(
        fsum(weight * (value - centre) for weight, value in cluster) ** 2 for cluster in clusters
    )
    independent = fsum(
        (weight * (value - centre)) ** 2 for cluster in clusters for weight, value in cluster
    )
    return estimate(centre, max(between * n / (n - 1), independent) if n > 1 else 0.0, n)


def estimate(centre: float, variance: float, answers: float) -> Estimate:
    """The Wilson interval with centre * (1 - centre) / variance as its number of answers.

    Without any variance ``answers`` takes that place: answers that are all alike say only so much.
    """
    centre = min(max(centre, 0.0), 1.0)
    certain = variance < _ROUNDING or centre in (0.0, 1.0)
    effective = answers if certain else centre * (1 - centre) / variance
    low, high = wilson(centre * effective, effective)
    return Estimate(centre, min(low, centre), max(high, centre))


def effective_answers(found: Estimate) -> float:
    """The number of answers that gives ``found`` its Wilson interval, read back from an end.

    Each end x solves (value - x)^2 = z^2 * x * (1 - x) / n.
    """
    end = found.low if found.value > 0.5 else found.high
    return Z_95**2 * end * (1 - end) / (found.value - end) ** 2
