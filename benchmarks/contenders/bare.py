"""The practical ideal: Steelyard's own request bodies, sent by a client that does nothing else."""

from __future__ import annotations

from pathlib import Path

from account import Command

from contenders.contract import Contender, Job, Score

PROGRAM = Path(__file__).parent.parent / "bare_client.py"


def contender(checkout: Path) -> Contender:
    """The bare client, in Steelyard's environment: the same HTTP parser, the same event loop."""
    return Contender(
        name="bare client",
        distribution="httptools",
        steps=((str(checkout),),),
        pinned=False,
        setup="the bodies Steelyard posts; answers are counted, not read",
        prepare=prepare,
        score=score,
    )


def prepare(job: Job) -> Command:
    """The client's command line."""
    words = (str(job.port), str(job.concurrency), str(job.bodies))
    return Command((str(job.programs / "python"), str(PROGRAM), *words))


def score(_: str) -> Score | None:
    """It has none."""
    return None
