"""Requests made before they are needed.

- They come in the order in which they were given, however many were made beforehand.
- No more wait than are allowed, by number and by text, wherever in a request it stands.
- What the source raises is raised behind the last request before it, and again after that.
- A source that takes long twice in a row is slow, until it is not.
"""

import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from steelyard.core import Message, Request, Sampling, Turn
from steelyard.engine.ahead import MOST_AHEAD, MOST_AHEAD_CHARS, SLOW_NS, Ahead

LONG = "x" * (MOST_AHEAD_CHARS // 8)
PICTURE = {"type": "image_url", "image_url": {"url": LONG}}


def request(number: int, text: str | list[dict[str, object]] = "") -> Request:
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
    ("one", "most"),
    [
        (request(0, "short"), MOST_AHEAD),
        (request(0, LONG), 8),
        (request(0, [{"type": "text", "text": "What is it?"}]), MOST_AHEAD),
        (request(0, [PICTURE]), 8),
        (replace(request(0), then=(Turn(question=LONG), Turn(question="?", given=LONG))), 4),
        (replace(request(0), tools=({"function": {"parameters": {"enum": [LONG, 1]}}},)), 8),
    ],
)
def test_so_many_wait_at_most(one: Request, most: int) -> None:
    ahead = Ahead(one for _ in range(2 * MOST_AHEAD))
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


def test_a_source_is_slow_when_it_took_long_twice_in_a_row() -> None:
    def source(pauses_s: Iterable[float]) -> Iterator[Request]:
        for number, pause_s in enumerate(pauses_s):
            time.sleep(pause_s)
            yield request(number)

    long_s = 1.1 * SLOW_NS / 1e9
    ahead = Ahead(source([0, long_s, 0, long_s, long_s]))
    found = []
    while ahead.make():
        found.append(ahead.slow)
    assert found[0] is found[1] is False  # what comes in between may be held up by others
    assert found[-1] is True
