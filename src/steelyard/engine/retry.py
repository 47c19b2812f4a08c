"""Which failures may pass, how often a request is tried again, and how long the pause is."""

import random

import msgspec

from steelyard.core import Failure, FailureKind

RETRY_AFTER_CAP_S = 60.0
"""A longer ``Retry-After`` is cut to this: a run does not sleep for hours."""

OUT_OF_REACH: frozenset[FailureKind] = frozenset({"connect", "refused"})
"""Failures that say nothing about the request: nobody was there to take it."""

_BUSY = frozenset({429, 503})
_BUSY_FACTOR = 3
"""A service that says it is busy will take the request, only not now: it is asked more often."""

_KINDS: frozenset[FailureKind] = frozenset(
    {"connect", "refused", "timeout", "broken_stream", "protocol"}
)
_STATUSES = frozenset({408, 425, 429, *range(500, 600)} - {501, 505})


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried again, and when a job is given up."""

    retries: int = 2
    """Extra tries for one request; three times as many after 429 and 503."""
    retry_kinds: frozenset[FailureKind] = _KINDS
    retry_statuses: frozenset[int] = _STATUSES
    """For failures of kind ``status``."""
    base_s: float = 0.5
    """Upper end of the first pause; it doubles with every try."""
    cap_s: float = 30.0
    """Upper end of any pause the service did not ask for."""
    seed: int = 0
    """Of the jitter."""
    fatal_after: int = 8
    """A job stops when so many first replies fail alike and hopelessly; see ``fatal``."""
    outage_s: float = 300.0
    """How long a service that answered before is waited for when it cannot be reached."""
    unreachable_s: float = 2.0
    """How long a service that never answered is tried to be reached, from the job's start."""

    def may_pass(self, failure: Failure) -> bool:
        """Whether asking again can help."""
        if failure.kind == "status":
            return failure.status in self.retry_statuses
        return failure.kind in self.retry_kinds

    def pause_s(self, failure: Failure, attempts: int, jitter: random.Random) -> float | None:
        """How long to wait after ``attempts`` tries; ``None`` when there shall be no other.

        Anything up to an exponentially growing bound (full jitter), so that requests which failed
        together do not come back together; never less than the service asked for.
        """
        tries = self.retries * (_BUSY_FACTOR if failure.status in _BUSY else 1)
        if attempts > tries or not self.may_pass(failure):
            return None
        bound = min(self.cap_s, self.base_s * 2.0 ** min(attempts - 1, 32))
        asked = min(failure.retry_after_s or 0.0, RETRY_AFTER_CAP_S)
        return asked + jitter.uniform(0.0, self.base_s if asked else bound)
