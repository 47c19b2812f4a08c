"""95 % intervals of latencies and rates, by trial and against scipy.

- They hold the truth in about 95 of 100 simulated runs, for independent values, for waits in a
  queue and for values that drift slowly, with few and with many requests.
- Requests that depend on each other give wider intervals than independent ones, and fewer count.
- Too few independent blocks give no interval; values that are all alike give one without width.
- A percentile that the data cannot bound is marked, and has no interval.
- The same data give the same interval.
"""

from collections.abc import Callable

import numpy as np
import pytest

from perf_runs import closed
from steelyard.perf.blocks import blocks, dependence
from steelyard.perf.by_block import RequestValues
from steelyard.perf.columns import Floats
from steelyard.perf.estimates import estimates
from steelyard.perf.figures import Estimate
from steelyard.perf.intervals import is_supported, mean_interval, student, t_95, wilson
from steelyard.perf.measure import Options, figures

stats = pytest.importorskip("scipy.stats")
signal = pytest.importorskip("scipy.signal")
proportion = pytest.importorskip("statsmodels.stats.proportion")

NAMES = ("Average", "Median", "P90")
Random = np.random.Generator


def found(values: Floats, names: tuple[str, ...] = NAMES) -> dict[str, Estimate]:
    cut = blocks(np.ones(values.size, dtype=np.bool_), [values])
    return estimates(RequestValues(np.arange(values.size), values, cut), names)


def lognormal(n: int, sigma: float) -> Callable[[Random], Floats]:
    return lambda random: random.lognormal(0, sigma, n)


def queue(n: int, load: float) -> Callable[[Random], Floats]:
    """Times in an M/M/1 queue of service rate 1, from its steady state on."""

    def times(random: Random) -> Floats:
        burn = 1000
        apart, work = random.exponential(1 / load, n + burn), random.exponential(1, n + burn)
        walk = np.cumsum(np.concatenate(([0.0], work[:-1] - apart[1:])))
        return (walk - np.minimum.accumulate(walk) + work)[burn:]

    return times


def drifting(n: int, phi: float) -> Callable[[Random], Floats]:
    """Exponentials of an autoregression: values that stay alike for a while."""

    def values(random: Random) -> Floats:
        noise = random.normal(size=n + 300) * np.sqrt(1 - phi**2)
        return np.exp(0.5 * signal.lfilter([1], [1, -phi], noise)[300:])

    return values


def truth_of_lognormal(sigma: float) -> dict[str, float]:
    law = stats.lognorm(sigma)
    return {"Average": law.mean(), "Median": law.ppf(0.5), "P90": law.ppf(0.9)}


def truth_of_queue(load: float) -> dict[str, float]:
    law = stats.expon(scale=1 / (1 - load))
    return {"Average": law.mean(), "Median": law.ppf(0.5), "P90": law.ppf(0.9)}


@pytest.mark.parametrize(
    ("run", "truth"),
    [
        pytest.param(lognormal(50, 0.5), truth_of_lognormal(0.5), id="50 independent"),
        pytest.param(lognormal(1000, 1.0), truth_of_lognormal(1.0), id="1000 independent, skewed"),
        pytest.param(queue(2500, 0.5), truth_of_queue(0.5), id="queue at 50 %"),
        pytest.param(queue(5000, 0.8), truth_of_queue(0.8), id="queue at 80 %"),
        pytest.param(drifting(1000, 0.9), truth_of_lognormal(0.5), id="alike for 19 requests"),
    ],
)
def test_intervals_hold_the_truth_in_about_95_of_100_runs(
    run: Callable[[Random], Floats], truth: dict[str, float]
) -> None:
    random = np.random.default_rng(1)
    held = dict.fromkeys(NAMES, 0)
    given = dict.fromkeys(NAMES, 0)
    for _ in range(300):
        for name, estimate in found(run(random)).items():
            if estimate.low is not None and estimate.high is not None:
                given[name] += 1
                held[name] += estimate.low <= truth[name] <= estimate.high
    for name in NAMES:
        assert given[name] >= 270
        assert 0.89 <= held[name] / given[name] <= 0.99, name


def test_dependence_makes_intervals_wider() -> None:
    random = np.random.default_rng(2)
    together = drifting(20_000, 0.95)(random)
    mixed = random.permutation(together)
    assert width(found(together)["Average"]) > 3 * width(found(mixed)["Average"])
    assert dependence(mixed).time < 1.5
    assert dependence(together).time == pytest.approx(39, rel=0.3)


