"""Speed while a load test runs: tokens and latencies of the last seconds, for people who watch.

The figures of the report are computed from the files afterwards; these are a look at the last ten
seconds, gaps between tokens sampled.
"""

import time
from collections import deque

import msgspec

from steelyard.core import Reply

WINDOW_S = 10.0
_GAPS_A_REPLY = 4
_MOST_HELD = 2000


class SpeedNews(msgspec.Struct, omit_defaults=True):
    """What came since the last news; goes from a sender process to its parent."""

    tokens: int = 0
    ttft_us: list[int] = []
    itl_us: list[int] = []

    def count(self, reply: Reply) -> None:
        """Take one finished reply."""
        if reply.failure is not None:
            return
        gaps = reply.timing.gaps_us
        self.tokens += reply.output_tokens or len(gaps)
        self.ttft_us += gaps[:1]
        self.itl_us += gaps[1 :: max(1, len(gaps) // _GAPS_A_REPLY)]


class SpeedNow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last seconds; ``None``: nothing came that could tell."""

    tokens_per_s: float | None = None
    ttft_p50_ms: float | None = None
    ttft_p99_ms: float | None = None
    itl_p50_ms: float | None = None
    itl_p99_ms: float | None = None


class Speed:
    """Collects replies and news."""

    def __init__(self) -> None:
        self._tokens = 0
        self._trail: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._ttft_us: deque[tuple[float, int]] = deque(maxlen=_MOST_HELD)
        self._itl_us: deque[tuple[float, int]] = deque(maxlen=_MOST_HELD)

    def count(self, reply: Reply) -> None:
        """Take one finished reply."""
        news = SpeedNews(0, [], [])
        news.count(reply)
        self.add(news)

    def add(self, news: SpeedNews) -> None:
        """Take what a sender process tells."""
        now_s = time.monotonic()
        self._tokens += news.tokens
        self._ttft_us.extend((now_s, one) for one in news.ttft_us)
        self._itl_us.extend((now_s, one) for one in news.itl_us)

    def now(self) -> SpeedNow:
        """The last ten seconds."""
        now_s = time.monotonic()
        trail = self._trail
        trail.append((now_s, self._tokens))
        while len(trail) > 2 and now_s - trail[1][0] > WINDOW_S:
            trail.popleft()
        since_s, before = trail[0]
        rate = (self._tokens - before) / (now_s - since_s) if now_s > since_s else None
        ttft, itl = (_recent(held, now_s) for held in (self._ttft_us, self._itl_us))
        return SpeedNow(
            tokens_per_s=rate if self._tokens else None,
            ttft_p50_ms=_percentile_ms(ttft, 0.5),
            ttft_p99_ms=_percentile_ms(ttft, 0.99),
            itl_p50_ms=_percentile_ms(itl, 0.5),
            itl_p99_ms=_percentile_ms(itl, 0.99),
        )


def _recent(held: deque[tuple[float, int]], now_s: float) -> list[int]:
    while held and now_s - held[0][0] > WINDOW_S:
        held.popleft()
    return sorted(one for _, one in held)


def _percentile_ms(ordered_us: list[int], share: float) -> float | None:
    if not ordered_us:
        return None
    return ordered_us[min(len(ordered_us) - 1, int(share * len(ordered_us)))] / 1000
