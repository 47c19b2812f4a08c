"""The OpenAI chat interface, streamed."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="vllm-api-stream-chat",
        backend="openai_chat",
        options={"base_url": "http://localhost:8080", "model": "", "stream": True},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        clean="strip_reasoning",
        load=Load(concurrency=32),
    )
]
