"""A chat model in HuggingFace Transformers, weights in a folder of this machine."""

from steelyard.core import ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="hf-chat-model",
        backend="hf_chat_model",
        options={"path": "", "max_seq_len": 2048, "batch_size": 8, "run_cfg": {"num_gpus": 1}},
        sampling=Sampling(
            max_tokens=512,
            extra={
                "do_sample": True,
                "temperature": 0.5,
                "top_k": 10,
                "top_p": 0.95,
                "repetition_penalty": 1.03,
            },
        ),
    )
]
