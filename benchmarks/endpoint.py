"""The endpoint all contenders ask: a neutral C program, exact in its delay, that counts requests.

Its source is given by path (`--ssesim`); it is compiled once. The same text answers every request,
whole, `latency_ms` after the request arrived. The counters are its own, read over one connection
that stays open so that it is not among those counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

HOST = "127.0.0.1"
MODEL = "sim"


@dataclass(frozen=True)
class Seen:
    """What reached the endpoint since the last reset."""

    requests: int
    answered: int
    connections: int
    most_in_flight: int


class Endpoint:
    """A running endpoint; `port` is where it listens on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = HTTPConnection(HOST, port, timeout=10)

    def wait_until_ready(self) -> None:
        """Returns once it answers; TimeoutError after five seconds."""
        deadline_s = time.monotonic() + 5
        while time.monotonic() < deadline_s:
            try:
                self._ask("GET", "/health")
            except ConnectionRefusedError:
                self._connection.close()
                time.sleep(0.02)
            else:
                return
        raise TimeoutError(f"the endpoint did not listen on port {self.port} within 5 s")

    def reset(self) -> None:
        """Counts from zero again."""
        self._ask("POST", "/sim/reset")

    def seen(self) -> Seen:
        """The counters."""
        counters = json.loads(self._ask("GET", "/sim/stats"))
        return Seen(
            requests=counters["requests"],
            answered=counters["done"],
            connections=counters["accepts"],
            most_in_flight=counters["maxactive"],
        )

    def close(self) -> None:
        """Gives up the connection to the counters."""
        self._connection.close()

    def _ask(self, method: str, path: str) -> bytes:
        self._connection.request(method, path)
        return self._connection.getresponse().read()


def built(source: Path, folder: Path) -> Path:
    """The endpoint's program, compiled into `folder` unless a newer one is there."""
    program = folder / source.stem
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-o", program, source, "-lm"], check=True)
    return program


@contextlib.contextmanager
def running(program: Path, *, answer: str, latency_ms: float, cpu: int) -> Iterator[Endpoint]:
    """The endpoint on a free port, bound to one processor."""
    port = free_port()
    tokens = 1 + answer.rstrip(" ").count(" ")
    options = {
        "--port": port,
        "--model": MODEL,
        "--ttft": latency_ms,
        "--tokens": tokens,
        "--answer": answer,
    }
    arguments = [str(part) for pair in options.items() for part in pair]
    process = subprocess.Popen([program, *arguments, "--fixed", "--quiet"])
    os.sched_setaffinity(process.pid, {cpu})
    endpoint = Endpoint(port)
    try:
        endpoint.wait_until_ready()
        yield endpoint
    finally:
        endpoint.close()
        process.terminate()
        process.wait()


def free_port() -> int:
    """A loopback port nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])
