"""When the requests of an open load are due.

- The mean rate is exact for every shape; the same seed gives the same times.
- Gaps are even, Poisson or Gamma as asked, to what statistics can tell.
- A ramp goes from its first rate to its last.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from steelyard.core import ConfigError, Load, Traffic
from steelyard.engine import offsets_s, target_rate

SHAPES = st.sampled_from([0.0, 0.3, 1.0, 4.0])


def load(rate: float, burstiness: float = 0.0, seed: int = 0) -> Load:
    return Load(request_rate=rate, traffic=Traffic(burstiness=burstiness), seed=seed)


@given(st.integers(2, 300), st.floats(0.001, 5000), SHAPES, st.integers(0, 99))
def test_the_rate_is_exact_and_times_rise(
    count: int, rate: float, burstiness: float, seed: int
) -> None:
    offsets = offsets_s(count, load(rate, burstiness, seed))
    assert len(offsets) == count
    assert offsets[0] == 0
    assert all(a <= b for a, b in pairwise(offsets))
    assert offsets[-1] <= count / rate * (1 + 1e-9)
    if burstiness == 0:
        assert offsets[-1] == pytest.approx((count - 1) / rate)


def test_a_seed_repeats_the_times() -> None:
    assert offsets_s(50, load(10, 1, 3)) == offsets_s(50, load(10, 1, 3))
    assert offsets_s(50, load(10, 1, 3)) != offsets_s(50, load(10, 1, 4))


@pytest.mark.parametrize("shape", [0.3, 1.0, 4.0])
def test_gaps_are_gamma_distributed(shape: float) -> None:
    gaps = np.diff(np.array(offsets_s(5000, load(20, shape, 7))))
    fit = stats.kstest(gaps, stats.gamma(shape, scale=1 / (20 * shape)).cdf)
    assert fit.pvalue > 0.01


@pytest.mark.parametrize("strategy", ["linear", "exponential"])
def test_a_ramp_goes_from_its_first_rate_to_its_last(strategy: str) -> None:
    traffic = Traffic(ramp_up_strategy=strategy, ramp_up_start_rps=2, ramp_up_end_rps=32)
    gaps = np.diff(np.array(offsets_s(1001, Load(traffic=traffic))))
    assert 1 / gaps[0] == pytest.approx(2, rel=0.02)
    assert 1 / gaps[-1] == pytest.approx(32, rel=0.02)
    middle = 17 if strategy == "linear" else 8
    assert 1 / gaps[500] == pytest.approx(middle, rel=0.02)
    assert target_rate(Load(request_rate=5, traffic=traffic)) == 32


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (load(0), "request_rate 0: expected more than 0"),
        (load(1, -1), "burstiness -1"),
        (
            Load(traffic=Traffic(ramp_up_strategy="linear", ramp_up_end_rps=5)),
            "expected a start above 0",
        ),
        (
            Load(
                traffic=Traffic(ramp_up_strategy="linear", ramp_up_start_rps=9, ramp_up_end_rps=5)
            ),
            "end that is not below it",
        ),
    ],
)
def test_rates_that_cannot_be_are_refused(wrong: Load, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        offsets_s(10, wrong)
