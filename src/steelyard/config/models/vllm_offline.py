"""A chat model in vLLM's own engine, weights in a folder of this machine."""

from steelyard.core import ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="vllm-offline",
        backend="vllm_offline",
        options={"path": "", "model_kwargs": {"gpu_memory_utilization": 0.9}},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0}),
    )
]
