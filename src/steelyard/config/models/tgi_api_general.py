"""Text Generation Inference: generate."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="tgi-api-general",
        backend="tgi",
        options={"base_url": "http://localhost:8080", "stream": False},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        load=Load(concurrency=32),
    )
]
