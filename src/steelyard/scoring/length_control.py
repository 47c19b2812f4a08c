"""AlpacaEval 2's length-controlled win rate: what it would be if answers were as long as others.

The preference for the model's answer to instruction i is fitted by logistic regression,

    log-odds = strength + length * tanh(d_i / s) + difficulty * h_i,

with d_i the characters by which the model's answer is longer, s the standard deviation of d, and
h_i the instruction's difficulty. The rate is the mean over the instructions of the fitted chances
with the length's term left out. Source: Dubois et al. 2024 (arXiv:2404.04475); tatsu-lab/
alpaca_eval, ``metrics/glm_winrate.py``.

The published figures need a table that AlpacaEval keeps with its data (``df_gamed.csv`` of
``tatsu-lab/alpaca_eval`` on Hugging Face): the instructions' difficulties, fitted on many models at
once, and the preferences of its baseline told to write at length and in brief, which hold the
length's coefficient near what the judge makes of one model at two lengths. With these anchors the
fit is AlpacaEval's (``length_controlled_v1``), its penalty included: see ``penalised``. Two things
are left: the sign of their length is the other way, and instructions without a preference count
here for nothing, in their mean as well. Without the table the figure is another one: it is fitted
without penalty, knows this run's lengths alone, and where one model nearly always writes more it
speaks of what was hardly ever seen.

The 95 % interval is the sandwich's (instructions as the sampling unit; the table, the penalty and s
taken as given), in Wilson's form. AlpacaEval's ``lc_standard_error`` is smaller: it is that of the
mean of the fitted chances, as if the coefficients were known.
"""

from collections.abc import Mapping, Sequence
from math import fsum, sqrt, tanh
from typing import NamedTuple

from steelyard.core import DataError
from steelyard.scoring.intervals import Estimate, estimate
from steelyard.scoring.logistic import Case, Covariates, Fit, chance, fit, solve

ANCHOR_WEIGHT = 0.1
"""Of a preference of the baseline at another length: AlpacaEval's 0.2, shared by two lengths."""

_STRENGTH, _LENGTH, _DIFFICULTY = range(3)


class Anchor(NamedTuple):
    """A preference between the baseline and itself, told to write at another length."""

    value: float
    """1 when the answer at another length was preferred, 0.5 for a tie."""
    longer: float
    """By how much it is longer, in standard deviations: minus their ``std_delta_len``."""
    difficulty: float = 0.0


class LengthTable(NamedTuple):
    """What AlpacaEval knows besides a run."""

    difficulties: Mapping[str, float]
    """Of each instruction, by its sample's id."""
    anchors: Sequence[Anchor]


class LengthControlled(NamedTuple):
    """A win rate at equal lengths, and the coefficients behind it, in log-odds."""

    rate: Estimate
    strength: float
    """Of preferring the model's answer at equal lengths and difficulty 0."""
    length: float
    """Added for an answer that is much longer (tanh is 1), taken off for one much shorter."""
    difficulty: float | None
    """Per unit of difficulty; ``None`` without difficulties."""


def length_controlled(
    values: Sequence[float],
    lengths: Sequence[int],
    other_lengths: Sequence[int],
    *,
    difficulties: Sequence[float] | None = None,
    anchors: Sequence[Anchor] = (),
) -> LengthControlled:
    """The length-controlled win rate of one run: a preference and two lengths per instruction.

    With ``difficulties`` and ``anchors`` it is AlpacaEval's, else another one (see above).
    ``DataError`` when lengths do not vary, or foretell every preference.
    """
    longer = [float(one - other) for one, other in zip(lengths, other_lengths, strict=True)]
    spread = _deviation(longer)
    if not spread:
        raise DataError(
            f"the lengths of {len(longer)} pairs of answers differ by the same or not at all, so "
            "there is no length to control for. Report the win rate."
        )
    hard = [0.0] * len(values) if difficulties is None else list(difficulties)
    cases = [
        Case(_covariates(1.0, one / spread, difficulty), value)
        for value, one, difficulty in zip(values, longer, hard, strict=True)
    ]
    counts = 0.0 if difficulties is None else 1.0
    held = [
        Case(_covariates(0.0, one.longer, counts * one.difficulty), one.value, ANCHOR_WEIGHT)
        for one in anchors
    ]
    found = _fitted(held, cases, 2 if difficulties is None else 3)
    rate = found and _rate(found, cases, [_covariates(1.0, 0.0, one) for one in hard])
    if found is None or rate is None:
        raise DataError(
            "no finite length-controlled win rate fits: all preferences are for one side, the "
            "lengths foretell them, or they are too few. Report the win rate."
        )
    return LengthControlled(
        rate,
        found.coefficients[_STRENGTH],
        found.coefficients[_LENGTH],
        None if difficulties is None else found.coefficients[_DIFFICULTY],
    )


def _fitted(held: Sequence[Case], cases: Sequence[Case], size: int) -> Fit | None:
    if not held:
        return fit(cases, size)
    from steelyard.scoring.penalised import fit_penalised

    return fit_penalised([*held, *cases], size)


def _covariates(strength: float, longer: float, difficulty: float) -> Covariates:
    every = ((_STRENGTH, strength), (_LENGTH, tanh(longer)), (_DIFFICULTY, difficulty))
    return tuple((at, value) for at, value in every if value)


def _rate(found: Fit, cases: Sequence[Case], equal: Sequence[Covariates]) -> Estimate | None:
    """The mean chance, with the variance of its influence function over the instructions."""
    n = len(cases)
    chances = [chance(found.log_odds(one)) for one in equal]
    rate = fsum(chances) / n
    slope = [0.0] * len(found.coefficients)
    for covariates, p in zip(equal, chances, strict=True):
        for at, value in covariates:
            slope[at] += p * (1 - p) * value / n
    pulls = solve(found.information, slope)
    if pulls is None:
        return None
    missed = [
        (value - chance(found.log_odds(covariates)))
        * sum(one * pulls[at] for at, one in covariates)
        for covariates, value, _ in cases
    ]
    centre = fsum(missed) / n
    influences = [(p - rate) / n + one - centre for p, one in zip(chances, missed, strict=True)]
    return estimate(rate, fsum(one * one for one in influences) * n / (n - 1), n)


def _deviation(values: Sequence[float]) -> float:
    """The sample's standard deviation; 0 for less than two values."""
    n = len(values)
    centre = fsum(values) / max(n, 1)
    return sqrt(fsum((value - centre) ** 2 for value in values) / max(n - 1, 1))
