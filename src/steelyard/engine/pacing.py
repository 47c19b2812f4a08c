"""When requests are sent: small objects that say how many at once and which one when.

``Closed`` keeps a number of requests in flight. Schedules of arrival times have the same shape:
they yield due times, and ``drive`` waits for each before it asks.
"""

from collections.abc import Iterator
from itertools import count, repeat
from typing import Protocol

import msgspec

from steelyard.core import ConfigError


class Pacing(Protocol):
    """How a stream of requests is paced."""

    @property
    def in_flight(self) -> int:
        """Places in flight: so many requests are asked at once at most."""

    def due(self, start_ns: int) -> Iterator[int | None]:
        """When each request in turn is due, for a run that starts at ``start_ns``.

        ``None``: as soon as there is a place. Nothing is sent any more when the iterator ends.
        Times are monotonic ns and do not fall.
        """


class Closed(msgspec.Struct, frozen=True):
    """Always ``in_flight`` requests under way, as long as there are any left."""

    in_flight: int

    def __post_init__(self) -> None:
        if self.in_flight < 1:
            raise ConfigError(f"concurrency {self.in_flight}: expected at least 1")

    def due(self, start_ns: int) -> Iterator[int | None]:
        """Every request as soon as there is a place."""
        del start_ns
        return repeat(None)


class Steady(msgspec.Struct, frozen=True):
    """One request every ``1 / per_second`` seconds, as long as there is a place in flight."""

    in_flight: int
    per_second: float

    def __post_init__(self) -> None:
        Closed(self.in_flight)
        if self.per_second <= 0:
            raise ConfigError(f"request_rate {self.per_second:g}: expected more than 0 per second")

    def due(self, start_ns: int) -> Iterator[int | None]:
        """The first at once, the others after it at equal distances."""
        return (start_ns + round(number * 1e9 / self.per_second) for number in count())
