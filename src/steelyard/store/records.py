"""Reading append-only record files.

A record file holds one record a line, as JSON, in order of completion. A record is written once
and never changed; where a key occurs twice, the later line wins. Only the last line may be
cut (no newline at its end): it counts as never written. Anything else that cannot be read is an
error that names its line.

A job may have several files, one per writing process: ``gsm8k.jsonl``, ``gsm8k.2.jsonl``, ...

Does not live here: writing (writer.py), where files lie (layout.py), what records mean.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from steelyard.core import DataError, TornRecord

Record = TypeVar("Record")


def read(path: Path, record: type[Record]) -> Iterator[Record]:
    """The records of one file in file order, one in memory at a time; empty lines are skipped.

    Raises ``TornRecord`` for a damaged line, ``DataError`` for a file that cannot be opened.
    """
    decode = msgspec.json.Decoder(record).decode
    for number, line in enumerate(_whole_lines(path), start=1):
        try:
            if not line.isspace():
                yield decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise TornRecord(path, number, str(error)) from error


def last(path: Path, record: type[Record], *, key: Callable[[Record], str]) -> dict[str, Record]:
    """The record that counts for every key, over all parts of ``path``; raises as ``read``."""
    return {key(found): found for part in parts(path) for found in read(part, record)}


def parts(path: Path) -> list[Path]:
    """The existing files of the record file called ``path``, in the order of their numbers."""
    numbered = re.compile(rf"{re.escape(path.stem)}(?:\.([2-9]|[1-9]\d+))?{re.escape(path.suffix)}")
    found: dict[int, Path] = {}
    if path.parent.is_dir():
        for file in path.parent.iterdir():
            if match := numbered.fullmatch(file.name):
                found[int(match[1] or 1)] = file
    return [found[number] for number in sorted(found)]


def part(path: Path, number: int) -> Path:
    """The file of the ``number``-th writing process, counted from 1."""
    return path if number == 1 else path.with_suffix(f".{number}{path.suffix}")


class Tail:
    """Follows a record file while another process writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def new(self) -> Iterator[bytes]:
        """The whole lines since the last call, without newline; none while there is no file."""
        if not self._path.exists():
            return
        for line in _whole_lines(self._path, self._position):
            self._position += len(line)
            yield line[:-1]


def _whole_lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """Lines with their newline, from byte ``start`` on."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                yield line
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
