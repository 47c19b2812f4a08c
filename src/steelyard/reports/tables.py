"""Tables as text, in three styles.

    simple   titles over dashes, two spaces between columns; for screens
    pipe     Markdown
    grid     a frame of box-drawing characters

Cells may come from services and data files, so control characters never pass through.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from steelyard.reports.text import Align, one_line, pad, width

Style: TypeAlias = Literal["simple", "pipe", "grid"]

_NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?( ?%)?|-|")
_MARKDOWN = re.compile(r"[\\|]")
_AIR = 2
"""A column is at least this much wider than its title."""


class _Column(NamedTuple):
    width: int
    align: Align


def table(
    style: Style,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[int] | None = None,
) -> str:
    """``rows``, each as long as ``head``, as a table without a newline at its end.

    ``right``: indexes of the right-aligned columns; by default those with nothing but numbers.
    """
    clean = _markdown if style == "pipe" else one_line
    lines = [[clean(cell) for cell in line] for line in (head, *rows)]
    columns = [
        _column(cells, right=_numbers(cells[1:]) if right is None else index in right)
        for index, cells in enumerate(zip(*lines, strict=True))
    ]
    padded = [
        [pad(cell, *shape) for cell, shape in zip(line, columns, strict=True)] for line in lines
    ]
    match style:
        case "simple":
            return _simple(padded, columns)
        case "pipe":
            return _pipe(padded, columns)
        case "grid":
            return _grid(padded, columns)


def _column(cells: Sequence[str], *, right: bool) -> _Column:
    return _Column(max(width(cells[0]) + _AIR, *map(width, cells)), "right" if right else "left")


def _numbers(cells: Sequence[str]) -> bool:
    return any(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text))


def _simple(lines: list[list[str]], columns: list[_Column]) -> str:
    rule = ["-" * column.width for column in columns]
    return "\n".join("  ".join(line).rstrip() for line in (lines[0], rule, *lines[1:]))


def _pipe(lines: list[list[str]], columns: list[_Column]) -> str:
    rule = ["-" * (width - 1) + (":" if align == "right" else "-") for width, align in columns]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _grid(lines: list[list[str]], columns: list[_Column]) -> str:
    def rule(left: str, bar: str, cross: str, right: str) -> str:
        return left + cross.join(bar * (column.width + 2) for column in columns) + right

    head, *body = [f"│ {' │ '.join(line)} │" for line in lines]
    between = f"\n{rule('├', '─', '┼', '┤')}\n"
    return "\n".join(
        (
            rule("╒", "═", "╤", "╕"),
            head,
            rule("╞", "═", "╪", "╡"),
            *([between.join(body)] if body else []),
            rule("╘", "═", "╧", "╛"),
        )
    )
