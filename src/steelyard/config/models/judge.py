"""A judge behind the OpenAI chat interface: CompassVerifier or any other model."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="judge",
        backend="openai_chat",
        options={"base_url": "http://localhost:8080", "model": "", "stream": False},
        sampling=Sampling(max_tokens=8192, extra={"temperature": 0.001}),
        load=Load(concurrency=32),
    )
]
