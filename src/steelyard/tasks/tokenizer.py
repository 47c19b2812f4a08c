"""The model's tokenizer: how many tokens a text is, and which words it knows.

Read from a Hugging Face ``tokenizer.json`` with the ``tokenizers`` library (extra ``tokens``). No
code that comes with a model is ever run, so there is nothing to trust. Counts are those of the
text alone: without special tokens, and without what a chat template puts around a message.
"""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.core import ConfigError, MissingExtra
from steelyard.tasks.data import Data

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Loaded

_FILE = "tokenizer.json"


class Tokenizer:
    """One ``tokenizer.json``, read."""

    def __init__(self, path: Path, loaded: "Loaded") -> None:
        self.path = path
        self._loaded = loaded

    def count(self, text: str) -> int:
        """The number of tokens of ``text``."""
        return self.counts([text])[0]

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of every text."""
        return [len(ids) for ids in self.encode_batch(texts)]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of every text."""
        encoded = self._loaded.encode_batch_fast(list(texts), add_special_tokens=False)
        return [one.ids for one in encoded]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, special tokens included."""
        return self._loaded.decode(list(ids), skip_special_tokens=False)

    def vocabulary(self) -> Mapping[str, int]:
        """Every token as the tokenizer spells it, added ones included, and its id."""
        return self._loaded.get_vocab(with_added_tokens=True)

    def special_ids(self) -> frozenset[int]:
        """The ids that stand for no text: ends, separators, roles."""
        added = self._loaded.get_added_tokens_decoder()
        return frozenset(number for number, token in added.items() if token.special)


def tokenizer_of(data: Data, wanted_by: str) -> Tokenizer:
    """The tokenizer of the run; ``ConfigError`` when none was named or it cannot be read."""
    if data.tokenizer is None:
        raise ConfigError(
            f"{wanted_by} needs the model's tokenizer, to make texts of exact token lengths. Name "
            "it with --tokenizer PATH (a tokenizer.json or the folder that holds it), or as `path` "
            "of the model."
        )
    return open_tokenizer(data.tokenizer)


def open_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in the file or folder ``path``, read once however often it is asked for.

    Raises ``ConfigError`` for what is missing or unreadable, ``MissingExtra`` without the library.
    """
    file = path / _FILE if path.is_dir() else path
    if not file.is_file():
        raise ConfigError(_why_not(path))
    return _opened(file.resolve(), file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _opened(file: Path, _changed_ns: int) -> Tokenizer:
    # A process that forks later is told by the library that it turns its threads off, unless this
    # variable says that somebody has decided about them.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    try:
        from tokenizers import Tokenizer as Loaded
    except ImportError as error:
        raise MissingExtra("counting tokens", "tokens") from error
    try:
        loaded = Loaded.from_file(str(file))
    except Exception as error:
        raise ConfigError(
            f"tokenizer {file}: cannot be read as a tokenizer.json ({error})"
        ) from error
    loaded.no_truncation()
    loaded.no_padding()
    return Tokenizer(file, loaded)


def _why_not(path: Path) -> str:
    if not path.exists():
        return f"tokenizer {path}: no such file or folder"
    known = ("*.model", "vocab.*", "merges.txt", "*.tiktoken")
    other = sorted(found.name for pattern in known for found in path.glob(pattern))
    return (
        f"tokenizer {path}: the folder has no {_FILE}"
        + (f", only {', '.join(other)}, which is another format" if other else "")
        + ". Most models publish a tokenizer.json beside their weights; the library transformers "
        "writes one: AutoTokenizer.from_pretrained(OLD).save_pretrained(NEW)."
    )
