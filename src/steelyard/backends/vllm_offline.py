"""A chat model in vLLM's own engine, started by this process.

Asked:  the dialogue in the tokenizer's chat template, with the opening of the model's turn.
Read:   the answer up to an end token or a stop word, special tokens left out.
"""

from steelyard.backends._hf_prompts import chat_ids, chat_text
from steelyard.backends._hf_worker import Manner
from steelyard.backends._options import read_options
from steelyard.backends._vllm_engine import VllmModel
from steelyard.backends._vllm_options import (
    VllmOptions,
    device_count,
    refuse_unusable,
    scoring_obstacle,
)
from steelyard.core import ModelSpec

__all__ = ["Options", "connect", "devices", "scoring_obstacle"]

Options = VllmOptions


def devices(spec: ModelSpec) -> int:
    """How many devices the model takes: as many as it is split over."""
    return device_count(read_options(spec, Options))


def connect(spec: ModelSpec) -> VllmModel:
    """The model in the folder that ``spec`` names; its engine starts when it is first asked."""
    options = read_options(spec, Options)
    refuse_unusable(spec, options)
    return VllmModel(spec, options, Manner(chat_ids, chat_text, special=False, own_turn=True))
