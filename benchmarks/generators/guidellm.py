"""GuideLLM: `guidellm run` with synthetic text."""

from __future__ import annotations

from typing import Any

from account import Command
from endpoint import MODEL
from spread import UNKNOWN, Spread

from generators.contract import PROMPT_TOKENS, Generator, Job, Reported, joined, read_json

REPORT = "report.json"


def prepare(job: Job) -> Command:
    """The whole load test in one command line."""
    load = job.load
    profile = f"kind=concurrent,streams={load.in_flight}"
    if load.rate is not None:
        profile = f"kind=poisson,rate={load.rate}"
    text = f"prompt_tokens={PROMPT_TOKENS},output_tokens={load.tokens}"
    options = {
        "--backend": f"kind=openai_http,target={job.address},model={MODEL},http2=false",
        "--profile": profile,
        "--constraint": f"kind=max_requests,count={load.requests}",
        "--tokenizer": f"kind=huggingface_auto,model={job.tokenizer}",
        "--data": f"kind=synthetic_text,{text}",
        "--metrics": "kind=generative,sample_size=0",
        "--output": f"kind=json,path={job.folder / REPORT}",
    }
    words = ("run", "--disable-progress", *joined(options))
    return Command((str(job.programs / "guidellm"), *words))


def reported(job: Job, _: str) -> Reported:
    """The metrics of completed requests."""
    metrics = read_json(job.folder, REPORT)["benchmarks"][0]["metrics"]
    late = metrics["request_dispatch_delay"] or {}
    return Reported(
        ttft=_spread(metrics["time_to_first_token_ms"]["successful"]),
        itl=_spread(metrics["inter_token_latency_ms"]["successful"]),
        itl_of="requests",
        requests_per_s=metrics["requests_per_second"]["successful"]["mean"],
        tokens_per_s=metrics["output_tokens_per_second"]["successful"]["mean"],
        lateness=_spread(late.get("successful"), unit=1000.0),
    )


def _spread(row: dict[str, Any] | None, unit: float = 1.0) -> Spread:
    if not row:
        return UNKNOWN
    percentiles = row["percentiles"]
    figures = (row["mean"], percentiles["p50"], percentiles["p99"])
    return Spread(*(figure * unit for figure in figures))


GENERATOR = Generator(
    name="guidellm",
    distribution="guidellm",
    steps=(("torch==2.13.0",), ("guidellm[perf]==0.8.1",)),
    pinned=True,
    setup="synthetic text, HTTP/1.1, no text kept; ITL: the mean gap of each request",
    prepare=prepare,
    reported=reported,
)
