"""Small models with random weights: real architectures, made in a moment, sure of nothing."""

from functools import cache
from pathlib import Path

import small_tokenizer

TEMPLATE = (
    "{% for turn in messages %}<|start|>{{ turn.role }}: {{ turn.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant: {% endif %}"
)
KINDS = ("llama", "gpt2", "mistral_sliding", "mamba", "qwen3_next")
"""Those that every local test runs through: attention, also in windows, states, both of them mixed.
``llama_wide`` is one more."""


def put(kind: str, folder: Path, *, longest: int = 512, begins: bool = False) -> Path:
    """The folder, with a model of that kind and a tokenizer in it.

    With ``begins`` the tokenizer puts its first mark in front of every text.
    """
    import torch
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(small_tokenizer.put("byte_level", folder) / "tokenizer.json"),
        bos_token="<|start|>",
        eos_token="<|end|>",
        pad_token="<|end|>",
        chat_template=TEMPLATE,
    )
    if begins:
        mark = ("<|start|>", tokenizer.bos_token_id)
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=f"{mark[0]} $A", special_tokens=[mark]
        )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(len(kind))
    model = _made(kind, len(tokenizer), longest)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    for parameter in model.parameters():  # initial weights are so small that all texts are alike
        parameter.data.mul_(4)
    model.save_pretrained(folder)
    return folder


def _made(kind: str, vocabulary: int, longest: int):
    import transformers

    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": vocabulary}
    if kind == "llama_wide":  # heads as wide as fast kernels want them
        size, heads = {**size, "hidden_size": 128}, {**heads, "num_key_value_heads": 4}
    if kind == "mamba":
        return transformers.MambaForCausalLM(
            transformers.MambaConfig(
                vocab_size=vocabulary, hidden_size=32, state_size=8, num_hidden_layers=2
            )
        )
    if kind == "qwen3_next":
        return transformers.Qwen3NextForCausalLM(
            transformers.Qwen3NextConfig(
                **{**size, "num_hidden_layers": 4},  # the fourth attends, the others are linear
                **heads,
                head_dim=8,
                num_experts=4,
                num_experts_per_tok=2,
                moe_intermediate_size=16,
                shared_expert_intermediate_size=16,
                linear_num_key_heads=2,
                linear_num_value_heads=4,
                linear_key_head_dim=8,
                linear_value_head_dim=8,
            )
        )
    if kind == "gpt2":
        return transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                n_embd=32, n_layer=2, n_head=4, vocab_size=vocabulary, n_positions=longest
            )
        )
    if kind == "mistral_sliding":
        config = transformers.MistralConfig(
            **size, **heads, max_position_embeddings=longest, sliding_window=16
        )
        return transformers.MistralForCausalLM(config)
    config = transformers.LlamaConfig(**size, **heads, max_position_embeddings=longest)
    return transformers.LlamaForCausalLM(config)


@cache
def loaded(folder: Path):
    """Model and tokenizer as their own library loads them."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder)
    return model.eval(), AutoTokenizer.from_pretrained(folder)
