"""Tokenizers of every usual kind, trained on the texts of this repository in about a second.

``superwords`` has no rule that keeps words apart, so its tokens reach over blanks.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

ROOT = Path(__file__).parents[1]
SPECIAL = ["<|start|>", "<|end|>"]
KINDS = ("byte_level", "metaspace", "unigram", "wordpiece", "superwords")


def put(kind: str, folder: Path) -> Path:
    """The folder, with a ``tokenizer.json`` of that kind in it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    if not path.exists() or path.read_text(encoding="utf-8") != _trained(kind):
        path.write_text(_trained(kind), encoding="utf-8")
    return folder


def loaded(folder: Path) -> Tokenizer:
    """The tokenizer as its own library reads it."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@cache
def _trained(kind: str) -> str:
    tokenizer, trainer = getattr(sys.modules[__name__], f"_{kind}")()
    tokenizer.train_from_iterator(_lines(), trainer)
    return str(tokenizer.to_str())


def _lines() -> Iterator[str]:
    for folder in ("docs", "src/steelyard/core", "src/steelyard/tasks"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".md", ".py"):
                yield from path.read_text(encoding="utf-8").splitlines()


def _byte_level() -> tuple[Tokenizer, object]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, trainers.BpeTrainer(
        vocab_size=3000,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


def _metaspace() -> tuple[Tokenizer, object]:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    return tokenizer, trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<unk>", *SPECIAL], show_progress=False
    )


def _unigram() -> tuple[Tokenizer, object]:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer, trainers.UnigramTrainer(
        vocab_size=1500, special_tokens=["<unk>", *SPECIAL], unk_token="<unk>", show_progress=False
    )


def _wordpiece() -> tuple[Tokenizer, object]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer, trainers.WordPieceTrainer(
        vocab_size=2000, special_tokens=["[UNK]", *SPECIAL], show_progress=False
    )


def _superwords() -> tuple[Tokenizer, object]:
    tokenizer = Tokenizer(models.BPE())
    return tokenizer, trainers.BpeTrainer(
        vocab_size=3000, special_tokens=SPECIAL, show_progress=False
    )
