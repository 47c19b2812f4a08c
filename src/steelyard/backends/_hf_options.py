"""Options of the models that run in this process through HuggingFace Transformers.

Names and meaning are those of AISBench's local models; ``device``, ``dtype`` and
``trust_remote_code`` are short forms of what ``model_kwargs`` can also say.
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from steelyard.backends._options import read_options
from steelyard.core import ConfigError, Json, MissingExtra, ModelSpec

DTYPES = ("auto", "float32", "float16", "bfloat16")
_SPELT: Mapping[str, str] = {
    "float": "float32",
    "fp32": "float32",
    "half": "float16",
    "fp16": "float16",
    "bf16": "bfloat16",
}
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "tokenizer_config.json",
)


class RunConfig(msgspec.Struct, frozen=True):
    """``run_cfg``: what one task needs of the machine."""

    num_gpus: int = 1
    num_procs: int = 1


class HfOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A model whose weights lie on this machine."""

    path: str = ""
    """Folder with configuration and weights. Nothing is downloaded."""
    tokenizer_path: str = ""
    """Folder of the tokenizer; empty: ``path``."""
    model_kwargs: Mapping[str, Json] = {}
    """For ``from_pretrained`` of the model (``device_map``, ``attn_implementation``...)."""
    tokenizer_kwargs: Mapping[str, Json] = {}
    """For ``from_pretrained`` of the tokenizer."""
    peft_path: str = ""
    """Folder of an adapter that is put on the model."""
    peft_kwargs: Mapping[str, Json] = {}
    device: str = ""
    """``cpu``, ``cuda``, ``cuda:1``, ``auto``...; empty: the accelerator if there is one."""
    dtype: str = ""
    """``auto`` (as the weights are stored), ``float32``, ``float16`` or ``bfloat16``."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model. It can do anything that you can."""
    max_seq_len: int | None = None
    """Tokens of prompt and answer together; ``None``: what the model's configuration says."""
    batch_size: int = 8
    """Sequences that are computed together at most."""
    batch_padding: bool = True
    """``False``: one sequence at a time."""
    mode: Literal["none", "mid"] = "none"
    """How a prompt that is too long is cut: ``none`` loses its beginning, ``mid`` its middle."""
    drop_middle: bool = False
    """The same as ``mode="mid"``."""
    pad_token_id: int | None = None
    stop_words: tuple[str, ...] = ()
    """Texts at which an answer ends; they are not part of it."""
    run_cfg: RunConfig = RunConfig()

    @property
    def rows_at_once(self) -> int:
        """Sequences that are computed together at most."""
        return self.batch_size if self.batch_padding else 1

    @property
    def cuts_middle(self) -> bool:
        """Whether a prompt that is too long loses its middle."""
        return self.drop_middle or self.mode == "mid"

    @property
    def tokenizer_folder(self) -> Path:
        """Where the tokenizer lies."""
        return Path(self.tokenizer_path or self.path)

    def __post_init__(self) -> None:
        if self.dtype and dtype_name(self.dtype) not in DTYPES:
            raise ValueError(
                f"dtype {self.dtype!r} is unknown; expected one of {', '.join(DTYPES)}"
            )
        if self.batch_size < 1:
            raise ValueError(f"batch_size {self.batch_size}: expected at least 1")
        if self.max_seq_len is not None and self.max_seq_len < 2:
            raise ValueError(f"max_seq_len {self.max_seq_len}: expected at least 2")
        if self.run_cfg.num_procs != 1:
            raise ValueError(
                "run_cfg.num_procs: a model is not split over processes here; let "
                "device_map='auto' spread it over run_cfg.num_gpus devices"
            )


def dtype_name(text: str) -> str:
    """``torch.float16``, ``fp16`` and ``float16`` are one name; ``None`` means ``auto``."""
    name = text.strip().removeprefix("torch.").lower()
    return "auto" if name in ("none", "") else _SPELT.get(name, name)


def devices(spec: ModelSpec) -> int:
    """How many devices the model takes; none when it is to run on the CPU."""
    options = read_options(spec, HfOptions)
    wanted = options.device or str(options.model_kwargs.get("device_map") or "")
    return 0 if wanted == "cpu" else options.run_cfg.num_gpus


def refuse_unusable(spec: ModelSpec, options: HfOptions) -> None:
    """Raise ``ConfigError`` for what can be seen to fail without loading anything."""
    where = f"model {spec.abbr}"
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtra(f"{where}: a model in this process", "hf")
    if options.peft_path and find_spec("peft") is None:
        raise MissingExtra(f"{where}: peft_path", "hf")
    refuse_folder(where, options.path, options.tokenizer_folder)
    if options.peft_path and not (Path(options.peft_path) / "adapter_config.json").is_file():
        raise ConfigError(f"{where}: {options.peft_path} has no adapter_config.json: no adapter.")
    if options.device == "cpu":
        _refuse_too_large(where, Path(options.path))


def refuse_folder(where: str, path: str, tokenizer: Path) -> None:
    """Raise ``ConfigError`` when ``path`` holds no model, or ``tokenizer`` no tokenizer."""
    if not path:
        raise ConfigError(
            f"{where}: which weights? Give their folder with --model-path (in a config: path)."
        )
    folder = Path(path)
    if not folder.is_dir():
        raise ConfigError(
            f"{where}: {folder} is not a folder. --model-path wants one with config.json, weights "
            "and tokenizer; nothing is downloaded."
        )
    if not (folder / "config.json").is_file():
        raise ConfigError(f"{where}: {folder} has no config.json, so it holds no model.")
    if not any(next(folder.glob(pattern), None) for pattern in _WEIGHTS):
        raise ConfigError(
            f"{where}: {folder} has no weights ({' or '.join(_WEIGHTS)}). Was the download cut?"
        )
    if not any((tokenizer / name).is_file() for name in _TOKENIZERS):
        raise ConfigError(
            f"{where}: {tokenizer} has no tokenizer ({', '.join(_TOKENIZERS[:2])}...). Name its "
            "folder with --set tokenizer_path=FOLDER."
        )


def _refuse_too_large(where: str, folder: Path) -> None:
    """Weights are at least as large in memory as on disk when they keep their type."""
    files = [file for pattern in _WEIGHTS for file in folder.glob(pattern)]
    needed = sum(file.stat().st_size for file in files)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise ConfigError(
            f"{where}: the weights are {needed / 2**30:,.1f} GiB and this machine has "
            f"{there / 2**30:,.1f} GiB of memory. Use a smaller model or a machine with more."
        )


def scoring_obstacle(_: HfOptions) -> str:
    """Any of these models can say how likely a text is."""
    return ""
