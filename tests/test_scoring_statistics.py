"""How sure we are: intervals and comparisons, against other people's programs and by trial.

- Wilson, McNemar and Student's t agree with statsmodels and scipy.
- 95 % intervals hold the truth in about 95 of 100 simulated runs, also with repeats, groups and
  pairs.
"""

import random
from collections.abc import Callable, Sequence
from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.core import Metric, Score
from steelyard.scoring import Comparison, combine, compare, fold
from steelyard.scoring.comparing import (
    _t_95,
    difference_interval,
    mcnemar_exact,
    paired_bootstrap,
)
from steelyard.scoring.intervals import (
    Estimate,
    Weighted,
    clustered_mean,
    effective_answers,
    estimate,
    mean,
    wilson,
)

stats = pytest.importorskip("scipy.stats")
linear = pytest.importorskip("statsmodels.regression.linear_model")
proportion = pytest.importorskip("statsmodels.stats.proportion")

MARKS = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def scores(values: Sequence[Sequence[float | None]]) -> list[Score]:
    return [
        Score(key=f"{i}#{j}", scorer="rule@1", outcome="wrong", value=value)
        for i, row in enumerate(values)
        for j, value in enumerate(row)
    ]


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_statsmodels(counted: tuple[int, int]) -> None:
    right, n = counted
    low, high = proportion.proportion_confint(right, n, method="wilson")
    assert wilson(right, n) == pytest.approx((low, high), abs=1e-12)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_agrees_with_scipy(b: int, c: int) -> None:
    assume(b + c > 0)
    assert mcnemar_exact(b, c) == pytest.approx(stats.binomtest(b, b + c).pvalue, rel=1e-9)


def test_models_that_never_differ_are_not_different() -> None:
    assert mcnemar_exact(0, 0) == 1.0


def test_mcnemar_is_exact_and_quick_for_thousands_of_pairs() -> None:
    assert mcnemar_exact(5200, 4900) == pytest.approx(
        stats.binomtest(5200, 10_100).pvalue, rel=1e-6
    )


@pytest.mark.parametrize("freedom", [2, 3, 5, 10, 30, 300])
def test_students_t_agrees_with_scipy(freedom: int) -> None:
    assert _t_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.01)


def test_right_or_wrong_values_get_wilsons_own_interval() -> None:
    found = mean([1.0] * 37 + [0.0] * 13)
    assert found[1:] == pytest.approx(wilson(37, 50))


def test_the_clustered_variance_agrees_with_statsmodels() -> None:
    chance = random.Random(4)
    skills = [chance.betavariate(0.5, 0.5) for _ in range(50)]
    rows = [[float(chance.random() < skill) for _ in range(4)] for skill in skills]
    fit = linear.OLS([value for row in rows for value in row], [1.0] * 200).fit(
        cov_type="cluster",
        cov_kwds={"groups": [i for i in range(50) for _ in range(4)], "use_correction": True},
    )
    found = clustered_mean([[Weighted(1 / 200, value) for value in row] for row in rows])
    assert found.value == pytest.approx(fit.params[0])
    effective = found.value * (1 - found.value) / fit.bse[0] ** 2
    assert effective_answers(found) == pytest.approx(effective)


def test_repeats_that_always_agree_are_worth_hardly_one_run() -> None:
    clusters = [[Weighted(1 / 250, value)] * 5 for value in [1.0] * 30 + [0.0] * 20]
    assert effective_answers(clustered_mean(clusters)) == pytest.approx(49)


def test_repeats_of_a_single_question_are_one_answer() -> None:
    clusters = [[Weighted(1 / 5, value) for value in (1.0, 1.0, 1.0, 0.0, 0.0)]]
    assert clustered_mean(clusters)[1:] == pytest.approx(wilson(0.6, 1))


def test_repeats_are_never_worth_more_than_as_many_questions() -> None:
    clusters = [[Weighted(1 / 40, 1.0), Weighted(1 / 40, 0.0)] for _ in range(20)]
    assert clustered_mean(clusters) == pytest.approx(mean([1.0, 0.0] * 20))


@given(MARKS)
def test_partial_marks_are_worth_at_least_as_much_as_right_or_wrong(marks: list[float]) -> None:
    found = mean(marks)
    coarse = wilson(found.value * len(marks), len(marks))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low <= coarse.high - coarse.low + 1e-9


def test_alike_partial_marks_do_not_make_certain() -> None:
    found = mean([0.3] * 10)
    assert found[1:] == pytest.approx(wilson(3, 10))


@given(st.floats(0, 1), st.floats(2, 5000))
def test_the_number_of_answers_is_read_back_from_an_interval(value: float, n: float) -> None:
    assume(value == 0 or value > 1e-6)
    assume(value == 1 or value < 1 - 1e-6)
    assert effective_answers(estimate(value, 0.0, n)) == pytest.approx(n, rel=1e-4)


def coverage(trial: Callable[[random.Random], bool], trials: int) -> float:
    chance = random.Random(20250628)
    return fmean(trial(chance) for _ in range(trials))


def holds(metric: Metric | Comparison, truth: float) -> bool:
    assert metric.low is not None
    assert metric.high is not None
    return metric.low <= truth <= metric.high


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_single_runs_are_covered(share: float) -> None:
    def trial(chance: random.Random) -> bool:
        (metric,) = fold(scores([[float(chance.random() < share)] for _ in range(200)]), repeats=1)
        return holds(metric, 100 * share)

    assert 0.93 <= coverage(trial, 1000) <= 0.98


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("failing", [0.0, 0.2])
def test_repeats_of_the_same_questions_are_covered(which: int, failing: float) -> None:
    def trial(chance: random.Random) -> bool:
        skills = [chance.betavariate(0.5, 0.5) for _ in range(40)]
        answers = [
            [
                None if chance.random() < failing else float(chance.random() < skill)
                for _ in range(4)
            ]
            for skill in skills
        ]
        return holds(fold(scores(answers), repeats=4)[which], 50.0)

    assert 0.92 <= coverage(trial, 600) <= 0.98


