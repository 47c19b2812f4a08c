"""A link between two network namespaces that delays every packet and loses some, and says when.

Two TUN devices, one of them in a namespace of its own, and a thread that carries packets between
them. Needs Linux, root and ``ip``.
"""

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from select import select

OURS, THEIRS = "10.253.9.1", "10.253.9.2"
NAMESPACE = "steelyard-lossy"
_TUN, _PLAIN, _SET = 0x0001, 0x1000, 0x400454CA


class Link:
    """Packets that carry data towards us are numbered; ``loses`` says which are lost."""

    def __init__(self, delay_s: float, loses: Callable[[int], bool]) -> None:
        self.lost = 0
        self.delivered: dict[int, int] = {}
        """When each byte offset of the stream towards us first came with a packet that begins
        there, monotonic ns; the link carries one connection."""
        self._delay_s, self._loses = delay_s, loses
        self._number = 0
        self._first_sequence: int | None = None
        self._over = threading.Event()

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """The link, as long as the context lasts; ``OSError`` where it cannot be made."""
        near, far = _device("sylossy0"), _device("sylossy1")
        carrier = threading.Thread(target=self._carry, args=(near, far), daemon=True)
        try:
            _ip(f"netns add {NAMESPACE}")
            try:
                _ip(f"link set sylossy1 netns {NAMESPACE}")
                _ip(f"addr add {OURS}/30 dev sylossy0")
                _ip("link set sylossy0 up")
                _ip(f"-n {NAMESPACE} addr add {THEIRS}/30 dev sylossy1")
                _ip(f"-n {NAMESPACE} link set sylossy1 up")
                carrier.start()
                yield
            finally:
                self._over.set()
                if carrier.is_alive():
                    carrier.join()
                _ip(f"netns del {NAMESPACE}")
        finally:
            os.close(near)
            os.close(far)

    def _carry(self, near: int, far: int) -> None:
        held: deque[tuple[float, int, bytes]] = deque()
        while not self._over.is_set():
            for source in select([near, far], [], [], 0.001)[0]:
                packet = os.read(source, 65536)
                if source == near or not self._is_lost(packet):
                    to = far if source == near else near
                    held.append((time.monotonic() + self._delay_s, to, packet))
            while held and held[0][0] <= time.monotonic():
                _, to, packet = held.popleft()
                if to == near:
                    self._note(packet)
                with contextlib.suppress(OSError):
                    os.write(to, packet)

    def _is_lost(self, packet: bytes) -> bool:
        if _payload(packet) == 0:
            return False
        self._number += 1
        lost = self._loses(self._number)
        self.lost += lost
        return lost

    def _note(self, packet: bytes) -> None:
        if packet[9] != 6:
            return
        sequence = struct.unpack_from("!I", packet, _header(packet) + 4)[0]
        if packet[_header(packet) + 13] & 0x02:  # SYN
            self._first_sequence = sequence + 1
        if _payload(packet) and self._first_sequence is not None:
            offset = (sequence - self._first_sequence) % (1 << 32)
            self.delivered.setdefault(offset, time.monotonic_ns())


def listening(program: str) -> "subprocess.Popen[bytes]":
    """A Python program that runs at the other end of the link."""
    command = ["ip", "netns", "exec", NAMESPACE, sys.executable, "-c", program]
    return subprocess.Popen(command)


def _header(packet: bytes) -> int:
    return (packet[0] & 0x0F) * 4


def _payload(packet: bytes) -> int:
    """Bytes of data in a TCP packet; 0 for another."""
    if packet[0] >> 4 != 4 or packet[9] != 6:
        return 0
    size: int = struct.unpack_from("!H", packet, 2)[0]
    return size - _header(packet) - (packet[_header(packet) + 12] >> 4) * 4


def _device(name: str) -> int:
    descriptor = os.open(Path("/dev/net/tun"), os.O_RDWR)
    request = struct.pack("16sH", name.encode(), _TUN | _PLAIN)
    try:
        fcntl.ioctl(descriptor, _SET, request)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _ip(arguments: str) -> None:
    done = subprocess.run(["ip", *arguments.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())
