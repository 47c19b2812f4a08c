"""Reading connections with the kernel's word on when their bytes arrived.

The kernel stamps every packet as it comes in, so a figure does not depend on how soon this process
gets round to reading: not when thousands of streams are open, not when the processor is busy. Only
pieces of one stream that are read together have one arrival, that of the last. And as little is
lost by looking a little later, pieces of many streams are collected once in a millisecond: to wake
up for each costs more than to read it.

Where the module in C was built and the kernel does so (Linux), and not for TLS, whose library reads
for itself. Elsewhere the event loop reads, and an arrival is the time at which its read returned.
"""

import asyncio
import os
import select
import socket
from collections import deque
from functools import lru_cache
from time import monotonic_ns, sleep
from typing import NamedTuple, Protocol

try:
    from steelyard.engine import _arrivals
except ImportError:
    BUILT = False
else:
    BUILT = True

REST_S = 0.001
"""From one look to the next, when it is crowded."""

TOLD_A_TURN = 48
"""Of a turn of the event loop, so that others are read while many answers end at once."""

WINDOW_NS = 5_000_000
CROWDED_PER_NS = 3 / 1e6
"""It is crowded when there were so many reads in a window."""

LONG_NS = 20_000_000
"""And answers take so long that a rest between two of them does not count."""

_SO_TIMESTAMPNS = 35
"""In ``asm-generic/socket.h``; Python does not name it."""

_TRIES, _TRY_EVERY_S = 20, 0.002

_CAME, _ENDED = -1, 0


@lru_cache(maxsize=1)
def available() -> bool:
    """Whether bytes that come over TCP carry the kernel's stamp here: tried out, once."""
    if not BUILT:
        return False
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            socket.create_connection(listening.getsockname()) as ours,
            listening.accept()[0] as theirs,
        ):
            ours.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            return any(_stamped(ours, theirs) for _ in range(_TRIES))
    except OSError:
        return False


def _stamped(ours: socket.socket, theirs: socket.socket) -> bool:
    theirs.send(b"x")
    notes = ours.recvmsg(1, 64)[1]
    if not notes:  # the first stamps after a while without any take the kernel a moment
        sleep(_TRY_EVERY_S)
    return any(kind == _SO_TIMESTAMPNS for _, kind, _ in notes)


class Socket(Protocol):
    """What is needed of a connected TCP socket."""

    def fileno(self) -> int:
        """Its descriptor."""

    def setsockopt(self, level: int, option: int, value: int, /) -> None:
        """See ``socket.socket``."""


class Reader(Protocol):
    """Who hears of a connection's bytes."""

    def came(self) -> None:
        """The last read may complete something."""

    def ended(self, trouble: OSError | None) -> None:
        """The peer closed, or ``trouble``."""


class Inlet(NamedTuple):
    """Where a connection's bytes go."""

    times: list[int]
    """When each of ``reads`` arrived, monotonic ns."""
    reads: list[bytes]
    quiet: bool
    """A read that does not end in an empty line completes nothing, and nobody need hear of it."""
    since_ns: int = 0
    """Nothing that belongs here arrived before, whatever a clock that is set makes of its stamp."""


