"""Replaying a trace: requests that a service once got, with their times and lengths.

A trace says when each request came, how long it was and how long the answer; some say which
blocks of 512 tokens it was made of, by number. The texts themselves are not in a trace. They are
made here from a seed: a block number is always the same text, so two requests that began with the
same blocks begin alike again, and a prefix cache is exercised as it was. Only the last block of a
request may be shorter: it is the beginning of the whole block.

Requests come in order of time (equal times as in the file), and their texts are made as they are
asked for.

Does not live here: sending at those times (``engine``), file formats (``builtin/traces``).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from steelyard.core import ConfigError, DataError, Sample
from steelyard.tasks.data import Data
from steelyard.tasks.tokenizer import tokenizer_of
from steelyard.tasks.words import Draft, Piece, common_words, words_of, written

BLOCK_TOKENS = 512
_WANTED_BY = "replaying a trace (unless the data set option approximate=true counts words)"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said about a replay. Times are milliseconds of the trace."""

    path: str = ""
    """The trace; a path, or a file in a data folder."""
    random_seed: int | None = None
    """Another seed, other texts; ``None`` is 0."""
    fixed_schedule_start_offset: Annotated[float, msgspec.Meta(ge=0)] = 0
    """Requests before this time are left out."""
    fixed_schedule_end_offset: float = -1
    """Requests after this time are left out; -1 for none."""
    fixed_schedule_auto_offset: bool = False
    """Count time from the first request that is kept."""
    time_scale: Annotated[float, msgspec.Meta(gt=0)] = 1
    """Times are multiplied by this: 0.5 sends twice as fast."""
    approximate: bool = False
    """Without the model's tokenizer: common words, counted as a token each, which is not exact."""
    generated_prompts_path: str = ""
    """Of AISBench; not needed, since a seed makes the same texts again."""


class Event(NamedTuple):
    """One request of a trace."""

    id: str
    at_ms: float
    input_tokens: int
    max_tokens: int | None
    blocks: tuple[int, ...] = ()
    text: str = ""
    """The request's own text, where a trace has it; its lengths do not count then."""


def options_of(data: Data) -> Options:
    """The options of a replay; ``ConfigError`` for those that fit nothing."""
    options = data.options(Options)
    start, end = options.fixed_schedule_start_offset, options.fixed_schedule_end_offset
    if end != -1 and end < start:
        raise ConfigError(
            f"data set option fixed_schedule_end_offset={end:g} is before "
            f"fixed_schedule_start_offset={start:g}; use -1 for no end"
        )
    if options.generated_prompts_path:
        raise ConfigError(
            "data set option generated_prompts_path is not needed: the same random_seed makes the "
            "same prompts again. Leave it out; a file with own prompts is a trace with input_text."
        )
    return options


def trace_file(data: Data, usual: str, source: str) -> Path:
    """The trace that the options name, else ``usual`` in the data folders (``MissingData``)."""
    named = data.options(Options).path
    if named and Path(named).is_file():
        return Path(named)
    return data.find(named or usual, source)


def blocks_fit(input_tokens: int, blocks: int) -> bool:
    """Whether ``blocks`` blocks are full but for the last, which has 1 to 512 tokens."""
    return 0 < input_tokens - (blocks - 1) * BLOCK_TOKENS <= BLOCK_TOKENS


def replayed(data: Data, events: Iterable[Event], path: Path) -> Iterator[Sample]:
    """The requests that the options keep, as samples with their due times.

    ``DataError`` when none is kept, ``ConfigError`` when texts need a tokenizer and there is none.
    """
    options = options_of(data)
    kept = _kept(options, events, path)
    first_ms = kept[0].at_ms if options.fixed_schedule_auto_offset else 0.0
    texts = _texts(data, options, [event for event in kept if not event.text])
    for event in kept:
        yield Sample(
            id=event.id,
            question=event.text or next(texts),
            max_tokens=event.max_tokens,
            due_ms=(event.at_ms - first_ms) * options.time_scale,
        )


def _kept(options: Options, events: Iterable[Event], path: Path) -> list[Event]:
    start, end = options.fixed_schedule_start_offset, options.fixed_schedule_end_offset
    found = sorted(events, key=lambda event: event.at_ms)
    kept = [one for one in found if start <= one.at_ms and (end == -1 or one.at_ms <= end)]
    if not kept:
        last = "the end" if end == -1 else f"{end:g}"
        raise DataError(
            f"{path}: no request lies from {start:g} to {last} ms; "
            f"the trace has {len(found)} requests from {found[0].at_ms:g} to {found[-1].at_ms:g} ms"
        )
    return kept


def _texts(data: Data, options: Options, events: list[Event]) -> Iterator[str]:
    if not events:
        return iter(())
    words = common_words() if options.approximate else words_of(tokenizer_of(data, _WANTED_BY))
    seed = options.random_seed or 0
    return written(words, (_draft(seed, event) for event in events))


def _draft(seed: int, event: Event) -> Draft:
    if not event.blocks:
        return (Piece(f"{seed}:row:{event.id}", event.input_tokens),)
    *whole, last = (f"{seed}:block:{number}" for number in event.blocks)
    rest = event.input_tokens - len(whole) * BLOCK_TOKENS
    return (*(Piece(key, BLOCK_TOKENS) for key in whole), Piece(last, rest))
