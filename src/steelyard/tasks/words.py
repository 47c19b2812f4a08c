"""Texts made of words, of an exact number of tokens, from a key: the same key, the same text.

A text is a row of pieces, and a piece is so many words chosen by the digest of its key. Equal
pieces at the start of two texts are equal text, which is what prefix caches are tested with. A
shorter piece is the beginning of the longer one with the same key.

**Exactness.** The words of a tokenizer are those that are one token each, both after another word
and (some of them) at the start of a text. When no token of the vocabulary reaches from one word
into the next, no neighbour can change that, so a text of n words is n tokens; a sample of the texts
is tokenised all the same. Otherwise every text is tokenised, and words are added or dropped at
its end until the count is right (there a piece before the last is only about as long as asked). A
text that cannot be made exact is a ``DataError``: none is sent with another length than was asked.

Texts have single blanks between words and none around them, so trimming does not change them.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import shake_128
from itertools import cycle, islice
from struct import unpack
from typing import NamedTuple, TypeAlias

import msgspec

from steelyard.core import ConfigError, DataError
from steelyard.tasks.common_words import COMMON_WORDS
from steelyard.tasks.tokenizer import Tokenizer

_WORD = re.compile(r"[Ġ▁ ]?([A-Za-z]{2,})")
_REACHES_OVER = re.compile(r"[A-Za-z][Ġ▁ ]")
"""A letter and then a blank, as byte-level, SentencePiece and plain vocabularies spell it."""

_TABLE = 2**16
_FEWEST = 16
_ALWAYS_CHECKED = 16
_CHECKED_EVERY = 100
_BATCH_TOKENS = 2**16
_ATTEMPTS = 100
_SAME_WORDS = 4
_END_WORDS = 8


class Piece(NamedTuple):
    """Words that ``key`` stands for."""

    key: str
    words: int


Draft: TypeAlias = tuple[Piece, ...]
"""The pieces of one text, in order."""


class Words(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The words that texts are made of."""

    openers: tuple[str, ...]
    """Words that a piece may begin with, wherever it stands."""
    others: tuple[str, ...]
    """Further words with a blank before each; 65,536 entries, repeated where there are fewer."""
    tokenizer: Tokenizer | None = None
    """Checks the lengths; without one a length is a number of words."""
    closed: bool = True
    """No token reaches from one word into the next."""

    def text(self, draft: Draft) -> str:
        """The text of ``draft``, unchecked."""
        return "".join(self._piece(*piece) for piece in draft)[1:]

    def _piece(self, key: str, words: int) -> str:
        if words < 1:
            return ""
        first, *rest = unpack(f"<{words}H", shake_128(key.encode()).digest(2 * words))
        opener = self.openers[first % len(self.openers)]
        return f" {opener}{''.join(map(self.others.__getitem__, rest))}"


def common_words() -> Words:
    """Common English words, for texts measured in words: most are one token, none is checked."""
    return Words(openers=COMMON_WORDS, others=_table([f" {word}" for word in COMMON_WORDS]))


@lru_cache(maxsize=4)
def words_of(tokenizer: Tokenizer) -> Words:
    """The words of ``tokenizer``; ``ConfigError`` when it knows too few to make texts of."""
    vocabulary, special = tokenizer.vocabulary(), tokenizer.special_ids()
    matches = (
        _WORD.fullmatch(token) for token, number in vocabulary.items() if number not in special
    )
    candidates = sorted({found[1] for found in matches if found})
    openers = _single(tokenizer, candidates, [f"{word} {word}" for word in candidates])
    before = openers[0] if openers else ""
    others = _single(tokenizer, candidates, [f"{before} {word}" for word in candidates])
    if len(others) < _FEWEST or not openers:
        raise ConfigError(
            f"tokenizer {tokenizer.path}: only {len(others)} words of its vocabulary are one "
            "token within a text, too few to make texts of exact lengths"
        )
    return Words(
        openers=tuple(openers),
        others=_table([f" {word}" for word in others]),
        tokenizer=tokenizer,
        closed=not any(_REACHES_OVER.search(token) for token in vocabulary),
    )


def _single(tokenizer: Tokenizer, words: list[str], probes: list[str]) -> list[str]:
    """The words whose probe, a text of two words, is two ordinary tokens."""
    special = tokenizer.special_ids()
    found = zip(words, tokenizer.encode_batch(probes), strict=True)
    return [word for word, ids in found if len(ids) == 2 and special.isdisjoint(ids)]


