"""How the sending process itself is doing: the measure of our own measuring.

A read gets its clock reading when the event loop comes to it, so a figure is as late as one turn of
the loop is long. A pulse times single turns, about fifty a second: a callback that is put behind
everything that is ready now comes up when all of that was done.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic_ns, process_time_ns

from steelyard.core import Beat

SAMPLE_EVERY_S = 0.02
SAMPLES_A_BEAT = 12


class Pulse:
    """Times turns of the running event loop and hands a ``Beat`` to ``note`` now and then."""

    def __init__(self, note: Callable[[Beat], None], in_flight: Callable[[], int]) -> None:
        self._note = note
        self._in_flight = in_flight
        self._loop = asyncio.get_running_loop()
        self._turns_us: list[int] = []
        self._began_ns = 0
        self._next: asyncio.Handle = self._loop.call_soon(self._sample)
        self._beat()

    def stop(self) -> None:
        """Note what is left and time no more."""
        self._next.cancel()
        self._beat()

    def _sample(self) -> None:
        self._began_ns = monotonic_ns()
        self._next = self._loop.call_soon(self._turned)

    def _turned(self) -> None:
        self._turns_us.append((monotonic_ns() - self._began_ns) // 1000)
        if len(self._turns_us) >= SAMPLES_A_BEAT:
            self._beat()
        self._next = self._loop.call_later(SAMPLE_EVERY_S, self._sample)

    def _beat(self) -> None:
        turns_us, self._turns_us = tuple(self._turns_us), []
        self._note(
            Beat(
                at_ns=monotonic_ns(),
                cpu_ns=process_time_ns(),
                turns_us=turns_us,
                in_flight=self._in_flight(),
            )
        )


@contextmanager
def pulse(note: Callable[[Beat], None], in_flight: Callable[[], int]) -> Iterator[None]:
    """Have ``note`` hear a beat now, one about every quarter of a second, and a last one."""
    beating = Pulse(note, in_flight)
    try:
        yield
    finally:
        beating.stop()
