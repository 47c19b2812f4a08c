"""What a contender is told and what it has to say: the nouns of this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from account import Command
from venvs import Steps

DRIVERS = Path(__file__).parents[1] / "local_drivers"
"""Programs that run in a contender's own environment."""


@dataclass(frozen=True)
class Job:
    """Questions for one model, all with the same limit, greedy."""

    programs: Path
    """The `bin` folder of the contender's environment."""
    folder: Path
    """Empty; the contender's configuration and results go here, and it is started here."""
    model: Path
    questions: Path
    """`test.jsonl`, a text to go on with under `question` in each row, beside a `train.jsonl`."""
    device: str
    batch_size: int
    max_tokens: int

    @property
    def longest(self) -> int:
        """Tokens of prompt and answer together at most; nothing is cut at it."""
        return 2048


@dataclass(frozen=True)
class Told:
    """What came out of one run."""

    busy_s: float
    """From the first prompt that is computed to the last answer that is known."""
    answers: Mapping[int, str]
    """Under the number of the row."""
    tokens: Mapping[int, int] | None = None
    """Output tokens of each answer, where it is said."""


@dataclass(frozen=True)
class Contender:
    """One way to have a local model answer."""

    name: str
    distribution: str
    """What its version is asked of."""
    steps: Steps
    """What is installed, one pip command a step."""
    pinned: bool
    """Whether the steps name exact versions, so that what is installed can be kept."""
    setup: str
    """How it computes, in a sentence."""
    prepare: Callable[[Job], Command]
    """Writes what the command needs into the job's folder."""
    told: Callable[[Job], Told]
    """Reads what the command wrote."""
