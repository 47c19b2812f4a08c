"""The length-controlled win rate of AlpacaEval's leaderboard, with AlpacaEval's table.

- It is what AlpacaEval's own program makes of the same preferences and tables.
- The report has it where the table is in the data folder; else it has its own figure.
- A table that cannot be used is said before anything is asked, with file, line and field.
"""

import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_tables import HEADER, Pair, sides, table
from steelyard.core import DataError, Score, Task
from steelyard.scoring import length_controlled, win_rate
from steelyard.scoring.logistic import Case, chance, fit
from steelyard.scoring.penalised import fit_penalised
from steelyard.tasks import catalogue
from steelyard.tasks.builtin.alpaca_eval import read_table
from steelyard.tasks.data import Data

THEIRS = [
    # sides, seed, AlpacaEval's figure, the same when its solver goes on to the minimum
    ("as it is", 0, 29.3341, 29.3423),
    ("as it is", 1, 15.4906, 15.4814),
    ("as it is", 2, 29.4599, 29.4711),
    ("as it is", 3, 17.8552, 17.857),
    ("as it is", 4, 14.6208, 14.6188),
    ("mixed", 0, 48.3527, 48.3605),
    ("mixed", 1, 47.9151, 47.9147),
    ("mixed", 2, 47.642, 47.6366),
    ("mixed", 3, 48.5295, 48.5258),
    ("mixed", 4, 48.5134, 48.5091),
    ("swapped", 0, 71.24, 71.2244),
    ("swapped", 1, 81.249, 81.2339),
    ("swapped", 2, 68.393, 68.3723),
    ("swapped", 3, 79.5731, 79.5613),
    ("swapped", 4, 79.5443, 79.5258),
]
"""``get_length_controlled_winrate`` of alpaca-eval 0.6.6 with scikit-learn 1.9.1, in percent. Its
solver stops early (tolerance 1e-4); the last column is with tolerance 1e-10."""


@pytest.fixture(scope="module")
def run(shared: Path) -> list[Pair]:
    """The preferences of GPT-4 Turbo for gpt-3.5-turbo-1106."""
    path = shared / "outputs" / "alpaca_eval_annotations" / "gpt-3.5-turbo-1106.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).split(b"\n") if line]
    return [Pair(row["preference"] - 1, len(row["output_1"]), len(row["output_2"])) for row in rows]


@pytest.mark.parametrize(("which", "seed", "stopped", "minimum"), THEIRS)
def test_it_is_the_figure_of_alpaca_evals_own_program(
    run: list[Pair], tmp_path: Path, which: str, seed: int, stopped: float, minimum: float
) -> None:
    pairs = sides(run, which)
    path = tmp_path / "df_gamed.csv"
    path.write_text("\n".join(table(pairs, seed)), encoding="utf-8")
    difficulties, anchors = read_table(path)
    found = length_controlled(
        [pair.preference for pair in pairs],
        [pair.length_2 for pair in pairs],
        [pair.length_1 for pair in pairs],
        difficulties=[difficulties[str(number)] for number in range(len(pairs))],
        anchors=anchors,
    )
    assert 100 * found.rate.value == pytest.approx(minimum, abs=0.0002)
    assert 100 * found.rate.value == pytest.approx(stopped, abs=0.03)
    assert found.rate.low < found.rate.value < found.rate.high
    raw = win_rate([pair.preference for pair in pairs]).value
    assert (found.rate.value > raw) is (which == "as it is"), "that one is nearly always shorter"


def cases_of(seed: int, n: int) -> list[Case]:
    """Preferences that hang on the first covariate, a little on the second, not on the third."""
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        covariates = ((0, 1.0), (1, draw.gauss(0, 1)), (2, draw.gauss(0, 1)))
        odds = 1.0 + 0.4 * covariates[1][1]
        made.append(Case(covariates, float(draw.random() < chance(odds)), draw.choice([0.5, 1.0])))
    return made


@given(st.integers(0, 30), st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3))
def test_a_covariate_with_the_other_sign_has_the_other_coefficient(
    seed: int, signs: list[float]
) -> None:
    cases = cases_of(seed, 60)
    turned = [
        one._replace(covariates=tuple((at, signs[at] * value) for at, value in one.covariates))
        for one in cases
    ]
    found, other = fit_penalised(cases, 3), fit_penalised(turned, 3)
    assert found is not None
    assert other is not None
    back = [sign * one for sign, one in zip(signs, other.coefficients, strict=True)]
    assert back == pytest.approx(found.coefficients, abs=1e-6)


def test_less_cases_than_folds_make_no_fit() -> None:
    assert fit_penalised(cases_of(1, 4), 3) is None
    assert fit_penalised(cases_of(1, 5), 3) is not None


