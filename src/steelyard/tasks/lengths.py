"""Distributions of lengths in tokens: what a load test asks for, and how long answers may get.

    {"Method": "fixed", "Params": {"Value": 256}}
    {"Method": "uniform", "Params": {"MinValue": 50, "MaxValue": 500}}
    {"Method": "gaussian", "Params": {"Mean": 200, "Var": 400, "MinValue": 1, "MaxValue": 500}}
    {"Method": "zipf", "Params": {"Alpha": 1.5, "MinValue": 1, "MaxValue": 500}}
    {"Method": "percentage", "Params": {"percentage_distribute": [[256, 0.9], [4096, 0.1]]}}

Both ends of a range are drawn. Gaussian and Zipf values beyond an end are that end; fractions are
cut off. Shares are dealt out exactly (rounded down, the rest to the last) in random order. All
chance comes from the caller's generator, so a seed repeats the lengths.

Does not live here: what a length is a length of (``synthetic``).
"""

import math
import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import repeat
from typing import Annotated, TypeAlias

import msgspec

LONGEST_TOKENS = 2**20
_LARGEST_FLOAT = 3.0e38
_NO_LARGER_WHOLE = 2.0**53

Length: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_TOKENS)]
Real: TypeAlias = Annotated[float, msgspec.Meta(ge=-_LARGEST_FLOAT, le=_LARGEST_FLOAT)]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """Numbers of one method; unknown names are an error."""


class Value(Params, frozen=True):
    """One length for all."""

    value: Length


class Range(Params, frozen=True, kw_only=True):
    """The ends of a range, both included."""

    min_value: Length
    max_value: Length

    def __post_init__(self) -> None:
        if self.min_value > self.max_value:
            raise ValueError(f"MinValue {self.min_value} is above MaxValue {self.max_value}")

    def clipped(self, value: float) -> int:
        """``value`` without its fraction, or the end that it lies beyond."""
        return int(min(max(value, self.min_value), self.max_value))


class Bell(Range, frozen=True, kw_only=True):
    """A normal distribution within a range."""

    mean: Real
    var: Annotated[float, msgspec.Meta(ge=0, le=_LARGEST_FLOAT)]
    """The square of the standard deviation."""


class Tail(Range, frozen=True, kw_only=True):
    """A Zipf distribution within a range: the length k has a probability like k to the -alpha."""

    alpha: Annotated[float, msgspec.Meta(gt=1, le=10)]


class Shares(Params, frozen=True):
    """Lengths, each with its share of the rows; the shares add up to 1."""

    percentage_distribute: tuple[tuple[Length, Decimal], ...] = msgspec.field(
        name="percentage_distribute"
    )

    def __post_init__(self) -> None:
        shares = [share for _, share in self.percentage_distribute]
        if sum(shares) != 1 or min(shares) <= 0:
            found = ", ".join(map(str, shares)) or "missing"
            raise ValueError(f"the shares are {found}; they must be above 0 and add up to 1")


class _Method(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="Method", rename="pascal"
):
    """The name of a method stands in the field ``Method``."""


class Fixed(_Method, frozen=True, tag="fixed"):
    """The same length always."""

    params: Value


class Uniform(_Method, frozen=True, tag="uniform"):
    """Every length of the range alike."""

    params: Range


class Gaussian(_Method, frozen=True, tag="gaussian"):
    """Normally distributed lengths."""

    params: Bell


class Zipf(_Method, frozen=True, tag="zipf"):
    """Many short lengths, few long ones."""

    params: Tail


class Percentage(_Method, frozen=True, tag="percentage"):
    """Lengths dealt out by shares."""

    params: Shares


Lengths: TypeAlias = Fixed | Uniform | Gaussian | Zipf | Percentage


def fixed(length: int) -> Fixed:
    """The distribution that is always ``length``."""
    return Fixed(Value(length))


def least(lengths: Lengths) -> int:
    """A bound below which no length of the distribution falls."""
    if isinstance(lengths, Fixed):
        return lengths.params.value
    if isinstance(lengths, Percentage):
        return min(length for length, _ in lengths.params.percentage_distribute)
    return lengths.params.min_value


def drawn(lengths: Lengths, count: int, chance: random.Random) -> Iterator[int]:
    """``count`` lengths, drawn with ``chance`` as they are asked for."""
    match lengths:
        case Fixed(params=one):
            return repeat(one.value, count)
        case Uniform(params=ends):
            return (chance.randint(ends.min_value, ends.max_value) for _ in range(count))
        case Gaussian(params=bell):
            return (bell.clipped(_normal(bell, chance)) for _ in range(count))
        case Zipf(params=tail):
            return (tail.clipped(_zipf(tail.alpha, chance)) for _ in range(count))
        case Percentage(params=shares):
            return iter(_dealt(shares, count, chance))


def _normal(bell: Bell, chance: random.Random) -> float:
    return chance.gauss(bell.mean, math.sqrt(bell.var)) if bell.var else bell.mean


def _zipf(alpha: float, chance: random.Random) -> float:
    """A whole number from 1 with P(k) ~ k**-alpha; infinity for those too large to be counted.

    Rejection from a continuous majorant: L. Devroye, Non-Uniform Random Variate Generation
    (1986), section X.6.1. Far out the ratio (1 + 1/k)**(alpha - 1) tends to 1 and
    k * (ratio - 1) to alpha - 1, so numbers beyond exact floats are accepted by those limits.
    """
    power = alpha - 1
    most = 2.0**power
    while True:
        exponent = -math.log(1.0 - chance.random()) / power
        level = chance.random()
        if exponent >= math.log(_NO_LARGER_WHOLE):
            if level * power / (most - 1) <= 1 / most:
                return math.inf
            continue
        value = float(math.floor(math.exp(exponent)))
        ratio = (1 + 1 / value) ** power
        if level * value * (ratio - 1) / (most - 1) <= ratio / most:
            return value


def _dealt(shares: Shares, count: int, chance: random.Random) -> list[int]:
    *some, (last, _) = shares.percentage_distribute
    lengths = [length for length, share in some for _ in range(int(count * share))]
    lengths += [last] * (count - len(lengths))
    chance.shuffle(lengths)
    return lengths
