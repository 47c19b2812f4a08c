"""A service with the OpenAI chat interface (vLLM, SGLang...)."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="vllm-api-general-chat",
        backend="openai_chat",
        options={"base_url": "http://localhost:8080", "model": "", "stream": False},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        clean="strip_reasoning",
        load=Load(concurrency=32),
    )
]
