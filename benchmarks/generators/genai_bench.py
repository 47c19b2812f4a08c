"""genai-bench: `genai-bench benchmark` with its deterministic text scenario."""

from __future__ import annotations

import json
from typing import Any

from account import Command
from endpoint import MODEL
from spread import Spread

from generators.contract import PROMPT_TOKENS, Generator, Job, Reported, joined, read_json

MINUTES = 60


def prepare(job: Job) -> Command:
    """The whole load test in one command line; it has no mode with random arrivals."""
    load = job.load
    options = {
        "--api-backend": "openai",
        "--api-base": job.address,
        "--api-key": "none",
        "--api-model-name": MODEL,
        "--model-tokenizer": str(job.tokenizer),
        "--task": "text-to-text",
        "--traffic-scenario": f"D({PROMPT_TOKENS},{load.tokens})",
        "--num-concurrency": str(load.room),
        "--max-requests-per-run": str(load.requests),
        "--max-time-per-run": str(MINUTES),
        "--additional-request-params": json.dumps({"ignore_eos": True}),
        "--experiment-base-dir": str(job.folder / "outputs"),
        "--experiment-folder-name": "run",
        "--metrics-time-unit": "ms",
    }
    return Command((str(job.programs / "genai-bench"), "benchmark", *joined(options)))


def reported(job: Job, _: str) -> Reported:
    """The aggregated metrics of its one run."""
    figures = read_json(job.folder / "outputs", "D*_num_concurrency_*.json")["aggregated_metrics"]
    return Reported(
        ttft=_spread(figures["stats"]["ttft"]),
        itl=_spread(figures["stats"]["tpot"]),
        itl_of="requests",
        requests_per_s=figures["requests_per_second"],
        tokens_per_s=figures["mean_output_throughput_tokens_per_s"],
    )


def _spread(row: dict[str, Any]) -> Spread:
    return Spread(row["mean"], row["p50"], row["p99"])


GENERATOR = Generator(
    name="genai-bench",
    distribution="genai-bench",
    steps=(("genai-bench==0.0.5",),),
    pinned=True,
    setup="one connection a request; sends on until enough answers are there, so up to as many "
    "more as are in flight, and breaks off the rest; ITL: its TPOT, the mean gap of each request",
    prepare=prepare,
    reported=reported,
    open_load=False,
)
