"""Style-controlled win rates, and the counting of style.

- Headers, list items and bold spans are counted outside code blocks.
- The fit agrees with statsmodels; the other side of every comparison has the other share.
- Answers styled alike have their raw rate; a model that lives by its style loses it.
- On simulated judges of known bias intervals hold the truth, and the effect is recovered.
- Verdicts on one question are no independent witnesses; a clear verdict counts as three.
"""

import random
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import DataError
from steelyard.scoring import graded_pairwise, style_controlled, style_of, vote
from steelyard.scoring.logistic import chance
from steelyard.scoring.style import Style, difference
from steelyard.scoring.style_control import FEATURES, Styled

models = pytest.importorskip("statsmodels.api")

ANSWER = """# Sorting
Some **bold** and __bold__ words, 2 * 3 * 4, #tag.

## Steps
1. First
2. Second
   - inner
* star
+ plus
-no item

```python
# not a header
- not an item **not bold**
```
"""


def test_style_is_counted_outside_of_code() -> None:
    assert style_of(ANSWER) == Style(length=len(ANSWER), headers=2, lists=5, bold=2)
    assert style_of(ANSWER, tokens=70).length == 70
    assert style_of("") == Style(0, 0, 0, 0)
    assert style_of("# a\n```\n# never closed").headers == 1


COUNTS = st.builds(Style, *[st.integers(0, 3000)] * 4)


@given(COUNTS, COUNTS)
def test_differences_are_of_the_pair_and_bounded(one: Style, other: Style) -> None:
    found = difference(one, other, FEATURES)
    assert difference(other, one, FEATURES) == tuple(-z for z in found)
    assert difference(one, one, FEATURES) == (0, 0, 0, 0)
    assert all(-1 < z < 1 for z in found)


def games_of(
    seed: int, n: int, strengths: dict[str, float], effect: float, *, wordy: float = 1.5
) -> list[Styled]:
    """Both orders of ``n`` questions for every model; the models write ``wordy`` times as much."""
    draw = random.Random(seed)
    games = []
    for number in range(n):
        other = Style(draw.randint(100, 900), lists=draw.randint(0, 9))
        for model, strength in strengths.items():
            length = round(other.length * wordy * draw.uniform(0.5, 1.8))
            style = Style(length, lists=draw.randint(0, 9))
            z = (length - other.length) / (length + other.length + 1)
            p = chance(strength + effect * z)
            for _ in range(2):
                value = float(draw.random() < p)
                games.append(Styled(model, f"q{number}", value, style, other))
    return games


def test_the_fit_agrees_with_statsmodels() -> None:
    games = games_of(1, 80, {"a": 0.2, "b": -0.6}, 1.5)
    games = [game._replace(weight=float(1 + at % 3)) for at, game in enumerate(games)]
    features = ("length", "lists")
    z = np.array([difference(game.style, game.other, features) for game in games])
    design = np.c_[
        [game.model == "a" for game in games], [game.model == "b" for game in games], z / z.std(0)
    ].astype(float)
    theirs = models.GLM(
        np.array([game.value for game in games]),
        design,
        family=models.families.Binomial(),
        var_weights=np.array([game.weight for game in games]),
    ).fit(tol=1e-12)
    found = style_controlled(games, resamples=20)
    assert list(found.effects) == ["length", "lists"]
    got = [found.effects[name].value for name in features]
    assert got == pytest.approx(list(theirs.params[2:]), abs=1e-6)
    rates = [found.rates[name].controlled.value for name in "ab"]
    assert rates == pytest.approx([chance(one) for one in theirs.params[:2]], abs=1e-6)


GAMES = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([0.0, 0.5, 1.0]), COUNTS, COUNTS),
    min_size=30,
    max_size=50,
)


@given(GAMES)
def test_the_other_side_has_the_other_share(
    rows: list[tuple[str, float, Style, Style]],
) -> None:
    games = [Styled(m, str(at), v, one, other) for at, (m, v, one, other) in enumerate(rows)]
    turned = [
        game._replace(value=1 - game.value, style=game.other, other=game.style) for game in games
    ]
    try:
        found = style_controlled(games, resamples=10, controls=("length",))
    except DataError:
        with pytest.raises(DataError):
            style_controlled(turned, resamples=10, controls=("length",))
        return
    other = style_controlled(turned, resamples=10, controls=("length",))
    for model, rates in found.rates.items():
        against = other.rates[model]
        assert against.controlled.value == pytest.approx(1 - rates.controlled.value, abs=1e-6)
        assert against.raw.low == pytest.approx(1 - rates.raw.high)
        assert rates.controlled.low <= rates.controlled.value <= rates.controlled.high
    assert found.effects.keys() == other.effects.keys()


