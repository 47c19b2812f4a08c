"""Appending to a record file: the moment a reply becomes safe.

A record is one line and one write, so it is with the operating system when ``append`` returns and
survives the death of this process. Every 200 ms a thread has the disk take what was written, since
waiting for a disk must not hold up the caller; ``close`` does so once more. Only a power failure
can lose records, those of the last moment.

One writer per file, by a lock on the file itself that dies with its holder. Appending is for one
thread.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import msgspec

from steelyard.core import ConfigError, DiskError
from steelyard.store.atomic import sync_folder
from steelyard.store.faults import disk_error

SYNC_EVERY_S = 0.2
_BLOCK = 1 << 16

_encode_into = msgspec.json.Encoder().encode_into
_flush_to_disk: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class Writer:
    """The one writer of a record file; a context manager.

    Opening creates folder and file, takes the lock (``ConfigError`` when somebody has it) and
    removes a last line that a crash has cut. After a ``DiskError`` no more records are taken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = _open_locked(path)
        self._line = bytearray()
        """The line being written, kept to spare a copy of every record."""
        self._synced = os.fstat(self._fd).st_size
        self._unsynced = False
        self._failure: OSError | None = None
        """Why the disk did not take what was written; set by the thread, told by the caller."""
        self._stopped: DiskError | None = None
        self._closing = threading.Event()
        self._syncer = threading.Thread(target=self._keep_synced, name="records", daemon=True)
        self._syncer.start()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, record: bytes | msgspec.Struct) -> None:
        """Add one record: a struct, or a line of JSON without its newline.

        Raises ``DiskError`` when it cannot be kept; the file then ends with the last safe record.
        """
        if self._stopped is not None:
            raise self._stopped
        if self._failure is not None:
            raise self._stop(self._failure, self._synced)
        line = self._line
        if isinstance(record, bytes):
            line[:] = record
        else:
            _encode_into(record, line)
        if b"\n" in line:
            raise ValueError("a record is one line; this one holds a newline")
        line += b"\n"
        try:
            written = os.write(self._fd, line)
            while written < len(line):  # a disk that is nearly full takes a part, then says why
                written += os.write(self._fd, line[written:])
        except OSError as error:
            raise self._stop(error, os.fstat(self._fd).st_size) from error
        self._unsynced = True

    def close(self) -> None:
        """Have the disk take everything and give the lock back; a second call does nothing.

        Raises ``DiskError`` when the disk does not take it and ``append`` has not said so before.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._syncer.join()
        self._sync()
        try:
            if self._failure is not None and self._stopped is None:
                raise self._stop(self._failure, self._synced)
        finally:
            # A process forked meanwhile shares the lock: closing alone would leave it taken.
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            os.close(self._fd)
            self._fd = -1

    def _keep_synced(self) -> None:
        with suppress(OSError):
            sync_folder(self.path.parent)
        while not self._closing.wait(SYNC_EVERY_S):
            self._sync()

    def _sync(self) -> None:
        if not self._unsynced or self._failure is not None:
            return
        self._unsynced = False
        size = os.fstat(self._fd).st_size
        try:
            _flush_to_disk(self._fd)
        except OSError as error:
            self._failure = error
        else:
            self._synced = size

    def _stop(self, failure: OSError, safe: int) -> DiskError:
        """Cut the file back to the whole records in its first ``safe`` bytes; take no more."""
        kept = f"what {self.path} holds is kept"
        with suppress(OSError):
            os.ftruncate(self._fd, safe)
            _cut_torn_line(self._fd)
            count = _record_count(self._fd)
            kept = f"{count:,} {'records are' if count != 1 else 'record is'} safe in {self.path}"
        self._stopped = disk_error(self.path, failure, kept=kept)
        return self._stopped


def _open_locked(path: Path) -> int:
    fd = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        _lock(fd, path)
        _cut_torn_line(fd)
    except (OSError, ConfigError) as error:
        if fd >= 0:
            os.close(fd)
        if isinstance(error, OSError):
            raise disk_error(path, error, kept="nothing was written") from error
        raise
    return fd


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError(
            f"{path} is being written by another steelyard run{_holder(fd)} that uses this folder. "
            "Wait until it ends, or start a run of your own without --reuse."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be locked ({error.strerror}), so two runs could damage it. Choose a "
            "folder on another file system with --work-dir."
        ) from error


def _holder(fd: int) -> str:
    """Which process has locked the file, where the system tells."""
    file = os.fstat(fd)
    device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    try:
        locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return ""
    owners = [lock.split()[4] for lock in locks if device in lock.split()]
    return f" (process {owners[0]})" if owners else ""


def _cut_torn_line(fd: int) -> None:
    """Remove what stands after the last newline."""
    size = end = os.fstat(fd).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        newline = os.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(fd, end)


def _record_count(fd: int) -> int:
    records = position = 0
    while block := os.pread(fd, _BLOCK, position):
        records += block.count(b"\n")
        position += len(block)
    return records
