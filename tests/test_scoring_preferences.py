"""Folding a judge's verdicts, against other people's programs, by hand and by trial.

- Cohen's kappa and its interval agree with statsmodels; macro scores with a hand computation.
- The bootstrap interval of a win rate agrees with scipy and holds the truth in 95 of 100 trials.
- Position bias is McNemar's test; length bias is what a counting says.
- Bradley and Terry's ratings agree with the closed form of two models and with a logistic fit.
"""

import math
import random
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import DataError
from steelyard.scoring import (
    agreement,
    bradley_terry,
    cohen_kappa,
    decided,
    first_token_preference,
    length_bias,
    macro,
    majority,
    position_bias,
    standard_error,
    win_rate,
)
from steelyard.scoring.comparing import mcnemar_exact
from steelyard.scoring.intervals import wilson
from steelyard.scoring.ratings import Game, win_probability

stats = pytest.importorskip("scipy.stats")
raters = pytest.importorskip("statsmodels.stats.inter_rater")
models = pytest.importorskip("statsmodels.api")

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=4, max_size=80)


@given(PAIRS)
def test_kappa_agrees_with_statsmodels(pairs: list[tuple[int, int]]) -> None:
    table = np.zeros((3, 3))
    for one, other in pairs:
        table[one, other] += 1
    found = cohen_kappa(*zip(*pairs, strict=True))
    if found is None:
        assert len(set(pairs)) == 1
        return
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = raters.cohens_kappa(table)
    assert found.value == pytest.approx(expected.kappa, abs=1e-9)
    if np.isfinite(expected.std_kappa):
        low, high = max(-1, expected.kappa_low), min(1, expected.kappa_upp)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


def test_kappa_by_hand() -> None:
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen_kappa(first, second)
    assert found is not None
    assert found.value == pytest.approx(0.4)
    assert agreement(first, second)[:] == pytest.approx((0.7, *wilson(35, 50)))
    assert cohen_kappa([1, 1], [1, 1]) is None


def test_macro_scores_by_hand() -> None:
    gold, judged = [0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 0, 1]
    found = macro(judged, gold)
    assert found.precision == pytest.approx((1 / 2 + 2 / 4 + 0) / 3)
    assert found.recall == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    assert found.f1 == pytest.approx((1 / 2 + 4 / 7 + 0) / 3)


def test_a_majority_is_more_than_half() -> None:
    assert majority([1, 1, 2]) == 1
    assert majority([0, 1, 2]) is None
    assert majority([1, 2]) is None


def test_the_win_rates_interval_agrees_with_scipy() -> None:
    chance = random.Random(5)
    values = [chance.choice([0.0, 0.0, 0.5, 1.0]) for _ in range(200)]
    found = win_rate(values)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=1)
    assert found.value == fmean(values)
    interval = theirs.confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.01)
    assert win_rate(values) == found
    assert standard_error(values) == pytest.approx(stats.sem(values))


def test_win_rates_are_covered() -> None:
    def trial(number: int) -> bool:
        chance = random.Random(number)
        values = chance.choices([0.0, 0.5, 1.0], [5, 2, 3], k=120)
        found = win_rate(values, seed=number, resamples=400)
        return found.low <= 0.4 <= found.high

    assert 0.91 <= fmean(trial(number) for number in range(200)) <= 0.99


def test_a_model_that_always_wins_is_not_certain_to() -> None:
    assert win_rate([1.0] * 20)[1:] == pytest.approx(wilson(20, 20))


def test_values_are_decided_by_the_half() -> None:
    assert [decided(value) for value in (0.0, 0.49, 0.5, 0.51, 1.0)] == [0, 0, 0.5, 1, 1]


def test_the_preference_of_a_first_token() -> None:
    assert first_token_preference(math.log(0.6), math.log(0.2)) == pytest.approx(0.75)
    assert first_token_preference(-9999.0, 0.0) == pytest.approx(0.0)


def test_position_bias_is_mcnemars_test() -> None:
    straight = [1.0] * 10 + [1.0] * 8 + [0.0] * 2 + [0.5] * 5
    swapped = [1.0] * 10 + [0.0] * 8 + [1.0] * 2 + [0.5] * 5
    found = position_bias(straight, swapped)
    assert found == (25, 15, 8, 2, mcnemar_exact(8, 2))


def test_length_bias_is_counted() -> None:
    found = length_bias([1.0, 0.0, 1.0, 0.5, 1.0], [9, 9, 1, 9, 5], [1, 1, 9, 1, 5])
    assert found is not None
    assert found.value == pytest.approx((1 + 0 + 0 + 0.5) / 4)
    assert length_bias([1.0], [3], [3]) is None


def test_the_ratings_of_two_models_have_a_closed_form() -> None:
    games = [Game("a", "b", 1.0)] * 30 + [Game("b", "a", 1.0)] * 9 + [Game("a", "b", 0.5)] * 2
    found = bradley_terry(games, resamples=50)
    assert found["a"].value - found["b"].value == pytest.approx(400 * math.log10(31 / 10))
    assert found["a"].value + found["b"].value == pytest.approx(2000)
    assert win_probability(found["a"].value, found["b"].value) == pytest.approx(31 / 41)


def test_ratings_agree_with_a_logistic_fit() -> None:
    chance = random.Random(2)
    skill = {"a": 0.0, "b": 0.4, "c": 1.1, "d": -0.7}
    games = []
    for _ in range(400):
        one, other = chance.sample(sorted(skill), 2)
        wins = chance.random() < 1 / (1 + math.exp(skill[other] - skill[one]))
        games.append(Game(one, other, float(wins)))
    design = np.array(
        [[(game.first == name) - (game.second == name) for name in "bcd"] for game in games], float
    )
    fit = models.Logit([game.value for game in games], design).fit(disp=0)
    found = bradley_terry(games)
    for name, strength in zip("bcd", fit.params, strict=True):
        difference = found[name].value - found["a"].value
        assert difference == pytest.approx(400 * strength / math.log(10), abs=0.01)
    assert fmean(rating.value for rating in found.values()) == pytest.approx(1000)
    assert all(rating.low < rating.value < rating.high for rating in found.values())
    assert list(found) == ["a", "b", "c", "d"]


def test_models_that_cannot_be_compared_have_no_ratings() -> None:
    for games in (
        [Game("a", "b", 1.0)] * 3,
        [Game("a", "b", 0.5), Game("c", "d", 0.5)],
        [Game("a", "b", 0.5), Game("c", "a", 1.0), Game("c", "b", 1.0)],
    ):
        with pytest.raises(DataError, match="no finite rating"):
            bradley_terry(games)