def test_pretending_that_repeats_are_questions_would_not_be_covered() -> None:
    def trial(chance: random.Random) -> bool:
        skills = [chance.betavariate(0.5, 0.5) for _ in range(40)]
        answers = [float(chance.random() < skill) for skill in skills for _ in range(4)]
        found = mean(answers)
        return found.low <= 0.5 <= found.high

    assert coverage(trial, 600) < 0.85


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(4, 2), (20, 2)])
def test_groups_of_small_data_sets_are_covered(weighted: bool, shape: tuple[int, int]) -> None:
    layout = random.Random(3)
    sizes = [layout.randint(12, 40) for _ in range(30)]
    skills = [layout.betavariate(*shape) for _ in sizes]
    weights = {str(i): float(size) for i, size in enumerate(sizes)} if weighted else None
    shares = sizes if weighted else [1] * len(sizes)
    truth = 100 * sum(s * w for s, w in zip(skills, shares, strict=True)) / sum(shares)

    def trial(chance: random.Random) -> bool:
        members = {
            str(i): fold(
                scores([[float(chance.random() < skill)] for _ in range(size)]), repeats=1
            )[0]
            for i, (size, skill) in enumerate(zip(sizes, skills, strict=True))
        }
        return holds(combine(members, weights), truth)

    assert 0.92 <= coverage(trial, 400) <= 0.98


@pytest.mark.parametrize("runs", [1, 4])
def test_differences_of_two_models_are_covered(runs: int) -> None:
    def trial(chance: random.Random) -> bool:
        skills = [chance.betavariate(2, 2) for _ in range(60)]
        first, second = (
            scores([[float(chance.random() < s) for _ in range(runs)] for s in model])
            for model in (skills, [0.8 * skill for skill in skills])
        )
        found = compare(first, second)
        assert found is not None
        return holds(found, 10.0)

    assert 0.92 <= coverage(trial, 150) <= 1


def test_equal_models_are_told_apart_in_at_most_5_of_100_trials() -> None:
    def trial(chance: random.Random) -> bool:
        skills = [chance.betavariate(2, 2) for _ in range(60)]
        first, second = (
            scores([[float(chance.random() < skill)] for skill in skills]) for _ in range(2)
        )
        found = compare(first, second)
        assert found is not None
        return not found.is_noise

    assert coverage(trial, 600) <= 0.05


def test_a_comparison_says_who_was_better_how_often() -> None:
    first = scores([[1.0]] * 12 + [[0.0]] * 8 + [[None]])
    second = scores([[1.0]] * 3 + [[0.0]] * 16 + [[1.0], [1.0]])
    found = compare(first, second)
    assert found is not None
    assert (found.n, found.first_better, found.second_better) == (20, 9, 1)
    assert found.difference == pytest.approx(40)
    assert found.test == "mcnemar"
    assert found.p_value == pytest.approx(mcnemar_exact(9, 1))
    assert not found.is_noise
    assert found.low < 40 < found.high


def test_a_comparison_turned_round_has_the_signs_turned_round() -> None:
    first, second = scores([[1.0]] * 9 + [[0.0]]), scores([[0.0]] * 4 + [[1.0]] * 6)
    one, other = compare(first, second), compare(second, first)
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.p_value == other.p_value


def test_models_without_a_common_question_cannot_be_compared() -> None:
    assert compare(scores([[1.0]]), scores([[None]])) is None
    assert compare([], []) is None


def test_identical_answers_are_noise_with_an_honest_interval() -> None:
    same = scores([[1.0]] * 30 + [[0.0]] * 20)
    found = compare(same, same)
    assert found is not None
    assert (found.difference, found.p_value, found.is_noise) == (0, 1.0, True)
    assert found.low < 0 < found.high


def test_repeated_questions_are_compared_by_resampling() -> None:
    first = scores([[1.0, 1.0, 0.0]] * 20)
    second = scores([[0.0, 1.0, 0.0]] * 20)
    found = compare(first, second)
    assert found is not None
    assert found.test == "bootstrap"
    assert found.difference == pytest.approx(100 / 3)
    assert not found.is_noise


def test_too_few_repeated_questions_say_nothing() -> None:
    assert difference_interval([0.5, 0.25]) == (-1, 1)


def test_the_bootstrap_is_repeatable_and_close_to_the_t_interval() -> None:
    chance = random.Random(1)
    differences = [chance.gauss(0.02, 0.3) for _ in range(400)]
    found = paired_bootstrap(differences, seed=7)
    assert found == paired_bootstrap(differences, seed=7)
    assert found != paired_bootstrap(differences, seed=8)
    assert found[:2] == pytest.approx(difference_interval(differences), abs=0.005)


def test_the_interval_of_pairs_is_that_of_bonett_and_price() -> None:
    low, high = difference_interval([1.0] * 6 + [-1.0] * 2 + [0.0] * 17)
    p12, p21 = 7 / 27, 3 / 27
    reach = 1.959963984540054 * ((p12 + p21 - (p12 - p21) ** 2) / 27) ** 0.5
    assert (low, high) == pytest.approx((p12 - p21 - reach, p12 - p21 + reach))


def test_an_estimate_off_its_scale_by_rounding_is_put_back() -> None:
    assert estimate(1 + 1e-16, 0.0, 10) == Estimate(1.0, wilson(10, 10).low, 1.0)
