"""When requests are sent: small objects that say how many at once and which one when.

``Closed`` keeps a number of requests in flight. Schedules of arrival times have the same shape:
they yield due times, and ``drive`` waits for each before it asks.
"""

from collections.abc import Iterator
from itertools import repeat
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