def _table(words: list[str]) -> tuple[str, ...]:
    step = -(-len(words) // _TABLE)
    return tuple(islice(cycle(words[::step]), _TABLE))


def written(words: Words, drafts: Iterable[Draft]) -> Iterator[str]:
    """The text of every draft, of exactly as many tokens as its pieces have words together.

    Texts are made as they are asked for. ``DataError`` says which could not be made exact.
    """
    if words.tokenizer is None:
        return map(words.text, drafts)
    if words.closed:
        return _sampled(words, words.tokenizer, drafts)
    return _corrected(words, words.tokenizer, drafts)


def _sampled(words: Words, tokenizer: Tokenizer, drafts: Iterable[Draft]) -> Iterator[str]:
    for index, draft in enumerate(drafts):
        text = words.text(draft)
        if index < _ALWAYS_CHECKED or index % _CHECKED_EVERY == 0:
            missing = _length(draft) - tokenizer.count(text)
            if missing:
                raise _inexact(tokenizer, index + 1, {index: missing})
        yield text


def _corrected(words: Words, tokenizer: Tokenizer, drafts: Iterable[Draft]) -> Iterator[str]:
    start = 0
    for batch in _batches(drafts):
        yield from _exact(words, tokenizer, batch, start)
        start += len(batch)


def _exact(words: Words, tokenizer: Tokenizer, batch: list[Draft], start: int) -> list[str]:
    """The texts of ``batch``, the last piece of each longer or shorter until the count is right."""
    last = [draft[-1].words for draft in batch]
    texts = [words.text(draft) for draft in batch]
    wrong = _missing(tokenizer, {i: (batch[i], text) for i, text in enumerate(texts)})
    for attempt in range(_ATTEMPTS):
        if not wrong:
            return texts
        for i, by in wrong.items():
            if attempt < _SAME_WORDS or attempt % 2:
                last[i] = max(0, last[i] + _step(batch[i], last[i], by))
            texts[i] = words.text(_varied(batch[i], last[i], attempt))
        wrong = _missing(tokenizer, {i: (batch[i], texts[i]) for i in wrong})
    if wrong:
        raise _inexact(tokenizer, start + len(batch), {start + i: by for i, by in wrong.items()})
    return texts


def _missing(tokenizer: Tokenizer, texts: dict[int, tuple[Draft, str]]) -> dict[int, int]:
    """How many tokens each text lacks (negative: has too many), without those that are right."""
    counts = tokenizer.counts([text for _, text in texts.values()])
    found = zip(texts.items(), counts, strict=True)
    missing = {i: _length(draft) - count for (i, (draft, _)), count in found}
    return {i: by for i, by in missing.items() if by}


def _step(draft: Draft, last: int, missing: int) -> int:
    """How many words to add (negative: drop), by the tokens that a word of this text had."""
    wanted = _length(draft)
    words = wanted - draft[-1].words + last
    return round(missing * words / max(1, wanted - missing)) or (1 if missing > 0 else -1)


def _varied(draft: Draft, words: int, attempt: int) -> Draft:
    """``draft`` with a last piece of ``words``; later attempts also try other words at its end."""
    *kept, last = draft
    end = min(words, _END_WORDS) if attempt >= _SAME_WORDS else 0
    pieces = (Piece(last.key, words - end), Piece(f"{last.key}~{attempt}", end))
    return (*kept, *pieces)


def _inexact(tokenizer: Tokenizer, texts: int, missing: dict[int, int]) -> DataError:
    row, by = next(iter(missing.items()))
    worst = max(map(abs, missing.values()))
    return DataError(
        f"tokenizer {tokenizer.path}: {len(missing)} of the first {texts} texts could not be made "
        f"of exactly the tokens asked for, by up to {worst}; row {row} is {abs(by)} "
        f"{'short' if by > 0 else 'over'}"
    )


def _batches(drafts: Iterable[Draft]) -> Iterator[list[Draft]]:
    """Drafts in lists of about ``_BATCH_TOKENS`` tokens."""
    batch: list[Draft] = []
    size = 0
    for draft in drafts:
        batch.append(draft)
        size += _length(draft)
        if size >= _BATCH_TOKENS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _length(draft: Draft) -> int:
    return sum(piece.words for piece in draft)
