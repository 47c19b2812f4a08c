"""Writing one response over time: a script of pieces and the gaps between them.

A reply that does not stream is a script of one piece, a stream has one per token, a dripping reply
many small ones. A script may also break off, or hold nothing at all and never end.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, Protocol

import msgspec

from steelyard.sim.clock import Clock

Ending = Literal["complete", "reset", "break", "never"]

_BEFORE_RESET_NS = 1_000_000


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What is written and when."""

    delay_ns: int = 0
    """Start to first piece."""
    opening: bytes = b""
    """Written at the start: the head of a stream."""
    pieces: Iterator[bytes]
    """Written one by one."""
    gap_ns: Callable[[], int]
    """Draws the time from one piece to the next."""
    closing: bytes = b""
    """Written together with the last piece."""
    ending: Ending = "complete"


class Channel(Protocol):
    """What a delivery needs of a connection."""

    paused: bool

    def write(self, data: bytes) -> None:
        """Hand bytes to the kernel."""


class Delivery:
    """One script being written to one channel."""

    __slots__ = (
        "_blocked",
        "_channel",
        "_clock",
        "_due_ns",
        "_ended",
        "_next",
        "_script",
        "_stopped",
        "writes_ns",
    )

    def __init__(
        self, script: Script, channel: Channel, clock: Clock, ended: Callable[[], None]
    ) -> None:
        """``ended`` is called once, after the last piece; not for a script that never ends."""
        self.writes_ns: list[int] = []
        """Just before each piece was written."""
        self._script = script
        self._channel = channel
        self._clock = clock
        self._ended = ended
        self._next = next(script.pieces, None)
        self._due_ns = 0
        self._blocked = False
        self._stopped = False

    def start(self, start_ns: int) -> None:
        """Begin; times count from ``start_ns``, which may have passed."""
        if self._stopped:
            return
        if self._script.opening:
            self._channel.write(self._script.opening)
        self._due_ns = start_ns + self._script.delay_ns
        if self._due_ns <= time.monotonic_ns():
            self._write()
        else:
            self._clock.at(self._due_ns, self._write)

    def start_soon(self) -> None:
        """Begin in the loop's next round; times count from now."""
        self._clock.at(0, partial(self.start, time.monotonic_ns()))

    def resume(self) -> None:
        """Go on after the channel was paused."""
        if self._blocked:
            self._blocked = False
            self._write()

    def stop(self) -> None:
        """Write nothing more and report nothing."""
        self._stopped = True
        self._ended = _nothing

    def _write(self) -> None:
        if self._stopped:
            return
        if self._channel.paused:
            self._blocked = True
            return
        piece, script = self._next, self._script
        if piece is None:
            self._end()
            return
        following = self._next = next(script.pieces, None)
        self.writes_ns.append(time.monotonic_ns())
        if following is None:
            self._channel.write(piece + script.closing)
            self._end()
            return
        self._channel.write(piece)
        self._due_ns += script.gap_ns()
        self._clock.at(self._due_ns, self._write)

    def _end(self) -> None:
        ending = self._script.ending
        if ending == "reset":
            # What was written last is to arrive before the reset does.
            self._clock.at(time.monotonic_ns() + _BEFORE_RESET_NS, self._finish)
        elif ending != "never":
            self._finish()

    def _finish(self) -> None:
        # The owner of this delivery is let go, or the two would keep each other alive.
        ended, self._ended = self._ended, _nothing
        ended()


def _nothing() -> None:
    pass
