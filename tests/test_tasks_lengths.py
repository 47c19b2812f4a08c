"""Distributions of lengths.

- No length lies outside its range, whatever the parameters; both ends are drawn.
- Normal, Zipf and even lengths have the frequencies that the formulas say.
- Shares are dealt out exactly, with the remainder on the last.
- The same chance gives the same lengths.
- What fits nothing is refused, with the place in the settings.
"""

import random
from collections import Counter
from statistics import fmean, pvariance
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import zeta

from steelyard.tasks.lengths import Lengths, drawn, fixed, least


def lengths(method: str, **params: Any) -> Lengths:
    return msgspec.convert({"Method": method, "Params": params}, Lengths)


def draw(spec: Lengths, count: int, seed: int = 0) -> list[int]:
    return list(drawn(spec, count, random.Random(seed)))


ranges = st.tuples(st.integers(1, 2**20), st.integers(1, 2**20)).map(sorted)
specs = st.one_of(
    ranges.map(lambda r: lengths("uniform", MinValue=r[0], MaxValue=r[1])),
    st.builds(
        lambda r, mean, var: lengths("gaussian", Mean=mean, Var=var, MinValue=r[0], MaxValue=r[1]),
        ranges,
        st.floats(-3e38, 3e38),
        st.floats(0, 3e38),
    ),
    st.builds(
        lambda r, alpha: lengths("zipf", Alpha=alpha, MinValue=r[0], MaxValue=r[1]),
        ranges,
        st.floats(1, 10, exclude_min=True),
    ),
)


@given(specs, st.integers(0, 2**32))
def test_no_length_lies_outside_its_range(spec: Any, seed: int) -> None:
    found = draw(spec, 20, seed)
    assert len(found) == 20
    assert all(spec.params.min_value <= length <= spec.params.max_value for length in found)
    assert min(found) >= least(spec)
    assert found == draw(spec, 20, seed)


def test_even_lengths_reach_both_ends_alike() -> None:
    counted = Counter(draw(lengths("uniform", MinValue=3, MaxValue=7), 50_000))
    assert sorted(counted) == [3, 4, 5, 6, 7]
    assert all(abs(count - 10_000) < 500 for count in counted.values())


def test_normal_lengths_have_the_mean_and_the_variance_that_were_asked_for() -> None:
    found = draw(lengths("gaussian", Mean=1000, Var=900, MinValue=1, MaxValue=9999), 20_000)
    assert fmean(found) == pytest.approx(1000 - 0.5, abs=1)  # fractions are cut off
    assert pvariance(found) == pytest.approx(900, rel=0.05)


def test_without_variance_every_length_is_the_mean() -> None:
    assert draw(lengths("gaussian", Mean=7.9, Var=0, MinValue=1, MaxValue=9), 3) == [7, 7, 7]
    assert draw(lengths("gaussian", Mean=-5, Var=0, MinValue=2, MaxValue=9), 1) == [2]


@pytest.mark.parametrize("alpha", [1.2, 2.0, 6.5])
def test_zipf_lengths_are_as_frequent_as_the_law_says(alpha: float) -> None:
    count, longest = 100_000, 50
    counted = Counter(draw(lengths("zipf", Alpha=alpha, MinValue=1, MaxValue=longest), count))
    shares = {k: k**-alpha / zeta(alpha) for k in range(1, longest)}
    shares[longest] = 1 - sum(shares.values())
    for length, share in shares.items():
        spread = (count * share * (1 - share)) ** 0.5
        assert abs(counted[length] - count * share) < 5 * spread + 1


def test_the_heaviest_zipf_tail_is_nearly_always_the_longest_length() -> None:
    found = draw(lengths("zipf", Alpha=1.0001, MinValue=1, MaxValue=500), 1000)
    assert found.count(500) > 950


def test_shares_are_dealt_out_exactly_and_the_last_takes_the_rest() -> None:
    spec = lengths("percentage", percentage_distribute=[[10, 0.29], [20, 0.5], [30, 0.21]])
    assert Counter(draw(spec, 100)) == {10: 29, 20: 50, 30: 21}
    assert Counter(draw(spec, 7)) == {10: 2, 20: 3, 30: 2}
    assert least(spec) == 10
    assert draw(spec, 100) != sorted(draw(spec, 100))


def test_a_fixed_length_is_always_the_same() -> None:
    assert draw(lengths("fixed", Value=5), 3) == draw(fixed(5), 3) == [5, 5, 5]


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("uniform", {"MinValue": 5, "MaxValue": 4}, "MinValue 5 is above MaxValue 4"),
        ("uniform", {"MinValue": 0, "MaxValue": 4}, r">= 1 - at `\$.Params.MinValue`"),
        ("uniform", {"MinValue": 1, "MaxValue": 2**20 + 1}, r"<= 1048576 - at"),
        ("uniform", {"MinValue": 1}, "missing required field `MaxValue`"),
        ("uniform", {"MinValue": 1, "MaxValue": 2, "Max": 3}, "unknown field `Max`"),
        ("gaussian", {"Mean": 1, "Var": -1, "MinValue": 1, "MaxValue": 2}, r"`\$.Params.Var`"),
        ("gaussian", {"Mean": 1e39, "Var": 1, "MinValue": 1, "MaxValue": 2}, r"`\$.Params.Mean`"),
        ("zipf", {"Alpha": 1.0, "MinValue": 1, "MaxValue": 2}, r"> 1.0 - at `\$.Params.Alpha`"),
        ("zipf", {"Alpha": 10.1, "MinValue": 1, "MaxValue": 2}, r"<= 10.0 - at"),
        ("percentage", {"percentage_distribute": [[5, 0.5]]}, "shares are 0.5; they must"),
        ("percentage", {"percentage_distribute": []}, "shares are missing"),
        ("percentage", {"percentage_distribute": [[5, 2], [6, -1]]}, "shares are 2, -1"),
        ("poisson", {}, "Invalid value 'poisson'"),
    ],
)
def test_what_fits_nothing_is_refused(method: str, params: Any, expected: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=expected):
        lengths(method, **params)
