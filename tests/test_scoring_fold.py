"""From scores to metrics.

- One run gives one figure; several runs give the average, avg@k, pass@k and cons@k.
- What has no value is left out and counted, never taken for wrong.
- The figures do not depend on the order of the scores, pass@k is the largest.
- Groups average their members, plainly or by weight.
"""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import ConfigError, Metric, Outcome, Score
from steelyard.scoring import aisbench_value, combine, fold
from steelyard.scoring.folding import cons_at_k, pass_at_k

RUNS = st.integers(2, 6).flatmap(
    lambda k: st.lists(st.lists(st.booleans(), min_size=k, max_size=k), min_size=1, max_size=12)
)
"""For each problem, which of its k attempts were right."""


def score(key: str, value: float | None, outcome: Outcome | None = None, subset: str = "") -> Score:
    if outcome is None:
        outcome = "failed" if value is None else "right" if value == 1 else "wrong"
    return Score(key=key, scorer="rule@1", outcome=outcome, value=value, subset=subset)


def attempts(problems: list[list[float | None]], subset: str = "") -> list[Score]:
    return [
        score(f"{subset}{problem}#{run}", None if value is None else float(value), subset=subset)
        for problem, values in enumerate(problems)
        for run, value in enumerate(values)
    ]


def by_name(metrics: tuple[Metric, ...]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def values(metrics: tuple[Metric, ...]) -> dict[str, float]:
    return {metric.name: round(metric.value, 2) for metric in metrics}


def counts(*right: int, of: int) -> list[list[float | None]]:
    return [[1.0] * c + [0.0] * (of - c) for c in right]


def test_one_run_gives_one_figure() -> None:
    (metric,) = fold(attempts([[1], [1], [0], [1]]), repeats=1)
    assert (metric.name, metric.value, metric.n, metric.unit) == ("accuracy", 75.0, 4, "%")
    assert (metric.n_failed, metric.n_unparsed) == (0, 0)


def test_the_metric_has_the_name_that_the_data_set_gives_it() -> None:
    assert values(fold(attempts([[1]]), repeats=1, metric="score")) == {"score": 100.0}
    assert "score (2 runs average)" in values(fold(attempts([[1, 1]]), repeats=2, metric="score"))


def test_failed_requests_are_left_out_and_unreadable_answers_are_not() -> None:
    scores = [
        score("a#0", 1.0),
        score("b#0", 0.0, "unparsed"),
        score("c#0", None, "failed"),
        score("d#0", None, "unjudged"),
    ]
    (metric,) = fold(scores, repeats=1)
    assert (metric.value, metric.n, metric.n_failed, metric.n_unparsed) == (50.0, 2, 1, 1)


def test_partial_marks_count_in_part() -> None:
    (metric,) = fold([score("a#0", 0.6, "partial"), score("b#0", 0.2, "partial")], repeats=1)
    assert metric.value == pytest.approx(40)


@pytest.mark.parametrize("repeats", [1, 3])
def test_without_any_answer_there_is_no_metric(repeats: int) -> None:
    assert fold([], repeats=repeats) == ()
    assert fold(attempts([[None] * repeats] * 4), repeats=repeats) == ()


def test_of_two_scores_with_one_key_the_later_counts() -> None:
    (metric,) = fold([score("a#0", None), score("a#0", 1.0)], repeats=1)
    assert (metric.value, metric.n, metric.n_failed) == (100.0, 1, 0)


def test_the_worked_example_of_three_runs() -> None:
    metrics = fold(attempts(counts(2, 2, 1, 0, of=3)), repeats=3)
    assert values(metrics) == {
        "accuracy (3 runs average)": 41.67,
        "avg@3": 41.67,
        "pass@3": 75.0,
        "cons@3": 50.0,
    }
    assert [metric.n for metric in metrics] == [12, 4, 4, 4]


def test_a_published_table_of_five_runs_over_thirty_problems() -> None:
    """18.00 / 18.00 / 53.33 / 13.33: 27 of 150 attempts, 16 problems solved, 4 of them mostly."""
    right = [4, 3, 3, 3, 2, 2] + [1] * 10 + [0] * 14
    assert list(values(fold(attempts(counts(*right, of=5)), repeats=5)).items()) == [
        ("accuracy (5 runs average)", 18.0),
        ("avg@5", 18.0),
        ("pass@5", 53.33),
        ("cons@5", 13.33),
    ]


@pytest.mark.parametrize(
    ("n", "c", "k", "chance"), [(5, 3, 2, 0.9), (5, 0, 5, 0), (5, 1, 5, 1), (4, 2, 1, 0.5)]
)
def test_pass_at_k(n: int, c: int, k: int, chance: float) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(chance)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(n_and_c: tuple[int, int]) -> None:
    n, c = n_and_c
    for k in range(1, n + 1):
        draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
        assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_consensus_needs_more_than_half() -> None:
    assert [cons_at_k(c, 4) for c in range(5)] == [0, 0, 0, 1, 1]
    assert [cons_at_k(c, 5) for c in range(6)] == [0, 0, 0, 1, 1, 1]


def test_a_partial_mark_is_right_above_one_half_where_marks_are_counted() -> None:
    scores = [score(f"a#{run}", value, "partial") for run, value in enumerate((0.6, 0.4, 0.6))]
    metrics = values(fold(scores, repeats=3))
    assert metrics["accuracy (3 runs average)"] == 53.33
    assert metrics["avg@3"] == 66.67


def test_a_problem_with_failed_attempts_counts_only_where_it_can() -> None:
    metrics = by_name(fold(attempts([[1, 1, 0], [1, None, None], [None] * 3]), repeats=3))
    average, avg = metrics["accuracy (3 runs average)"], metrics["avg@3"]
    assert average.value == pytest.approx(100 * (1 + 1 + 0) / 3)
    assert average.n == 4
    assert avg.value == pytest.approx(100 * (2 / 3 + 1) / 2)
    assert avg.n == 2
    assert (metrics["pass@3"].value, metrics["pass@3"].n) == (100, 1)
    assert (metrics["cons@3"].value, metrics["cons@3"].n) == (100, 1)
    assert {metric.n_failed for metric in metrics.values()} == {5}


def test_without_a_complete_problem_pass_and_cons_are_absent() -> None:
    metrics = by_name(fold(attempts([[1, None], [None, 0]]), repeats=2))
    assert sorted(metrics) == ["accuracy (2 runs average)", "avg@2"]


def test_attempts_of_different_problems_are_never_mixed() -> None:
    problems = counts(5, 5, 0, 0, 0, of=5)
    scores = sorted(attempts(problems), key=lambda one: one.key.rpartition("#")[2])
    assert values(fold(scores, repeats=5))["pass@5"] == 40.0


def test_several_runs_over_several_subsets_are_told_apart() -> None:
    scores = attempts([[1, 1], [1, 0]], subset="law") + attempts([[0, 0]], subset="art")
    metrics = fold(scores, repeats=2)
    assert list(values(metrics).items())[1:] == [
        ("avg@2", 50.0),
        ("pass@2", 66.67),
        ("cons@2", 33.33),
        ("art/avg@2", 0.0),
        ("art/pass@2", 0.0),
        ("art/cons@2", 0.0),
        ("law/avg@2", 75.0),
        ("law/pass@2", 100.0),
        ("law/cons@2", 50.0),
    ]
    assert [metric.subset for metric in metrics] == [""] * 4 + ["art"] * 3 + ["law"] * 3


@given(RUNS)
def test_pass_is_never_below_avg_or_cons(problems: list[list[bool]]) -> None:
    k = len(problems[0])
    metrics = by_name(fold(attempts(problems), repeats=k))
    passed = metrics[f"pass@{k}"].value + 1e-9
    assert passed >= metrics[f"avg@{k}"].value
    assert passed >= metrics[f"cons@{k}"].value
    assert metrics[f"accuracy ({k} runs average)"].value == pytest.approx(metrics[f"avg@{k}"].value)


@given(RUNS, st.randoms(use_true_random=False))
def test_the_order_of_scores_does_not_matter(
    problems: list[list[bool]], chance: random.Random
) -> None:
    scores = attempts(problems)
    shuffled = scores[:]
    chance.shuffle(shuffled)
    k = len(problems[0])
    assert values(fold(shuffled, repeats=k)) == values(fold(scores, repeats=k))


@given(RUNS)
def test_every_figure_lies_in_its_interval_and_on_its_scale(problems: list[list[bool]]) -> None:
    for metric in fold(attempts(problems), repeats=len(problems[0])):
        assert metric.low is not None
        assert metric.high is not None
        assert 0 <= metric.low <= metric.value <= metric.high <= 100
        assert metric.low < metric.high


def test_aisbench_counts_failures_as_wrong() -> None:
    scores = [score("a#0", 1.0), score("b#0", None), score("c#0", 0.0), score("d#0", 0.5)]
    assert aisbench_value(scores) == pytest.approx(37.5)
    assert aisbench_value([]) is None


def member(value: float, n: int, failed: int = 0) -> Metric:
    right = round(value * n / 100)
    scores = [score(f"{i}#0", float(i < right)) for i in range(n)]
    scores += [score(f"f{i}#0", None) for i in range(failed)]
    (metric,) = fold(scores, repeats=1)
    return metric


def test_a_group_averages_plainly_or_by_weight() -> None:
    members = {"law": member(50, 100, failed=2), "art": member(90, 10)}
    plain = combine(members, None)
    assert (plain.name, plain.value, plain.n, plain.n_failed) == ("naive_average", 70.0, 110, 2)
    weighted = combine(members, {"law": 100, "art": 10, "unused": 5})
    assert weighted.name == "weighted_average"
    assert weighted.value == pytest.approx((50 * 100 + 90 * 10) / 110)


def test_weights_equal_to_the_row_counts_give_the_accuracy_over_all_rows() -> None:
    members = {"a": member(50, 100), "b": member(50, 60), "c": member(50, 40)}
    weighted = combine(members, {"a": 100, "b": 60, "c": 40})
    whole = member(50, 200)
    assert weighted.low == pytest.approx(whole.low)
    assert weighted.high == pytest.approx(whole.high)


def test_a_group_of_perfect_members_still_has_an_interval() -> None:
    combined = combine({"a": member(100, 20), "b": member(100, 20)}, None)
    assert combined.high == 100
    assert combined.low == pytest.approx(member(100, 40).low)


def test_a_member_without_interval_leaves_the_group_without_one() -> None:
    bare = Metric(name="accuracy", value=50.0, n=10)
    combined = combine({"a": bare, "b": member(70, 10)}, None)
    assert (combined.value, combined.low, combined.high) == (60.0, None, None)


def test_a_group_that_cannot_be_averaged_says_why() -> None:
    one = member(50, 10)
    with pytest.raises(ConfigError, match="no weight for b"):
        combine({"a": one, "b": one}, {"a": 1})
    with pytest.raises(ConfigError, match="weights that sum to 0"):
        combine({"a": one}, {"a": 0})
    with pytest.raises(ConfigError, match="without members"):
        combine({}, None)
    with pytest.raises(ConfigError, match="b: time in s"):
        combine({"a": one, "b": Metric(name="time", value=1.0, n=1, unit="s", scale=1)}, None)
