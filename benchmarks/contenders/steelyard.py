"""Steelyard, installed from a checkout as a user would."""

from __future__ import annotations

from pathlib import Path

from account import Command
from endpoint import HOST, MODEL

from contenders.contract import Contender, Job, Score, printed


def contender(checkout: Path) -> Contender:
    """Steelyard as it is in a checkout."""
    return Contender(
        name="steelyard",
        distribution="steelyard",
        steps=((str(checkout),),),
        pinned=False,
        setup="four worked examples in the prompt; the last number of the answer counts",
        prepare=prepare,
        score=score,
    )


def prepare(job: Job) -> Command:
    """The whole evaluation in one command line."""
    options = {
        "--models": "vllm_api_general_chat",
        "--datasets": "gsm8k_gen_4_shot_cot_str",
        "--base-url": f"http://{HOST}:{job.port}",
        "--model": MODEL,
        "--concurrency": str(job.concurrency),
        "--data-dir": str(job.data),
        "-w": str(job.folder / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    return Command((str(job.programs / "steelyard"), "run", *words))


def score(text: str) -> Score | None:
    """The last column of the score table."""
    return printed(r"^\s*gsm8k\b.*\baccuracy\b\D*?(\d+(?:\.\d+)?)", text)