@pytest.mark.parametrize("seed", range(4))
def test_the_penalty_makes_coefficients_smaller_and_never_much(seed: int) -> None:
    cases = cases_of(seed, 3000)
    free, held = fit(cases, 3), fit_penalised(cases, 3)
    assert free is not None
    assert held is not None
    size = sum(map(abs, held.coefficients))
    assert size <= sum(map(abs, free.coefficients)) + 1e-9
    assert held.coefficients == pytest.approx(free.coefficients, abs=0.1)


def made(folder: Path, shared: Path, lines: Sequence[str] = ()) -> Task:
    """The data set in a folder of its own, with these lines as its table."""
    home = folder / "alpaca_eval"
    home.mkdir(exist_ok=True)
    if not (home / "alpaca_eval.json").exists():
        (home / "alpaca_eval.json").symlink_to(shared / "datasets/alpaca_eval/alpaca_eval.json")
    if lines:
        (home / "df_gamed.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (entry,) = catalogue.find("alpaca_eval_judge_gen")
    (task,) = entry.make(Data((folder,)))
    return task


def scores_of(pairs: Sequence[Pair]) -> list[Score]:
    return [
        Score(
            key=f"{number}#0",
            scorer="pairwise@1",
            outcome="partial",
            value=pair.preference,
            parts={"preference": 1, "length": pair.length_2, "baseline_length": pair.length_1},
        )
        for number, pair in enumerate(pairs)
    ]


def test_the_report_has_it_where_the_table_is(
    run: list[Pair], shared: Path, tmp_path: Path
) -> None:
    task = made(tmp_path, shared)
    assert task.figures is not None
    first, *rest = task.figures(scores_of(run))
    assert first.name == "win_rate (equal length, without AlpacaEval's tables)"
    task = made(tmp_path, shared, list(table(run, 0)))
    assert len(list(task.samples())) == 805
    assert task.figures is not None
    other, *same = task.figures(scores_of(run))
    assert (other.name, other.n) == ("length_controlled_winrate", 805)
    assert other.value == pytest.approx(THEIRS[0][2], abs=0.03)
    assert same == rest
    unjudged = [one for number, one in enumerate(scores_of(run)) if number % 3]
    assert task.figures(unjudged)[0].name == "length_controlled_winrate"


ROW = "gpt4_1106_preview_verbose,0,0.5,-1.5,0.25,False"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([HEADER.replace("std_", ""), ROW], "line 2: .*missing required field `std_delta_len`"),
        ([HEADER, ROW, ROW.replace("-1.5", "long")], r"line 3: .*float.*std_delta_len"),
        ([HEADER, ROW.replace("-1.5", "nan")], "line 2: field `std_delta_len` is nan; expected a"),
        ([HEADER, ROW.replace("0.5", "1.5")], "line 2: field `preference` is '1.5'; expected a nu"),
        ([HEADER, ROW.replace("0.5", "b")], "line 2: field `preference` is 'b'; expected a number"),
        ([HEADER, ROW.replace("False", "True")], "line 2: field `not_gamed_baseline` is True; exp"),
        ([HEADER, ROW, ROW.replace("0.25", "0.3")], "line 3: field `instruction_difficulty` is 0"),
        ([HEADER, ROW[:-6]], r"line 2: 5 columns; expected 6"),
        ([HEADER, ROW.replace("0.5", "")], "no row states a preference"),
        ([HEADER], "the file has no rows"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_line_and_field(
    shared: Path, tmp_path: Path, lines: list[str], said: str
) -> None:
    task = made(tmp_path, shared, lines)
    with pytest.raises(DataError, match=rf"df_gamed\.csv.*{said}"):
        next(iter(task.samples()))


def test_an_instruction_that_the_table_does_not_have_is_named(shared: Path, tmp_path: Path) -> None:
    task = made(tmp_path, shared, [HEADER, ROW])
    with pytest.raises(DataError, match=r"row 2: field `instruction`.*df_gamed\.csv, 1 is not"):
        list(task.samples())


def test_the_table_is_about_one_baseline(tmp_path: Path) -> None:
    home = tmp_path / "alpaca_eval"
    home.mkdir()
    row = {"instruction": "Say hello.", "output": "Hello.", "generator": "another"}
    (home / "alpaca_eval.json").write_text(json.dumps([row]), encoding="utf-8")
    task = made(tmp_path, tmp_path)
    assert len(list(task.samples())) == 1
    task = made(tmp_path, tmp_path, [HEADER, ROW])
    with pytest.raises(DataError, match=r"`generator` is 'another'; expected gpt4_1106_preview"):
        list(task.samples())