class Receiver:
    """Reads any number of sockets on the running event loop, where that is ``available``.

    An arrival lies between the last look that found nothing and the reading. The kernel's stamp is
    only believed within these bounds: its clock, unlike ours, may be set. And where packets came
    out of order only when it is fresh: bytes that waited for a lost packet carry one from before.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._inlets: dict[int, Inlet] = {}
        self._nothing_before_ns = monotonic_ns()
        self._window = Window(self._nothing_before_ns)
        self._rest: asyncio.TimerHandle | None = None
        """Until the next look; ``None``: it is waited for something to read."""
        self._told: deque[tuple[Reader, int, int]] = deque()
        self._to_look_at: set[int] = set()
        """Descriptors of which it waits to be told that something came: once is enough."""
        self._loop.add_reader(self._epoll.fileno(), self._look)

    def add(self, sock: Socket, reader: Reader, inlet: Inlet) -> None:
        """Read ``sock`` into ``inlet`` from now on, until ``remove``."""
        descriptor = sock.fileno()
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._readers[descriptor] = reader
        self._inlets[descriptor] = inlet
        watched = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
        self._epoll.register(descriptor, watched)

    def into(self, descriptor: int, inlet: Inlet) -> None:
        """Put what comes next into another inlet."""
        self._inlets[descriptor] = inlet

    def remove(self, descriptor: int) -> None:
        """Read it no more. To be called before the socket is closed; again does no harm."""
        if self._readers.pop(descriptor, None) is not None:
            del self._inlets[descriptor]
            self._to_look_at.discard(descriptor)  # of whoever gets this number next it is news
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        """Read nothing any more."""
        for descriptor in list(self._readers):
            self.remove(descriptor)
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            if self._rest is not None:
                self._rest.cancel()
            self._epoll.close()

    def read(self) -> bool:
        """Read what there is, not waiting for the end of a rest; whether that was all."""
        if self._epoll.closed:
            return True
        looked_ns, reads, all_read, told = _arrivals.look(
            self._epoll.fileno(), self._inlets, self._nothing_before_ns
        )
        if all_read:
            self._nothing_before_ns = looked_ns
        if told and not self._told:
            self._loop.call_soon(self._tell)
        before = len(self._told)
        for descriptor, what in told:
            if what == _CAME:
                if descriptor in self._to_look_at:
                    continue
                self._to_look_at.add(descriptor)
            self._told.append((self._readers[descriptor], descriptor, what))
        news = len(self._told) - before
        self._window.add(looked_ns, reads, news, connections=len(self._inlets))
        return all_read

    def _look(self) -> None:
        all_read = self.read()
        self._wait(crowded=self._window.crowded and all_read)

    def _tell(self) -> None:
        """Tell some of what was found. Who hears of an answer's end sends the next request."""
        told = self._told
        try:
            for _ in range(min(len(told), TOLD_A_TURN)):
                self._tell_one(*told.popleft())
        finally:  # also when one raised: the others still want to hear
            if told:
                self._loop.call_soon(self._tell)

    def _tell_one(self, reader: Reader, descriptor: int, what: int) -> None:
        if what == _CAME:
            self._to_look_at.discard(descriptor)
        if self._readers.get(descriptor) is not reader:  # removed in the meantime
            return
        if what == _CAME:
            reader.came()
        elif what == _ENDED:
            reader.ended(None)
        else:
            reader.ended(OSError(what, os.strerror(what)))

    def _wait(self, *, crowded: bool) -> None:
        """Have the next look after a rest, or when there is something to be read."""
        if crowded:
            if self._rest is None:
                self._loop.remove_reader(self._epoll.fileno())
            self._rest = self._loop.call_later(REST_S, self._look)
        elif self._rest is not None:
            self._rest = None
            self._loop.add_reader(self._epoll.fileno(), self._look)


class Window:
    """Whether the reads of the last few milliseconds were a crowd."""

    def __init__(self, now_ns: int) -> None:
        self.crowded = False
        self._from_ns = now_ns
        self._reads = self._told = 0

    def add(self, now_ns: int, reads: int, told: int, *, connections: int) -> None:
        """Note a look, its reads, and how many of them began or ended an answer."""
        self._reads += reads
        self._told += told
        passed_ns = now_ns - self._from_ns
        if passed_ns < WINDOW_NS:
            return
        many = self._reads > CROWDED_PER_NS * passed_ns
        # An answer is told of twice, so its connection is told of once in half its time.
        self.crowded = many and self._told * LONG_NS / 2 < connections * passed_ns
        self._from_ns, self._reads, self._told = now_ns, 0, 0
