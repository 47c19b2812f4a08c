"""Runs in Steelyard's environment: questions answered by what Transformers brings itself."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--way", "--model", "--questions", "--device", "--out"):
        parser.add_argument(name, required=True)
    for name in ("--batch-size", "--max-tokens"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    lines = Path(options.questions).read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["question"] for line in lines]
    tokenizer = AutoTokenizer.from_pretrained(options.model, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    model = model.to(options.device).eval()
    begun = time.monotonic()
    if options.way == "continuous":
        found = continuous(model, tokenizer, texts, options)
    else:
        order = list(range(len(texts)))
        if options.way == "sorted":
            order.sort(key=lambda row: -len(tokenizer(texts[row])["input_ids"]))
        found = dict(padded(model, tokenizer, [(row, texts[row]) for row in order], options))
    told = {"busy_s": time.monotonic() - begun, "answers": found}
    Path(options.out).write_text(json.dumps(told), encoding="utf-8")


def padded(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[tuple[int, str]],
    options: argparse.Namespace,
) -> Iterator[tuple[int, str]]:
    """Batch after batch, each until its longest answer is over."""
    for first in range(0, len(rows), options.batch_size):
        batch = rows[first : first + options.batch_size]
        given = tokenizer([text for _, text in batch], return_tensors="pt", padding=True)
        out = model.generate(
            input_ids=given["input_ids"].to(model.device),
            attention_mask=given["attention_mask"].to(model.device),
            max_new_tokens=options.max_tokens,
            do_sample=False,
        )
        new = out[:, given["input_ids"].shape[1] :]
        answers = tokenizer.batch_decode(new, skip_special_tokens=True)
        yield from zip((row for row, _ in batch), answers, strict=True)


def continuous(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    options: argparse.Namespace,
) -> dict[int, str]:
    """All at once, as many at a time as it sees fit."""
    how = GenerationConfig(
        max_new_tokens=options.max_tokens,
        do_sample=False,
        eos_token_id=model.generation_config.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    inputs = [tokenizer(text)["input_ids"] for text in texts]
    done = model.generate_batch(inputs=inputs, generation_config=how, progress_bar=False)
    ordered = sorted(done.items(), key=lambda item: int(item[0].rpartition("_")[2]))
    return {
        row: tokenizer.decode(one.generated_tokens, skip_special_tokens=True)
        for row, (_, one) in enumerate(ordered)
    }


if __name__ == "__main__":
    main()
