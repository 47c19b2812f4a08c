"""Arrivals over a link of 30 ms that loses every tenth packet.

A piece that waits in the kernel for a lost one has not arrived: it can be read when the lost one
has been sent again, a round trip later, though its stamp is from before.
"""

import asyncio
import socket
from time import monotonic_ns

import pytest

import lossy_link
from steelyard.engine.receiver import Inlet, Receiver, available

RARE_NS = 10_000_000
"""As in ``_arrivals.c``: so far a look before may bound an arrival by itself."""

PIECES, SIZE, EVERY_S, DELAY_S = 60, 100, 0.08, 0.03
STREAMING = f"""
import socket, time
listening = socket.create_server(({lossy_link.THEIRS!r}, 8700))
peer = listening.accept()[0]
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
peer.recv(1)
for number in range({PIECES}):
    peer.sendall(bytes([number]) * {SIZE})
    time.sleep({EVERY_S})
time.sleep(2)
"""


class Counting:
    """A reader that knows when all pieces are there."""

    def __init__(self, inlet: Inlet) -> None:
        self.inlet = inlet
        self.whole = asyncio.get_running_loop().create_future()

    def came(self) -> None:
        if sum(map(len, self.inlet.reads)) >= PIECES * SIZE and not self.whole.done():
            self.whole.set_result(None)

    def ended(self, trouble: OSError | None) -> None:
        self.whole.set_exception(trouble or EOFError())


async def received() -> Inlet:
    """One connection, read to its last piece."""
    loop = asyncio.get_running_loop()
    receiver = Receiver()
    for _ in range(100):  # until the other end listens
        sock = socket.socket()
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, (lossy_link.THEIRS, 8700))
            break
        except ConnectionRefusedError:
            sock.close()
            await asyncio.sleep(0.05)
    inlet = Inlet([], [], False, monotonic_ns())
    reader = Counting(inlet)
    receiver.add(sock, reader, inlet)
    await loop.sock_sendall(sock, b"x")
    await asyncio.wait_for(reader.whole, 30)
    receiver.remove(sock.fileno())
    receiver.close()
    sock.close()
    return inlet


@pytest.mark.skipif(not available(), reason="the kernel does not stamp what arrives here")
def test_a_piece_that_waited_for_a_lost_one_arrives_with_it() -> None:
    link = lossy_link.Link(DELAY_S, lambda number: number % 10 == 5)
    try:
        with link.up():
            other = lossy_link.listening(STREAMING)
            try:
                inlet = asyncio.run(received())
            finally:
                other.kill()
                other.wait()
    except OSError as error:
        pytest.skip(f"no such link can be made here: {error}")
    assert b"".join(inlet.reads) == b"".join(bytes([one]) * SIZE for one in range(PIECES))
    assert link.lost >= PIECES // 10
    end = waited = 0
    for data, arrived_ns in zip(inlet.reads, inlet.times, strict=True):
        end += len(data)
        readable_ns, last_ns = deliveries(link, end)
        assert arrived_ns >= readable_ns - RARE_NS
        waited += readable_ns - last_ns > 2 * RARE_NS
    assert waited >= 3


def deliveries(link: lossy_link.Link, end: int) -> tuple[int, int]:
    """When the first ``end`` bytes were there, and when the last of them had come."""
    needed = {offset: ns for offset, ns in link.delivered.items() if offset < end}
    return max(needed.values()), needed[max(needed)]
