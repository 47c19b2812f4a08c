"""What goes wrong on purpose: which requests fail, and how.

A fault is written ``KIND:SHARE[:OPTION...]``:

    500:0.05              any status from 400 to 599, at once and with an error body
    429:0.1:retry-after=1 the same with a Retry-After header, in seconds
    reset:0.01            the connection is reset half-way through the answer
    truncate:0.01         the connection ends half-way, in the middle of a chunk
    hang:0.01             the request is taken and never answered
    garbage:0.01          status 200 and an HTML page
    empty:0.01            a well-formed reply without any answer in it
    slow:0.01:bytes-per-s=1000   the whole answer, but in drips

Option ``sticky`` makes a question fail every time it is asked; without it the time after a failure
succeeds. Whether a request fails depends on the seed, its question and how often that was asked
before, not on the order in which requests arrive.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec

from steelyard.core import ConfigError
from steelyard.sim import chance

Way = Literal["status", "reset", "truncate", "hang", "garbage", "empty", "slow"]

_SALT = 0x666175
_STATUSES = range(400, 600)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One way to fail and how often."""

    way: Way
    share: float
    """Of all requests, 0 to 1."""
    status: int = 0
    """For ``status`` only."""
    retry_after_s: float | None = None
    bytes_per_s: float = 1000.0
    """For ``slow`` only."""
    sticky: bool = False

    @property
    def name(self) -> str:
        """How statistics name it: the status, or the way."""
        return str(self.status) if self.way == "status" else self.way

    @property
    def sent_status(self) -> int:
        """The HTTP status that the client sees; 0 when it sees none."""
        return {"status": self.status, "hang": 0}.get(self.way, 200)


def fault(text: str) -> Fault:
    """The fault that ``text`` describes; ``ConfigError`` says what is wrong with it."""
    kind, *rest = text.strip().split(":")
    if not rest:
        raise ConfigError(f"fault {text!r} has no share. Write for instance {kind or '500'}:0.05.")
    fields: dict[str, object] = {"share": _number(text, rest[0], high=1.0), **_way(text, kind)}
    for option in rest[1:]:
        name, _, value = option.partition("=")
        if name == "sticky" and not value:
            fields["sticky"] = True
        elif name == "retry-after" and fields["way"] == "status":
            fields["retry_after_s"] = _number(text, value)
        elif name == "bytes-per-s" and fields["way"] == "slow":
            fields["bytes_per_s"] = max(1.0, _number(text, value))
        else:
            raise ConfigError(
                f"fault {text!r}: option {option!r} does not work here. Known: sticky; for a "
                "status also retry-after=SECONDS, for slow bytes-per-s=NUMBER."
            )
    return msgspec.convert(fields, Fault)


def _way(text: str, kind: str) -> dict[str, object]:
    if kind.isdecimal() and int(kind) in _STATUSES:
        return {"way": "status", "status": int(kind)}
    ways = [way for way in get_args(Way) if way != "status"]
    if kind not in ways:
        raise ConfigError(
            f"fault {text!r}: there is no kind {kind!r}. "
            f"Known: a status from 400 to 599, {', '.join(ways)}."
        )
    return {"way": kind}


def _number(text: str, value: str, *, high: float = 1e9) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= high:
        raise ConfigError(f"fault {text!r}: {value!r} is not a number from 0 to {high:g}.")
    return number


class FaultPlan:
    """Decides for every request whether it fails; remembers which questions failed last time."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        """``ConfigError`` when the shares together are more than 1."""
        total = sum(fault.share for fault in faults)
        if total > 1 + 1e-9:
            raise ConfigError(f"the shares of all faults add up to {total:g}; at most 1 can fail.")
        self._sticky = tuple(fault for fault in faults if fault.sticky)
        self._passing = tuple(fault for fault in faults if not fault.sticky)
        self._seed = seed
        self._failed: set[int] = set()

    def choose(self, key: int, occurrence: int) -> Fault | None:
        """The fault of the request that asks question ``key`` for the ``occurrence``-th time."""
        if self._sticky:
            lasting = _pick(self._sticky, chance.uniform(self._seed, _SALT, key))
            if lasting is not None:
                return lasting
        if not self._passing:
            return None
        if key in self._failed:
            self._failed.discard(key)
            return None
        chosen = _pick(self._passing, chance.uniform(self._seed, _SALT, key, occurrence + 1))
        if chosen is not None:
            self._failed.add(key)
        return chosen


def _pick(faults: Iterable[Fault], drawn: float) -> Fault | None:
    """The fault in whose stretch of [0, 1) ``drawn`` lies; the stretches lie side by side."""
    for one in faults:
        if drawn < one.share:
            return one
        drawn -= one.share
    return None
