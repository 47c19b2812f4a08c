"""Counting replies of one job while they come in: the numbers on the live board."""

import time
from collections import Counter, deque

from steelyard.core import Failure, Reply
from steelyard.engine import Counters
from steelyard.pipeline.events import Progress, Stage
from steelyard.pipeline.speed import Speed

_WINDOW_S = 10.0
_NS = 1e9


def failure_kind(failure: Failure) -> str:
    """What failures are counted under: ``timeout``, ``status 500``."""
    return f"{failure.kind} {failure.status}" if failure.status else failure.kind


class Tally:
    """The running counts of one job; written by the sink, read twice a second."""

    def __init__(
        self,
        job: str,
        *,
        total: int | None,
        kept: int = 0,
        stage: Stage = "infer",
        speed: Speed | None = None,
    ) -> None:
        self.job = job
        self.stage: Stage = stage if speed is None else "performance"
        self.speed = speed
        """Only of a load test."""
        self.total = total
        self.kept = kept
        self.answered = 0
        self.failed: Counter[str] = Counter()
        self.right = 0.0
        self.marked = 0
        self.counters = Counters()
        self.cut = 0
        """Prompts that were longer than the model takes."""
        self.notes: list[str] = []
        """What the backend had to say at the end."""
        self._began_ns = time.monotonic_ns()
        self._trail: deque[tuple[int, int]] = deque([(self._began_ns, 0)])

    def count(self, reply: Reply) -> None:
        """Take one finished reply."""
        if reply.failure is None:
            self.answered += 1
        else:
            self.failed[failure_kind(reply.failure)] += 1
        self.cut += reply.prompt_cut > 0
        if self.speed is not None:
            self.speed.count(reply)

    def mark(self, value: float) -> None:
        """Take the mark of one answer, for the running accuracy."""
        self.marked += 1
        self.right += value

    @property
    def elapsed_s(self) -> float:
        """Seconds since the stage began."""
        return (time.monotonic_ns() - self._began_ns) / _NS

    @property
    def finished(self) -> int:
        """Replies of this process, failures included."""
        return self.answered + self.failed.total()

    def progress(self) -> Progress:
        """The present state; the rate is that of the last ten seconds."""
        now = time.monotonic_ns()
        done = self.finished
        trail = self._trail
        trail.append((now, done))
        while len(trail) > 2 and now - trail[1][0] > _WINDOW_S * _NS:
            trail.popleft()
        since_ns, before = trail[0]
        rate = (done - before) * _NS / (now - since_ns) if now > since_ns and done else None
        left = 0 if self.total is None else self.total - self.kept - done
        return Progress(
            job=self.job,
            stage=self.stage,
            total=self.total,
            done=self.kept + done,
            in_flight=self.counters.in_flight,
            rate=rate,
            eta_s=left / rate if rate and left > 0 else None,
            failed=dict(self.failed),
            retried=max(0, self.counters.attempts - done),
            accuracy=100 * self.right / self.marked if self.marked else None,
            elapsed_s=self.elapsed_s,
            speed=None if self.speed is None else self.speed.now(),
        )
