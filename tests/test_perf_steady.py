"""The steady state of a run, on simulated loads whose truth is known.

- Closed loads, Poisson loads, bursts and queues with room have one, nearly as long as the load.
- Clients that join one by one, and stragglers at the end, are cut off.
- An overloaded service has none, with or without a limit of requests in flight, and the answer says
  by how much what is under way grew; nor has a service that gets slower, or a rate that rises.
- Too short runs have none.
- In the window rates are those of the steady service; tokens count when they arrive.
"""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from perf_runs import closed, columns_of, lasting, served
from steelyard.perf.columns import Columns, Floats, GapChunk
from steelyard.perf.figures import Figures, Window
from steelyard.perf.measure import Options, figures
from steelyard.perf.spread import token_arrivals
from steelyard.perf.steady import loading, steady_window

MEAN_S = 2 * np.exp(0.4**2 / 2)
Random = np.random.Generator


def life(random: Random) -> Callable[[int, float], float]:
    return lambda _, __: float(random.lognormal(np.log(2), 0.4))


def poisson(random: Random, rate: float, n: int) -> Floats:
    return np.cumsum(random.exponential(1 / rate, n))


def window(columns: Columns) -> Window | str:
    bins = loading(columns)
    assert bins is not None
    return steady_window(columns, bins, token_arrivals(bins, columns))


def at_once(random: Random) -> Columns:
    return closed([0.0] * 40, life(random), 1600)


def in_step(random: Random) -> Columns:
    return closed([0.0] * 40, lambda _, __: 2 + 0.02 * float(random.normal()), 1600)


def arriving(random: Random) -> Columns:
    due = poisson(random, 20, 2500)
    return lasting(due, random.lognormal(np.log(2), 0.4, 2500), due)


def bursting(random: Random) -> Columns:
    due = np.sort(random.uniform(0, 300, 2500))
    due = due - due % 5 + due % 5 * 0.2
    return lasting(due, random.lognormal(np.log(2), 0.4, 2500), due)


def queueing(random: Random) -> Columns:
    return served(poisson(random, 8, 2500), random.exponential(0.1, 2500))


def with_room(random: Random) -> Columns:
    return served(poisson(random, 7, 2500), random.exponential(1, 2500), servers=10, places=40)


@pytest.mark.parametrize("load", [at_once, in_step, arriving, bursting, queueing, with_room])
def test_loads_that_a_service_keeps_up_with_are_steady(load: Callable[[Random], Columns]) -> None:
    shares = []
    for seed in range(20):
        columns = load(np.random.default_rng(seed))
        found = window(columns)
        if isinstance(found, Window):
            shares.append((found.end_ns - found.start_ns) / int(columns.sent_ns[-1]))
    assert len(shares) >= 18
    assert np.median(shares) > 0.95
    assert min(shares) >= 0.5


def test_clients_that_join_one_by_one_are_cut_off() -> None:
    for seed in range(10):
        columns = closed(np.arange(60.0), life(np.random.default_rng(seed)), 10**6, until_s=300)
        found = window(columns)
        assert isinstance(found, Window)
        assert 45e9 < found.start_ns < 75e9
        assert found.end_ns > 285e9


def test_a_straggler_at_the_end_changes_nothing() -> None:
    random = np.random.default_rng(3)
    usual = life(random)
    columns = closed([0.0] * 40, lambda i, now: 1500.0 if i == 1500 else usual(i, now), 1600)
    found = window(columns)
    assert isinstance(found, Window)
    assert found.end_ns <= int(columns.sent_ns[-1]) < 120e9
    assert int(columns.done_ns.max()) > 1500e9


OVERLOADS = {
    "one server": lambda random: served(poisson(random, 12, 2500), random.exponential(0.1, 2500)),
    "ten servers": lambda random: served(
        poisson(random, 13, 2500), random.exponential(1, 2500), servers=10
    ),
    "held back by the client": lambda random: served(
        poisson(random, 15, 2500), random.exponential(1, 2500), servers=10, places=40
    ),
    "a rate that rises": lambda random: lasting(
        rising := np.sqrt(np.sort(random.uniform(0, 1, 3000))) * 300,
        random.lognormal(np.log(2), 0.4, 3000),
        rising,
    ),
}


@pytest.mark.parametrize("load", OVERLOADS.values(), ids=OVERLOADS)
def test_an_overloaded_service_is_not_steady(load: Callable[[Random], Columns]) -> None:
    for seed in range(15):
        found = window(load(np.random.default_rng(seed)))
        assert isinstance(found, str)
        assert found.startswith("no steady state: ")
        assert "requests due or under way grew by" in found or "less than 3 times" in found


