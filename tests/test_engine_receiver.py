"""Reading with the kernel's stamps.

- An arrival is when the bytes came, however late they are read.
- It is never outside of what is possible: not before a look that found nothing, not after now.
- Every socket is read, whole and in order, however many there are and however much comes.
- Under many streams looks rest; a service that answers at once is read at once.
"""

import asyncio
import os
import resource
import select
import shutil
import socket
import sysconfig
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from steelyard.engine import dial, event_stream, receiver
from steelyard.engine.receiver import REST_S, WINDOW_NS, Inlet, Receiver, Window

MS = 1_000_000

built = pytest.mark.skipif(
    not receiver.available(),
    reason="the kernel does not stamp arrivals here, or the modules in C were not built",
)


@pytest.fixture(scope="module", autouse=True)
def _stamping() -> Iterator[None]:
    """Stamps of the first packets after a while without any take the kernel a moment."""
    if not receiver.available():
        yield
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, 35, 1)
        time.sleep(0.05)
        yield


class Heard:
    """A connection's bytes, and what was told of it."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.inlet = Inlet([], [], quiet=quiet)
        self.told: list[str] = []

    def came(self) -> None:
        self.told.append("came")

    def ended(self, trouble: OSError | None) -> None:
        self.told.append("ended" if trouble is None else type(trouble).__name__)

    @property
    def bytes(self) -> bytes:
        return b"".join(self.inlet.reads)


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end, that does not block, and the service's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as ours,
        listening.accept()[0] as theirs,
    ):
        theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ours.setblocking(False)
        yield ours, theirs


async def until(true: Callable[[], object]) -> None:
    """Let the loop run until ``true()`` is so."""
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.001)


def test_the_modules_in_c_are_built_where_there_is_a_compiler() -> None:
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not shutil.which("cc") or not header.exists() or not hasattr(select, "epoll"):
        pytest.skip("no C compiler, no headers of Python, or not Linux")
    assert receiver.BUILT
    assert event_stream._alike is not None


@built
@pytest.mark.parametrize(
    ("url", "clock"),
    [("https://host", "event loop"), ("HTTPS://host", "event loop"), ("http://host", "kernel")],
)
def test_tls_is_timed_by_the_event_loop(url: str, clock: str) -> None:
    assert dial.arrival_clock(url) == clock


@built
def test_bytes_that_are_read_late_are_timed_by_their_arrival() -> None:
    async def main(theirs: socket.socket, ours: socket.socket) -> None:
        reading, heard = Receiver(), Heard()
        reading.add(ours, heard, heard.inlet)
        await asyncio.sleep(0.1)  # stamps begin a moment after they were asked for
        sent_ns = []
        for text in (b"one", b"two"):
            sent_ns.append(time.monotonic_ns())
            theirs.send(text)
            time.sleep(0.2)  # noqa: ASYNC251 - the loop is held up on purpose
            await until(lambda text=text: heard.bytes.endswith(text))
        for sent, arrived in zip(sent_ns, heard.inlet.times, strict=True):
            assert 0 <= arrived - sent < 20 * MS
        reading.close()

    with connected() as (ours, theirs):
        asyncio.run(main(theirs, ours))


@built
def test_pieces_that_are_read_together_arrived_with_the_last() -> None:
    async def main(theirs: socket.socket, ours: socket.socket) -> None:
        reading, heard = Receiver(), Heard()
        reading.add(ours, heard, heard.inlet)
        await asyncio.sleep(0.01)
        theirs.send(b"one")
        time.sleep(0.05)  # noqa: ASYNC251 - the loop is held up on purpose
        second_ns = time.monotonic_ns()
        theirs.send(b"two")
        time.sleep(0.05)  # noqa: ASYNC251
        await until(lambda: heard.bytes == b"onetwo")
        (arrived_ns,) = heard.inlet.times
        assert 0 <= arrived_ns - second_ns < 20 * MS
        reading.close()

    with connected() as (ours, theirs):
        asyncio.run(main(theirs, ours))


@built
def test_a_stamp_from_before_a_look_that_found_nothing_is_not_believed() -> None:
    from steelyard.engine import _arrivals

    with connected() as (ours, theirs), select.epoll() as epoll:
        ours.setsockopt(socket.SOL_SOCKET, 35, 1)
        epoll.register(ours.fileno(), select.EPOLLIN | select.EPOLLET)
        inlet = Inlet([], [], quiet=False)
        inlets = {ours.fileno(): inlet}
        time.sleep(0.05)  # the first stamps after a while without any take the kernel a moment
        theirs.send(b"x")
        time.sleep(0.02)
        nothing_before_ns = time.monotonic_ns()
        looked_ns, reads, all_read, told = _arrivals.look(epoll.fileno(), inlets, nothing_before_ns)
        assert inlet.times == [nothing_before_ns]
        assert (reads, all_read, told) == (1, True, [(ours.fileno(), -1)])
        assert looked_ns >= nothing_before_ns


@built
def test_nothing_arrived_before_it_was_asked_for() -> None:
    from steelyard.engine import _arrivals

    with connected() as (ours, theirs), select.epoll() as epoll:
        ours.setsockopt(socket.SOL_SOCKET, 35, 1)
        epoll.register(ours.fileno(), select.EPOLLIN | select.EPOLLET)
        nothing_before_ns = time.monotonic_ns()
        theirs.send(b"a stray")
        time.sleep(0.02)
        inlet = Inlet([], [], quiet=False, since_ns=time.monotonic_ns())
        _arrivals.look(epoll.fileno(), {ours.fileno(): inlet}, nothing_before_ns)
        assert inlet.times == [inlet.since_ns]


@built
def test_what_is_quiet_is_told_of_when_a_read_ends_in_an_empty_line() -> None:
    async def main(theirs: socket.socket, ours: socket.socket) -> None:
        reading, heard = Receiver(), Heard(quiet=True)
        reading.add(ours, heard, heard.inlet)
        for text in (b"piece\r\n", b"more\r\n"):
            theirs.send(text)
            await until(lambda text=text: heard.bytes.endswith(text))
        assert heard.told == []
        theirs.send(b"0\r\n\r\n")
        await until(lambda: heard.told)
        assert heard.told == ["came"]
        theirs.send(b"ab")  # shorter than an empty line: who knows
        await until(lambda: len(heard.told) == 2)
        reading.close()

    with connected() as (ours, theirs):
        asyncio.run(main(theirs, ours))


@built
@pytest.mark.parametrize("size", [1, 65_536, 65_537, 5_000_000])
def test_all_that_comes_is_read_and_then_the_end(size: int) -> None:
    sent = os.urandom(size)

    async def main(theirs: socket.socket, ours: socket.socket) -> None:
        reading, heard = Receiver(), Heard()
        reading.add(ours, heard, heard.inlet)

        def send() -> None:
            theirs.sendall(sent)
            theirs.shutdown(socket.SHUT_WR)

        await asyncio.get_running_loop().run_in_executor(None, send)
        await until(lambda: "ended" in heard.told)
        assert heard.bytes == sent
        assert heard.told[-1] == "ended"
        assert all(before <= after for before, after in pairwise(heard.inlet.times))
        reading.close()

    with connected() as (ours, theirs):
        asyncio.run(main(theirs, ours))


@built
def test_a_look_that_leaves_something_says_so() -> None:
    """What is left did arrive before it, so the next look must not think otherwise."""
    from steelyard.engine import _arrivals

    with (
        ThreadPoolExecutor() as pool,
        connected() as (ours, theirs),
        select.epoll() as epoll,
    ):
        epoll.register(ours.fileno(), select.EPOLLIN | select.EPOLLET)
        inlet = Inlet([], [], quiet=False)
        sent = bytes(50_000_000)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)  # comes while it is read
        sending = pool.submit(theirs.sendall, sent)
        left_over = 0
        while sum(map(len, inlet.reads)) < len(sent):
            select.select([epoll.fileno()], [], [], 5)
            time.sleep(0.002)
            before = len(inlet.reads)
            _, reads, all_read, _ = _arrivals.look(epoll.fileno(), {ours.fileno(): inlet}, 0)
            assert reads == len(inlet.reads) - before
            assert all_read == (reads < 16)
            left_over += not all_read
        sending.result()
        if not left_over:
            pytest.skip("the kernel's buffers are smaller than what is read in one look")


@built
def test_a_reader_that_fails_leaves_the_others_theirs() -> None:
    class Failing(Heard):
        def came(self) -> None:
            raise RuntimeError

    async def main(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
        failures: list[object] = []
        loop = asyncio.get_running_loop()

        def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            failures.append(context["exception"])

        loop.set_exception_handler(note)
        reading, all_heard = Receiver(), [Failing(), Heard(), Heard()]
        for (ours, _), heard in zip(pairs, all_heard, strict=True):
            reading.add(ours, heard, heard.inlet)
        for text in (b"one", b"two"):
            for _, theirs in pairs:
                theirs.send(text)
            await until(lambda text=text: all(one.bytes.endswith(text) for one in all_heard))
            await until(lambda text=text: all(one.told for one in all_heard[1:]))
            for heard in all_heard:
                heard.told.clear()
        assert failures
        reading.close()

    with ExitStack() as stack:
        asyncio.run(main([stack.enter_context(connected()) for _ in range(3)]))


@built
def test_a_reset_is_told_of_as_one() -> None:
    async def main(theirs: socket.socket, ours: socket.socket) -> None:
        reading, heard = Receiver(), Heard()
        reading.add(ours, heard, heard.inlet)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        theirs.close()
        await until(lambda: heard.told)
        assert heard.told == ["ConnectionResetError"]
        reading.close()

    with connected() as (ours, theirs):
        asyncio.run(main(theirs, ours))


@built
def test_what_was_removed_is_read_no_more() -> None:
    async def main(theirs: socket.socket, ours: socket.socket) -> None:
        reading, heard = Receiver(), Heard()
        reading.add(ours, heard, heard.inlet)
        reading.remove(ours.fileno())
        reading.remove(ours.fileno())
        theirs.send(b"x")
        await asyncio.sleep(0.02)
        assert heard.told == heard.inlet.reads == []
        reading.close()
        reading.close()

    with connected() as (ours, theirs):
        asyncio.run(main(theirs, ours))


@built
def test_seven_hundred_streams_are_read_whole_and_timed_apart() -> None:
    """Pieces come faster than they are worth waking up for."""
    rounds = 12

    async def main(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
        reading, all_heard = Receiver(), [Heard(quiet=True) for _ in pairs]
        for (ours, _), heard in zip(pairs, all_heard, strict=True):
            reading.add(ours, heard, heard.inlet)
        sent_ns = []
        for number in range(rounds):
            sent_ns.append(time.monotonic_ns())
            for _, theirs in pairs:
                theirs.send(b"piece %d\n" % number)
            await asyncio.sleep(0.02)
        whole = b"".join(b"piece %d\n" % number for number in range(rounds))
        await until(lambda: all(heard.bytes == whole for heard in all_heard))
        sent_ns.append(time.monotonic_ns())
        for heard in all_heard:
            if len(heard.inlet.times) == rounds:
                for arrived, begun, ended in zip(
                    heard.inlet.times, sent_ns, sent_ns[1:], strict=False
                ):
                    assert begun <= arrived <= ended
        on_time = sum(len(heard.inlet.times) == rounds for heard in all_heard)
        assert on_time > len(pairs) // 2
        reading.close()

    with ExitStack() as stack:
        asyncio.run(main([stack.enter_context(connected()) for _ in range(700)]))


@built
def test_more_streams_than_one_look_takes_are_all_read() -> None:
    """4,096 is the most of a look (``_arrivals.c``); the others are not to wait for more bytes."""
    streams, soft = 4_200, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft[1] != resource.RLIM_INFINITY and soft[1] < 2 * streams + 500:
        pytest.skip(f"{streams:,} streams at once need more open files than {soft[1]:,}")

    async def main(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
        reading, all_heard = Receiver(), [Heard(quiet=True) for _ in pairs]
        for (ours, _), heard in zip(pairs, all_heard, strict=True):
            reading.add(ours, heard, heard.inlet)
        for _, theirs in pairs:
            theirs.send(b"a piece\n")
        assert not reading.read()  # it was not all
        await until(lambda: all(heard.bytes == b"a piece\n" for heard in all_heard))
        reading.close()

    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft[0], 2 * streams + 500), soft[1]))
    try:
        with ExitStack() as stack:
            asyncio.run(main([stack.enter_context(connected()) for _ in range(streams)]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, soft)


def test_tls_and_systems_without_stamps_have_the_event_loop_s_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert dial.arrival_clock("https://x") == "event loop"
    monkeypatch.setattr(dial, "available", lambda: True)
    assert dial.arrival_clock("http://x") == dial.arrival_clock("x:8080") == "kernel"
    monkeypatch.setattr(dial, "available", lambda: False)
    assert dial.arrival_clock("http://x") == "event loop"


@pytest.mark.parametrize(
    ("reads", "told", "connections", "crowded"),
    [
        (14, 0, 500, False),  # too few to be worth it
        (16, 0, 500, True),
        (500, 8, 500, True),  # 128 pieces to an answer, each answer told of twice
        (500, 249, 500, True),  # answers that take 20 ms
        (500, 251, 500, False),
        (500, 500, 64, False),  # one read an answer: who sends the next waits for it
    ],
)
def test_looks_rest_when_it_is_crowded_and_answers_are_long(
    reads: int, told: int, connections: int, *, crowded: bool
) -> None:
    window = Window(0)
    window.add(WINDOW_NS - 1, reads // 2, told // 2, connections=connections)
    assert not window.crowded
    window.add(WINDOW_NS, reads - reads // 2, told - told // 2, connections=connections)
    assert window.crowded is crowded
    window.add(2 * WINDOW_NS, 0, 0, connections=connections)
    assert not window.crowded
    assert REST_S * 1e9 < WINDOW_NS
