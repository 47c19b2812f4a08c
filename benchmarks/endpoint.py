"""The endpoint all contenders ask: a neutral C program, exact in its delays, that counts requests.

Its source is given by path (`--ssesim`); it is compiled once. It answers whole or streamed, as the
request says, on the schedule it was started with, and can write down when every request arrived and
every token was written. The counters are its own, read over one connection that stays open so that
it is not among those counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
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
    tokens: int
    cpu_s: float
    """Processor time of the endpoint itself."""
    elapsed_s: float


class Endpoint:
    """A running endpoint; `port` is where it listens on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = HTTPConnection(HOST, port, timeout=60)

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
        return _seen(self._ask("GET", "/sim/stats"))

    def dumped(self, name: str) -> Seen:
        """The counters; the log goes to the file `name` with `.bin`, and both start anew."""
        return _seen(self._ask("POST", f"/sim/dump/{name}"))

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


def answering(answer: str, latency_ms: float) -> dict[str, str]:
    """Options of an endpoint that answers everything with one text after a fixed time."""
    tokens = 1 + answer.rstrip(" ").count(" ")
    return {
        "--ttft": str(latency_ms),
        "--tokens": str(tokens),
        "--answer": answer,
    }


def streaming(ttft_ms: float, itl_ms: float, log_folder: Path) -> dict[str, str]:
    """Options of an endpoint that streams on a schedule, as many tokens as are asked for."""
    return {"--ttft": str(ttft_ms), "--itl": str(itl_ms), "--logdir": str(log_folder)}


@contextlib.contextmanager
def running(program: Path, options: Mapping[str, str], *, cpu: int) -> Iterator[Endpoint]:
    """The endpoint on a free port, bound to one processor."""
    port = free_port()
    words = [word for pair in options.items() for word in pair]
    fixed = ["--fixed"] if "--answer" in options else []
    command = [str(program), "--port", str(port), "--model", MODEL, "--quiet", *fixed, *words]
    process = subprocess.Popen(command)
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


def _seen(counters: bytes) -> Seen:
    figures = json.loads(counters)
    return Seen(
        requests=figures["requests"],
        answered=figures["done"],
        connections=figures["accepts"],
        most_in_flight=figures["maxactive"],
        tokens=figures["tokens"],
        cpu_s=figures["cpu_s"],
        elapsed_s=figures["elapsed_s"],
    )
