"""One scale for many models out of comparisons of two: Bradley and Terry's model.

A model of strength s beats one of strength t with probability s / (s + t). A rating is 400 times
the decimal logarithm of the strength, shifted so that the mean over the models is 1000; 400 points
are odds of ten to one. A tie is half a win for each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import fsum, log10
from random import Random
from typing import NamedTuple, TypeAlias

from steelyard.core import DataError

SCALE = 400.0
MEAN = 1000.0

Strengths: TypeAlias = dict[str, float]


class Game(NamedTuple):
    """One comparison; ``value`` is 1 when ``first`` was preferred, 0.5 for a tie."""

    first: str
    second: str
    value: float


class Rating(NamedTuple):
    """A model's rating with its 95 % interval."""

    value: float
    low: float
    high: float


def bradley_terry(
    games: Sequence[Game], *, seed: int = 0, resamples: int = 200
) -> dict[str, Rating]:
    """The most likely ratings, with percentile intervals of resampled games.

    ``DataError`` when a model, or a group of models, won all or none of its games against the
    rest: the games then put no bound to its rating. Resamples in which this happens are left out.
    """
    found = _ratings(games)
    if found is None:
        raise DataError(
            "some models won all or none of their comparisons with the others, so no finite "
            "rating fits. Compare them with more models, or report win rates."
        )
    draw = Random(seed).choices
    drawn = (_ratings(draw(games, k=len(games))) for _ in range(resamples))
    samples = [one for one in drawn if one is not None and one.keys() == found.keys()]
    cut = round(0.025 * len(samples))
    rated = {}
    for name, value in found.items():
        ordered = sorted(one[name] for one in samples) or [value]
        low, high = ordered[cut], ordered[-1 - cut]
        rated[name] = Rating(value, min(low, value), max(high, value))
    return rated


def win_probability(first: float, second: float) -> float:
    """The chance that a model rated ``first`` is preferred to one rated ``second``."""
    return float(1 / (1 + 10 ** ((second - first) / SCALE)))


def _ratings(games: Iterable[Game]) -> Strengths | None:
    wins: dict[str, float] = defaultdict(float)
    met: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    beats: dict[str, set[str]] = defaultdict(set)
    for first, second, value in games:
        wins[first] += value
        wins[second] += 1 - value
        met[first][second] += 1
        met[second][first] += 1
        if value > 0:
            beats[first].add(second)
        if value < 1:
            beats[second].add(first)
    if not _all_connected(beats, met):
        return None
    strengths = _strengths(wins, met)
    logs = {name: log10(strength) for name, strength in strengths.items()}
    centre = fsum(logs.values()) / len(logs)
    return {name: MEAN + SCALE * (value - centre) for name, value in sorted(logs.items())}


def _strengths(wins: Mapping[str, float], met: Mapping[str, Mapping[str, float]]) -> Strengths:
    """Hunter 2004 (Annals of Statistics 32): s_i = wins_i / sum of games_ij / (s_i + s_j)."""
    strengths = dict.fromkeys(met, 1.0)
    for _ in range(10_000):
        before = dict(strengths)
        for name, others in met.items():
            share = fsum(
                count / (strengths[name] + strengths[other]) for other, count in others.items()
            )
            strengths[name] = wins[name] / share
        scale = len(strengths) / fsum(strengths.values())
        strengths = {name: scale * strength for name, strength in strengths.items()}
        if all(abs(strengths[name] / before[name] - 1) < 1e-10 for name in strengths):
            break
    return strengths


def _all_connected(beats: Mapping[str, set[str]], names: Iterable[str]) -> bool:
    """Whether a chain of wins leads from every model to every other."""
    every = set(names)
    beaten: dict[str, set[str]] = defaultdict(set)
    for winner, losers in beats.items():
        for loser in losers:
            beaten[loser].add(winner)
    return all(_reached(graph, next(iter(sorted(every)), "")) == every for graph in (beats, beaten))


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    reached, waiting = {start}, [start]
    while waiting:
        fresh = graph.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting.extend(fresh)
    return reached
