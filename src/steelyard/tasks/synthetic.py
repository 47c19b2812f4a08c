"""Synthetic load: rows of chosen lengths, made from a seed while they are read.

``string`` is the letter A again and again, joined by blanks: the cheapest text, but all rows begin
alike, so a prefix cache answers most of it. ``text`` is random common English words: about one
token each, no tokenizer needed. ``tokenid`` is random words of the model's own vocabulary, each
exactly one token (``words``).

The settings are those of AISBench's ``synthetic_config``, in a ``.py`` or ``.json`` file. A Python
file is read, not run: values have to be written out.

    synthetic_config = {
        "Type": "string",
        "RequestCount": 1000,
        "StringConfig": {
            "Input": {"Method": "uniform", "Params": {"MinValue": 50, "MaxValue": 500}},
            "Output": {"Method": "fixed", "Params": {"Value": 128}},
        },
    }

Of ours: ``Seed``; the type ``text``; in ``TokenIdConfig`` the lengths ``Input`` (in place of
``RequestSize``) and ``Output``; ``Prefixes`` and ``PrefixShare`` beside ``PrefixLen``, also in
``StringConfig`` for ``text`` rows. Methods are in ``lengths``.
"""

import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import repeat
from typing import Annotated, Literal, TypeAlias

import msgspec

from steelyard.core import Sample
from steelyard.tasks.lengths import LONGEST_TOKENS, Length, Lengths, drawn, fixed, least
from steelyard.tasks.words import Draft, Piece, Words, written

Kind: TypeAlias = Literal["string", "text", "tokenid"]


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """Fields are written like ``RequestCount``; unknown ones are an error."""


class Section(_Named, frozen=True, kw_only=True):
    """What both sections of the settings may say."""

    input: Lengths | None = None
    """Lengths of the prompts, the shared prefix included."""
    output: Lengths | None = None
    """Output limits; ``None`` leaves them to the model."""
    prefix_len: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_TOKENS)] = 0
    """Tokens (words, of ``text``) that rows share at their start."""
    prefixes: Annotated[int, msgspec.Meta(ge=1)] = 1
    """How many different prefixes take turns."""
    prefix_share: Decimal = Decimal(1)
    """Share of the rows that begin with a shared prefix, evenly spread over the rows; 0 to 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.prefix_share <= 1:
            raise ValueError(f"PrefixShare is {self.prefix_share}; expected 0 to 1")


class StringConfig(Section, frozen=True, kw_only=True):
    """Settings of ``string`` and ``text`` rows."""


class TokenIdConfig(Section, frozen=True, kw_only=True):
    """Settings of ``tokenid`` rows."""

    request_size: Length | None = None
    """The length of every prompt."""
    vocab_size: int | None = None
    """Not needed: the tokenizer has its vocabulary."""


class Settings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal", kw_only=True
):
    """A whole ``synthetic_config``."""

    type: Kind
    request_count: Length
    trust_remote_code: bool = False
    """Not needed: no code that comes with a model is run."""
    seed: int = 0
    string_config: StringConfig | None = None
    token_id_config: TokenIdConfig | None = None

    def __post_init__(self) -> None:
        section = self.section()
        lengths = self.lengths()
        if lengths is None:
            wanted = "RequestSize (or Input)" if self.type == "tokenid" else "Input"
            name = "TokenIdConfig" if self.type == "tokenid" else "StringConfig"
            raise ValueError(f"{self.type} rows need {name}.{wanted}")
        if section.prefix_len > least(lengths):
            raise ValueError(
                f"PrefixLen {section.prefix_len} is above the shortest length {least(lengths)}"
            )
        if section.prefix_len and self.type == "string":
            raise ValueError("string rows are all alike and take no PrefixLen; use the type text")

    def section(self) -> Section:
        """The section that belongs to the type; an empty one when there is none."""
        found = self.token_id_config if self.type == "tokenid" else self.string_config
        return found or Section()

    def lengths(self) -> Lengths | None:
        """Lengths of the prompts, as the section says."""
        section = self.section()
        if section.input is None and isinstance(section, TokenIdConfig) and section.request_size:
            return fixed(section.request_size)
        return section.input


DEFAULT = Settings(
    type="text",
    request_count=100,
    string_config=StringConfig(input=fixed(256)),
    token_id_config=TokenIdConfig(request_size=256),
)
"""When nobody says otherwise; answers are as long as the model's own limit."""


def samples(settings: Settings, words: Words) -> Iterator[Sample]:
    """The rows, without a right answer; the first rows of a longer run are those of a shorter one.

    (Not where lengths are dealt out by shares.) ``words`` are not used by ``string`` rows.
    """
    lengths = settings.lengths() or fixed(1)
    sizes = drawn(lengths, settings.request_count, _chance(settings, "input"))
    for index, (text, limit) in enumerate(
        zip(_texts(settings, words, sizes), _limits(settings), strict=True)
    ):
        yield Sample(id=str(index), question=text, max_tokens=limit)


def _texts(settings: Settings, words: Words, sizes: Iterator[int]) -> Iterator[str]:
    if settings.type == "string":
        return (" ".join("A" * size) for size in sizes)
    return written(words, _drafts(settings, sizes))


def _limits(settings: Settings) -> Iterator[int | None]:
    output = settings.section().output
    if output is None:
        return repeat(None, settings.request_count)
    return drawn(output, settings.request_count, _chance(settings, "output"))


def _chance(settings: Settings, name: str) -> random.Random:
    return random.Random(f"{settings.seed}:{name}")


def _drafts(settings: Settings, sizes: Iterator[int]) -> Iterator[Draft]:
    """Rows with a shared prefix are spread evenly and take the prefixes in turn."""
    section, seed = settings.section(), settings.seed
    shared = 0
    for row, size in enumerate(sizes):
        own = Piece(f"{seed}:row:{row}", size)
        if section.prefix_len and int((row + 1) * section.prefix_share) > shared:
            prefix = Piece(f"{seed}:prefix:{shared % section.prefixes}", section.prefix_len)
            yield (prefix, own._replace(words=size - section.prefix_len))
            shared += 1
        else:
            yield (own,)
