"""Confidences of HLE: read out of the judge's reply, and held against what was right.

- The calibration error of known answers is known; the authors' is the same without the last bin.
- It agrees with a plain implementation of our own, whatever the order and the ties.
- A confidence that cannot be read, and an answer that nobody judged, count in neither figure.
- Where there are too few answers, another judge, or a rule before it, there is no figure.
"""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import made_up
from steelyard.core import Outcome, Reply, Sample, Score, Timing
from steelyard.scoring import json_verifier, judged_score, pairwise, verifier
from steelyard.scoring.confidence import (
    Sure,
    calibration_error,
    confidence_figures,
    stated_confidence,
    with_confidence,
)
from steelyard.tasks import catalogue
from steelyard.tasks.data import Data

JUDGE = with_confidence(json_verifier())


def error(sure: Sequence[Sure], *, every_bin: bool = True) -> float:
    found = calibration_error(sure, every_bin=every_bin)
    assert found is not None
    return found


def answers(confidence: float, right: int, n: int) -> list[Sure]:
    return [Sure(confidence, float(number < right)) for number in range(n)]


def test_an_answer_that_is_as_often_right_as_it_says_has_no_error() -> None:
    sure = [*answers(0.2, 20, 100), *answers(0.7, 70, 100), *answers(0.9, 135, 150)]
    assert error(sure) == pytest.approx(0)
    assert error(sure, every_bin=False) == pytest.approx(0)


def test_answers_that_are_always_sure_and_never_right_have_all_of_it() -> None:
    assert error(answers(1.0, 0, 100)) == 1
    assert error(answers(0.8, 0, 250)) == pytest.approx(0.8)
    assert error(answers(0.0, 250, 250)) == pytest.approx(1)


def test_bins_weigh_as_much_as_they_hold_and_the_last_holds_what_is_left() -> None:
    sure = [*answers(0.5, 20, 100), *answers(0.6, 50, 100), *answers(0.9, 30, 150)]
    random.Random(3).shuffle(sure)
    squares = [100 * 0.3**2, 100 * 0.1**2, 150 * 0.7**2]
    assert error(sure) == pytest.approx((sum(squares) / 350) ** 0.5)
    authors = error(sure, every_bin=False)
    assert authors == pytest.approx((sum(squares[:2]) / 350) ** 0.5), "without the last bin"


def test_there_is_no_error_of_less_than_a_bin_and_the_authors_needs_two() -> None:
    for n, there in ((0, []), (99, []), (100, [True]), (199, [True]), (200, [True, False])):
        sure = answers(0.5, 3, n)
        found = [one for one in (True, False) if calibration_error(sure, every_bin=one) is not None]
        assert found == there, n


