"""How far a judge and people, or two judges, agree on the same answers."""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import sqrt
from typing import NamedTuple, TypeVar

from steelyard.scoring.intervals import Z_95, Estimate, mean

Label = TypeVar("Label", bound=Hashable)


class Kappa(NamedTuple):
    """Cohen's kappa: agreement beyond chance, 1 at most, with its 95 % interval."""

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


def cohen_kappa(first: Sequence[Label], second: Sequence[Label]) -> Kappa | None:
    """Cohen's kappa of two raters; ``None`` when both use a single label throughout.

    The interval is the large-sample one of Fleiss, Cohen and Everitt 1969 (Psychological Bulletin
    72), cut off at -1 and 1.
    """
    n = len(first)
    cells = Counter(zip(first, second, strict=True))
    rows, columns = Counter(first), Counter(second)
    labels = rows.keys() | columns.keys()
    chance = sum(rows[label] * columns[label] for label in labels) / n**2
    if chance == 1:
        return None
    kappa = (sum(cells[label, label] for label in labels) / n - chance) / (1 - chance)
    lack = 1 - kappa
    same = sum(
        cells[label, label] / n * (1 - (rows[label] + columns[label]) / n * lack) ** 2
        for label in labels
    )
    different = sum(
        count / n * ((columns[one] + rows[other]) / n * lack) ** 2
        for (one, other), count in cells.items()
        if one != other
    )
    variance = (same + different - (kappa - chance * lack) ** 2) / (n * (1 - chance) ** 2)
    reach = Z_95 * sqrt(max(0.0, variance))
    return Kappa(kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach))


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
