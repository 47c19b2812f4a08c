"""The OpenAI completions interface, streamed."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="vllm-api-general-stream",
        backend="openai_completions",
        options={"base_url": "http://localhost:8080", "model": "", "stream": True},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        load=Load(concurrency=32),
    )
]
