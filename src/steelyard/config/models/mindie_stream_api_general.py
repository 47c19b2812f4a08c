"""MindIE: infer, streamed."""

from steelyard.core import Load, ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="mindie-stream-api",
        backend="mindie",
        options={"base_url": "http://localhost:8080", "stream": True},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        load=Load(concurrency=32),
    )
]
