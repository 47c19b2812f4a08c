"""Win rates at equal style: Bradley and Terry's model with the answers' style as covariates.

Models are compared with one baseline. The log-odds that model m's answer is preferred are

    strength_m + sum over the features of effect_f * z_f,
    z_f = (x - y) / (x + y + 1) / its standard deviation over all verdicts,

x and y the feature (``style``) in the model's and the baseline's answer. All models share the
effects. The controlled rate of m is the chance with every z at 0: of answers styled alike. Source:
lm-sys/FastChat and lmarena/arena-hard-auto (style control); Li, Angelopoulos and Chiang 2024, "Does
style matter? Disentangling style and substance in Chatbot Arena".

Two things differ from theirs. They take the mean difference off first, so their rates are at the
mean style of the models that happen to be compared, which for one model alone controls next to
nothing; ``centred`` does that too. And they resample single verdicts; verdicts on one question hang
together (both orders, the copies of a clear verdict, all models), so here questions are resampled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import fsum, sqrt
from random import Random
from typing import NamedTuple, TypeAlias

from steelyard.core import DataError
from steelyard.scoring.intervals import Estimate
from steelyard.scoring.logistic import Case, chance, fit
from steelyard.scoring.style import Style, difference

FEATURES: tuple[str, ...] = Style._fields


class Styled(NamedTuple):
    """One verdict on a model's answer and the baseline's."""

    model: str
    question: str
    value: float
    """1 when the model's answer was preferred, 0.5 for a tie."""
    style: Style
    other: Style
    """Of the baseline's answer."""
    weight: float = 1.0


class Vote(NamedTuple):
    """A verdict as a win, a tie or a loss, and how often it counts."""

    value: float
    weight: float


class Rates(NamedTuple):
    """A model's win rates against the baseline, with 95 % intervals."""

    raw: Estimate
    """The weighted mean value."""
    controlled: Estimate
    """The chance at equal style."""


class Effect(NamedTuple):
    """What one standard deviation more of a feature adds to the log-odds, with its interval."""

    value: float
    low: float
    high: float


class StyleControlled(NamedTuple):
    """Win rates by model, and the effects of style; a feature that never differs has none."""

    rates: Mapping[str, Rates]
    effects: Mapping[str, Effect]


_Cases: TypeAlias = Mapping[str, Sequence[Case]]


def vote(value: float, *, clear: float = 3.0) -> Vote:
    """A graded verdict (``Graded``) as Arena-Hard counts it: a clear win is ``clear`` wins."""
    if value not in (0.0, 0.25, 0.5, 0.75, 1.0):
        raise ValueError(f"{value} is no grade; expected 0, 0.25, 0.5, 0.75 or 1")
    won = 0.5 if value == 0.5 else float(value > 0.5)
    return Vote(won, clear if value in (0.0, 1.0) else 1.0)


def style_controlled(
    games: Sequence[Styled],
    *,
    controls: Sequence[str] = FEATURES,
    centred: bool = False,
    seed: int = 0,
    resamples: int = 200,
) -> StyleControlled:
    """Raw and style-controlled win rates, with percentile intervals of resampled questions.

    ``DataError`` when no finite rates fit, or fit to half of the resamples: a model won or lost
    all, or style foretells the verdicts, or there are too few questions.
    """
    models = sorted({game.model for game in games})
    features, styles = _standardised(games, controls, centred=centred)
    cases = _by_question(games, models, styles)
    size = len(models) + len(features)
    found = _figures([case for held in cases.values() for case in held], len(models), size)
    if found is None:
        raise DataError(
            "no finite style-controlled rates fit: a model won or lost all of its comparisons, or "
            "their style foretells them. Report win rates, or control fewer features."
        )
    columns = _resampled(cases, found, (len(models), size), Random(seed), resamples)
    raw, strengths, effects = (
        columns[: len(models)],
        columns[len(models) : 2 * len(models)],
        columns[2 * len(models) :],
    )
    controlled = [Estimate(*map(chance, one)) for one in strengths]
    return StyleControlled(
        {
            model: Rates(Estimate(*one), other)
            for model, one, other in zip(models, raw, controlled, strict=True)
        },
        dict(zip(features, effects, strict=True)),
    )


def _standardised(
    games: Sequence[Styled], controls: Sequence[str], *, centred: bool
) -> tuple[list[str], list[tuple[float, ...]]]:
    """The features that differ from game to game, and their differences in every game."""
    rows = [difference(game.style, game.other, controls) for game in games]
    names, columns = [], []
    for name, column in zip(controls, zip(*rows, strict=True), strict=False):
        centre = fsum(column) / len(column)
        spread = sqrt(fsum((value - centre) ** 2 for value in column) / len(column))
        if spread > 1e-12:
            names.append(name)
            zero = centre if centred else 0.0
            columns.append([(value - zero) / spread for value in column])
    return names, list(zip(*columns, strict=True)) if columns else [()] * len(games)


def _by_question(
    games: Sequence[Styled], models: Sequence[str], styles: Iterable[tuple[float, ...]]
) -> _Cases:
    """Verdicts on the same two answers made one case, which says the same of the coefficients."""
    numbers = {model: at for at, model in enumerate(models)}
    held: dict[str, dict[tuple[tuple[int, float], ...], list[Styled]]] = defaultdict(dict)
    for game, style in zip(games, styles, strict=True):
        covariates = (
            (numbers[game.model], 1.0),
            *((len(models) + at, z) for at, z in enumerate(style) if z),
        )
        held[game.question].setdefault(covariates, []).append(game)
    return {
        question: [
            Case(covariates, fsum(g.weight * g.value for g in every) / weight, weight)
            for covariates, every in found.items()
            if (weight := fsum(g.weight for g in every))
        ]
        for question, found in held.items()
    }


def _figures(
    cases: Sequence[Case], models: int, size: int, start: Sequence[float] = ()
) -> list[float] | None:
    """Raw rates, then strengths, then effects."""
    found = fit(cases, size, start)
    if found is None:
        return None
    won, weights = [0.0] * models, [0.0] * models
    for covariates, value, weight in cases:
        model = covariates[0][0]
        won[model] += weight * value
        weights[model] += weight
    return [*(one / n for one, n in zip(won, weights, strict=True)), *found.coefficients]


def _resampled(
    cases: _Cases, found: list[float], shape: tuple[int, int], chance_of: Random, resamples: int
) -> list[Effect]:
    """Every figure with its interval."""
    models, size = shape
    questions = sorted(cases)
    samples = []
    for _ in range(resamples):
        drawn = Counter(chance_of.choices(questions, k=len(questions)))
        weighted = [
            case._replace(weight=case.weight * times)
            for question, times in drawn.items()
            for case in cases[question]
        ]
        sample = _figures(weighted, models, size, found[models:])
        if sample is not None:
            samples.append(sample)
    if len(questions) < 2 or 2 * len(samples) <= resamples:
        raise DataError(
            f"{len(questions)} questions are too few for intervals of style-controlled rates: most "
            "resamples have no finite rates. Compare on more questions, or control fewer features."
        )
    cut = round(0.025 * len(samples))
    intervals = []
    for value, column in zip(found, zip(*samples, strict=True), strict=True):
        ordered = sorted(column)
        low, high = ordered[cut], ordered[-1 - cut]
        intervals.append(Effect(value, min(low, value), max(high, value)))
    return intervals
