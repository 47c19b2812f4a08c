"""Three ways to watch a run: a live board (board.py), plain lines, JSON events.

All take the same events, and are closed when the run is over, however it ended.
"""

import os
import sys
import time
from typing import Protocol

import msgspec

from steelyard.cli.sentences import sentence
from steelyard.core import DiskError
from steelyard.pipeline import Event, Listener, Notice, Progress
from steelyard.reports import progress_line

_PLAIN_EVERY_S = 10.0


class Watcher(Protocol):
    """Shows events to whoever watches."""

    def __call__(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def watcher(*, json: bool) -> Watcher:
    """The watcher that suits where the output goes."""
    if json:
        return JsonLines()
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from steelyard.cli.board import LiveBoard

        return LiveBoard()
    return PlainLines()


def told(watcher: Watcher) -> Listener:
    """``watcher``, with output that cannot be written as ``DiskError``.

    That the reader went away stays what it is (``BrokenPipeError``).
    """

    def tell(event: Event) -> None:
        try:
            watcher(event)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise DiskError(
                f"the output of this command cannot be written: {error.strerror}. Answers that "
                "came in are kept; go on with --reuse."
            ) from error

    return tell


class JsonLines:
    """One JSON object per event on standard output, in UTF-8."""

    def __call__(self, event: Event) -> None:
        """Write one event."""
        sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """Nothing to leave."""


class PlainLines:
    """Lines for logs and pipes: what began, how far it is every ten seconds, what ended."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Print one event, if it is worth a line."""
        if isinstance(event, Progress):
            now = time.monotonic()
            if now - self._told.setdefault(event.job, now) < _PLAIN_EVERY_S:
                return
            self._told[event.job] = now
            print(progress_line(event), flush=True)
            return
        text = sentence(event)
        if text:
            stream = sys.stderr if isinstance(event, Notice) else sys.stdout
            print(text, file=stream, flush=True)

    def close(self) -> None:
        """Nothing to leave."""
