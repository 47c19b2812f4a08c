"""A base model in vLLM's own engine, started by this process.

Asked:  all texts of the dialogue one after the other.
Read:   how the engine goes on, up to an end token or a stop word, special tokens left out.
"""

from steelyard.backends._hf_prompts import PLAIN
from steelyard.backends._vllm_engine import VllmModel, vllm_model
from steelyard.backends._vllm_options import VllmOptions, devices, scoring_obstacle
from steelyard.core import ModelSpec

__all__ = ["Options", "connect", "devices", "scoring_obstacle"]

Options = VllmOptions


def connect(spec: ModelSpec) -> VllmModel:
    """The model in the folder that ``spec`` names; its engine starts when it is first asked."""
    return vllm_model(spec, PLAIN)
