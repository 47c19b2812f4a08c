"""Options of the models that vLLM's own engine computes in this process.

``model_kwargs`` are the engine's arguments, ``sample_kwargs`` its sampling parameters, as in
AISBench's and OpenCompass's vLLM classes. The short forms beside them are for the command line.
"""

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Literal

import msgspec

from steelyard.backends._hf_options import refuse_folder
from steelyard.backends._hf_sampling import Policy, policy
from steelyard.backends._options import read_options
from steelyard.core import ConfigError, Json, MissingExtra, ModelSpec

_OURS = ("model", "tokenizer", "skip_tokenizer_init")
"""Engine arguments that other options stand for, or that would leave nothing to ask."""
_SPLITS = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
_TWICE = (
    ("max_model_len", "max_seq_len"),
    ("max_num_seqs", "batch_size"),
    ("dtype", "dtype"),
    ("trust_remote_code", "trust_remote_code"),
)
"""Engine argument and the option that is its short form."""
_MORE = (
    "presence_penalty",
    "frequency_penalty",
    "min_tokens",
    "stop",
    "stop_token_ids",
    "bad_words",
    "skip_special_tokens",
)
"""Sampling parameters that go to vLLM as they are."""


class VllmRunConfig(msgspec.Struct, frozen=True):
    """``run_cfg``: what one task needs of the machine."""

    num_gpus: int | None = None
    """``None``: as many as ``model_kwargs`` split the model over; 0: vLLM was built for CPUs."""
    num_procs: int = 1


class VllmOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A model whose weights lie on this machine."""

    path: str = ""
    """Folder with configuration and weights. Nothing is downloaded."""
    tokenizer_path: str = ""
    """Folder of the tokenizer; empty: ``path``."""
    model_kwargs: Mapping[str, Json] = {}
    """Arguments of the engine (``gpu_memory_utilization``, ``tensor_parallel_size``...)."""
    sample_kwargs: Mapping[str, Json] = {}
    """Sampling parameters; those of ``generation_kwargs`` come before them."""
    dtype: str = ""
    """As the engine calls it; empty: ``auto``."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model. It can do anything that you can."""
    max_seq_len: int | None = None
    """Tokens of prompt and answer together (``max_model_len``); ``None``: what the model takes."""
    batch_size: int | None = None
    """Sequences that are computed together at most (``max_num_seqs``); ``None``: vLLM's choice."""
    mode: Literal["none", "mid"] = "none"
    """How a prompt that is too long is cut: ``none`` loses its beginning, ``mid`` its middle."""
    stop_words: tuple[str, ...] = ()
    """Texts at which an answer ends; they are not part of it."""
    run_cfg: VllmRunConfig = VllmRunConfig()

    def __post_init__(self) -> None:
        for name in _OURS:
            if name in self.model_kwargs:
                raise ValueError(
                    f"model_kwargs.{name} cannot be set; path and tokenizer_path say what is loaded"
                )
        for theirs, ours in _TWICE:
            if theirs in self.model_kwargs and getattr(self, ours):
                raise ValueError(f"{ours} and model_kwargs.{theirs} say the same; give one of them")
        split, given = split_over(self), self.run_cfg.num_gpus
        if given and given != split:
            raise ValueError(
                f"run_cfg.num_gpus is {given}, but model_kwargs split the model over {split} "
                f"({' x '.join(_SPLITS)})"
            )
        if self.run_cfg.num_procs != 1:
            raise ValueError("run_cfg.num_procs: model_kwargs.tensor_parallel_size splits a model")

    @property
    def tokenizer_folder(self) -> Path:
        """Where the tokenizer lies."""
        return Path(self.tokenizer_path or self.path)


def split_over(options: VllmOptions) -> int:
    """Over how many devices ``model_kwargs`` split the model."""
    sizes = [options.model_kwargs.get(name, 1) for name in _SPLITS]
    if not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"model_kwargs: {', '.join(_SPLITS)} are whole numbers from 1 on")
    return prod(sizes)


def devices(spec: ModelSpec) -> int:
    """How many devices the model takes: as many as it is split over."""
    options = read_options(spec, VllmOptions)
    given = options.run_cfg.num_gpus
    return split_over(options) if given is None else given


def engine_arguments(options: VllmOptions) -> dict[str, Json]:
    """What the engine is made with."""
    short = {theirs: getattr(options, ours) for theirs, ours in _TWICE}
    return {
        "model": options.path,
        "tokenizer": str(options.tokenizer_folder),
        "disable_log_stats": True,
        **{name: value for name, value in short.items() if value},
        **options.model_kwargs,
    }


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """How the tokens of all answers are chosen."""

    policy: Policy
    more: Mapping[str, Json]

    def parameters(self, key: str, max_tokens: int) -> dict[str, Json]:
        """The sampling parameters of one request.

        Its seed comes from the one that was given and ``key``: else the repeats of a row would
        draw the same answer.
        """
        seed = self.policy.seed
        if seed is not None:
            digest = hashlib.sha256(f"{seed}/{key}".encode()).digest()
            seed = int.from_bytes(digest[:4], "big")
        values: dict[str, Json] = msgspec.to_builtins(self.policy)
        return {**values, "seed": seed, **self.more, "max_tokens": max_tokens}


def drawing(spec: ModelSpec, options: VllmOptions) -> Drawing:
    """What ``generation_kwargs`` and ``sample_kwargs`` ask for; ``ConfigError`` for the unknown.

    Greedy unless something asks for sampling.
    """
    where = f"model {spec.abbr}"
    given = {**options.sample_kwargs, **spec.sampling.extra}
    if given.get("top_k") == -1:
        given["top_k"] = 0
    known = ("do_sample", *Policy.__struct_fields__, *_MORE)
    for name in given:
        if name in ("max_tokens", "max_new_tokens"):
            raise ConfigError(f"{where}: sample_kwargs.{name}: max_out_len (--max-tokens) says it.")
        if name not in known:
            raise ConfigError(
                f"{where}: sampling parameter {name} is not supported for vLLM in this process; "
                f"known: {', '.join(known)}."
            )
    more = {name: given.pop(name) for name in _MORE if given.get(name) is not None}
    own = {name: value for name, value in given.items() if name not in _MORE}
    stop = more.pop("stop", None) or []
    words = [*([stop] if isinstance(stop, str) else stop), *options.stop_words]
    return Drawing(policy=policy(own, where), more={**more, **({"stop": words} if words else {})})


def refuse_unusable(spec: ModelSpec, options: VllmOptions) -> None:
    """Raise ``ConfigError`` for what can be seen to fail without loading anything."""
    where = f"model {spec.abbr}"
    if find_spec("vllm") is None:
        raise MissingExtra(f"{where}: vLLM in this process", "vllm")
    refuse_folder(where, options.path, options.tokenizer_folder)


def scoring_obstacle(_: VllmOptions) -> str:
    """Any of these models can say how likely a text is."""
    return ""
