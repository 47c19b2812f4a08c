"""Loading weights and tokenizer from a folder, and what about them decides how answers end."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.backends._hf_options import HfOptions, dtype_name
from steelyard.core import RunStopped

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LENGTHS = ("max_position_embeddings", "n_positions", "seq_length", "model_max_length")
_OURS = ("device_map", "dtype", "torch_dtype", "trust_remote_code", "local_files_only")


class Loaded(NamedTuple):
    """A model ready to compute."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    ends: frozenset[int]
    """Tokens that end an answer."""
    longest: int
    """Tokens of prompt and answer together at most."""


def load(options: HfOptions, where: str) -> Loaded:
    """The model and tokenizer; ``RunStopped`` says what cannot be loaded, and why."""
    _quieten()
    tokenizer = _tokenizer(options, where)
    model = _model(options, where)
    return Loaded(model, tokenizer, _ends(model, tokenizer), _longest(options, model, where))


def _quieten() -> None:
    """Progress bars and advice are not for whoever evaluates a model."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _tokenizer(options: HfOptions, where: str) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    given = {"padding_side": "left", "truncation_side": "left", **options.tokenizer_kwargs}
    given |= {"trust_remote_code": options.trust_remote_code, "local_files_only": True}
    try:
        found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(options.tokenizer_folder), **given
        )
    except Exception as error:
        raise _unusable(where, "tokenizer", options.tokenizer_folder, error) from error
    return found


def _model(options: HfOptions, where: str) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    given = {name: value for name, value in options.model_kwargs.items() if name not in _OURS}
    kwargs = options.model_kwargs
    dtype = dtype_name(str(options.dtype or kwargs.get("dtype") or kwargs.get("torch_dtype") or ""))
    place = _place(str(options.device or kwargs.get("device_map") or "auto"))
    spread = {"device_map": "auto"} if place == "auto" else {}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            options.path,
            dtype=dtype if dtype == "auto" else getattr(torch, dtype),
            trust_remote_code=options.trust_remote_code,
            local_files_only=True,
            **spread,
            **given,
        )
        if options.peft_path:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, options.peft_path, **options.peft_kwargs)
        if not spread:
            model = model.to(place)
    except Exception as error:
        raise _unusable(where, "model", Path(options.path), error) from error
    found: PreTrainedModel = model.eval()
    return found


def _place(wanted: str) -> str:
    """The device that ``wanted`` means; ``auto`` stays only where there are several."""
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "auto" if torch.cuda.device_count() > 1 else "cuda"
    npu: Any = getattr(torch, "npu", None)
    if npu is not None and npu.is_available():
        return "npu"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _unusable(where: str, what: str, folder: Path, error: Exception) -> RunStopped:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0][:300] if lines else type(error).__name__
    hint = ""
    if is_out_of_memory(error):
        hint = " It does not fit into the memory: use --dtype bfloat16, or more devices."
    elif "trust_remote_code" in str(error):
        hint = (
            " The folder brings Python code of its own, which is run only with "
            "--set trust_remote_code=True; read it first."
        )
    return RunStopped(f"{where}: the {what} in {folder} cannot be loaded ({said}).{hint}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` is what running out of memory looks like on some device."""
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "out of memory" in text
        or "can't allocate memory" in text
        or "not enough memory" in text
    )


def _ends(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    configured: object = getattr(model.generation_config, "eos_token_id", None)
    several = configured if isinstance(configured, Iterable) else [configured]
    return frozenset(int(one) for one in (*several, tokenizer.eos_token_id) if one is not None)


def _longest(options: HfOptions, model: "PreTrainedModel", where: str) -> int:
    """As told, but never more than the model's positions."""
    config = model.config.get_text_config(decoder=True)
    stated = next((getattr(config, name) for name in _LENGTHS if getattr(config, name, None)), None)
    if options.max_seq_len is None and stated is None:
        raise RunStopped(
            f"{where}: the model's configuration does not say how long a text may be. Say it with "
            "--max-seq-len."
        )
    return min(one for one in (options.max_seq_len, stated) if one is not None)
