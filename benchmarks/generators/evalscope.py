"""EvalScope: `evalscope perf` with random prompts."""

from __future__ import annotations

import json

from account import Command
from endpoint import MODEL
from spread import Spread

from generators.contract import PROMPT_TOKENS, Generator, Job, Reported, joined, newest, read_json


def prepare(job: Job) -> Command:
    """The whole load test in one command line."""
    load = job.load
    options = {
        "--model": MODEL,
        "--url": f"{job.address}/v1/chat/completions",
        "--api": "openai",
        "--dataset": "random",
        "--tokenizer-path": str(job.tokenizer),
        "--min-prompt-length": str(PROMPT_TOKENS),
        "--max-prompt-length": str(PROMPT_TOKENS),
        "--max-tokens": str(load.tokens),
        "--min-tokens": str(load.tokens),
        "--number": str(load.requests),
        "--outputs-dir": str(job.folder / "outputs"),
    }
    flags = ["--stream", "--no-test-connection", "--no-timestamp"]
    if load.in_flight is not None:
        options["--parallel"] = str(load.in_flight)
    if load.rate is not None:
        options["--rate"] = str(load.rate)
        flags.append("--open-loop")
    return Command((str(job.programs / "evalscope"), "perf", *flags, *joined(options)))


def reported(job: Job, _: str) -> Reported:
    """The summary and the table of percentiles."""
    summary = read_json(job.folder / "outputs", "benchmark_summary.json")
    table = newest(job.folder / "outputs", "benchmark_percentile.json")
    rows = json.loads(table.read_text(encoding="utf-8"))
    percentiles = {row["Percentiles"]: row for row in rows}

    def spread(name: str) -> Spread:
        return Spread(summary[f"Avg {name}"], percentiles["50%"][name], percentiles["99%"][name])

    return Reported(
        ttft=spread("TTFT (ms)"),
        itl=spread("ITL (ms)"),
        requests_per_s=summary["Req Throughput (req/s)"],
        tokens_per_s=summary["Output Throughput (tok/s)"],
    )


GENERATOR = Generator(
    name="evalscope",
    distribution="evalscope",
    steps=(("evalscope[perf]==1.14.1",),),
    pinned=True,
    setup="random prompts, no test of the connection; ITL: all gaps together",
    prepare=prepare,
    reported=reported,
)
