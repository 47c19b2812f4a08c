"""Arrival times of an open load: even, Poisson, Gamma, with a rate that may grow.

Every gap is drawn from a Gamma distribution with mean ``1 / rate``: shape 1 is a Poisson process,
a smaller shape is burstier, a larger one more even, and 0 means exactly even gaps. With a ramp the
rate of request i of N is ``s + (e - s) p`` (linear) or ``s (e / s)^p`` (exponential), p = i/(N-1).
"""

import random
from array import array
from collections.abc import Sequence

from steelyard.core import ConfigError, Load, Traffic

_EVEN = Traffic()


def offsets_s(count: int, load: Load) -> Sequence[float]:
    """When each of ``count`` requests is due, in seconds from the start; the first one at 0.

    Without a ramp the random gaps are scaled so that ``count`` requests take ``count / rate``
    seconds: the mean rate is then exact, and Poisson arrivals are those of a Poisson process that
    happened to bring ``count`` requests in that time. The same seed gives the same times.
    Raises ``ConfigError`` for rates that cannot be.
    """
    traffic = load.traffic or _EVEN
    _check(traffic, load.request_rate)
    chance = random.Random(load.seed)
    shape = traffic.burstiness
    ramped = traffic.ramp_up_strategy is not None
    gaps = array("d")
    for number in range(count):
        rate = _rate(number / max(1, count - 1), traffic) if ramped else load.request_rate
        gaps.append(chance.gammavariate(shape, 1 / (rate * shape)) if shape else 1 / rate)
    total = sum(gaps)
    scale = count / load.request_rate / total if count and shape and not ramped else 1.0
    offsets = array("d")
    at = 0.0
    for gap in gaps:
        offsets.append(at)
        at += gap * scale
    return offsets


def target_rate(load: Load) -> float:
    """The rate that ``load`` asks for in the end, in requests per second; 0: it names none."""
    traffic = load.traffic
    if traffic is not None and traffic.ramp_up_strategy is not None:
        return traffic.ramp_up_end_rps
    return load.request_rate


def _rate(share: float, traffic: Traffic) -> float:
    start, end = traffic.ramp_up_start_rps, traffic.ramp_up_end_rps
    if traffic.ramp_up_strategy == "linear":
        return start + (end - start) * share
    return float(start * (end / start) ** share)


def _check(traffic: Traffic, rate: float) -> None:
    if traffic.burstiness < 0:
        raise ConfigError(f"burstiness {traffic.burstiness:g}: expected 0 or more")
    if traffic.ramp_up_strategy is None:
        if rate <= 0:
            raise ConfigError(f"request_rate {rate:g}: expected more than 0 per second")
        return
    start, end = traffic.ramp_up_start_rps, traffic.ramp_up_end_rps
    if not 0 < start <= end:
        raise ConfigError(
            f"ramp from {start:g} to {end:g} requests per second: expected a start above 0 and an "
            "end that is not below it (ramp_up_start_rps, ramp_up_end_rps)"
        )
