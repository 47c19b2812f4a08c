"""One figure for several data sets: the plain or weighted mean of their metrics."""

from collections.abc import Mapping
from math import fsum

from steelyard.core import ConfigError, Metric
from steelyard.scoring.intervals import Estimate, effective_answers, estimate


def combine(members: Mapping[str, Metric], weights: Mapping[str, float] | None) -> Metric:
    """The mean of the members' values: ``naive_average``, or ``weighted_average`` by ``weights``.

    ``n``, ``n_failed`` and ``n_unparsed`` are sums. The variance is that of a stratified sample,
    the sum of (weight / sum of weights)^2 * variance, where each member's variance is read back
    from its interval; the mean gets the Wilson interval of that variance. A member without an
    interval leaves the mean without one.
    """
    shares = _shares(members, weights)
    metrics = list(members.values())
    _check_alike(members)
    scale = metrics[0].scale
    value = fsum(share * metric.value for share, metric in zip(shares, metrics, strict=True))
    low, high = _interval(value / scale, shares, metrics)
    return Metric(
        name="naive_average" if weights is None else "weighted_average",
        value=value,
        n=sum(metric.n for metric in metrics),
        unit=metrics[0].unit,
        scale=scale,
        better=metrics[0].better,
        n_failed=sum(metric.n_failed for metric in metrics),
        n_unparsed=sum(metric.n_unparsed for metric in metrics),
        low=low,
        high=high,
    )


def _shares(members: Mapping[str, Metric], weights: Mapping[str, float] | None) -> list[float]:
    if not members:
        raise ConfigError("a group without members has no average. Name at least one data set.")
    if weights is None:
        return [1 / len(members)] * len(members)
    missing = [name for name in members if name not in weights]
    total = fsum(weights[name] for name in members if name in weights)
    if missing or total <= 0:
        lack = (
            f"no weight for {', '.join(missing)}" if missing else f"weights that sum to {total:g}"
        )
        raise ConfigError(
            f"a weighted average was asked for with {lack}. Give each member a weight."
        )
    return [weights[name] / total for name in members]


def _check_alike(members: Mapping[str, Metric]) -> None:
    kinds = {(metric.unit, metric.scale, metric.better) for metric in members.values()}
    if len(kinds) > 1:
        listed = ", ".join(
            f"{name}: {metric.name} in {metric.unit}" for name, metric in members.items()
        )
        raise ConfigError(
            f"an average was asked for over metrics of different kinds ({listed}). "
            "Average only metrics of one unit, scale and direction."
        )


def _interval(
    value: float, shares: list[float], metrics: list[Metric]
) -> tuple[float, float] | tuple[None, None]:
    """Both ends on the members' own scale; ``value`` lies between 0 and 1."""
    scale = metrics[0].scale
    variance = answers = 0.0
    for share, metric in zip(shares, metrics, strict=True):
        if metric.low is None or metric.high is None:
            return None, None
        member = Estimate(metric.value / scale, metric.low / scale, metric.high / scale)
        effective = effective_answers(member)
        variance += share**2 * member.value * (1 - member.value) / effective
        answers += effective
    found = estimate(value, variance, answers)
    return scale * found.low, scale * found.high