def width(estimate: Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


def test_long_series_are_cut_into_two_hundred_blocks_at_most() -> None:
    values = np.random.default_rng(3).normal(size=50_000)
    cut = blocks(np.ones(values.size, dtype=np.bool_), [values])
    assert cut.count == 200
    assert np.ptp(np.bincount(cut.labels)) <= 1
    assert cut.independent == pytest.approx(50_000, rel=0.2)


def test_a_trend_leaves_too_few_independent_blocks_for_an_interval() -> None:
    estimate = found(np.linspace(1, 2, 500))["Average"]
    assert estimate == Estimate(1.5)


def test_few_requests_give_no_interval() -> None:
    assert found(np.arange(7.0))["Average"].low is None


def test_values_that_are_all_alike_give_an_interval_without_width() -> None:
    estimate = found(np.full(100, 128.0))
    assert estimate["Average"] == estimate["P90"] == Estimate(128.0, 128.0, 128.0)


def test_one_block_that_differs_does_not_blow_the_interval_up() -> None:
    sums = np.full(50, 100.0)
    sums[0] = 50.0
    low, high = mean_interval(sums, np.ones(50))
    assert low is not None
    assert high is not None
    assert 96 < low < 99 < high < 102


def test_percentiles_that_the_data_cannot_bound_are_marked() -> None:
    random = np.random.default_rng(4)
    few = found(random.lognormal(0, 0.5, 50), ("Median", "P90", "P99"))
    assert [estimate.supported for estimate in few.values()] == [True, True, False]
    assert few["P99"].low is few["P99"].high is None
    assert found(random.lognormal(0, 0.5, 1000), ("P99",))["P99"].supported
    assert not found(drifting(1000, 0.9)(random), ("P99",))["P99"].supported


@pytest.mark.parametrize(("p", "n"), [(0.99, 368), (0.9, 36), (0.5, 6), (0.1, 36)])
def test_a_percentile_needs_enough_values_to_lie_inside_the_sample(p: float, n: int) -> None:
    assert is_supported(p, n)
    assert not is_supported(p, n - 1)


def test_gaps_count_no_more_than_their_requests_do() -> None:
    random = np.random.default_rng(5)
    columns = closed([0.0] * 5, lambda _, __: float(random.lognormal(0, 0.3)), 60)
    (itl,) = (stat for stat in figures(columns, Options(stage="total")).stats if stat.name == "ITL")
    assert itl.n == 60
    assert not itl.values["P99"].supported


def test_the_same_data_give_the_same_interval() -> None:
    values = np.random.default_rng(6).lognormal(size=400)
    assert found(values) == found(values)


@pytest.mark.parametrize("freedom", [5, 7, 20, 200])
def test_students_t_agrees_with_scipy(freedom: int) -> None:
    assert t_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)
    z = stats.norm.ppf(0.995)
    assert student(z, freedom) == pytest.approx(stats.t.ppf(0.995, freedom), rel=2e-3)


@pytest.mark.parametrize(("share", "n"), [(0.0, 10), (0.3, 37), (1.0, 5), (0.999, 2000)])
def test_wilson_agrees_with_statsmodels(share: float, n: int) -> None:
    wanted = proportion.proportion_confint(share * n, n, method="wilson")
    assert wilson(share, n) == pytest.approx(wanted, abs=1e-12)


def test_the_rate_of_a_closed_load_has_an_interval_as_narrow_as_its_latencies_are_sure() -> None:
    """Sixty clients that begin together end together; that is no uncertainty of the rate."""
    held = widths = 0.0
    for seed in range(40):
        chance = np.random.default_rng(seed)
        columns = closed([0.0] * 60, lambda _i, _now: chance.lognormal(0, 0.3), 2000)  # noqa: B023
        found = figures(columns, Options(limit=60))
        (row,) = [
            one for one in found.common if (one.name, one.stage) == ("Request Throughput", "steady")
        ]
        assert row.low is not None
        assert row.high is not None
        held += row.low <= 60 / np.exp(0.045) <= row.high
        widths += (row.high - row.low) / 60
    assert held >= 33
    assert widths / 40 < 0.06
