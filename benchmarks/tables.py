"""Plain tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

TEXT_COLUMNS = 2
"""Columns at the left that hold names; what follows are numbers."""


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line a row: names to the left, numbers to the right. All rows have the same length."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if place < TEXT_COLUMNS else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def number(value: float | None, decimals: int = 0, *, signed: bool = False) -> str:
    """A number as a cell; a dash for one that is not known."""
    if value is None:
        return "-"
    return f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"
