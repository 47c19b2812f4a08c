"""How far a judge agrees with people: every figure, by hand and against other people's programs.

- The quadratically weighted kappa and its interval agree with statsmodels, Spearman's with scipy.
- The intervals hold the truth in about 95 of 100 trials, of repeated questions too.
- What has no verdict is counted and is in no other figure.
- A figure that cannot be computed is absent.
"""

import random
from collections.abc import Iterable
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import Judgement
from steelyard.scoring import cohen_kappa, quadratic_kappa, spearman
from steelyard.scoring.calibration import calibration
from steelyard.scoring.calibration_figures import Calibration, Held
from steelyard.scoring.intervals import wilson
from steelyard.scoring.judging import in_both_orders

stats = pytest.importorskip("scipy.stats")
raters = pytest.importorskip("statsmodels.stats.inter_rater")

SCORES = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=5, max_size=60)


@given(SCORES)
def test_quadratic_kappa_agrees_with_statsmodels(pairs: list[tuple[int, int]]) -> None:
    table = np.zeros((5, 5))
    for one, other in pairs:
        table[one - 1, other - 1] += 1
    found = quadratic_kappa(*zip(*pairs, strict=True))
    if found is None:
        assert len(set(pairs)) == 1
        return
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = raters.cohens_kappa(table, wt="quadratic")
    assert found.value == pytest.approx(expected.kappa, abs=1e-9)
    if np.isfinite(expected.std_kappa):
        low, high = max(-1, expected.kappa_low), min(1, expected.kappa_upp)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


@given(SCORES)
def test_two_labels_have_one_kappa(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*((one > 2, other > 2) for one, other in pairs), strict=True)
    found = cohen_kappa(first, second)
    weighted = quadratic_kappa(first, second)
    assert (found is None) == (weighted is None)
    assert found is None or weighted == pytest.approx(found)


