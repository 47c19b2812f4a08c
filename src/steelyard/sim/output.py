"""What the simulated model says: a list of tokens, made from a known answer or from filler words.

A token here is a word, up to three digits or one other character, together with the blanks in
front of it; the tokens of a text put together are the text. Filler words are lower-case, without
digits and none of them is an option, a number or a yes or no, so that padding does not change
which answer a scorer reads. Padding and reasoning stand before the answer.
"""

import re
from functools import lru_cache
from typing import Literal

import msgspec

from steelyard.sim.ask import Ask

_TOKEN = re.compile(r"\s*(?:[A-Za-z]+|[0-9]{1,3}|\S)|\s+")
_STORY = (
    "steel beam rests over its pivot while small weights slide along until both arms hang level "
    "then someone reads off where that weight stopped and writes down what was found there before "
    "lifting another sack onto its hook so that work goes quietly round from early morning till "
    "late evening with nobody ever asking how much iron went into making such an honest tool"
)
_FILLER = tuple(f" {word}" for word in _STORY.split())

Finish = Literal["stop", "length"]


class Output(msgspec.Struct, frozen=True):
    """One complete answer of the simulated model."""

    content: tuple[str, ...]
    reasoning: tuple[str, ...] = ()
    """Tokens that are sent apart from the answer and before it."""
    finish: Finish = "stop"
    stop: str | None = None
    """The stop string that ended the answer."""

    @property
    def tokens(self) -> int:
        """How many tokens were generated."""
        return len(self.reasoning) + len(self.content)


class Lengths(msgspec.Struct, frozen=True):
    """What the operator wants of one output, in tokens."""

    content: int
    """Answers are padded up to this; the length when no answer is known."""
    reasoning: int = 0
    inline: bool = False
    """Reasoning goes into the answer, between ``<think>`` and ``</think>``."""
    keep_stop: bool = False
    """A stop string ends the answer but stays in it."""


@lru_cache(maxsize=65536)
def tokens(text: str) -> tuple[str, ...]:
    """The tokens of ``text``."""
    return tuple(_TOKEN.findall(text))


def filler(n: int, key: int) -> tuple[str, ...]:
    """``n`` tokens of meaningless text; ``key`` decides where in the word list it begins."""
    if n <= 0:
        return ()
    begin = key % len(_FILLER)
    words = (_FILLER * ((begin + n) // len(_FILLER) + 1))[begin : begin + n]
    return (words[0][1:], *words[1:])


def compose(ask: Ask, answer: str | None, lengths: Lengths, key: int) -> Output:
    """The output for ``ask``: ``answer`` or filler, within the limits that the request set."""
    reasoning = filler(lengths.reasoning, key >> 32)
    if lengths.inline and reasoning:
        reasoning = _tagged(reasoning)
    content = _padded(ask, answer, lengths.content, len(reasoning), key)
    if lengths.inline:
        reasoning, content = (), reasoning + content
    content, stop = _stopped(content, ask.stop, keep=lengths.keep_stop)
    limit = ask.max_tokens
    if limit is None or limit > len(reasoning) + len(content):
        return Output(content, reasoning, "stop", stop)
    cut = limit < len(reasoning) + len(content) or (ask.ignore_eos and stop is None)
    return Output(
        content[: max(0, limit - len(reasoning))],
        reasoning[:limit],
        "length" if cut else "stop",
        None if cut else stop,
    )


def _padded(
    ask: Ask, answer: str | None, wanted: int, n_reasoning: int, key: int
) -> tuple[str, ...]:
    content = () if answer is None else tokens(answer)
    goal = max(wanted, ask.min_tokens - n_reasoning)
    if ask.ignore_eos and ask.max_tokens is not None:
        goal = max(goal, ask.max_tokens - n_reasoning)
    padding = filler(goal - len(content), key)
    if padding and content:
        content = ("\n" + content[0], *content[1:])
    return padding + content


def _tagged(reasoning: tuple[str, ...]) -> tuple[str, ...]:
    opened = ("<think>" + reasoning[0], *reasoning[1:])
    return (*opened[:-1], opened[-1] + "</think>\n")


def _stopped(
    content: tuple[str, ...], stops: tuple[str, ...], *, keep: bool
) -> tuple[tuple[str, ...], str | None]:
    """``content`` up to the stop string that comes first, and that string."""
    text = "".join(content) if stops else ""
    found = [(text.index(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return content, None
    at, stop = min(found)
    return tokens(text[: at + len(stop) if keep else at]), stop
