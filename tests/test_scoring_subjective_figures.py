"""The figures of AlpacaEval, Arena-Hard and MT-Bench where something is missing.

- A game without a verdict is left out, the other one of its question stays.
- An answer that no judge was shown clearly lost both games.
- Where no figure fits its row is missing; the plain win rate is always there.
- Another judge's marks make no figures of these.
"""

from collections.abc import Mapping

import pytest

from steelyard.core import Outcome, Reply, Sample, Score, Timing
from steelyard.scoring import (
    alpaca_eval_figures,
    arena_hard_figures,
    fold,
    graded_pairwise,
    in_both_orders,
    judged_score,
    mt_bench_category,
    mt_bench_comparison,
    mt_bench_rating,
    mt_bench_ratings,
    mt_bench_wins,
    pairwise,
    styles,
)

FENCE = "k3v9q0zt71mx"
SAMPLE = Sample(id="1", question="?", meta={"baseline": "# A\n- b **c**"})


def scored(key: str, value: float | None, parts: Mapping[str, float]) -> Score:
    outcome: Outcome = "unparsed" if value is None else "partial"
    return Score(key=key, scorer="x@1", outcome=outcome, value=value, parts=parts)


def graded(number: int, *grades: str, answer: str = "An answer.") -> Score:
    """The score that two replies of a judge make."""
    judges = (graded_pairwise(), graded_pairwise(swapped=True))
    both = [judge.verdict(grade) for judge, grade in zip(judges, grades, strict=True)]
    reply = Reply(key=f"{number}#0", timing=Timing(queued_ns=0, sent_ns=0, done_ns=0))
    return judged_score(reply, SAMPLE, in_both_orders(*both), "x@1", styles(answer, SAMPLE))


def test_styles_are_those_of_both_answers() -> None:
    found = styles("**x**", SAMPLE)
    assert found == {
        **{"length": 5, "headers": 0, "lists": 0, "bold": 1},
        **{"baseline_length": 13, "baseline_headers": 1, "baseline_lists": 1, "baseline_bold": 1},
    }


def test_every_game_of_arena_hard_counts_by_itself() -> None:
    scores = [
        graded(1, "[[A>>B]]", "[[B>A]]"),  # a clear win, a win
        graded(2, "[[A>B]]", "I cannot say."),  # a win, nothing
        graded(3, "[[A=B]]", "[[A>>B]]"),  # a tie, a clear loss
    ]
    assert [one.value for one in scores] == [0.875, None, 0.5]
    found, *_ = arena_hard_figures(scores)
    assert found.value == pytest.approx(100 * (3 + 1 + 1 + 0.5) / (3 + 1 + 1 + 1 + 3))
    assert (found.name, found.n, found.n_unparsed) == ("win_rate", 5, 1)
    empty = Score(key="4#0", scorer="x@1", outcome="invalid", value=0, parts=styles("", SAMPLE))
    found, *_ = arena_hard_figures([*scores, empty])
    assert found.value == pytest.approx(100 * (3 + 1 + 1 + 0.5) / (9 + 6))


def test_a_model_that_won_all_has_a_win_rate_and_nothing_at_equal_style() -> None:
    (found,) = arena_hard_figures([graded(n, "[[A>>B]]", "[[B>>A]]") for n in range(20)])
    assert (found.name, found.value, found.high) == ("win_rate", 100, 100)
    assert found.low is not None
    assert 80 < found.low < 90


def test_marks_of_another_judge_make_no_figures() -> None:
    scores = [scored(f"{n}#0", 0.5, styles("x", SAMPLE)) for n in range(9)]
    assert alpaca_eval_figures(scores) == arena_hard_figures(scores) == ()
    assert mt_bench_ratings(scores) == mt_bench_wins(scores) == ()


def test_alpaca_eval_has_no_length_to_control_for_where_all_are_as_long() -> None:
    both = {"preference": 1.0, "preference_swapped": 1.0, **styles("x", SAMPLE)}
    scores = [scored(f"{n}#0", 1.0, both) for n in range(9)]
    names = [one.name for one in alpaca_eval_figures(scores)]
    assert names[:3] == ["standard_error", "wins", "ties"]
    again = [scored(f"{n}#{run}", 1.0, both) for n in range(9) for run in range(2)]
    assert alpaca_eval_figures(again) == ()


def test_a_comparison_says_what_was_read_in_either_order() -> None:
    first, second = pairwise().verdict("[[A]]"), pairwise(swapped=True).verdict("[[C]]")
    nothing = pairwise().verdict("Hm.")
    assert in_both_orders(first, second).parts == {"preference": 1.0, "preference_swapped": 0.5}
    assert in_both_orders(first, nothing).parts == {"preference": 1.0}
    assert in_both_orders(nothing, second).parts == {"preference_swapped": 0.5}
    assert in_both_orders(nothing, second).value is None


def test_the_turns_of_a_dialogue_are_no_independent_witnesses() -> None:
    alike = [scored(f"{n}#0{turn}", n % 2, {}) for n in range(40) for turn in ("", ".1")]
    apart = [scored(f"{n}#0", n % 2, {}) for n in range(80)]
    (one,), (other,) = fold(alike, repeats=1), fold(apart, repeats=1)
    assert one.value == other.value == 50
    assert (one.n, other.n) == (80, 80)
    assert one.low is not None
    assert other.low is not None
    assert 50 - one.low == pytest.approx((50 - other.low) * 2**0.5, rel=0.03)


@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.parametrize("reference", ["", "42", None])
def test_the_form_is_that_of_the_turn_with_a_reference_where_there_is_one(
    turn: int, reference: str | None
) -> None:
    told = {"baseline": "B1", "baseline_2": "B2", "baseline_2_first_answer": "B1"}
    if turn == 2:
        told |= {"first_question": "Q1", "first_answer": "A1", "first_reference": "R1"}
    sample = Sample(id="1", question="Q", target=reference, meta={**told, "category": "math"})
    for judge in (mt_bench_rating(), mt_bench_comparison(), mt_bench_comparison(swapped=True)):
        text = "\n".join(str(m.content) for m in judge.question(sample, "A", FENCE))
        assert ("Reference Answer" in text) == bool(reference)
        assert ("Conversation with User" in text) == (turn == 2)
        assert not judge.needs_reference
    assert mt_bench_category("A", sample) == {"category math": 1.0}
    assert len({one.id for one in (mt_bench_rating(), mt_bench_rating(published=True))}) == 2
    assert mt_bench_rating().scale == (1, 10)
    assert mt_bench_comparison().scale is None
