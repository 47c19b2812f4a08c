"""Which rows a ``test_range`` means.

- A slice is written as in Python, with or without brackets; one number in brackets is one row.
- A number of rows, or a share of them, chooses rows at random, the same ones every time.
- Anything else is an error that shows the value; nothing is ever evaluated.
"""

import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.config import chosen_rows, read_rows
from steelyard.core import ConfigError


def rows(value: object, total: int = 10) -> list[int]:
    return list(chosen_rows(read_rows(value, "here"), total))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[0:8]", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("[:3]", [0, 1, 2]),
        ("[8:]", [8, 9]),
        ("[-2:]", [8, 9]),
        ("[0:9:4]", [0, 4, 8]),
        (" [ 1 : 3 ] ", [1, 2]),
        ("2:4", [2, 3]),
        ("[7]", [7]),
        ("[5:100]", [5, 6, 7, 8, 9]),
        ("[20:30]", []),
    ],
)
def test_a_slice_chooses_those_rows(value: str, expected: list[int]) -> None:
    assert rows(value) == expected


@pytest.mark.parametrize("value", [None, ""])
def test_no_value_is_every_row(value: object) -> None:
    assert rows(value, 3) == [0, 1, 2]


@given(
    start=st.none() | st.integers(-30, 30),
    stop=st.none() | st.integers(-30, 30),
    total=st.integers(0, 40),
)
def test_slices_mean_what_python_means(start: int | None, stop: int | None, total: int) -> None:
    text = f"[{'' if start is None else start}:{'' if stop is None else stop}]"
    assert rows(text, total) == list(range(total))[start:stop]


def test_a_number_of_rows_is_the_reference_tools_random_choice() -> None:
    shuffled = list(range(100))
    random.Random(5).shuffle(shuffled)
    assert rows(5, 100) == rows("5", 100) == shuffled[:5]


def test_a_share_is_rounded_down_to_a_number_of_rows() -> None:
    assert rows(0.255, 100) == rows(25, 100)
    assert rows("0.255", 100) == rows(0.255, 100)


def test_more_rows_than_there_are_is_every_row_in_order() -> None:
    assert rows(11) == list(range(10))


@given(st.integers(1, 50), st.integers(1, 50))
def test_no_row_is_chosen_twice(count: int, total: int) -> None:
    chosen = rows(count, total)
    assert len(set(chosen)) == len(chosen) == min(count, total)


@pytest.mark.parametrize(
    "value",
    [
        "[0:8]]",
        "first ten",
        "[0:8]; print(1)",
        "[::0]",
        "__import__('os')",
        0,
        -3,
        1.5,
        True,
        [0, 8],
        "0",
    ],
)
def test_anything_else_is_refused_with_the_value(value: object) -> None:
    with pytest.raises(ConfigError, match=r"test_range is .*expected a slice such as"):
        read_rows(value, "here")


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(ConfigError):
        assert isinstance(read_rows(text, "here"), slice | int | float | None)
