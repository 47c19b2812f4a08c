"""How far a judge and people, or two judges, agree on the same answers."""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import atanh, fsum, sqrt, tanh
from typing import NamedTuple, TypeVar

from steelyard.scoring.intervals import Z_95, Estimate, mean

Label = TypeVar("Label", bound=Hashable)


class Kappa(NamedTuple):
    """Agreement beyond chance, from -1 to 1, with its 95 % interval."""

    value: float
    low: float
    high: float


class Macro(NamedTuple):
    """Means over the labels that occur, each label counting once."""

    precision: float
    recall: float
    f1: float


def agreement(first: Sequence[Label], second: Sequence[Label]) -> Estimate:
    """The share of answers on which both say the same, with its Wilson interval."""
    return mean([float(one == other) for one, other in zip(first, second, strict=True)])


def cohen_kappa(
    first: Sequence[Label], second: Sequence[Label], groups: Sequence[Hashable] = ()
) -> Kappa | None:
    """Cohen's kappa of two raters; ``None`` when both use a single label throughout.

    ``groups``: answers that belong together (repeats of one question), one name for each answer;
    without it every answer stands for itself. The interval is the large-sample one of Fleiss,
    Cohen and Everitt 1969 (Psychological Bulletin 72), cut off at -1 and 1.
    """
    n = len(first)
    rows, columns = Counter(first), Counter(second)
    pairs = list(zip(first, second, strict=True))
    apart = [float(one != other) for one, other in pairs]
    by_chance = [2 - (columns[one] + rows[other]) / n for one, other in pairs]
    same_by_chance = sum(rows[label] * columns[label] for label in rows) / n**2
    return _kappa(apart, by_chance, 1 - same_by_chance, groups)


def quadratic_kappa(
    first: Sequence[float], second: Sequence[float], groups: Sequence[Hashable] = ()
) -> Kappa | None:
    """Cohen's kappa of numbers: a disagreement counts by the square of its distance.

    ``groups``, interval and ``None`` as of ``cohen_kappa``.
    """
    shift = first[0]  # so that equal numbers leave no rounding error
    pairs = [(one - shift, other - shift) for one, other in zip(first, second, strict=True)]
    n = len(pairs)
    means = [fsum(pair[rater] for pair in pairs) / n for rater in (0, 1)]
    squares = [fsum(pair[rater] ** 2 for pair in pairs) / n for rater in (0, 1)]
    apart = [(one - other) ** 2 for one, other in pairs]
    by_chance = [
        (one**2 - 2 * one * means[1] + squares[1]) + (other**2 - 2 * other * means[0] + squares[0])
        for one, other in pairs
    ]
    chance = squares[0] - 2 * means[0] * means[1] + squares[1]
    return _kappa(apart, by_chance, chance, groups)


def _kappa(
    apart: Sequence[float], by_chance: Sequence[float], chance: float, groups: Sequence[Hashable]
) -> Kappa | None:
    """One minus the share of the disagreement by chance that is there.

    ``apart``: how far the raters are apart on each answer; ``by_chance``: how far the first's label
    is from the second's on average, plus the same the other way round; ``chance``: the mean
    distance of labels that have nothing to do with each other.
    """
    if chance <= 0:
        return None
    n = len(apart)
    lack = fsum(apart) / n / chance
    pulls = [one - lack * other for one, other in zip(apart, by_chance, strict=True)]
    centre = fsum(pulls) / n
    together: dict[Hashable, float] = {}
    for name, pull in zip(groups or range(n), pulls, strict=True):
        together[name] = together.get(name, 0.0) + pull - centre
    reach = Z_95 * sqrt(fsum(pull**2 for pull in together.values())) / n / chance
    kappa = 1 - lack
    return Kappa(kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach))


def spearman(first: Sequence[float], second: Sequence[float], answers: int = 0) -> Kappa | None:
    """Spearman's rank correlation, ties at their mean rank; ``None`` where a rater is constant.

    The interval is Fisher's with the variance of Bonett and Wright 2000 (Psychometrika 65);
    ``answers`` is the number of independent ones where that is not all. It has no width where
    that formula has none (a perfect correlation, fewer than four answers).
    """
    ranks = [_ranks(numbers) for numbers in (first, second)]
    centre = (len(first) + 1) / 2
    products = [
        fsum((one - centre) * (other - centre) for one, other in zip(*pair, strict=True))
        for pair in ((ranks[0], ranks[1]), (ranks[0], ranks[0]), (ranks[1], ranks[1]))
    ]
    if not products[1] or not products[2]:
        return None
    rho = max(-1.0, min(1.0, products[0] / sqrt(products[1] * products[2])))
    n = answers or len(first)
    if abs(rho) == 1 or n < 4:
        return Kappa(rho, rho, rho)
    reach = Z_95 * sqrt((1 + rho**2 / 2) / (n - 3))
    return Kappa(rho, tanh(atanh(rho) - reach), tanh(atanh(rho) + reach))


def _ranks(numbers: Sequence[float]) -> list[float]:
    """From 1; equal numbers share the mean of their ranks."""
    counts = Counter(numbers)
    rank_of: dict[float, float] = {}
    below = 0
    for number in sorted(counts):
        rank_of[number] = below + (counts[number] + 1) / 2
        below += counts[number]
    return [rank_of[number] for number in numbers]


def macro(judged: Sequence[Label], gold: Sequence[Label]) -> Macro:
    """Precision, recall and F1 of a judge's labels; a label never judged has precision 0."""
    hits = Counter(one for one, other in zip(judged, gold, strict=True) if one == other)
    said, true = Counter(judged), Counter(gold)
    labels = said.keys() | true.keys()
    return Macro(
        sum(hits[label] / said[label] for label in labels if said[label]) / len(labels),
        sum(hits[label] / true[label] for label in labels if true[label]) / len(labels),
        sum(2 * hits[label] / (said[label] + true[label]) for label in labels) / len(labels),
    )


def majority(labels: Sequence[Label]) -> Label | None:
    """The label that more than half of the raters gave; ``None`` when there is none."""
    (label, count), *_ = Counter(labels).most_common(1)
    return label if 2 * count > len(labels) else None
