"""Comparing models on the same samples, from the stored scores.

The sub-data sets of a family are compared as one: its questions together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import msgspec

from steelyard import store
from steelyard.core import Job, Score
from steelyard.reports import Comparison
from steelyard.scoring import compare
from steelyard.store import RunFolder

MOST_MODELS = 4
"""With more models than this only the first is compared with each of the others."""


def comparisons(folder: RunFolder, jobs: Sequence[Job]) -> tuple[Comparison, ...]:
    """Every pair of models on every data set, or family of them, that both answered."""
    models = {job.model.abbr: job.model.label or job.model.abbr for job in jobs}
    if len(models) < 2:
        return ()
    pairs = list(combinations(models, 2))
    if len(models) > MOST_MODELS:
        pairs = pairs[: len(models) - 1]
    return tuple(
        found
        for family, names in _families(jobs).items()
        for found in _compared(folder, family, names, pairs, models)
    )


def _families(jobs: Sequence[Job]) -> dict[str, list[str]]:
    """Task names by what they are compared under."""
    found: dict[str, list[str]] = {}
    for job in jobs:
        names = found.setdefault(job.task.group or job.marked_name, [])
        if job.marked_name not in names:
            names.append(job.marked_name)
    return found


def _compared(
    folder: RunFolder,
    family: str,
    names: Sequence[str],
    pairs: Iterable[tuple[str, str]],
    labels: Mapping[str, str],
) -> Iterator[Comparison]:
    scores = {model: list(_scores(folder, model, names)) for model in labels}
    for a, b in pairs:
        found = compare(scores[a], scores[b])
        if found is not None:
            better = labels[a] if found.difference > 0 else labels[b]
            yield Comparison(
                dataset=family,
                a=labels[a],
                b=labels[b],
                diff=found.difference,
                low=found.low,
                high=found.high,
                p=found.p_value,
                verdict="no clear difference" if found.is_noise else f"{better} is better",
            )


def _scores(folder: RunFolder, model: str, names: Sequence[str]) -> Iterator[Score]:
    """The stored scores; keys get the task's name, so that families do not collide."""
    for name in names:
        path = folder.scores(model, name)
        if path.exists():
            for score in store.read(path, Score):
                yield msgspec.structs.replace(score, key=f"{name}/{score.key}")
