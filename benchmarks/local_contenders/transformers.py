"""Transformers by itself: padded batches of `generate`, and its own continuous batching."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from account import Command

from local_contenders import steelyard
from local_contenders.contract import DRIVERS, Contender, Job, Told

WAYS = {
    "padded": "`generate` on padded batches in the order of the file",
    "sorted": "`generate` on padded batches, prompts sorted by length",
    "continuous": "`generate_batch`, its own continuous batching",
}


def contender(checkout: Path, way: str) -> Contender:
    """One of the ways, in Steelyard's environment."""
    return Contender(
        name=f"transformers_{way}",
        distribution="transformers",
        steps=steelyard.steps(checkout),
        pinned=False,
        setup=WAYS[way],
        prepare=partial(prepare, way),
        told=told,
    )


def prepare(way: str, job: Job) -> Command:
    """A loop as one would write it."""
    words = {
        "--way": way,
        "--model": str(job.model),
        "--questions": str(job.questions / "test.jsonl"),
        "--device": job.device,
        "--batch-size": str(job.batch_size),
        "--max-tokens": str(job.max_tokens),
        "--out": str(job.folder / "told.json"),
    }
    driver = str(DRIVERS / "transformers_questions.py")
    pairs = [word for pair in words.items() for word in pair]
    return Command((str(job.programs / "python"), driver, *pairs))


def told(job: Job) -> Told:
    """What the driver wrote."""
    found = json.loads((job.folder / "told.json").read_text(encoding="utf-8"))
    return Told(found["busy_s"], {int(row): text for row, text in found["answers"].items()})