def plain(sure: Sequence[Sure], *, every_bin: bool) -> float:
    """The same in another way: a cut every hundred answers but the last."""
    confidence, right = np.array(sure).T
    order = np.argsort(confidence, kind="stable")
    cuts = np.arange(1, len(sure) // 100) * 100
    gaps = np.split((confidence - right)[order], cuts)
    squares = [gap.sum() ** 2 / len(gap) for gap in gaps]
    return float(np.sqrt(sum(squares if every_bin else squares[:-1]) / len(sure)))


SURE = st.tuples(st.integers(0, 10).map(lambda tenth: tenth / 10), st.sampled_from([0.0, 1.0]))


@given(st.lists(SURE, min_size=5, max_size=40), st.integers(200, 450), st.integers(0, 9))
def test_it_is_what_a_plain_implementation_finds(
    few: list[tuple[float, float]], n: int, seed: int
) -> None:
    draw = random.Random(seed)
    sure = [Sure(*draw.choice(few)) for _ in range(n)]
    both = [error(sure, every_bin=every) for every in (True, False)]
    assert both == pytest.approx([plain(sure, every_bin=every) for every in (True, False)])
    assert 0 <= both[1] <= both[0] + 1e-12
    assert both[0] <= 1


@pytest.mark.parametrize(
    ("field", "share"),
    [
        ('"confidence": 90', 0.9),
        ('"confidence": 100', 1.0),
        ('"confidence": 0', 0.0),
        ('"Confidence": "87.5 %"', 0.875),
        ('"confidence": "60"', 0.6),
        ('"confidence": 1', 0.01),
        ('"confidence": 0.9', None),
        ('"confidence": 101', None),
        ('"confidence": -5', None),
        ('"confidence": "high"', None),
        ('"confidence": null', None),
        ('"confidence": true', None),
        ('"confidence": "nan"', None),
        ('"certainty": 90', None),
    ],
)
def test_a_confidence_is_a_number_of_percent(field: str, share: float | None) -> None:
    reply = f'{{"extracted_final_answer": "7", "reasoning": "", "correct": "no", {field}}}'
    for written in (reply, f"```json\n{reply}\n```", f"<think>Hm.</think>\n{reply}"):
        assert stated_confidence(written) == share
        found = JUDGE.verdict(written)
        assert (found.outcome, found.value) == ("wrong", 0)
        assert found.parts == ({} if share is None else {"confidence": share})


def test_two_confidences_are_none_and_without_a_verdict_there_is_none() -> None:
    one, other = (f'{{"correct": "yes", "confidence": {percent}}}' for percent in (90, 40))
    assert stated_confidence(f"{one}\n{one}") == 0.9
    assert stated_confidence(f"{one}\n{other}") is None
    assert JUDGE.verdict('{"confidence": 90}').parts == {}
    assert stated_confidence('<think>{"confidence": 90}') is None
    with pytest.raises(TypeError, match="does not judge"):
        with_confidence(pairwise())


def test_only_the_judge_of_hle_reads_confidences() -> None:
    reply = '{"correct": "yes", "confidence": 90}'
    assert json_verifier().verdict(reply).parts == verifier().verdict(reply).parts == {}
    by_name = {
        name: catalogue.find(name)[0].make(Data((made_up.folder(),)))[0]
        for name in ("hle_llmjudge", "hle_judge_gen")
    }
    assert by_name["hle_llmjudge"].judges[0].verdict(reply).parts == {"confidence": 0.9}
    assert by_name["hle_judge_gen"].figures is None


SAMPLE = Sample(id="1", question="?", target="7")


def scored(number: int, percent: int | None, *, right: bool, judge: str = JUDGE.id) -> Score:
    """The score that a reply of the judge makes."""
    stated = "" if percent is None else f', "confidence": {percent}'
    said = JUDGE.verdict(f'{{"correct": "{"yes" if right else "no"}"{stated}}}')
    reply = Reply(key=f"{number}#0", timing=Timing(queued_ns=0, sent_ns=0, done_ns=0))
    return judged_score(reply, SAMPLE, said, judge, {})


def test_the_report_has_both_figures_with_what_they_rest_on() -> None:
    scores = [scored(n, 80, right=n % 2 == 0) for n in range(240)]
    unmarked: Sequence[tuple[Outcome, float | None]] = (("invalid", 0.0), ("unparsed", None))
    without = [
        *(scored(500 + n, None, right=True) for n in range(50)),
        *(
            Score(key=f"{900 + n}#0", scorer=JUDGE.id, outcome=outcome, value=value)
            for n, (outcome, value) in enumerate(unmarked)
        ),
    ]
    authors, every = confidence_figures([*scores, *without])
    assert (authors.name, every.name) == ("calibration_error", "calibration_error (every bin)")
    assert every.value == pytest.approx(30)
    assert authors.value == pytest.approx(30 * (100 / 240) ** 0.5)
    for one in (authors, every):
        assert (one.n, one.unit, one.better, one.low) == (240, "%", "lower", None)


@pytest.mark.parametrize("judge", ["verifier@1#0", f"answer_line@1 | {JUDGE.id}"])
def test_another_judge_or_a_cascade_has_no_calibration_error(judge: str) -> None:
    scores = [scored(n, 80, right=True) for n in range(240)]
    assert confidence_figures(scores) != ()
    assert confidence_figures([*scores, scored(999, 80, right=True, judge=judge)]) == ()
    assert confidence_figures([]) == ()
