"""What users of AlpacaEval and Arena-Hard quote, out of the scores of judged comparisons.

AlpacaEval: how many answers won and tied, the standard error of the win rate, the mean lengths, and
the win rate at equal length. With AlpacaEval's table that is ``length_controlled_winrate``, as on
AlpacaEval's leaderboard. Without it is fitted to this run alone and is another figure (see
``length_control``); its name says so.

Arena-Hard: every question is two games, one in each order. A game is a win, a tie or a loss, and a
clear verdict counts three times. The win rate is their mean, a tie a half; the style-controlled one
is the chance of winning where both answers are styled alike (see ``style_control``). A game without
a verdict is left out, the other one of its question stays. An answer that no judge was shown,
because it is empty or cut off, clearly lost both.

Where a figure cannot be had (all won, too few questions, lengths that foretell every verdict), its
row is missing.
"""

from collections.abc import Iterator, Sequence
from math import fsum

from steelyard.core import DataError, Metric, Sample, Score
from steelyard.scoring.folding import row
from steelyard.scoring.intervals import Estimate, Weighted, clustered_mean
from steelyard.scoring.length_control import LengthTable, length_controlled
from steelyard.scoring.preferences import decided, standard_error
from steelyard.scoring.style import Style, style_of
from steelyard.scoring.style_control import Styled, style_controlled, vote

EQUAL_LENGTH = "win_rate (equal length, without AlpacaEval's tables)"
LENGTH_CONTROLLED = "length_controlled_winrate"
EQUAL_STYLE = "win_rate (style-controlled)"

_GAMES = ("grade", "grade_swapped")
_BASELINE = "baseline"
_MODEL = "model"


def styles(text: str, sample: Sample) -> dict[str, float]:
    """The style of the answer and of the baseline's (``Task.features``); lengths in characters."""
    mine, other = style_of(text), style_of(sample.meta[_BASELINE])
    theirs = {f"{_BASELINE}_{name}": value for name, value in other._asdict().items()}
    return {**mine._asdict(), **theirs}


def alpaca_eval_figures(
    scores: Sequence[Score], table: LengthTable | None = None
) -> tuple[Metric, ...]:
    """See above; none where nothing was compared, or questions were asked several times.

    ``table`` is AlpacaEval's, with every instruction that was asked.
    """
    compared = [score for score in scores if score.value is not None]
    questions = {score.key.rpartition("#")[0] for score in scores}
    if len(questions) < len(scores) or not any("preference" in one.parts for one in compared):
        return ()
    values = [score.value or 0.0 for score in compared]
    mine, other = (
        [int(one.parts[name]) for one in compared] for name in ("length", f"{_BASELINE}_length")
    )
    return (
        *_at_equal_length(compared, mine, other, table, scores),
        *_error(values),
        _count("wins", sum(decided(value) == 1 for value in values), len(values)),
        _count("ties", sum(value == 0.5 for value in values), len(values)),
        _length("mean_length", mine),
        _length("mean_length of the baseline", other),
    )


def arena_hard_figures(scores: Sequence[Score]) -> tuple[Metric, ...]:
    """See above; none where no grades were asked for."""
    games = list(_games(scores))
    if not games:
        return ()
    try:
        rates = style_controlled(games).rates[_MODEL]
    except DataError:
        return (row("win_rate", _raw(games), len(games), scores),)
    return (
        row("win_rate", rates.raw, len(games), scores),
        row(EQUAL_STYLE, rates.controlled, len(games), scores),
    )


def _games(scores: Sequence[Score]) -> Iterator[Styled]:
    orders = [name for name in _GAMES if any(name in score.parts for score in scores)]
    for score in scores:
        lost = score.outcome == "invalid"
        grades = [0.0 if lost else score.parts.get(name) for name in orders]
        question = score.key.rpartition("#")[0]
        for won, weight in (vote(grade) for grade in grades if grade is not None):
            mine, other = _style(score, ""), _style(score, f"{_BASELINE}_")
            yield Styled(_MODEL, question, won, mine, other, weight)


def _style(score: Score, whose: str) -> Style:
    return Style(*(int(score.parts[f"{whose}{name}"]) for name in Style._fields))


def _raw(games: Sequence[Styled]) -> Estimate:
    """The weighted mean, with the interval of questions as clusters."""
    total = fsum(game.weight for game in games)
    clusters: dict[str, list[Weighted]] = {}
    for game in games:
        clusters.setdefault(game.question, []).append(Weighted(game.weight / total, game.value))
    return clustered_mean(list(clusters.values()))


def _at_equal_length(
    compared: Sequence[Score],
    mine: Sequence[int],
    other: Sequence[int],
    table: LengthTable | None,
    scores: Sequence[Score],
) -> Iterator[Metric]:
    values = [score.value or 0.0 for score in compared]
    hard = table and [table.difficulties[one.key.rpartition("#")[0]] for one in compared]
    held = table.anchors if table else ()
    try:
        found = length_controlled(values, mine, other, difficulties=hard, anchors=held)
    except DataError:
        return
    yield row(LENGTH_CONTROLLED if table else EQUAL_LENGTH, found.rate, len(values), scores)


def _error(values: Sequence[float]) -> Iterator[Metric]:
    n = len(values)
    if n > 1:
        value = 100 * standard_error(values)
        yield Metric(name="standard_error", value=value, n=n, better="lower")


def _count(name: str, number: int, n: int) -> Metric:
    return Metric(name=name, value=number, n=n, unit="answers", scale=n)


def _length(name: str, lengths: Sequence[int]) -> Metric:
    n = len(lengths)
    return Metric(name=name, value=fsum(lengths) / n, n=n, unit="characters", scale=max(lengths))
