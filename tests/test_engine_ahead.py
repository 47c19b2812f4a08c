"""Requests made before they are needed.

- They come in the order in which they were given, however many were made beforehand.
- No more wait than are allowed, by number and by text.
- What the source raises is raised behind the last request before it, and again after that.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import Message, Request, Sampling
from steelyard.engine.ahead import MOST_AHEAD, MOST_AHEAD_CHARS, Ahead


def request(number: int, text: str | list[dict[str, str]] = "") -> Request:
    return Request(key=f"{number}#0", messages=(Message("user", text),), sampling=Sampling())


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 20))
def test_order_is_kept_whenever_they_are_made(steps: list[bool], number: int) -> None:
    ahead = Ahead(request(place) for place in range(number))
    found = []
    for make in steps:
        if make:
            ahead.make()
        else:
            found += [one.key for one in [next(ahead, None)] if one is not None]
    found += [one.key for one in ahead]
    assert found == [f"{place}#0" for place in range(number)]
    assert next(ahead, None) is None
    assert not ahead.make()


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("short", MOST_AHEAD),
        ("x" * (MOST_AHEAD_CHARS // 8), 8),
        ([{"type": "image_url"}], MOST_AHEAD_CHARS >> 16),
    ],
)
def test_so_many_wait_at_most(text: str, most: int) -> None:
    ahead = Ahead(request(place, text) for place in range(2 * MOST_AHEAD))
    assert sum(ahead.make() for _ in range(2 * MOST_AHEAD)) == most
    next(ahead)
    assert ahead.make()
    assert not ahead.make()


def test_what_the_source_raises_comes_in_its_turn() -> None:
    def broken() -> Iterator[Request]:
        yield request(0)
        raise ValueError("row 1 is broken")

    ahead = Ahead(broken())
    assert ahead.make()
    assert not ahead.make()
    assert next(ahead).key == "0#0"
    for _ in range(2):
        with pytest.raises(ValueError, match="row 1"):
            next(ahead)
