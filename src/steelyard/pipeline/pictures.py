"""Answers that are pictures: a file each, beside the record file.

    predictions/<model>/gedit.jsonl            {"key": "12#0", "prediction": "gedit/12-0.png", ...}
    predictions/<model>/gedit/12-0.png

A line holds the path, seen from the record file; files of other tools do so too. A picture is on
disk under its name before its line is written. What a picture is, is looked up on the disk
every time: one that was changed since is another answer, and one that is gone is none.
"""

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import msgspec

from steelyard import backends, store
from steelyard.core import Failure, Picture, Reply, picture_fault, picture_kind

_NOT_IN_NAMES = re.compile(r"[^\w.-]")


def kept(reply: Reply, records: Path) -> Reply:
    """``reply`` with its picture, if it is one, in a file beside ``records``.

    What came is looked at first: bytes that are no picture are a failure. Raises ``DiskError``.
    """
    if not reply.drawn:
        return reply
    if fault := picture_fault(reply.drawn):
        return _failed(reply, f"the service's picture cannot be used: {fault}")
    folder, _, _ = records.name.partition(".")
    name = f"{_NOT_IN_NAMES.sub('-', reply.key)}.{picture_kind(reply.drawn)}"
    store.write_atomic(records.parent / folder / name, reply.drawn)
    return msgspec.structs.replace(reply, drawn=b"", text=f"{folder}/{name}")


def looked_at(reply: Reply, folder: Path) -> tuple[Reply, Picture | None]:
    """A stored reply and the picture that it names, seen from ``folder``.

    A reply whose picture is not there, is none, or lies elsewhere, comes back as a failure.
    """
    if reply.failure is not None:
        return reply, None
    try:
        path = backends.file_inside(folder, reply.text)
        found = path.stat()
        seen = _seen(str(path), found.st_size, found.st_mtime_ns, found.st_ino)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        return _failed(reply, f"no picture at {reply.text[:200]!r} in {folder}: {words}"), None
    if isinstance(seen, str):
        return _failed(reply, f"{reply.text} in {folder} is no picture: {seen}"), None
    return reply, seen


@lru_cache(maxsize=65536)
def _seen(path: str, size: int, mtime_ns: int, inode: int) -> Picture | str:
    """The picture at ``path``, or why it is none. Read again when the file is another one."""
    try:
        data = backends.read_picture(Path(path))
    except ValueError as error:
        return str(error)
    return Picture(sha256=sha256(data).hexdigest(), path=path, size=len(data))


def _failed(reply: Reply, detail: str) -> Reply:
    failure = Failure(kind="picture", detail=detail)
    return msgspec.structs.replace(reply, drawn=b"", text="", failure=failure)
