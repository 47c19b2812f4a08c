"""Text Generation Inference: generate_stream."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="tgi-stream-api-general",
        backend="tgi",
        options={"base_url": "http://localhost:8080", "stream": True},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        load=Load(concurrency=32),
    )
]
