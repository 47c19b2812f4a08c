"""The figures of edited pictures: SC, PQ and the overall score O on their scale from 0 to 10.

SC and PQ are means over the pictures that have the one or the other, O is the mean of
sqrt(SC * PQ) over those with both; all of them, then by the language of the instruction. A picture
without a verdict, or that is not there, is in no mean: ``n`` says how many are.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from steelyard.core import Metric, Score
from steelyard.scoring.folding import in_points, mean_value, row
from steelyard.scoring.picture_judges import LANGUAGE


def edit_figures(scores: Sequence[Score]) -> tuple[Metric, ...]:
    """SC, PQ and O of all pictures, then of each language in the order of the data."""
    if not any(name in one.parts for one in scores for name in ("SC", "PQ")):
        return ()
    languages: dict[str, list[Score]] = {}
    for score in scores:
        for name in score.parts:
            if name.startswith(LANGUAGE):
                languages.setdefault(name.removeprefix(LANGUAGE), []).append(score)
    parts = languages.items() if len(languages) > 1 else ()
    return (
        *_of("", scores),
        *(found for language, members in parts for found in _of(f"{language}/", members)),
    )


def _of(prefix: str, scores: Sequence[Score]) -> Iterator[Metric]:
    each = {name: [_as(one, name) for one in scores] for name in ("SC", "PQ")}
    for name, members in {**each, "O": scores}.items():
        found = mean_value(members)
        if found is not None:
            yield in_points(row(name, *found, members), f"{prefix}{name} (0-10)", 0, 10)


def _as(score: Score, name: str) -> Score:
    return replace(score, value=score.parts.get(name))
