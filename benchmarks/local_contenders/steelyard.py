"""Steelyard with the extra `hf`, installed from a checkout as a user would."""

from __future__ import annotations

import json
from pathlib import Path

from account import Command
from venvs import Steps

from local_contenders.contract import Contender, Job, Told


def steps(checkout: Path) -> Steps:
    """What is installed."""
    return (("torch==2.13.0",), (f"{checkout}[hf]",))


def contender(checkout: Path) -> Contender:
    """Steelyard as it is in a checkout."""
    return Contender(
        name="steelyard_local",
        distribution="steelyard",
        steps=steps(checkout),
        pinned=False,
        setup="the whole command; an answer that is over makes room for the next prompt",
        prepare=prepare,
        told=told,
    )


def prepare(job: Job) -> Command:
    """The whole command: asks, stores, reports."""
    options = {
        "--models": "hf_base_model",
        "--model-path": str(job.model),
        "--custom-dataset-path": str(job.questions / "test.jsonl"),
        "--mode": "infer",
        "--device": job.device,
        "--dtype": "float32",
        "--batch-size": str(job.batch_size),
        "--max-seq-len": str(job.longest),
        "--max-tokens": str(job.max_tokens),
        "--temperature": "0",
        "--set": "generation_kwargs.repetition_penalty=1.0",
        "-w": str(job.folder / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    return Command((str(job.programs / "steelyard"), "run", *words))


def told(job: Job) -> Told:
    """From the stored replies, which carry the moments of their beginning and end."""
    (path,) = (job.folder / "outputs").glob("*/predictions/*/*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    begun = min(line["timing"]["sent_ns"] for line in lines)
    done = max(line["timing"]["done_ns"] for line in lines)
    rows = {int(line["key"].partition("#")[0]): line for line in lines}
    return Told(
        busy_s=(done - begun) / 1e9,
        answers={row: line["prediction"] for row, line in rows.items()},
        tokens={row: line["output_tokens"] for row, line in rows.items()},
    )
