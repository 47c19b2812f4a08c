"""Rows whose right answers stand in a file of their own, one a line (PIQA, SIQA)."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from steelyard.core import DataError, Sample
from steelyard.tasks.files import BadField, samples

RowT = TypeVar("RowT")


def labelled(
    path: Path,
    labels_path: Path,
    known: tuple[str, ...],
    row_type: type[RowT],
    build: Callable[[int, RowT, int], Sample],
) -> Iterator[Sample]:
    """``build(index, row, position)`` for every row of ``path``.

    ``position`` is that of the row's label in ``known``. ``DataError`` when the files are not
    equally long or a label is not known.
    """
    try:
        labels = labels_path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{labels_path}: the file cannot be read ({error})") from error
    count = 0
    for sample in samples(path, row_type, partial(_labelled, labels, known, build)):
        count += 1
        yield sample
    if count != len(labels):
        raise DataError(f"{labels_path} has {len(labels)} labels, but {path} has {count} rows")


def _labelled(
    labels: list[str],
    known: tuple[str, ...],
    build: Callable[[int, RowT, int], Sample],
    index: int,
    row: RowT,
) -> Sample:
    label = labels[index] if index < len(labels) else None
    if label not in known:
        raise BadField("label (of the labels file)", label, f"one of {', '.join(known)}")
    return build(index, row, known.index(label))