def test_a_service_that_gets_slower_is_not_steady() -> None:
    reasons = []
    for seed in range(15):
        usual = life(np.random.default_rng(seed))

        def slowing(i: int, now: float, usual: Callable[[int, float], float] = usual) -> float:
            return usual(i, now) * (1 + 0.5 * i / 3000)

        found = window(closed([0.0] * 40, slowing, 3000))
        if isinstance(found, str):
            reasons.append(found)
    assert len(reasons) >= 13
    assert all("output tokens per second fell by" in reason for reason in reasons)


def test_a_run_of_three_rounds_is_too_short() -> None:
    columns = closed([0.0] * 40, life(np.random.default_rng(0)), 120)
    assert "less than 3 times the median E2EL" in window(columns)


def test_a_run_of_few_requests_is_too_short() -> None:
    columns = closed([0.0], life(np.random.default_rng(0)), 25)
    assert "only" in window(columns)


def test_requests_that_are_all_sent_at_once_have_no_steady_state() -> None:
    columns = lasting(np.zeros(50), np.full(50, 2.0))
    assert figures(columns, Options()).no_window == (
        "no steady state: all requests were sent at once"
    )


def of_stage(found: Figures, stage: str) -> dict[str, float | None]:
    return {one.name: one.value for one in found.common if one.stage == stage}


def test_rates_of_the_window_are_those_of_the_steady_service() -> None:
    columns = closed(np.arange(60.0), life(np.random.default_rng(1)), 10**6, until_s=300)
    found = figures(columns, Options(limit=60))
    total, steady = of_stage(found, "total"), of_stage(found, "steady")
    assert steady["Request Throughput"] == pytest.approx(60 / MEAN_S, rel=0.02)
    assert steady["Output Token Throughput"] == pytest.approx(11 * 60 / MEAN_S, rel=0.02)
    assert steady["Concurrency"] == pytest.approx(60, rel=0.005)
    assert total["Request Throughput"] < 0.93 * 60 / MEAN_S


def test_intervals_of_rates_hold_the_truth() -> None:
    held = 0
    for seed in range(25):
        columns = arriving(np.random.default_rng(seed))
        found = figures(columns, Options())
        rates = [one for one in found.common if one.name == "Request Throughput"]
        rate = next((one for one in rates if one.stage == "steady"), rates[0])
        assert rate.low is not None
        assert rate.high is not None
        held += rate.low <= 20 <= rate.high
    assert held >= 21


def test_latencies_of_the_window_are_those_of_the_requests_sent_in_it() -> None:
    columns = closed(np.arange(60.0), life(np.random.default_rng(1)), 10**6, until_s=300)
    found = figures(columns, Options())
    assert found.window is not None
    inside = (columns.sent_ns >= found.window.start_ns) & (columns.sent_ns <= found.window.end_ns)
    (e2el,) = (stat for stat in found.stats if (stat.stage, stat.name) == ("steady", "E2EL"))
    assert e2el.n == inside.sum()
    lives_ms = (columns.last_ns - columns.sent_ns)[inside] / 1e6
    assert e2el.values["P90"].value == pytest.approx(np.percentile(lives_ms, 90))


def test_a_tail_of_long_answers_adds_only_what_arrived_inside() -> None:
    """Half of the last answer's tokens come after the window: they do not count."""
    columns = columns_of(
        sent_s=[0.1 * i for i in range(200)],
        ttft_s=[0.05] * 200,
        gaps_us=[[50_000]] * 199 + [[1_000_000] * 99],
    )
    found = figures(columns, Options())
    assert found.window is not None
    steady = of_stage(found, "steady")
    assert steady["Total generated tokens"] == pytest.approx(2 * 199, abs=3)
    assert of_stage(found, "total")["Total generated tokens"] == 2 * 199 + 100


def test_without_token_counts_answers_show_whether_it_is_steady() -> None:
    columns = at_once(np.random.default_rng(2))
    unknown = msgspec.structs.replace(columns, output_tokens=np.full(columns.n, -1))
    assert isinstance(window(unknown), Window)


class NoGaps:
    def chunks(self) -> Iterator[GapChunk]:
        return iter(())


def test_answers_that_were_not_streamed_can_be_steady_too() -> None:
    columns = at_once(np.random.default_rng(2))
    whole = msgspec.structs.replace(
        columns, first_ns=np.full(columns.n, -1), events=np.zeros(columns.n), gaps=NoGaps()
    )
    found = figures(whole, Options())
    assert found.window is not None
    assert of_stage(found, "steady")["Request Throughput"] == pytest.approx(40 / MEAN_S, rel=0.03)
