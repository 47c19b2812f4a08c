"""The log file of one stage of one job: ``logs/infer/<model>/<dataset>.out``.

Lines read ``[2025-06-28 17:20:32,123] [steelyard] [INFO] text``. With ``--debug`` no file is
written and the lines leave as notices instead.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from steelyard.core import DiskError


class JobLog:
    """An open log; a context manager."""

    def __init__(self, path: Path | None, *, echo: Callable[[str, str], None] | None) -> None:
        self._echo = echo
        self._file: BinaryIO | None = None
        """Unbuffered, so that closing it has nothing to write."""
        self.path = path
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("ab", buffering=0)
            except OSError as error:
                raise DiskError(f"cannot write the log {path}: {error.strerror}") from error

    def __enter__(self) -> "JobLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            self.line("WARNING", "interrupted")
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def line(self, level: str, text: str) -> None:
        """Write one line. A full disk must not turn a log line into the run's error."""
        stamp = datetime.now().astimezone().isoformat(" ", "milliseconds")[:23].replace(".", ",")
        if self._echo is not None:
            self._echo(level, text)
        if self._file is None:
            return
        line = f"[{stamp}] [steelyard] [{level}] {text}\n"
        with suppress(OSError):
            self._file.write(line.encode("utf-8", "backslashreplace"))
