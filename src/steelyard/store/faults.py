"""What to tell a person when the disk refuses a write."""

import errno
from pathlib import Path

from steelyard.core import DiskError
from steelyard.store.stamp import stamp_of

_KNOWN = {
    errno.ENOSPC: ("no space left on the file system of {folder}", "free space"),
    errno.EDQUOT: ("the disk quota for {folder} is used up", "free space"),
    errno.EFBIG: ("{path} has reached the limit for file sizes (ulimit -f)", "raise the limit"),
}


def disk_error(path: Path, error: OSError, *, kept: str) -> DiskError:
    """The error for a failed write to ``path``; ``kept`` says what is safe all the same."""
    unknown = (f"writing {path} failed: {error.strerror}", "check the disk")
    cause, remedy = _KNOWN.get(error.errno or 0, unknown)
    again = f"--reuse {stamp_of(path)}".rstrip()
    return DiskError(
        f"{cause.format(path=path, folder=path.parent)}; {kept}; {remedy} and run again with "
        f"{again}"
    )
