"""Which loads are best trade-offs between throughput and latency."""

from collections.abc import Sequence


def pareto(points: Sequence[tuple[float | None, float | None]]) -> tuple[bool, ...]:
    """Of each (throughput, latency): whether no other has more throughput at no more latency.

    A point loses to one that is better in one of the two and no worse in the other; equal points
    do not lose to each other. A point with an unknown value is no trade-off and beats none.
    """
    known = [(rate, time) for rate, time in points if rate is not None and time is not None]
    return tuple(
        rate is not None
        and time is not None
        and not any(
            more >= rate and less <= time and (more, less) != (rate, time) for more, less in known
        )
        for rate, time in points
    )
