"""One line about a running job, for output that is not a terminal."""

from collections.abc import Mapping
from typing import Protocol

from steelyard.reports.numbers import clock, count, kinds, rate
from steelyard.reports.text import one_line


class SpeedSnapshot(Protocol):
    """The last seconds of a load test. Unknown is ``None``."""

    @property
    def tokens_per_s(self) -> float | None:
        """Output tokens per second."""

    @property
    def ttft_p50_ms(self) -> float | None:
        """Median time to first token."""

    @property
    def ttft_p99_ms(self) -> float | None:
        """Its 99th percentile."""

    @property
    def itl_p50_ms(self) -> float | None:
        """Median inter-token latency."""

    @property
    def itl_p99_ms(self) -> float | None:
        """Its 99th percentile."""


class Snapshot(Protocol):
    """Where a running job stands. Unknown is ``None``."""

    @property
    def job(self) -> str:
        """``model/dataset``."""

    @property
    def total(self) -> int | None:
        """Requests of the whole job; ``None``: as many as fit into a given time."""

    @property
    def done(self) -> int:
        """Those that are answered or failed."""

    @property
    def in_flight(self) -> int:
        """Requests that wait for their answer."""

    @property
    def rate(self) -> float | None:
        """Replies per second, lately."""

    @property
    def eta_s(self) -> float | None:
        """Seconds that are left at that rate."""

    @property
    def failed(self) -> Mapping[str, int]:
        """Failures by kind."""

    @property
    def retried(self) -> int:
        """Attempts that were made again."""

    @property
    def accuracy(self) -> float | None:
        """Share of right answers so far, 0 to 100."""

    @property
    def speed(self) -> SpeedSnapshot | None:
        """Only of a load test."""


def progress_line(now: Snapshot) -> str:
    """``vllm/gsm8k: 512/1,319 (38 %), 85.3/s, 32 in flight, about 9.5s left``."""
    facts = [
        done(now),
        rate(now.rate) if now.rate else "",
        f"{count(now.in_flight)} in flight" if now.in_flight else "",
        f"failed {kinds(now.failed)}" if now.failed else "",
        f"{count(now.retried)} tried again" if now.retried else "",
        f"accuracy so far {now.accuracy:.1f}" if now.accuracy is not None else "",
        *speed_facts(now.speed),
        f"about {clock(now.eta_s)} left" if now.eta_s else "",
    ]
    return one_line(f"{now.job}: {', '.join(filter(None, facts))}")


def done(now: Snapshot) -> str:
    """``512/1,319 (38 %)``; the number alone where there is no total."""
    if now.total is None:
        return count(now.done)
    share = 100 * now.done // now.total if now.total else 100
    return f"{count(now.done)}/{count(now.total)} ({share} %)"


def speed_facts(speed: SpeedSnapshot | None) -> list[str]:
    """``1,024 tok/s``, ``TTFT 210/480 ms``, ``ITL 20.1/35.0 ms`` (median and P99)."""
    if speed is None:
        return []
    facts = [f"{speed.tokens_per_s:,.0f} tok/s"] if speed.tokens_per_s is not None else []
    pairs = (
        ("TTFT", speed.ttft_p50_ms, speed.ttft_p99_ms),
        ("ITL", speed.itl_p50_ms, speed.itl_p99_ms),
    )
    for name, median, p99 in pairs:
        if median is not None and p99 is not None:
            facts.append(f"{name} {milliseconds(median)}/{milliseconds(p99)} ms")
    return facts


def milliseconds(value: float) -> str:
    """Three figures, as far as they mean anything: ``0.42``, ``20.1``, ``1,830``."""
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
