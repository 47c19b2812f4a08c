"""Counting judgements: how many of each outcome, and the share of right answers both ways."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from steelyard.core import Judgement, Outcome
from steelyard.scoring.intervals import Estimate, mean


class Tally(NamedTuple):
    """What a judge said of a set of answers."""

    outcomes: Mapping[Outcome, int]
    """How many answers have each outcome that occurs."""
    of_judged: Estimate | None
    """The mean value of the answers that were judged; ``None`` when none was."""
    of_all: Estimate | None
    """The same with every answer that was not judged counted as wrong: the least it can be."""


def tally(judgements: Iterable[Judgement]) -> Tally:
    """Both means with their 95 % intervals; an answer judged invalid is worth nothing in both."""
    listed = list(judgements)
    values = [one.value for one in listed if one.value is not None]
    return Tally(
        outcomes=dict(Counter(one.outcome for one in listed)),
        of_judged=mean(values) if values else None,
        of_all=mean([one.value or 0.0 for one in listed]) if listed else None,
    )
