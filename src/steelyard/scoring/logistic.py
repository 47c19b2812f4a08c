"""Logistic regression of preferences on a few covariates, by maximum likelihood.

The chance that an answer is preferred is p = 1 / (1 + exp(-b.x)). The coefficients b maximise
sum of weight * (value * log p + (1 - value) * log(1 - p)); values may stand between 0 and 1, as a
tie and a judge's probability do. Newton's method, a step halved while it makes the fit worse.
"""

from collections.abc import Sequence
from math import exp, fsum, log1p
from typing import NamedTuple, TypeAlias

Covariates: TypeAlias = tuple[tuple[int, float], ...]
"""Those of a case that are not 0: the number of the coefficient, and the value."""
Matrix: TypeAlias = list[list[float]]

_LIMIT = 30.0
"""Log-odds beyond this are the way to infinity: some covariate foretells every preference."""
_CLOSE = 1e-9


class Case(NamedTuple):
    """One preference."""

    covariates: Covariates
    value: float
    weight: float = 1.0


class Fit(NamedTuple):
    """The most likely coefficients."""

    coefficients: list[float]
    information: Matrix
    """Minus the second derivatives of the log-likelihood, at the coefficients."""

    def log_odds(self, covariates: Covariates) -> float:
        """Of a case with these covariates."""
        return _product(covariates, self.coefficients)


class _State(NamedTuple):
    likelihood: float
    slope: list[float]
    information: Matrix


def fit(cases: Sequence[Case], size: int, start: Sequence[float] = ()) -> Fit | None:
    """The fit of ``size`` coefficients; ``None`` when no finite ones are the most likely.

    That is so when covariates repeat one another, and when they foretell every preference.
    ``start`` is a guess, which saves steps.
    """
    found = list(start) or [0.0] * size
    state = _at(cases, found)
    for _ in range(100):
        step = solve(state.information, state.slope)
        if step is None or max(map(abs, found), default=0.0) > _LIMIT:
            return None
        ahead, reached = _longest(cases, found, step, state.likelihood)
        if max(map(abs, step), default=0.0) < _CLOSE:
            return Fit(ahead, reached.information)
        found, state = ahead, reached
    return None


def chance(log_odds: float) -> float:
    """The probability with these log-odds."""
    if log_odds >= 0:
        return 1 / (1 + exp(-log_odds))
    return exp(log_odds) / (1 + exp(log_odds))


def solve(matrix: Matrix, right: Sequence[float]) -> list[float] | None:
    """x of matrix * x = right, by elimination; ``None`` when the matrix is (almost) singular."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    least = 1e-10 * max((abs(line[at]) for at, line in enumerate(matrix)), default=0.0)
    for at in range(size):
        best = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        if abs(rows[at][at]) <= least:
            return None
        for below in range(at + 1, size):
            share = rows[below][at] / rows[at][at]
            if share:
                for column in range(at, size + 1):
                    rows[below][column] -= share * rows[at][column]
    found = [0.0] * size
    for at in reversed(range(size)):
        known = fsum(rows[at][column] * found[column] for column in range(at + 1, size))
        found[at] = (rows[at][size] - known) / rows[at][at]
    return found


def _longest(
    cases: Sequence[Case], found: Sequence[float], step: Sequence[float], likelihood: float
) -> tuple[list[float], _State]:
    """The step, or the longest of its halves that makes the fit no worse."""
    share = 1.0
    while True:
        ahead = [one + share * move for one, move in zip(found, step, strict=True)]
        state = _at(cases, ahead)
        if state.likelihood >= likelihood - _CLOSE or share < 1e-6:
            return ahead, state
        share /= 2


def _at(cases: Sequence[Case], coefficients: Sequence[float]) -> _State:
    size = len(coefficients)
    likelihood, slope = 0.0, [0.0] * size
    information = [[0.0] * size for _ in range(size)]
    for covariates, value, weight in cases:
        odds = _product(covariates, coefficients)
        p = chance(odds)
        likelihood += weight * (value * odds - max(odds, 0.0) - log1p(exp(-abs(odds))))
        pull, spread = weight * (value - p), weight * p * (1 - p)
        for at, one in covariates:
            slope[at] += pull * one
            line, held = information[at], spread * one
            for other, another in covariates:
                line[other] += held * another
    return _State(likelihood, slope, information)


def _product(covariates: Covariates, coefficients: Sequence[float]) -> float:
    return sum(value * coefficients[at] for at, value in covariates)
