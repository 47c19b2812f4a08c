"""The search for the highest good load, and which loads are best trade-offs.

- It ends, stays in its range, and tries no load more often than it says.
- Where being good depends on the load alone, it finds the last good one, exactly or to 5 %.
- What it calls confirmed never failed; what it calls the lowest failure failed, and lies above.
- A load that the client could not measure ends the climb and is not called the service's limit.
- What was interrupted is not called confirmed.
- A point is a best trade-off when no other is better in one way and no worse in the other.
"""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import ConfigError
from steelyard.perf.pareto import pareto
from steelyard.perf.search import Found, Span, Trial, Verdict, found, next_load

LIMIT = 10_000


def searched(span: Span, oracle: Callable[[float], Verdict]) -> tuple[list[Trial], Found]:
    trials: list[Trial] = []
    while (load := next_load(span, trials)) is not None:
        trials.append(Trial(load, oracle(load)))
        assert len(trials) < LIMIT
    return trials, found(span, trials)


def upto(limit: float) -> Callable[[float], Verdict]:
    return lambda load: "met" if load <= limit else "missed"


spans = st.tuples(st.integers(1, 600), st.integers(1, 600), st.integers(0, 4)).map(
    lambda t: Span(low=min(t[:2]), high=max(t[:2]), confirmations=t[2])
)
rate_spans = st.tuples(
    st.floats(0.01, 500), st.floats(1, 2000), st.floats(0.01, 0.5), st.integers(0, 3)
).map(lambda t: Span(low=t[0], high=t[0] * t[1], precision=t[2], confirmations=t[3]))


@given(spans, st.integers(0, 700))
def test_the_last_good_concurrency_is_found_exactly(span: Span, limit: int) -> None:
    trials, answer = searched(span, upto(limit))
    if limit < span.low:
        assert answer == Found(best=None, failed=span.low, limit="service")
        assert len(trials) == 1
        return
    assert answer.best == min(limit, span.high)
    assert answer.confirmed
    assert answer.runs == 1 + span.confirmations
    if limit < span.high:
        assert answer.failed == limit + 1
        assert answer.limit == "service"
    else:
        assert answer.failed is None
        assert answer.limit == "range"


@given(rate_spans, st.floats(0, 1))
def test_the_last_good_rate_is_found_to_the_precision(span: Span, place: float) -> None:
    limit = span.low * (span.high / span.low) ** place
    _, answer = searched(span, upto(limit))
    assert answer.best is not None
    assert answer.confirmed
    assert answer.best <= limit
    if answer.failed is None:
        assert answer.best == span.high
    else:
        assert limit < answer.failed
        # Rates have three digits, which may end the search a little early.
        assert answer.failed <= answer.best * (1 + span.precision) * 1.011


@given(st.one_of(spans, rate_spans), st.floats(0, 1), st.integers(0, 2**32))
def test_whatever_the_service_does_the_search_ends_and_keeps_its_word(
    span: Span, good: float, seed: int
) -> None:
    chance = random.Random(seed)
    verdicts: tuple[Verdict, ...] = ("met", "missed", "client")
    weights = (good, 1 - good, 0.1)
    trials, answer = searched(span, lambda _: chance.choices(verdicts, weights)[0])
    tried = Counter(trial.load for trial in trials)
    assert max(tried.values()) <= 1 + span.confirmations
    assert all(span.low <= load <= span.high for load in tried)
    failures = {trial.load for trial in trials if trial.verdict != "met"}
    assert answer.failed == min(failures, default=None)
    if answer.best is None:
        assert answer.failed == span.low
        assert not answer.confirmed
    else:
        assert answer.confirmed
        assert answer.best not in failures
        assert tried[answer.best] == answer.runs == 1 + span.confirmations
        assert not any(load < answer.best for load in failures)


def test_a_failed_confirmation_sends_the_search_below_it() -> None:
    span = Span(low=1, high=64)
    seen: Counter[float] = Counter()

    def oracle(load: float) -> Verdict:
        seen[load] += 1
        return "missed" if load > 12 or (load == 12 and seen[load] == 2) else "met"

    trials, answer = searched(span, oracle)
    assert [trial.load for trial in trials] == [1, 2, 4, 8, 16, 12, 14, 13, 12, 10, 11, 11, 11]
    assert answer == Found(best=11, runs=3, confirmed=True, failed=12, limit="service")


def test_a_load_that_the_client_cannot_measure_is_no_limit_of_the_service() -> None:
    _, answer = searched(Span(low=1, high=64), lambda load: "met" if load < 20 else "client")
    assert answer == Found(best=19, runs=3, confirmed=True, failed=20, limit="client")


def test_what_was_interrupted_is_not_confirmed() -> None:
    span = Span(low=1, high=64)
    assert found(span, []) == Found(best=None)
    climbing = [Trial(1, "met"), Trial(2, "met")]
    assert found(span, climbing) == Found(best=2, runs=1)
    bisected = [*climbing, Trial(4, "missed"), Trial(3, "missed"), Trial(2, "met")]
    assert found(span, bisected) == Found(best=2, runs=2, failed=3, limit="service")


@pytest.mark.parametrize(
    ("low", "high", "precision"),
    [(0, 8, None), (9, 8, None), (1.5, 8, None), (1, 8.5, None), (1, 8, 0.001), (-1, 8, 0.05)],
)
def test_ranges_that_cannot_be_searched_are_refused(
    low: float, high: float, precision: float | None
) -> None:
    with pytest.raises(ConfigError):
        Span(low=low, high=high, precision=precision)


points = st.lists(
    st.tuples(st.none() | st.integers(0, 6).map(float), st.none() | st.integers(0, 6).map(float)),
    max_size=12,
)


@given(points)
def test_trade_offs_are_the_points_that_no_other_beats(
    places: list[tuple[float | None, float | None]],
) -> None:
    marks = pareto(places)
    known = [place for place in places if None not in place]
    best = {place for place, mark in zip(places, marks, strict=True) if mark}
    for (rate, time), mark in zip(places, marks, strict=True):
        if rate is None or time is None:
            assert not mark
            continue
        better = [
            other
            for other in known
            if (other[0] > rate and other[1] <= time) or (other[0] >= rate and other[1] < time)
        ]
        assert mark == (not better)
        if not mark:
            assert best & set(better)  # what is beaten at all is beaten by a trade-off


def test_trade_offs_of_a_service_that_saturates() -> None:
    places = [(10.0, 50.0), (20.0, 52.0), (40.0, 60.0), (45.0, 200.0), (44.0, 900.0)]
    assert pareto(places) == (True, True, True, True, False)
