"""A completing model in HuggingFace Transformers, its weights in this process.

Asked:  all texts of the dialogue one after the other, without anything in between.
Read:   the new tokens up to an end token or a stop word, special tokens left out.
"""

from steelyard.backends._hf_options import HfOptions, devices, scoring_obstacle
from steelyard.backends._hf_prompts import PLAIN
from steelyard.backends._hf_worker import LocalModel, local_model
from steelyard.core import ModelSpec

__all__ = ["Options", "connect", "devices", "scoring_obstacle"]

Options = HfOptions


def connect(spec: ModelSpec) -> LocalModel:
    """The model in the folder that ``spec`` names; loaded when it is first asked."""
    return local_model(spec, PLAIN)
