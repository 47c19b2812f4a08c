"""A chat model in HuggingFace Transformers, its weights in this process.

Asked:  the dialogue in the tokenizer's chat template, with the opening of the model's turn.
Read:   the new tokens up to an end token or a stop word, special tokens left out.
"""

from steelyard.backends._hf_options import HfOptions, devices, scoring_obstacle
from steelyard.backends._hf_prompts import CHAT
from steelyard.backends._hf_worker import LocalModel, local_model
from steelyard.core import ModelSpec

__all__ = ["Options", "connect", "devices", "scoring_obstacle"]

Options = HfOptions


def connect(spec: ModelSpec) -> LocalModel:
    """The model in the folder that ``spec`` names; loaded when it is first asked."""
    return local_model(spec, CHAT)
