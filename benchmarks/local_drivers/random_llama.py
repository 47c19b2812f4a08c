"""Runs in Steelyard's environment: a Llama with random weights that ends its answers at random.

The row of the end token in the output layer is stretched, so that now and then, at a moment that
depends on the text, it is the likeliest token. The tokenizer is trained on the given texts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

END = "<|end|>"
VOCABULARY = 8000
SPREAD = 0.08
"""Standard deviation of the weights: with the usual 0.02 all texts are alike to the model."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--stretch", type=float, required=True)
    parser.add_argument("--texts", type=Path, required=True, help="GSM8K's train.jsonl")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.texts.read_text(encoding="utf-8").splitlines()]
    tokenizer = trained([f"{row['question']}\n{row['answer']}" for row in rows])
    torch.manual_seed(1)
    model = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=options.hidden,
            intermediate_size=3 * options.hidden,
            num_hidden_layers=options.layers,
            num_attention_heads=8,
            num_key_value_heads=4,
            vocab_size=len(tokenizer),
            max_position_embeddings=2048,
            initializer_range=SPREAD,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    with torch.no_grad():
        model.lm_head.weight[tokenizer.eos_token_id] *= options.stretch
    model.save_pretrained(options.out)
    tokenizer.save_pretrained(options.out)


def trained(texts: list[str]) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer that puts no marks around a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=END,
        model_input_names=["input_ids", "attention_mask"],
    )


if __name__ == "__main__":
    main()
