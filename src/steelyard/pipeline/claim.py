"""One run at a time sends and stores answers in a folder.

The folder itself is locked, so no file is left behind, and the lock dies with its holders: the run
and its sender processes, which inherit it. Marking and reporting need no claim.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steelyard.core import ConfigError

_PATIENCE_S = 2.0
"""How long the sender processes of a run that was just killed may take to end."""


@contextmanager
def claimed(folder: Path) -> Iterator[int]:
    """Hold ``folder``; yields the descriptor that keeps it held in whoever inherits it.

    Raises ``ConfigError`` when another run has it. A file system that cannot lock folders (NFS)
    leaves it to the lock of each record file.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(held, folder)
        yield held
    finally:
        os.close(held)


def _lock(held: int, folder: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise ConfigError(
                    f"another steelyard run is asking and storing answers in {folder}. Wait until "
                    "it ends, or start a run of your own without --reuse."
                ) from error
            time.sleep(0.05)
        except OSError:
            return
        else:
            return
