"""One line about a running job, for output that is not a terminal."""

from collections.abc import Mapping
from typing import Protocol

from steelyard.reports.numbers import clock, count, kinds, rate
from steelyard.reports.text import one_line


class Snapshot(Protocol):
    """Where a running job stands. Unknown is ``None``."""

    @property
    def job(self) -> str:
        """``model/dataset``."""

    @property
    def total(self) -> int:
        """Requests of the whole job."""

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


def progress_line(now: Snapshot) -> str:
    """``vllm/gsm8k: 512/1,319 (38 %), 85.3/s, 32 in flight, about 9.5s left``."""
    share = 100 * now.done // now.total if now.total else 100
    facts = [
        f"{count(now.done)}/{count(now.total)} ({share} %)",
        rate(now.rate) if now.rate else "",
        f"{count(now.in_flight)} in flight" if now.in_flight else "",
        f"failed {kinds(now.failed)}" if now.failed else "",
        f"{count(now.retried)} tried again" if now.retried else "",
        f"accuracy so far {now.accuracy:.1f}" if now.accuracy is not None else "",
        f"about {clock(now.eta_s)} left" if now.eta_s else "",
    ]
    return one_line(f"{now.job}: {', '.join(filter(None, facts))}")
