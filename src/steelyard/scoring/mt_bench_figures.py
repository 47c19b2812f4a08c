"""What users of MT-Bench quote: the mean rating of each turn and category, or how many were won.

A rating is 1 to 10. Comparisons are asked in both orders and won or lost only where both agree; the
win rate counts a tie a half. Both turns of a dialogue hang together, so intervals take dialogues as
the unit. An answer without a verdict is left out.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from steelyard.core import Metric, Sample, Score
from steelyard.scoring.folding import in_points, mean_value, row

_CATEGORY = "category "


def mt_bench_category(text: str, sample: Sample) -> dict[str, float]:
    """Which category the answer is in (``Task.features``)."""
    return {f"{_CATEGORY}{sample.meta['category']}": 1.0}


def mt_bench_ratings(scores: Sequence[Score]) -> tuple[Metric, ...]:
    """The mean rating of each turn, then of each category; none where another judge marked."""
    if not all(score.scorer.startswith("mt_bench@") for score in scores):
        return ()
    return tuple(
        in_points(found, f"{part}/points (1-10)", 1, 10)
        for part, members in _parts(scores)
        for found in _mean("", part, members)
    )


def mt_bench_wins(scores: Sequence[Score]) -> tuple[Metric, ...]:
    """How many were won, lost and tied, then the win rate of each turn and category."""
    if not any("preference" in one.parts for one in scores):
        return ()
    ways: dict[str, Callable[[float], bool]] = {
        "wins": lambda value: value > 0.5,
        "losses": lambda value: value < 0.5,
        "ties": lambda value: value == 0.5,
    }
    shares = [
        found
        for name, is_one in ways.items()
        for found in _mean(name, "", [_as(score, is_one) for score in scores])
    ]
    rates = [
        found for part, members in _parts(scores) for found in _mean("win_rate", part, members)
    ]
    return (*shares, *rates)


def _as(score: Score, is_one: Callable[[float], bool]) -> Score:
    return score if score.value is None else replace(score, value=float(is_one(score.value)))


def _parts(scores: Sequence[Score]) -> Iterator[tuple[str, list[Score]]]:
    """The turns, and the categories in the order of the data."""
    turns: dict[str, list[Score]] = {}
    categories: dict[str, list[Score]] = {}
    for score in scores:
        later = score.key.rpartition("#")[2].partition(".")[2]
        turns.setdefault(f"turn_{int(later or 0) + 1}", []).append(score)
        for name in score.parts:
            if name.startswith(_CATEGORY):
                categories.setdefault(name.removeprefix(_CATEGORY), []).append(score)
    yield from turns.items()
    yield from categories.items()


def _mean(name: str, part: str, scores: Sequence[Score]) -> Iterator[Metric]:
    found = mean_value(scores)
    if found is not None:
        yield row(f"{part}/{name}" if part else name, *found, scores)
