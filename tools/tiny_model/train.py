"""Train the tiny model from scratch on the CPU.

    python -m tiny_model.train [FOLDER]      # default: the folder model/ beside this file

Needs torch and transformers (5 or later). The seed fixes data, order and first weights; other
versions or machines add in another order, so their weights differ a little all the same.
"""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from tiny_model import tokens
from tiny_model.formats import BEGIN, END, PAD, Piece, documents

FOLDER = Path(__file__).parent / "model"
SEED = "1"
STEPS = 4500
WARM_UP = 100
TOKENS_PER_STEP = 2048
ROW_LENGTHS = (64, 96, 64, 128, 96, 64, 96, 512)
LEARNING_RATE = 2e-3
PROMPT_WEIGHT = 0.1
"""How much a token of a question counts beside one of an answer."""


class Batch(NamedTuple):
    """Rows of tokens, and how much each token counts."""

    tokens: torch.Tensor
    weights: torch.Tensor


def fresh_model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A Llama of three quarters of a million parameters, with random weights."""
    ids = {
        "bos_token_id": tokenizer.token_to_id(BEGIN),
        "eos_token_id": tokenizer.token_to_id(END),
        "pad_token_id": tokenizer.token_to_id(PAD),
    }
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=tokens.LONGEST,
        initializer_range=0.04,
        tie_word_embeddings=True,
        **ids,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(do_sample=False, **ids)
    return model


def batches(tokenizer: Tokenizer, seed: str) -> Iterator[Batch]:
    """Batches without end, each with rows of one length, all of them of as many tokens."""
    source = documents(seed)
    step = 0
    while True:
        length = ROW_LENGTHS[step % len(ROW_LENGTHS)]
        rows = [_row(tokenizer, source, length) for _ in range(TOKENS_PER_STEP // length)]
        ids, weights = zip(*rows, strict=True)
        yield Batch(torch.tensor(ids), torch.tensor(weights))
        step += 1


def _row(
    tokenizer: Tokenizer, source: Iterator[Sequence[Piece]], length: int
) -> tuple[Sequence[int], Sequence[float]]:
    """Whole documents one after the other, the last one cut off."""
    ids: list[int] = []
    weights: list[float] = []
    while len(ids) < length:
        document = next(source)
        texts = [piece.text for piece in document]
        encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
        for piece, one in zip(document, encoded, strict=True):
            ids += one.ids
            weights += [1.0 if piece.learnt else PROMPT_WEIGHT] * len(one.ids)
    return ids[:length], weights[:length]


def loss_of(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean surprise per token, weighted."""
    logits = model(input_ids=batch.tokens[:, :-1], use_cache=False).logits
    surprise = cross_entropy(
        logits.flatten(0, 1).float(), batch.tokens[:, 1:].flatten(), reduction="none"
    )
    weights = batch.weights[:, 1:].flatten()
    return (surprise * weights).sum() / weights.sum()


def learning_rate(step: int) -> float:
    """Up in a straight line, then down along a cosine to a fiftieth."""
    done = max(0, step - WARM_UP) / (STEPS - WARM_UP)
    return min(1.0, (step + 1) / WARM_UP) * (0.51 + 0.49 * math.cos(math.pi * done))


def train(model: LlamaForCausalLM, source: Iterator[Batch]) -> None:
    """Train in place; says now and then how far it is."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, learning_rate)
    began = time.monotonic()
    for step in range(1, STEPS + 1):
        loss = loss_of(model, next(source))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.4f}, {time.monotonic() - began:.0f} s")


def main(folder: Path) -> None:
    """Make tokenizer and model, and write them to ``folder``."""
    torch.set_num_threads(2)
    torch.manual_seed(int(SEED))
    tokenizer = tokens.trained(SEED)
    model = fresh_model(tokenizer)
    print(f"{model.num_parameters():,} parameters")
    train(model, batches(tokenizer, SEED))
    tokens.save(tokenizer, folder)
    model.to(torch.bfloat16).save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
