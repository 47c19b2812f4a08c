"""A backend that answers as it is told, for everything that drives backends."""

import asyncio
import time
from collections.abc import Callable, Iterator

from steelyard.core import Failure, Message, Reply, Request, Sampling, Sink, Timing


def requests(number: int) -> Iterator[Request]:
    for k in range(number):
        yield Request(key=f"{k}#0", messages=(Message("user", "x"),), sampling=Sampling())


def status(code: int, detail: str = "no", retry_after_s: float | None = None) -> Failure:
    return Failure(kind="status", status=code, detail=detail, retry_after_s=retry_after_s)


def into(replies: list[Reply]) -> Sink:
    """A sink that keeps the replies in ``replies``."""
    return lambda reply, _request: replies.append(reply)


REFUSED = Failure(kind="refused", detail="nothing listens on h:1 (connection refused)")

Answers = Callable[[str, int], Failure | None]
"""What request ``key`` gets at its n-th attempt (from 1)."""


class Told:
    """A backend that answers as told, and notes what it is asked."""

    def __init__(self, answers: Answers = lambda key, attempt: None, delay_s: float = 0.0) -> None:
        self._answers = answers
        self._delay_s = delay_s
        self.asked: dict[str, list[float]] = {}
        self.in_flight = 0
        self.most_in_flight = 0

    async def ask(self, request: Request) -> Reply:
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        times = self.asked.setdefault(request.key, [])
        times.append(time.monotonic())
        sent_ns = time.monotonic_ns()
        try:
            await asyncio.sleep(self._delay_s)
        finally:
            self.in_flight -= 1
        failure = self._answers(request.key, len(times))
        done_ns = time.monotonic_ns()
        timing = Timing(queued_ns=sent_ns, sent_ns=sent_ns, done_ns=done_ns)
        return Reply(key=request.key, timing=timing, text="yes", failure=failure)

    async def close(self) -> None:
        pass
