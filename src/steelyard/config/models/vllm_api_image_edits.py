"""A service with the OpenAI interface for editing pictures (vLLM-Omni, SGLang's diffusion server).

OpenAI's own gpt-image models: ``--set response_format=``.
"""

from steelyard.core import Load, ModelSpec

models = [
    ModelSpec(
        abbr="vllm-api-image-edits",
        backend="openai_image_edits",
        options={"base_url": "http://localhost:8080", "model": ""},
        load=Load(concurrency=4),
    )
]
