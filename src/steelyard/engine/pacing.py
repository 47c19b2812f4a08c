"""When requests are sent: small objects that say how many at once and which one when.

    Closed      a number in flight, always
    Steady      even gaps, without end
    Scheduled   given offsets: Poisson, Gamma and ramps come from ``arrivals``
    Stamped     the time stamps that the requests carry: replay of a trace
    Pressure    clients that join one by one and ask again and again until the time is up

``drive`` waits for each time before it asks. A schedule is met as long as a place is free.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, repeat
from time import monotonic_ns
from typing import Protocol, TypeAlias

import msgspec

from steelyard.core import ConfigError, Request

Turn: TypeAlias = tuple[int | None, Request]
"""A request and when it is due (monotonic ns); ``None``: as soon as there is a place."""


class Pacing(Protocol):
    """How a stream of requests is paced."""

    @property
    def in_flight(self) -> int:
        """Places in flight: so many requests are asked at once at most."""

    def opens(self, start_ns: int) -> Iterator[int]:
        """When each place in turn may be used for the first time, for a run from ``start_ns``."""

    def turns(self, requests: Iterable[Request], start_ns: int) -> Iterator[Turn]:
        """Every request with the time it is due; times do not fall.

        Taken one by one as places are free. Nothing is sent any more when it ends.
        """


class Closed(msgspec.Struct, frozen=True):
    """Always ``in_flight`` requests under way, as long as there are any left."""

    in_flight: int

    def __post_init__(self) -> None:
        _refuse_no_place(self.in_flight)

    def opens(self, start_ns: int) -> Iterator[int]:
        """All places at once."""
        return repeat(start_ns)

    def turns(self, requests: Iterable[Request], start_ns: int) -> Iterator[Turn]:
        """Every request as soon as there is a place."""
        del start_ns
        return ((None, request) for request in requests)


class Steady(msgspec.Struct, frozen=True):
    """One request every ``1 / per_second`` seconds, as long as there is a place in flight."""

    in_flight: int
    per_second: float

    def __post_init__(self) -> None:
        _refuse_no_place(self.in_flight)
        if self.per_second <= 0:
            raise ConfigError(f"request_rate {self.per_second:g}: expected more than 0 per second")

    def opens(self, start_ns: int) -> Iterator[int]:
        """All places at once."""
        return repeat(start_ns)

    def turns(self, requests: Iterable[Request], start_ns: int) -> Iterator[Turn]:
        """The first at once, the others after it at equal distances."""
        times = (start_ns + round(number * 1e9 / self.per_second) for number in count())
        return zip(times, requests, strict=False)


class Scheduled(msgspec.Struct, frozen=True):
    """Requests at given offsets from the start; it ends with the shorter of the two."""

    in_flight: int
    offsets_s: Sequence[float]
    """Rising."""

    def __post_init__(self) -> None:
        _refuse_no_place(self.in_flight)

    def opens(self, start_ns: int) -> Iterator[int]:
        """All places at once."""
        return repeat(start_ns)

    def turns(self, requests: Iterable[Request], start_ns: int) -> Iterator[Turn]:
        """Each request at its offset."""
        times = (start_ns + round(offset * 1e9) for offset in self.offsets_s)
        return zip(times, requests, strict=False)


class Stamped(msgspec.Struct, frozen=True):
    """Every request when its own ``due_ms`` says, the first one of the run at its start.

    Requests without a time stamp are a ``ConfigError``: a trace was promised.
    """

    in_flight: int
    origin_ms: float
    """The time stamp that is the start of the run."""

    def __post_init__(self) -> None:
        _refuse_no_place(self.in_flight)

    def opens(self, start_ns: int) -> Iterator[int]:
        """All places at once."""
        return repeat(start_ns)

    def turns(self, requests: Iterable[Request], start_ns: int) -> Iterator[Turn]:
        """Each request at its stamp; one that is out of order as soon as the one before it."""
        latest = start_ns
        for request in requests:
            if request.due_ms is None:
                raise ConfigError(
                    f"request {request.key} has no time stamp, but use_timestamp asks for one. "
                    "Use data with a timestamp column, or pace with --request-rate."
                )
            latest = max(latest, start_ns + round((request.due_ms - self.origin_ms) * 1e6))
            yield latest, request


class Pressure(msgspec.Struct, frozen=True):
    """Clients that join at a rate and ask one request after the other until the time is up."""

    in_flight: int
    """Clients in the end."""
    joins_per_second: float
    """0: all at once."""
    seconds: float
    first_s: float = 0.0
    """When the first client joins; the clock runs from the start all the same."""

    def __post_init__(self) -> None:
        _refuse_no_place(self.in_flight)

    def opens(self, start_ns: int) -> Iterator[int]:
        """One place after the other."""
        first_ns = start_ns + round(self.first_s * 1e9)
        gap_ns = 1e9 / self.joins_per_second if self.joins_per_second > 0 else 0.0
        return (first_ns + round(number * gap_ns) for number in count())

    def turns(self, requests: Iterable[Request], start_ns: int) -> Iterator[Turn]:
        """The next request whenever a client is free, until the time is up."""
        end_ns = start_ns + round(self.seconds * 1e9)
        for request in requests:
            if monotonic_ns() >= end_ns:
                return
            yield None, request


def _refuse_no_place(in_flight: int) -> None:
    if in_flight < 1:
        raise ConfigError(f"concurrency {in_flight}: expected at least 1")
