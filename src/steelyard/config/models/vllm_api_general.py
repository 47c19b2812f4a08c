"""A service with the OpenAI completions interface (vLLM, SGLang...): one prompt text, no chat."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="vllm-api-general",
        backend="openai_completions",
        options={"base_url": "http://localhost:8080", "model": "", "stream": False},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        load=Load(concurrency=32),
    )
]
