r"""Comparing maths answers by meaning: math-verify, in a process of its own.

Two scorers. ``math_verify`` is AISBench's rule and the default of math500: the prediction counts
only as proper LaTeX, in a box or, where there is none, behind words such as "the final answer is";
and it is compared in the order prediction, gold. So it does not read ``\frac43``, which is how 8
of the 500 gold answers are spelt, nor a plain "The answer is 5". ``math_verify_fixed`` lets
math-verify read the prediction with its own defaults, and compares in the order that its
documentation asks for.

The gold answer is the target: as it stands when some of it is marked as maths (``$``, ``\boxed``),
else put between dollar signs. A comparison that takes longer than ten seconds is a wrong mark,
and the process is started afresh. The process lives until the interpreter ends.
"""

from __future__ import annotations

import atexit
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from steelyard.core import ConfigError, MissingExtra, Sample, Verdict
from steelyard.scoring.registry import scorer

if TYPE_CHECKING:
    from io import BufferedReader
    from socket import socket
    from subprocess import Popen

_START_LIMIT_S = 120.0
"""Importing math-verify takes half a second, much longer on a busy machine with a cold disk."""


class _Question(msgspec.Struct, frozen=True):
    text: str
    gold: str
    lenient: bool


class _Answer(msgspec.Struct, frozen=True):
    right: bool
    answer: str | None
    why: str


class _Ready(msgspec.Struct, frozen=True):
    trouble: str


class _Link(NamedTuple):
    """A running process and both ends of the talk with it."""

    process: Popen[bytes]
    channel: socket
    lines: BufferedReader

    def exchange(self, line: bytes, limit_s: float) -> bytes:
        """What comes back for ``line``; empty when the process ends or ``limit_s`` pass first."""
        self.channel.settimeout(limit_s)
        try:
            self.channel.sendall(line)
            return self.lines.readline()
        except OSError:
            return b""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.lines.close()
        self.channel.close()


class Worker:
    """A process that compares answers, started when first asked; for one thread at a time."""

    def __init__(self, limit_s: float = 10.0) -> None:
        self._limit_s = limit_s
        self._link: _Link | None = None

    def compare(self, text: str, gold: str, *, lenient: bool) -> Verdict:
        """What math-verify says of ``text``; a wrong mark when it says nothing in time."""
        if self._link and self._link.process.poll() is not None:
            self.close()
        link = self._link or self._start()
        question = msgspec.json.encode(_Question(text, gold, lenient))
        line = link.exchange(question + b"\n", self._limit_s)
        if not line:
            self.close()
            why = f"math-verify broke off or took longer than {self._limit_s:g} s"
            return Verdict(0.0, "", why)
        answer = msgspec.json.decode(line, type=_Answer)
        return Verdict(float(answer.right), answer.answer, answer.why)

    def close(self) -> None:
        """End the process, if there is one. A later comparison starts another."""
        if self._link:
            self._link.close()
            self._link = None
            atexit.unregister(self.close)

    def _start(self) -> _Link:
        require_math_verify()
        link = self._link = _opened()
        atexit.register(self.close)
        line = link.exchange(b"", _START_LIMIT_S)
        trouble = msgspec.json.decode(line, type=_Ready).trouble if line else "no sign of life"
        if trouble:
            self.close()
            raise ConfigError(
                f"math-verify could not be started ({trouble}). "
                "Install it again: pip install --force-reinstall 'steelyard[math]'"
            )
        return link


def _opened() -> _Link:
    import socket
    import subprocess
    import sys

    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("math_worker.py"))],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return _Link(process, ours, ours.makefile("rb"))


def require_math_verify() -> None:
    """Raise ``MissingExtra`` when math-verify is not installed."""
    if find_spec("math_verify") is None:
        raise MissingExtra("marking by math-verify", "math")


_worker = Worker()


@scorer(version=1, live=False, needs=require_math_verify)
def math_verify(text: str, sample: Sample) -> Verdict:
    """AISBench's math500 rule: right when math-verify finds the last box equal to the target."""
    return _worker.compare(text, sample.target or "", lenient=False)


@scorer(version=1, live=False, needs=require_math_verify)
def math_verify_fixed(text: str, sample: Sample) -> Verdict:
    """Right when math-verify, reading with its own defaults, finds the answer equal."""
    return _worker.compare(text, sample.target or "", lenient=True)
