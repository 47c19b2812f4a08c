"""How far a judge's verdicts are those of people: all figures of ``steelyard calibrate``.

Labels and verdicts are words (``correct``, ``incorrect``, ``invalid``; ``1``, ``2``, ``tie``) or
numbers. What has no verdict is counted apart and is no disagreement. A figure that cannot be
computed is absent. Questions that were asked more than once count with all their verdicts, and
intervals take them together.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median

import msgspec

from steelyard.core import Judgement
from steelyard.scoring.calibration_figures import (
    Calibration,
    Held,
    LabelFigures,
    cell,
    consistency,
    figure,
    matrix,
    mean_by_question,
    share,
)
from steelyard.scoring.intervals import Estimate
from steelyard.scoring.preferences import decided, length_bias, position_bias
from steelyard.scoring.raters import cohen_kappa, macro, quadratic_kappa, spearman

_MOST_NUMBERS = 12
"""Numbers make a matrix when there are no more of them."""
_PREFERENCES = {1.0: "1", 0.5: "tie", 0.0: "2"}


def calibration(held: Sequence[Held], scale: tuple[float, float] | None = None) -> Calibration:
    """The figures of all that was asked; ``scale`` of a judge that gives numbers."""
    outcomes = Counter(one.said.outcome for one in held)
    answered = [one for one in held if one.said.outcome not in ("judge_failed", "unjudged")]
    common = Calibration(
        asked=len(held),
        outcomes={str(name): count for name, count in outcomes.items()},
        unparsed=share((one.question, one.said.outcome == "unparsed") for one in answered),
    )
    verdicts = [one for one in held if one.said.value is not None]
    if not verdicts:
        return common
    if scale is not None:
        return _of_numbers(common, held, verdicts, scale)
    if verdicts[0].orders:
        return _of_pairs(common, held, verdicts)
    return _of_correctness(common, held, verdicts)


def _of_correctness(
    common: Calibration, held: Sequence[Held], verdicts: Sequence[Held]
) -> Calibration:
    labels = [str(one.label) for one in verdicts]
    three = any(one.label == "invalid" for one in held)

    def word(said: Judgement) -> str:
        """The verdict, as finely as people distinguish."""
        return str(said.answer) if three else "correct" if said.value == 1 else "incorrect"

    accepting = None
    if three:
        accepting = share(
            (one.question, (one.said.value == 1) == (one.label == "correct")) for one in verdicts
        )
    rejected = [one for one in verdicts if one.label != "correct"]
    middle = median(one.lengths[0] for one in rejected) if rejected else 0
    accepted = [
        (one.question, one.said.value == 1, one.lengths[0] > middle)
        for one in rejected
        if one.lengths[0] != middle
    ]
    return msgspec.structs.replace(
        _of_words(common, verdicts, labels, [word(one.said) for one in verdicts]),
        agreement_on_accepting=accepting,
        confusion=matrix((str(one.label), cell(one, str(one.said.answer))) for one in held),
        wrong_accepted_longer=share((name, said) for name, said, longer in accepted if longer),
        wrong_accepted_shorter=share((name, said) for name, said, longer in accepted if not longer),
        **consistency((one.question, word(one.said)) for one in verdicts),
    )


def _of_pairs(common: Calibration, held: Sequence[Held], verdicts: Sequence[Held]) -> Calibration:
    labels = [str(one.label) for one in verdicts]
    orders = [
        [
            (one, _preferred(one.orders[order]))
            for one in held
            if one.orders[order].value is not None
        ]
        for order in (0, 1)
    ]
    sides = [[decided(one.orders[order].value or 0.0) for one in verdicts] for order in (0, 1)]
    longer = length_bias(
        [decided(one.said.value or 0.0) for one in verdicts],
        [one.lengths[0] for one in verdicts],
        [one.lengths[1] for one in verdicts],
    )
    unequal = sum(one.lengths[0] != one.lengths[1] for one in verdicts)
    in_order = [share((one.question, word == one.label) for one, word in said) for said in orders]
    in_both = share(
        (one.question, all(_preferred(said) == one.label for said in one.orders))
        for one in verdicts
    )
    return msgspec.structs.replace(
        _of_words(common, verdicts, labels, [_preferred(one.said) for one in verdicts]),
        confusion=matrix((str(one.label), cell(one, _in_matrix(one))) for one in held),
        agreement_in_order=tuple(one for one in in_order if one is not None),
        agreement_in_both=in_both,
        position=dict(position_bias(*sides)._asdict()),
        longer_preferred=figure(longer, unequal),
        **consistency(
            ((one.question, order), word) for order, said in enumerate(orders) for one, word in said
        ),
    )


def _of_words(
    common: Calibration, verdicts: Sequence[Held], labels: list[str], words: list[str]
) -> Calibration:
    names = [one.question for one in verdicts]
    rows = list(zip(names, labels, words, strict=True))
    hits = Counter(label for _, label, word in rows if label == word)
    people, judge = Counter(labels), Counter(words)
    found = {
        one: LabelFigures(
            precision=share((name, label == one) for name, label, word in rows if word == one),
            recall=share((name, word == one) for name, label, word in rows if label == one),
            f1=2 * hits[one] / (people[one] + judge[one]),
        )
        for one in sorted(people | judge)
    }
    return msgspec.structs.replace(
        common,
        agreement=share((name, label == word) for name, label, word in rows),
        kappa=figure(cohen_kappa(labels, words, names), len(rows)),
        macro_f1=macro(words, labels).f1,
        labels=found,
    )


def _of_numbers(
    common: Calibration,
    held: Sequence[Held],
    verdicts: Sequence[Held],
    scale: tuple[float, float],
) -> Calibration:
    low, high = scale
    names = [one.question for one in verdicts]
    people = [float(one.label) for one in verdicts]
    judge = [_points(one.said, scale) for one in verdicts]
    apart = [one - other for one, other in zip(judge, people, strict=True)]
    distance = mean_by_question(zip(names, (abs(one) / (high - low) for one in apart), strict=True))
    rank = spearman(people, judge, len(set(names)))
    shown = len(set(people) | set(judge)) <= _MOST_NUMBERS
    cells = ((f"{one.label:g}", cell(one, f"{_points(one.said, scale):g}")) for one in held)
    return msgspec.structs.replace(
        common,
        agreement=share((name, abs(one) < 1e-9) for name, one in zip(names, apart, strict=True)),
        kappa=figure(quadratic_kappa(people, judge, names), len(names)),
        mean_difference=fmean(apart),
        mean_absolute_difference=figure(
            distance and Estimate(*((high - low) * end for end in distance)), len(names)
        ),
        spearman=figure(rank, len(names)),
        confusion=matrix(cells) if shown else {},
        **consistency(zip(names, judge, strict=True)),
    )


def _points(said: Judgement, scale: tuple[float, float]) -> float:
    low, high = scale
    return round(low + (said.value or 0.0) * (high - low), 9)


def _in_matrix(one: Held) -> str:
    first, second = map(_preferred, one.orders)
    return first if first == second else "order"


def _preferred(said: Judgement) -> str:
    """The better answer; of a judge that grades, whatever the distance."""
    return _PREFERENCES[decided(said.value or 0.0)]
