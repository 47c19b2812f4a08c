"""The practical floor: a C client of one thread that reads the same streams and counts tokens."""

from __future__ import annotations

import json
from typing import Any

from account import Command, last_line
from spread import Spread

from generators.contract import Generator, Job, Reported, joined


def prepare(job: Job) -> Command:
    """The client's command line."""
    load = job.load
    options = {
        "-p": str(job.port),
        "-n": str(load.requests),
        "-t": str(load.tokens),
        "-c": str(load.room),
        "-s": "1",
    }
    if load.rate is not None:
        options["-r"] = str(load.rate)
    return Command((str(job.floor), *joined(options)))


def reported(_: Job, text: str) -> Reported:
    """The line of JSON that it prints."""
    figures = json.loads(last_line(text))
    return Reported(
        ttft=_spread(figures, "ttft_ms"),
        itl=_spread(figures, "itl_ms"),
        requests_per_s=figures["rps"],
        lateness=_spread(figures, "lag_ms"),
    )


def _spread(figures: dict[str, Any], name: str) -> Spread:
    row = figures.get(name, {})
    return Spread(row.get("mean"), row.get("p50"), row.get("p99"))


GENERATOR = Generator(
    name="C floor",
    distribution="",
    steps=(),
    pinned=True,
    setup="one thread, epoll; counts events, decodes and keeps nothing; tokens that arrive in one "
    "read share the gap before them",
    prepare=prepare,
    reported=reported,
)