@given(SCORES)
def test_spearman_agrees_with_scipy(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found is None
        return
    assert found is not None
    assert found.value == pytest.approx(stats.spearmanr(first, second).statistic)
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_intervals_hold_the_truth_in_about_95_of_100_trials() -> None:
    """Of a noisy judge, each question asked twice: half of the noise belongs to the question."""
    chance = random.Random(3)

    def trial(n: int) -> Calibration:
        held = []
        for number in range(n):
            label = chance.choice([1.0, 2.0, 3.0, 4.0, 5.0])
            own = chance.choice([-1, 0, 0, 1])
            for _ in range(2):
                said = min(5.0, max(1.0, label + own + chance.choice([-1, 0, 0, 1])))
                judgement = Judgement(outcome="partial", value=(said - 1) / 4)
                held.append(Held(str(number), label, judgement))
        return calibration(held, (1, 5))

    truth = trial(20_000)
    names = ("agreement", "kappa", "mean_absolute_difference")
    hits = dict.fromkeys((*names, "spearman"), 0)
    for _ in range(400):
        found = trial(60)
        for name in hits:
            figure = getattr(found, name)
            hits[name] += figure.low <= getattr(truth, name).value <= figure.high
    assert {name: 370 <= hits[name] <= 394 for name in names} == dict.fromkeys(names, True), hits
    assert hits["spearman"] >= 370  # its n counts questions alone, so it is on the wide side


def said(word: str) -> Judgement:
    known = {
        "correct": Judgement(outcome="right", value=1.0, answer="correct"),
        "incorrect": Judgement(outcome="wrong", value=0.0, answer="incorrect"),
        "invalid": Judgement(outcome="invalid", value=0.0, answer="invalid"),
        "1": Judgement(outcome="right", value=1.0, answer="win"),
        "2": Judgement(outcome="wrong", value=0.0, answer="loss"),
        "tie": Judgement(outcome="partial", value=0.5, answer="tie"),
        "slightly 1": Judgement(outcome="partial", value=0.75, answer="win"),
        "?": Judgement(outcome="unparsed"),
        "!": Judgement(outcome="judge_failed"),
    }
    return known[word]


def answers(rows: Iterable[tuple[str, str]], length: int = 10) -> list[Held]:
    return [
        Held(str(number), label, said(word), lengths=(length, 0))
        for number, (label, word) in enumerate(rows)
    ]


def test_verdicts_and_labels_by_hand() -> None:
    rows = (
        [("correct", "correct")] * 6
        + [("correct", "incorrect")] * 2
        + [("incorrect", "incorrect")] * 5
        + [("incorrect", "correct")]
        + [("incorrect", "invalid")]
        + [("incorrect", "?"), ("correct", "!")]
    )
    found = calibration(answers(rows))
    assert found.asked == 17
    assert found.outcomes == {
        "right": 7, "wrong": 7, "invalid": 1, "unparsed": 1, "judge_failed": 1,
    }  # fmt: skip
    agreement = found.agreement
    assert agreement is not None
    assert (agreement.value, agreement.n) == (12 / 15, 15), "invalid counts as incorrect here"
    assert (agreement.low, agreement.high) == pytest.approx(wilson(12, 15))
    assert found.unparsed is not None
    assert (found.unparsed.value, found.unparsed.n) == (1 / 16, 16), "a failure is no reply"
    assert found.confusion == {
        "correct": {"correct": 6, "incorrect": 2, "judge_failed": 1},
        "incorrect": {"correct": 1, "incorrect": 5, "invalid": 1, "unparsed": 1},
    }
    correct, incorrect = found.labels["correct"], found.labels["incorrect"]
    assert correct.precision is not None
    assert correct.recall is not None
    assert (correct.precision.value, correct.precision.n) == (6 / 7, 7)
    assert (correct.recall.value, correct.recall.n) == (6 / 8, 8)
    assert correct.f1 == pytest.approx(12 / 15)
    assert found.macro_f1 == pytest.approx(fmean((correct.f1, incorrect.f1)))
    assert found.agreement_on_accepting is None, "people say nothing of invalid"


def test_where_people_say_invalid_three_classes_count() -> None:
    rows = [("invalid", "incorrect"), ("invalid", "invalid"), ("correct", "correct")]
    found = calibration(answers(rows))
    assert found.agreement is not None
    assert found.agreement_on_accepting is not None
    assert found.agreement.value == 2 / 3
    assert found.agreement_on_accepting.value == 1


def test_wrong_answers_accepted_by_length() -> None:
    rows = [
        Held(
            str(number), "incorrect", said("correct" if number >= 6 else "incorrect"), (), (number,)
        )
        for number in range(9)
    ]
    found = calibration([*rows, Held("r", "correct", said("correct"), (), (99,))])
    longer, shorter = found.wrong_accepted_longer, found.wrong_accepted_shorter
    assert longer is not None
    assert shorter is not None
    assert (longer.value, longer.n, shorter.value, shorter.n) == (3 / 4, 4, 0, 4)


def pairs(rows: Iterable[tuple[str, str, str]]) -> list[Held]:
    found = []
    for number, (label, *words) in enumerate(rows):
        first, second = map(said, words)
        both = in_both_orders(first, second)
        found.append(Held(str(number), label, both, (first, second), (1, 2)))
    return found


def test_pairs_by_hand() -> None:
    rows = [
        ("1", "1", "1"), ("1", "1", "2"), ("1", "1", "2"), ("2", "2", "2"),
        ("2", "1", "1"), ("tie", "1", "2"), ("tie", "tie", "tie"), ("1", "1", "?"),
    ]  # fmt: skip
    found = calibration(pairs(rows))
    assert found.agreement is not None
    assert (found.agreement.value, found.agreement.n) == (4 / 7, 7), "a pair that differs is a tie"
    straight, swapped = found.agreement_in_order
    assert (straight.value, straight.n, swapped.value, swapped.n) == (6 / 8, 8, 3 / 7, 7)
    assert found.agreement_in_both is not None
    assert found.agreement_in_both.value == 3 / 7
    assert found.position["n"] == 7
    assert (found.position["first"], found.position["second"]) == (3, 0)
    assert found.confusion["1"] == {"1": 1, "order": 2, "unparsed": 1}
    assert found.longer_preferred is not None
    assert found.longer_preferred.value == pytest.approx((1 + 4 * 0.5) / 7)


def test_a_graded_verdict_counts_for_its_side() -> None:
    found = calibration(pairs([("1", "slightly 1", "1"), ("2", "slightly 1", "2")]))
    assert found.agreement is not None
    assert found.agreement.value == 1 / 2
    assert found.confusion == {"1": {"1": 1}, "2": {"order": 1}}


def test_how_far_a_judge_agrees_with_itself() -> None:
    words = [("a", "111"), ("b", "112"), ("c", "12?"), ("d", "1??")]
    held = [
        Held(name, "correct", said({"1": "correct", "2": "incorrect", "?": "?"}[word]), (), (1,))
        for name, said_of_it in words
        for word in said_of_it
    ]
    found = calibration(held)
    assert found.same_every_time is not None
    assert found.same_pairs is not None
    assert (found.same_every_time.value, found.same_every_time.n) == (1 / 3, 3)
    assert found.same_pairs.value == pytest.approx((1 + 1 / 3 + 0) / 3)


def test_repeats_do_not_narrow_an_interval_that_rests_on_few_questions() -> None:
    once = answers([("correct", "correct")] * 6 + [("correct", "incorrect")] * 4)
    often = [one for one in once for _ in range(10)]
    few, many = calibration(once).agreement, calibration(often).agreement
    assert few is not None
    assert many is not None
    assert few.value == many.value
    assert many.n == 100
    assert many.high is not None
    assert many.low is not None
    assert many.high - many.low > 0.9 * ((few.high or 0) - (few.low or 0))


def test_numbers_by_hand() -> None:
    rows = [(1, 1), (2, 2), (3, 5), (5, 4)]
    held = [
        Held(str(n), float(label), Judgement(outcome="partial", value=(value - 1) / 4))
        for n, (label, value) in enumerate(rows)
    ]
    found = calibration([*held, Held("x", 3.0, said("?"))], (1, 5))
    assert found.agreement is not None
    assert found.mean_absolute_difference is not None
    assert (found.agreement.value, found.agreement.n) == (1 / 2, 4)
    assert found.mean_absolute_difference.value == pytest.approx(3 / 4)
    assert found.mean_difference == pytest.approx(1 / 4)
    assert found.confusion["3"] == {"5": 1, "unparsed": 1}
    assert found.kappa is not None


def test_what_cannot_be_computed_is_absent() -> None:
    nothing = calibration(answers([("correct", "!"), ("incorrect", "!")]))
    assert (nothing.agreement, nothing.kappa, nothing.macro_f1, nothing.unparsed) == (None,) * 4
    alike = calibration(answers([("correct", "correct")] * 3))
    assert alike.kappa is None
    assert alike.wrong_accepted_longer is None
    assert alike.same_every_time is None
    constant = [Held(str(n), 3.0, Judgement(outcome="partial", value=0.5)) for n in range(3)]
    found = calibration(constant, (1, 5))
    assert (found.kappa, found.spearman) == (None, None)
