"""Which rows of a data set: ``[0:8]`` and the like, read without running it.

AISBench's ``test_range`` is a slice as text, a number of rows, or a share of them below 1. Numbers
choose rows at random, always the same ones: the order is shuffled with the number as the seed.
"""

import re
from collections.abc import Sequence

from steelyard.core import ConfigError, Json

_SLICE = re.compile(r"\[?\s*(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(-?\d*)\s*)?\]?")
_INDEX = re.compile(r"\[\s*(\d+)\s*\]")


def read_rows(value: Json, where: str) -> slice | int | float | None:
    """A ``test_range`` as a slice, a number of rows, or a share of them; ``None`` is every row.

    ``where`` opens the error message. Raises ``ConfigError`` for anything else.
    """
    if value is None or value == "":
        return None
    read = _from_text(value.strip()) if isinstance(value, str) else value
    if isinstance(read, slice):
        return read
    if (type(read) is int and read >= 1) or (type(read) is float and 0 < read < 1):
        return read
    raise ConfigError(
        f"{where}: test_range is {value!r}; expected a slice such as '[0:8]', a number of rows, or "
        "a share of them between 0 and 1."
    )


def _from_text(text: str) -> slice | int | float | None:
    parts = _SLICE.fullmatch(text)
    if parts:
        start, stop, step = (
            int(part) if part not in (None, "", "-") else None for part in parts.groups()
        )
        return slice(start, stop, step) if step != 0 else None
    index = _INDEX.fullmatch(text)
    if index:
        return slice(int(index[1]), int(index[1]) + 1)
    if re.fullmatch(r"[1-9]\d*", text):
        return int(text)
    return float(text) if re.fullmatch(r"0?\.\d*[1-9]\d*", text) else None


def chosen_rows(rows: slice | int | float | None, total: int) -> Sequence[int]:
    """The row numbers that ``rows`` means of ``total`` rows, in the order they are asked."""
    if rows is None:
        return range(total)
    if isinstance(rows, slice):
        return range(total)[rows]
    if rows >= total:
        return range(total)
    from random import Random

    order = list(range(total))
    count = int(rows * total) if isinstance(rows, float) else rows
    Random(count).shuffle(order)
    return order[:count]
