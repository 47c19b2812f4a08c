"""Old-style model classes: the backend that each one means, or what to use instead."""

from collections.abc import Mapping

import msgspec

from steelyard.config.local_table import LOCAL_KEYS, VLLM_KEYS
from steelyard.config.table import KEYS, OPENAI_KEYS, Rule


class Kind(msgspec.Struct, frozen=True):
    """An old-style model class that we have a backend for."""

    backend: str
    keys: Mapping[str, Rule]
    stream: bool | None = None
    """What the class does when the key ``stream`` is absent; ``None``: it has no such key."""
    max_out_len: int | None = None
    """What the class assumes when the key is absent."""


def _aisbench(backend: str, *, stream: bool = False) -> Kind:
    return Kind(backend, KEYS, stream, max_out_len=4096)


KINDS: Mapping[str, Kind] = {
    "VLLMCustomAPI": _aisbench("openai_completions"),
    "VLLMCustomAPIStream": _aisbench("openai_completions", stream=True),
    "VLLMCustomAPIChat": _aisbench("openai_chat"),
    "VLLMCustomAPIChatStream": _aisbench("openai_chat", stream=True),
    "VllmMultiturnAPIChatStream": _aisbench("openai_chat", stream=True),
    "TGICustomAPI": _aisbench("tgi"),
    "TGICustomAPIStream": _aisbench("tgi", stream=True),
    "TritonCustomAPI": _aisbench("triton"),
    "TritonCustomAPIStream": _aisbench("triton", stream=True),
    "MindieStreamApi": _aisbench("mindie", stream=True),
    "OpenAI": Kind("openai_chat", OPENAI_KEYS, stream=False),
    "OpenAISDK": Kind("openai_chat", OPENAI_KEYS, stream=False),
    "OpenAISDKStreaming": Kind("openai_chat", OPENAI_KEYS, stream=True),
    "HuggingFace": Kind("hf_base_model", LOCAL_KEYS),
    "HuggingFaceCausalLM": Kind("hf_base_model", LOCAL_KEYS),
    "HuggingFaceBaseModel": Kind("hf_base_model", LOCAL_KEYS),
    "HuggingFacewithChatTemplate": Kind("hf_chat_model", LOCAL_KEYS),
    "VLLM": Kind("vllm_offline_base", VLLM_KEYS),
    "VLLMwithChatTemplate": Kind("vllm_offline", VLLM_KEYS),
}

_SERVE = (
    "it loads the weights into this process, which is supported for text models in HuggingFace "
    "Transformers (hf_chat_model, hf_base_model) and vLLM (vllm_offline) only. Serve the model "
    "(vLLM, SGLang...) and use vllm_api_general_chat"
)

NOT_HERE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "HuggingFaceQwen2VLwithChatTemplate",
            "VLLMOfflineVLModel",
            "TurboMindModel",
            "TurboMindModelwithChatTemplate",
            "hf_qwenvl_model",
            "vllm_offline_vl_model",
            "qwen_image_edit",
        ),
        _SERVE,
    ),
    **dict.fromkeys(
        ("VLLMFunctionCallAPIChat", "vllm_api_function_call_chat"),
        "function calls are not supported. For plain questions use vllm_api_general_chat",
    ),
    **dict.fromkeys(
        ("VLLMCustomAPIOld", "vllm_api_old"),
        "vLLM's old generate interface is not supported. Use vllm_api_general",
    ),
    **dict.fromkeys(
        ("VITAGenerateAPI", "vita_generate_chat"),
        "VITA's interface is not supported. Use an OpenAI interface if the service has one",
    ),
}
"""Classes and presets that people may ask for, and what to do instead."""
