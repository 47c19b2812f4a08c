"""Triton: v2/models/NAME/generate_stream. ``model`` is NAME and has to be given."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="triton-stream-api-general",
        backend="triton",
        options={"base_url": "http://localhost:8080", "model": "", "stream": True},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        load=Load(concurrency=32),
    )
]
