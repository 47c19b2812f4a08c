"""Stamps: the names of run folders, and of what one command writes in them.

A stamp is a local time to the second, ``20250628_172032``; stamps sort as they happened.
"""

import re
from datetime import datetime
from pathlib import Path

_FORMAT = "%Y%m%d_%H%M%S"
_STAMP = re.compile(r"\d{8}_\d{6}")


def stamp(moment: datetime) -> str:
    """The stamp of ``moment``."""
    return moment.strftime(_FORMAT)


def is_stamp(name: str) -> bool:
    """Whether a file name looks like a stamp."""
    return _STAMP.fullmatch(name) is not None


def stamp_of(path: Path) -> str:
    """The stamp of the run that ``path`` belongs to; empty when it lies in no run folder."""
    return next((name for name in reversed(path.parts[:-1]) if is_stamp(name)), "")
