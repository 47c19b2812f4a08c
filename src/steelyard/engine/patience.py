"""How long an answer may take when nobody said.

Until 20 replies have succeeded the limit is 600 s; afterwards it is ten times the slowest of them
and at least 60 s. So a slow model is not cut off, and a service that swallows one request in a
hundred cannot hold up a run for ever.
"""

LEARNING_REPLIES = 20
LEARNING_LIMIT_S = 600.0
SHORTEST_LIMIT_S = 60.0
FACTOR = 10


class Patience:
    """The limit for one attempt: a given one, or one that follows the successes so far."""

    __slots__ = ("_given", "_seen", "_slowest_ns", "limit_ns")

    def __init__(self, timeout_s: float | None) -> None:
        self._given = timeout_s is not None
        self._seen = 0
        self._slowest_ns = 0
        self.limit_ns = int((LEARNING_LIMIT_S if timeout_s is None else timeout_s) * 1e9)
        """The limit now."""

    def succeeded(self, took_ns: int) -> None:
        """Note that an attempt was answered after ``took_ns``."""
        if self._given:
            return
        self._seen += 1
        if took_ns > self._slowest_ns:
            self._slowest_ns = took_ns
        if self._seen >= LEARNING_REPLIES:
            self.limit_ns = max(int(SHORTEST_LIMIT_S * 1e9), FACTOR * self._slowest_ns)

    def __str__(self) -> str:
        limit = f"{self.limit_ns / 1e9:g} s"
        return limit if self._given else f"{limit}, the automatic limit"
