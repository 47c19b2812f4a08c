"""Steelyard, installed from a checkout as a user would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from account import Command
from endpoint import MODEL
from spread import Spread

from generators.contract import Generator, Job, Reported, joined, read_json

STAGE = "total"


def generator(checkout: Path) -> Generator:
    """Steelyard as it is in a checkout."""
    return Generator(
        name="steelyard",
        distribution="steelyard",
        steps=((str(checkout),),),
        pinned=False,
        setup="synthetic_gen, mode perf; one request beforehand; ITL: all gaps together",
        prepare=prepare,
        reported=reported,
        probes=1,
    )


def prepare(job: Job) -> Command:
    """The whole load test in one command line."""
    load = job.load
    options = {
        "--models": "vllm_api_stream_chat",
        "--datasets": "synthetic_gen",
        "--mode": "perf",
        "--base-url": job.address,
        "--model": MODEL,
        "--num-prompts": str(load.requests),
        "--max-tokens": str(load.tokens),
        "--concurrency": str(load.room),
        "-w": str(job.folder / "outputs"),
    }
    if load.rate is not None:
        options |= {"--request-rate": str(load.rate), "--burstiness": "1"}
    if load.senders is not None:
        options["--senders"] = str(load.senders)
    return Command((str(job.programs / "steelyard"), "run", *joined(options)))


def reported(job: Job, _: str) -> Reported:
    """The rows of the whole run in its file of figures."""
    figures = read_json(job.folder / "outputs", "*_figures.json")
    stats = {row["name"]: row for row in figures["stats"] if row["stage"] == STAGE}
    common = {row["name"]: row["value"] for row in figures["common"] if row["stage"] == STAGE}
    client = figures.get("client") or {}
    return Reported(
        ttft=_spread(stats["TTFT"]),
        itl=_spread(stats["ITL"]),
        requests_per_s=common["Request Throughput"],
        tokens_per_s=common["Output Token Throughput"],
        lateness=Spread(None, client.get("lateness_p50_ms"), client.get("lateness_p99_ms")),
        due_ns=tuple(_due_ns(job.folder / "outputs")) if job.load.rate else (),
    )


def _due_ns(outputs: Path) -> Iterator[int]:
    """When each request of the run was due, from its lines of details."""
    for path in sorted(outputs.rglob("*_details*.json")):
        for line in path.read_text(encoding="utf-8").splitlines():
            due_ns = json.loads(line)["timing"].get("due_ns")
            if due_ns is not None:
                yield due_ns


def _spread(row: dict[str, Any]) -> Spread:
    values = [row["values"].get(name, {}).get("value") for name in ("Average", "Median", "P99")]
    return Spread(*values)
