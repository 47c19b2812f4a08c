"""Which option a model finds most likely, under every rule; and what such rules refuse."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import (
    DataError,
    Failure,
    Likelihood,
    LikelihoodScorer,
    Reply,
    Sample,
    Timing,
)
from steelyard.scoring import first_capital, mark, most_likely
from steelyard.scoring.likelihoods import By

CLOCK = Timing(queued_ns=0, sent_ns=0, done_ns=1)
RULES: tuple[By, ...] = ("sum", "character", "byte", "token", "whole")


def likelihood(total: float, tokens: int, whole: float = -8.0, whole_tokens: int = 8) -> Likelihood:
    return Likelihood(total=total, tokens=tokens, whole_total=whole, whole_tokens=whole_tokens)


def sample(*choices: str, target: str = "A") -> Sample:
    return Sample(id="s", question="?", target=target, choices=choices)


def reply(*likelihoods: Likelihood, text: str = "") -> Reply:
    return Reply(key="s#0", timing=CLOCK, likelihoods=likelihoods, text=text)


def as_is(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("by", "letter", "why"),
    [
        ("sum", "A", "A -2.0000, B -3.0000, C -4.0000 (sum of log-probabilities)"),
        ("character", "B", "A -1.0000, B -0.5000, C -1.3333 (log-probability per character)"),
        ("byte", "C", "A -1.0000, B -0.5000, C -0.4444 (log-probability per byte)"),
        ("token", "C", "A -2.0000, B -1.0000, C -0.8000 (log-probability per token)"),
        (
            "whole",
            "A",
            "A -1.0000, B -1.1250, C -1.1000 (log-probability per token of the whole text)",
        ),
    ],
)
def test_every_rule_divides_by_what_it_says(by: By, letter: str, why: str) -> None:
    found = (
        likelihood(-2.0, 1, -8.0, 8),
        likelihood(-3.0, 3, -9.0, 8),
        likelihood(-4.0, 5, -11.0, 10),
    )
    verdict = most_likely(by).compare(found, sample("ab", "abcdef", "天地人"))
    assert (verdict.answer, verdict.why) == (letter, why)
    assert verdict.value == float(letter == "A")


@pytest.mark.parametrize("by", RULES)
def test_a_tie_goes_to_the_first_option_and_says_so(by: By) -> None:
    found = (likelihood(-3.0, 1, -9.0), likelihood(-2.0, 1), likelihood(-2.0, 1))
    verdict = most_likely(by).compare(found, sample("x", "y", "z", target="B"))
    assert (verdict.value, verdict.answer) == (1.0, "B")
    assert verdict.why.endswith("; a tie, which goes to the first option, B")


def test_an_option_without_text_loses_where_length_counts() -> None:
    found = (likelihood(-1.0, 1), likelihood(-9.0, 1))
    assert most_likely("character").compare(found, sample("", "x")).answer == "B"
    assert most_likely("sum").compare(found, sample("", "x")).answer == "A"


@pytest.mark.parametrize("by", [by for by in RULES if by != "whole"])
def test_a_rule_that_needs_the_option_alone_fails_clearly_without_it(by: By) -> None:
    found = (likelihood(0.0, 0), likelihood(0.0, 0))
    with pytest.raises(DataError, match="did not say which tokens belong"):
        most_likely(by).compare(found, sample("x", "y"))
    assert most_likely("whole").compare(found, sample("x", "y")).answer == "A"


def test_stored_figures_of_other_data_are_refused() -> None:
    with pytest.raises(DataError, match="3 options, but 2 likelihoods"):
        most_likely("sum").compare([likelihood(-1, 1)] * 2, sample("x", "y", "z"))


@pytest.mark.parametrize("by", RULES)
def test_a_rule_is_named_and_can_go_to_another_process(by: By) -> None:
    rule = most_likely(by)
    assert rule.id == f"most_likely({by})@1"
    assert isinstance(rule, LikelihoodScorer)
    assert not isinstance(first_capital, LikelihoodScorer)
    assert pickle.loads(pickle.dumps(rule)) == rule


def test_a_reply_with_likelihoods_is_marked_by_them() -> None:
    found = reply(likelihood(-2.0, 1), likelihood(-1.0, 1))
    score = mark(found, sample("x", "y", target="B"), most_likely("sum"), as_is)
    assert (score.outcome, score.value, score.answer) == ("right", 1.0, "B")
    assert score.scorer == "most_likely(sum)@1"
    wrong = mark(found, sample("x", "y"), most_likely("sum"), as_is)
    assert (wrong.outcome, wrong.value) == ("wrong", 0.0)


def test_a_failed_request_is_failed_and_never_wrong() -> None:
    failed = Reply(key="s#0", timing=CLOCK, failure=Failure(kind="timeout", detail="late"))
    score = mark(failed, sample("x", "y"), most_likely("sum"), as_is)
    assert (score.outcome, score.value) == ("failed", None)


def test_a_text_where_likelihoods_are_compared_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DataError, match=r"asked for as text\. Ask again"):
        mark(reply(text="B"), sample("x", "y"), most_likely("sum"), as_is)


def test_likelihoods_where_a_text_is_read_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DataError, match="no text, so the rule first_capital@1"):
        mark(reply(likelihood(-1, 1)), sample("x", "y"), first_capital, as_is)


@given(
    totals=st.lists(st.floats(-1e6, 0), min_size=2, max_size=6),
    by=st.sampled_from(("sum", "token")),
)
def test_the_largest_figure_wins_wherever_it_stands(totals: list[float], by: By) -> None:
    found = [likelihood(total, 2) for total in totals]
    verdict = most_likely(by).compare(found, sample(*"abcdef"[: len(totals)]))
    assert verdict.answer == "ABCDEF"[totals.index(max(totals))]
