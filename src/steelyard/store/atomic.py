"""Files that are whole or not there: written beside, synced, renamed.

For files that are derived from records (results, summaries, plan). A crash or a full disk leaves
the former version, never half of the new one.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

from steelyard.store.faults import disk_error


def write_atomic(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, creating its folder; raises ``DiskError``.

    On return the file has reached the disk under its name.
    """
    beside = path.parent / f".{os.getpid()}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise disk_error(path, error, kept=f"{path.name} was not changed") from error


def sync_folder(folder: Path) -> None:
    """Have the names in ``folder`` reach the disk, where its file system can do that."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(fd)
