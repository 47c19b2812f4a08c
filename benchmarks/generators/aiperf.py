"""NVIDIA AIPerf: `aiperf profile` with synthetic prompts."""

from __future__ import annotations

from typing import Any

from account import Command
from endpoint import MODEL
from spread import UNKNOWN, Spread

from generators.contract import PROMPT_TOKENS, Generator, Job, Reported, joined, read_json

FLAGS = (
    "--streaming",
    "--use-server-token-count",
    "--use-legacy-max-tokens",
    "--no-gpu-telemetry",
    "--no-server-metrics",
)


def prepare(job: Job) -> Command:
    """The whole load test in one command line; offline it takes a tokenizer by name only."""
    load = job.load
    options = {
        "--model": MODEL,
        "--url": job.address,
        "--endpoint-type": "chat",
        "--tokenizer": "local/small",
        "--request-count": str(load.requests),
        "--num-prompts": str(load.requests),
        "--isl": str(PROMPT_TOKENS),
        "--isl-stddev": "0",
        "--osl": str(load.tokens),
        "--osl-stddev": "0",
        "--export-level": "summary",
        "--ui": "none",
        "--artifact-dir": str(job.folder / "artifacts"),
    }
    if load.in_flight is not None:
        options["--concurrency"] = str(load.in_flight)
    if load.rate is not None:
        options |= {"--request-rate": str(load.rate), "--request-rate-mode": "poisson"}
    return Command((str(job.programs / "aiperf"), "profile", *FLAGS, *joined(options)))


def reported(job: Job, _: str) -> Reported:
    """The exported summary."""
    figures = read_json(job.folder / "artifacts", "profile_export_aiperf.json")
    return Reported(
        ttft=_spread(figures.get("time_to_first_token")),
        itl=_spread(figures.get("inter_chunk_latency")),
        requests_per_s=figures["request_throughput"]["avg"],
        tokens_per_s=figures["output_token_throughput"]["avg"],
        lateness=_spread(figures.get("credit_to_start_latency")),
    )


def _spread(row: dict[str, Any] | None) -> Spread:
    return Spread(row["avg"], row["p50"], row["p99"]) if row else UNKNOWN


GENERATOR = Generator(
    name="aiperf",
    distribution="aiperf",
    steps=(("aiperf==0.13.0",),),
    pinned=True,
    setup="token counts from the service, summaries only, no telemetry; ITL: its inter-chunk "
    "latency, all gaps together; lateness: from the permit to send to the sending",
    prepare=prepare,
    reported=reported,
)
