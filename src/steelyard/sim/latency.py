"""How long things take and how long they get: distributions, written as text.

``50ms``                 always 50 ms
``uniform(10ms,20ms)``   between the two
``normal(50ms,10ms)``    mean and standard deviation; never below zero
``lognormal(200ms,0.5)`` median, and standard deviation of the logarithm
``exp(30ms)``            mean
``gamma(30ms,4)``        mean and shape

Times need a unit (``ns us ms s``) and become nanoseconds; token counts are plain numbers in the
same notation (``128``, ``normal(128,20)``).
"""

import math
import re
from collections.abc import Mapping
from random import Random
from typing import Literal

import msgspec

from steelyard.core import ConfigError

Shape = Literal["constant", "uniform", "normal", "lognormal", "exp", "gamma"]

_ARGUMENTS: Mapping[str, int] = {
    "constant": 1,
    "uniform": 2,
    "normal": 2,
    "lognormal": 2,
    "exp": 1,
    "gamma": 2,
}
_SECOND_HAS_NO_UNIT = ("lognormal", "gamma")
_TIME_UNITS: Mapping[str, float] = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
_NO_UNIT: Mapping[str, float] = {"": 1.0}
_CALL = re.compile(r"([a-z]+)\((.*)\)")
_QUANTITY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)")


class Distribution(msgspec.Struct, frozen=True):
    """A distribution of times (ns) or counts; the module says what the parameters mean."""

    shape: Shape
    first: float
    second: float = 0.0

    @property
    def constant(self) -> int | None:
        """The value when there is only one, rounded; ``None`` when it has to be drawn."""
        return round(self.first) if self.shape == "constant" else None

    def draw(self, random: Random) -> int:
        """One value, rounded, never negative."""
        return max(0, round(self._draw(random)))

    def _draw(self, random: Random) -> float:
        first, second = self.first, self.second
        match self.shape:
            case "constant":
                return first
            case "uniform":
                return random.uniform(first, second)
            case "normal":
                return random.gauss(first, second)
            case "lognormal":
                return first * math.exp(random.gauss(0.0, second))
            case "exp":
                return first * random.expovariate(1.0)
            case "gamma":
                return random.gammavariate(second, first / second)


ZERO = Distribution("constant", 0.0)
"""No time at all, or no tokens."""


def times(text: str) -> Distribution:
    """The distribution of times that ``text`` describes, in ns; ``ConfigError`` if unreadable."""
    return _read(text, _TIME_UNITS, "a time such as 50ms (units: ns, us, ms, s)")


def counts(text: str) -> Distribution:
    """The distribution of token counts that ``text`` describes; ``ConfigError`` if unreadable."""
    return _read(text, _NO_UNIT, "a count such as 128")


def _read(text: str, units: Mapping[str, float], expected: str) -> Distribution:
    written = text.strip().lower()
    call = _CALL.fullmatch(written)
    shape, inside = (call[1], call[2]) if call else ("constant", written)
    parts = [part.strip() for part in inside.split(",")]
    second_units = _NO_UNIT if shape in _SECOND_HAS_NO_UNIT else units
    first = _quantity(parts[0], units)
    second = _quantity(parts[1], second_units) if len(parts) > 1 else 0.0
    if len(parts) != _ARGUMENTS.get(shape) or first is None or second is None:
        raise ConfigError(
            f"{text!r} is not {expected}, nor one of uniform(LOW,HIGH) normal(MEAN,SD) "
            "lognormal(MEDIAN,SIGMA) exp(MEAN) gamma(MEAN,SHAPE) of such values."
        )
    if (shape == "uniform" and second < first) or (shape == "gamma" and second == 0):
        raise ConfigError(
            f"{text!r}: uniform needs its lower end first, and gamma a shape above zero."
        )
    return msgspec.convert({"shape": shape, "first": first, "second": second}, Distribution)


def _quantity(text: str, units: Mapping[str, float]) -> float | None:
    """The number in front of a known unit; zero needs none."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    value, unit = float(found[1]), found[2]
    if value == 0 and not unit:
        return 0.0
    return value * units[unit] if unit in units else None
