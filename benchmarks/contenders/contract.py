"""What a contender is told and what it has to say: the nouns of this folder."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from account import Command
from venvs import Steps

MAX_TOKENS = 512


@dataclass(frozen=True)
class Job:
    """One evaluation to run against `http://127.0.0.1:port/v1`."""

    programs: Path
    """The `bin` folder of the contender's environment."""
    port: int
    concurrency: int
    data: Path
    """Holds `gsm8k/train.jsonl` and `gsm8k/test.jsonl` and nothing else."""
    folder: Path
    """Empty; the contender's configuration and results go here, and it is started here."""
    bodies: Path
    """The recorded request bodies, one a line."""


@dataclass(frozen=True)
class Score:
    """A printed score in percent, and the size of the last digit printed, in percent too."""

    percent: float
    resolution: float

    def __str__(self) -> str:
        decimals = max(0, -round(math.log10(self.resolution)))
        return f"{self.percent:.{decimals}f}"

    def agrees_with(self, percent: float) -> bool:
        """Whether `percent` could have been printed like this."""
        return abs(self.percent - percent) <= self.resolution / 2 + 1e-9


@dataclass(frozen=True)
class Contender:
    """One way to evaluate; adding one is a file in this folder and a line in its `__init__`."""

    name: str
    distribution: str
    """What its version is asked of."""
    steps: Steps
    """What is installed, one pip command a step."""
    pinned: bool
    """Whether the steps name exact versions, so that what is installed can be kept."""
    setup: str
    """How it asks and marks, in a sentence."""
    prepare: Callable[[Job], Command]
    """Writes what the command needs into the job's folder."""
    score: Callable[[str], Score | None]
    """The score in what the command printed."""


def printed(pattern: str, text: str, *, unit: float = 1.0) -> Score | None:
    """The number in group 1 of the pattern's last match; `unit` is what 1 means in percent."""
    found = re.findall(pattern, text, re.MULTILINE)
    if not found:
        return None
    decimals = len(found[-1].partition(".")[2])
    return Score(percent=float(found[-1]) * unit, resolution=unit * 10**-decimals)