def test_answers_styled_alike_have_their_raw_rate() -> None:
    alike = Style(300, lists=3)
    games = [Styled("a", str(at), float(at % 3 == 0), alike, alike) for at in range(60)]
    found = style_controlled(games, resamples=50)
    assert found.effects == {}
    assert found.rates["a"].controlled == pytest.approx(found.rates["a"].raw, abs=1e-9)
    assert found.rates["a"].raw.value == pytest.approx(1 / 3)


def test_without_a_style_effect_controlled_and_raw_rates_agree() -> None:
    gaps = []
    for seed in range(20):
        rates = style_controlled(games_of(seed, 150, {"a": 0.4}, 0.0), resamples=10).rates["a"]
        gaps.append(rates.controlled.value - rates.raw.value)
    assert abs(fmean(gaps)) < 0.02


def test_the_truth_at_equal_style_is_covered_and_the_effect_recovered() -> None:
    strengths = {"a": 0.4, "b": -0.3}

    def trial(seed: int) -> tuple[list[bool], bool]:
        games = games_of(seed, 80, strengths, 2.0)
        found = style_controlled(games, controls=("length",), seed=seed, resamples=120)
        z = np.array([difference(game.style, game.other, ("length",)) for game in games])
        effect, truth = found.effects["length"], 2.0 * z.std()
        rates = [found.rates[name].controlled for name in strengths]
        held = [
            one.low <= chance(strength) <= one.high
            for one, strength in zip(rates, strengths.values(), strict=True)
        ]
        return held, effect.low <= truth <= effect.high

    trials = [trial(seed) for seed in range(40)]
    assert 0.87 <= fmean(one for held, _ in trials for one in held) <= 0.99
    assert fmean(held for _, held in trials) >= 0.85


def test_a_model_that_lives_by_its_length_loses_it() -> None:
    found = style_controlled(games_of(2, 300, {"a": -0.8}, 4.0, wordy=2.0), resamples=60)
    rates = found.rates["a"]
    assert rates.raw.value > 0.5
    assert rates.controlled.high < 0.5
    assert found.effects["length"].low > 0
    assert found.effects["lists"].low < 0 < found.effects["lists"].high


def test_with_the_mean_taken_off_one_model_alone_is_hardly_controlled() -> None:
    """As in Arena-Hard, whose rates are at the mean style of the models compared."""
    games = games_of(2, 300, {"a": -0.5}, 3.0, wordy=2.0)
    rates = style_controlled(games, centred=True, resamples=10).rates["a"]
    assert rates.controlled.value == pytest.approx(rates.raw.value, abs=0.03)


def test_verdicts_on_one_question_are_no_independent_witnesses() -> None:
    games = games_of(5, 100, {"a": 0.3}, 1.0)
    once = style_controlled(games, resamples=60)
    often = style_controlled(games * 4, resamples=60)
    for one, other in zip(once.rates["a"], often.rates["a"], strict=True):
        assert other == pytest.approx(one, abs=1e-6)


def test_a_clear_verdict_counts_as_three() -> None:
    judge = graded_pairwise()
    replies = ["[[A>>B]]", "[[A>B]]", "[[A=B]]", "[[B>A]]", "[[B>>A]]"]
    values = [judge.verdict(reply).value for reply in replies]
    votes = [vote(value) for value in values if value is not None]
    assert votes == [(1, 3), (1, 1), (0.5, 1), (0, 1), (0, 3)]
    assert vote(1.0, clear=1).weight == 1
    with pytest.raises(ValueError, match=r"0\.875 is no grade"):
        vote(0.875)

    styles = [(Style(100 + 37 * at % 90), Style(140)) for at in range(5)]
    cast = [
        Styled("a", str(at), one.value, style, other, one.weight)
        for at, (one, (style, other)) in enumerate(zip(votes, styles, strict=True))
    ] * 2
    copied = [game._replace(weight=1.0) for game in cast for _ in range(round(game.weight))]
    weighed, counted = (style_controlled(games, resamples=40) for games in (cast, copied))
    assert weighed.rates["a"].controlled == pytest.approx(counted.rates["a"].controlled, abs=1e-6)
    assert weighed.rates["a"].raw.value == pytest.approx((3 + 1 + 0.5) / 9)


@pytest.mark.parametrize(
    ("games", "message"),
    [
        ([Styled("a", str(at), 1.0, Style(at), Style(9)) for at in range(20)], "no finite"),
        (
            [Styled("a", str(at), float(at > 9), Style(at), Style(9)) for at in range(20)],
            "no finite",
        ),
        ([Styled("a", "1", at % 2, Style(9), Style(9)) for at in range(20)], "1 questions are too"),
        ([], "0 questions are too few"),
    ],
)
def test_where_there_are_no_rates_it_is_said(games: list[Styled], message: str) -> None:
    with pytest.raises(DataError, match=message):
        style_controlled(games, resamples=20)
