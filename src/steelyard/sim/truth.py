"""The truth log: what the endpoint really did, to hold a client's measurements against.

One JSON object per generation request (refused ones left out), in order of completion. Clock
readings are monotonic nanoseconds (``time.monotonic_ns``), which processes on one machine share.
"""

from pathlib import Path
from typing import BinaryIO

import msgspec

from steelyard.core import ConfigError
from steelyard.sim.tally import Outcome


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """One request as the endpoint saw it."""

    number: int
    path: str
    question: str | None
    """Id of the known question; ``None`` when the prompt holds none."""
    occurrence: int
    """How often the question (or the unknown prompt) had been asked before."""
    stream: bool
    status: int
    outcome: Outcome
    fault: str | None
    tokens: int
    """Tokens of the whole answer, also when less was sent."""
    arrival_ns: int
    """When the read that completed the request returned."""
    writes_ns: list[int]
    """Just before each write that carries tokens."""
    done_ns: int


class TruthLog:
    """Appends to the log file."""

    def __init__(self, path: Path) -> None:
        """``ConfigError`` when the file cannot be opened."""
        try:
            self._file: BinaryIO = path.open("ab")
        except OSError as error:
            raise ConfigError(f"--log {path}: cannot be written ({error.strerror}).") from error
        self._encoder = msgspec.json.Encoder()

    def write(self, truth: Truth) -> None:
        """Append one line; it reaches the file with ``flush``, or when enough has gathered."""
        self._file.write(self._encoder.encode(truth) + b"\n")

    def flush(self) -> None:
        """Hand all lines to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self._file.close()
