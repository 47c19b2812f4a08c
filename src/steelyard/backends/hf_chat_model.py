"""A chat model in HuggingFace Transformers, its weights in this process.

Asked:  the dialogue in the tokenizer's chat template, with the opening of the model's turn.
Read:   the new tokens up to an end token or a stop word, special tokens left out.
"""

from steelyard.backends._hf_options import (
    HfOptions,
    device_count,
    refuse_unusable,
    scoring_obstacle,
)
from steelyard.backends._hf_prompts import chat_ids, chat_text
from steelyard.backends._hf_worker import LocalModel, Manner
from steelyard.backends._options import read_options
from steelyard.core import ModelSpec

__all__ = ["Options", "connect", "devices", "scoring_obstacle"]

Options = HfOptions


def devices(spec: ModelSpec) -> int:
    """How many devices the model takes; none when it is to run on the CPU."""
    return device_count(read_options(spec, Options))


def connect(spec: ModelSpec) -> LocalModel:
    """The model in the folder that ``spec`` names; loaded when it is first asked."""
    options = read_options(spec, Options)
    refuse_unusable(spec, options)
    return LocalModel(spec, options, Manner(chat_ids, chat_text, special=False, own_turn=True))
