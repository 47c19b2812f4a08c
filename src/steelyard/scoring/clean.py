"""Removing a model's reasoning from its text before it is marked."""

from collections.abc import Callable

from steelyard.core import NoSuchName

_START, _END = "<think>", "</think>"


def strip_reasoning_raw(text: str) -> str:
    """The text without its reasoning, white space untouched.

    An end tag without a start tag: what follows the last end tag. Otherwise every closed block is
    cut out; one that never closes stays, because a cut-off answer may stand in it.
    """
    if _END not in text:
        return text
    if _START not in text:
        return text.rpartition(_END)[2]
    kept: list[str] = []
    before, start, rest = text.partition(_START)
    while start:
        block, end, after = rest.partition(_END)
        if not end:
            return "".join((*kept, before, start, block))
        kept.append(before)
        before, start, rest = after.partition(_START)
    return "".join((*kept, before))


def strip_reasoning(text: str) -> str:
    """The text without its reasoning, white space at both ends removed."""
    return strip_reasoning_raw(text).strip()


def keep(text: str) -> str:
    """The text as it came."""
    return text


_CLEANERS: dict[str, Callable[[str], str]] = {
    "": keep,
    "keep": keep,
    "strip_reasoning": strip_reasoning,
    "strip_reasoning_raw": strip_reasoning_raw,
}


def cleaner(name: str) -> Callable[[str], str]:
    """The cleaner that a model's ``clean`` names; ``NoSuchName`` when there is none."""
    if name not in _CLEANERS:
        from difflib import get_close_matches

        near = get_close_matches(name, [known for known in _CLEANERS if known])
        raise NoSuchName("reply cleaner", name, tuple(near))
    return _CLEANERS[name]
