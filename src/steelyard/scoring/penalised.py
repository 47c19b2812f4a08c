"""Logistic regression as AlpacaEval fits it: with an L1 penalty, chosen by cross-validation.

The coefficients b minimise |b_1| + |b_2| + ... + C * sum of weight * loss, with loss = -(value *
log p + (1 - value) * log(1 - p)) and p as in ``logistic``. Ten values of C between 1e-4 and 1e4, at
equal distances on a logarithmic scale, are tried: of five folds each is foretold from the other
four, and the C with the smallest mean loss is taken for the fit to all cases. The last case is in
the first fold, the one before it in the second, and so on.

Source: tatsu-lab/alpaca_eval, ``metrics/glm_winrate.py``, which leaves it to scikit-learn's
``LogisticRegressionCV`` with liblinear, ``GroupKFold`` and every case twice (once for each side,
weighted by its share). Newton's steps here end at the minimum itself, liblinear's near it.
Scikit-learn before it sorted stably dealt cases to folds as the machine's sorting had it.

Imported where it is needed: it loads numpy.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from steelyard.scoring.logistic import Case, Fit

Array: TypeAlias = NDArray[np.float64]

_TRIED = np.logspace(-4, 4, 10)
_FOLDS = 5
_CLOSE = 1e-9
_LEAST = 1e-15
"""A chance below it counts as it in the loss of a fold, as in AlpacaEval's."""


class _Cases(NamedTuple):
    design: Array
    values: Array
    weights: Array

    def only(self, chosen: NDArray[np.bool_]) -> "_Cases":
        return _Cases(self.design[chosen], self.values[chosen], self.weights[chosen])


def fit_penalised(cases: Sequence[Case], size: int) -> Fit | None:
    """The fit of ``size`` coefficients, with the information of the unpenalised likelihood.

    ``None`` for less cases than folds.
    """
    if len(cases) < _FOLDS:
        return None
    every = _table(cases, size)
    fold = np.arange(len(cases))[::-1] % _FOLDS
    losses = np.zeros(len(_TRIED))
    for held in range(_FOLDS):
        found = np.zeros(size)
        for at, trust in enumerate(_TRIED):
            found = _minimum(every.only(fold != held), float(trust), found)
            losses[at] += _loss(every.only(fold == held), found)
    found = _minimum(every, float(_TRIED[losses.argmin()]), np.zeros(size))
    information = _curve(every, _chances(every.design @ found))
    return Fit(found.tolist(), information.tolist())


def _table(cases: Sequence[Case], size: int) -> _Cases:
    design = np.zeros((len(cases), size))
    for row, case in zip(design, cases, strict=True):
        for at, value in case.covariates:
            row[at] = value
    values = np.array([case.value for case in cases])
    return _Cases(design, values, np.array([case.weight for case in cases]))


def _minimum(cases: _Cases, trust: float, start: Array) -> Array:
    """Newton's method: each step is to the minimum of the parabola and the penalty."""
    found, worth = start, _penalised(cases, trust, start)
    for _ in range(200):
        p = _chances(cases.design @ found)
        slope = trust * cases.design.T @ (cases.weights * (p - cases.values))
        curve = trust * _curve(cases, p) + 1e-12 * np.eye(len(found))
        step = _of_parabola(slope - curve @ found, curve, found) - found
        ahead, reached = found + step, _penalised(cases, trust, found + step)
        while reached > worth and np.abs(step).max() > _CLOSE:
            step = step / 2
            ahead, reached = found + step, _penalised(cases, trust, found + step)
        if np.abs(step).max() <= _CLOSE:
            break
        found, worth = ahead, reached
    return found


def _of_parabola(slope: Array, curve: Array, start: Array) -> Array:
    """Where slope.b + b.curve.b / 2 + |b_1| + |b_2| + ... is least, one coefficient at a time."""
    found = start.copy()
    for _ in range(1000):
        before = found.copy()
        for at in range(len(found)):
            pull = slope[at] + curve[at] @ found - curve[at, at] * found[at]
            found[at] = -np.sign(pull) * max(abs(pull) - 1, 0.0) / curve[at, at]
        if np.abs(found - before).max() < _CLOSE / 100:
            break
    return found


def _penalised(cases: _Cases, trust: float, coefficients: Array) -> float:
    odds = cases.design @ coefficients
    losses = np.logaddexp(0.0, odds) - cases.values * odds
    return float(np.abs(coefficients).sum() + trust * (cases.weights @ losses))


def _loss(cases: _Cases, coefficients: Array) -> float:
    """The mean of the weighted losses."""
    p = np.clip(_chances(cases.design @ coefficients), _LEAST, 1 - _LEAST)
    losses = cases.values * np.log(p) + (1 - cases.values) * np.log(1 - p)
    return -float(np.mean(cases.weights * losses))


def _curve(cases: _Cases, p: Array) -> Array:
    curve: Array = (cases.design.T * (cases.weights * p * (1 - p))) @ cases.design
    return curve


def _chances(odds: Array) -> Array:
    chances: Array = np.exp(-np.logaddexp(0.0, -odds))
    return chances
