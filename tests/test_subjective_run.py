"""Sets whose answers nobody can call right: whole runs of the command, with their own figures.

AlpacaEval, Arena-Hard and MT-Bench, rated and compared, each against two simulated endpoints: a
model that writes texts of many lengths, and a judge that errs. What the results say is computed
once more here, from the stored scores and answers, by other means.
"""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest

from running import lines, only_run, results, steelyard
from sim_process import simulated
from steelyard.scoring.style import style_of

models = pytest.importorskip("statsmodels.api")

MODEL = "vllm-api-general-chat"
STYLES = ("length", "headers", "lists", "bold")
CATEGORIES = {
    "81": "writing",
    "101": "reasoning",
    "111": "math",
    "121": "coding",
    "153": "humanities",
}


@pytest.fixture(scope="module")
def ends(shared: Path) -> Iterator[tuple[str, str]]:
    """The model and its judge."""
    noisy = ("--judge", "fair", "--judge-noise", "0.35", "--judge-unparsable", "0.04")
    with simulated("--tokens", "uniform(20,400)") as model, simulated(*noisy) as judge:
        yield model, judge


class Run:
    """A run that is over: its scores, its results, and what was answered."""

    def __init__(
        self, ends: tuple[str, str], data: Path, work: Path, name: str, *more: str
    ) -> None:
        model, judge = ends
        self.done = steelyard(
            *("run", "--models", "vllm_api_general_chat", "--datasets", name),
            *("--base-url", model, "--judge-url", judge, "--data-dir", str(data)),
            *("-w", str(work / "out"), *more),
            cwd=work,
        )
        assert self.done.returncode in (0, 1), self.done.stdout + self.done.stderr
        assert "Traceback" not in self.done.stderr
        run = only_run(work / "out")
        name = name.removesuffix("_judge_gen")
        predictions = run / "predictions" / MODEL
        self.scores = lines(predictions / f"{name}-judge.scores.jsonl")
        self.questions = lines(predictions / f"{name}-judge.jsonl")
        self.answers = {
            one["key"]: one["prediction"] for one in lines(predictions / f"{name}.jsonl")
        }
        self.results = results(run, MODEL, f"{name}-judge")
        self.metrics: dict[str, dict[str, Any]] = {
            one["name"]: one for one in self.results["metrics"]
        }

    @property
    def valued(self) -> list[dict[str, Any]]:
        return [one for one in self.scores if one.get("value") is not None]

    def row(self, name: str) -> float:
        """A figure, which also stands in the table and inside its interval."""
        metric = self.metrics[name]
        assert f" {metric['value']:.2f}" in self.done.stdout
        assert metric.get("low") is None or metric["low"] <= metric["value"] <= metric["high"]
        return metric["value"]


def rate(name: str, scores: Sequence[dict[str, Any]]) -> float:
    return 100 * fmean(one["value"] for one in scores)


def regression(columns: list[list[float]], values: list[float], weights: list[float]) -> Any:
    family = models.families.Binomial()
    fitted = models.GLM(np.array(values), np.array(columns), family=family, var_weights=weights)
    return fitted.fit(tol=1e-12).params


def chance(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))


def test_alpaca_eval(ends: tuple[str, str], shared: Path, tmp_path: Path) -> None:
    run = Run(ends, shared / "datasets", tmp_path, "alpaca_eval_judge_gen", "--num-prompts", "80")
    rows = json.loads((shared / "datasets/alpaca_eval/alpaca_eval.json").read_text("utf-8"))
    assert len(run.scores) == 80
    for one in run.scores:
        baseline = rows[int(one["key"].partition("#")[0])]["output"]
        assert one["parts"]["length"] == len(run.answers[one["key"]])
        assert one["parts"]["baseline_length"] == len(baseline)
    values = [one["value"] for one in run.valued]
    for one in run.valued:
        orders = one["parts"]["preference"], one["parts"]["preference_swapped"]
        assert one["value"] == (orders[0] if orders[0] == orders[1] else 0.5)
    assert {0.0, 0.5, 1.0} == set(values)
    assert run.row("win_rate") == pytest.approx(100 * fmean(values))
    assert run.row("wins") == values.count(1.0)
    assert run.row("ties") == values.count(0.5)
    assert run.row("standard_error") == pytest.approx(100 * stdev(values) / len(values) ** 0.5)
    mine, other = ([one["parts"][n] for one in run.valued] for n in ("length", "baseline_length"))
    assert run.row("mean_length") == pytest.approx(fmean(mine))
    assert run.row("mean_length of the baseline") == pytest.approx(fmean(other))
    longer = np.array(mine) - np.array(other)
    columns = [[1.0, float(np.tanh(z))] for z in longer / stdev(longer.tolist())]
    strength, _ = regression(columns, values, [1.0] * len(values))
    equal = run.row("win_rate (equal length, without AlpacaEval's tables)")
    assert equal == pytest.approx(100 * chance(strength), abs=1e-4)


@pytest.fixture
def arena(shared: Path, tmp_path: Path) -> Path:
    """Forty of Arena-Hard's questions, with made-up answers of a baseline."""
    folder = tmp_path / "data/arena_hard"
    folder.mkdir(parents=True)
    rows = lines(shared / "datasets/arena_hard/question.jsonl")[:40]
    draw = random.Random(4)
    with (
        (folder / "question.jsonl").open("w") as asked,
        (folder / "baseline.jsonl").open("w") as file,
    ):
        for row in rows:
            parts = ["# Answer", *draw.choices(["- item", "**bold** words", "plain words"], k=9)]
            said = "\n".join(parts) * draw.randint(1, 20)
            asked.write(json.dumps(row) + "\n")
            choices = [{"turns": [{"content": said}]}]
            file.write(json.dumps({"question_id": row["question_id"], "choices": choices}) + "\n")
    return tmp_path / "data"


def test_arena_hard(ends: tuple[str, str], arena: Path, tmp_path: Path) -> None:
    run = Run(ends, arena, tmp_path, "arena_hard_judge_gen")
    baseline = {
        row["question_id"]: row["choices"][0]["turns"][0]["content"]
        for row in lines(arena / "arena_hard/baseline.jsonl")
    }
    grades = ("grade", "grade_swapped")
    games = []
    for one in run.scores:
        other = style_of(baseline[one["key"].partition("#")[0]])
        assert [one["parts"][f"baseline_{name}"] for name in STYLES] == list(other)
        for grade in (one["parts"][name] for name in grades if name in one["parts"]):
            won = 0.5 if grade == 0.5 else float(grade > 0.5)
            games.append((won, 3.0 if grade in (0, 1) else 1.0, one["parts"]))
    assert len(run.questions) >= 80, "every question is two games"
    assert len(run.valued) * 2 < len(games) <= 80, "a game counts where the other has no verdict"
    assert run.metrics["win_rate"]["n"] == len(games)
    assert {weight for _, weight, _ in games} == {1.0, 3.0}
    weights = [weight for _, weight, _ in games]
    won = sum(value * weight for value, weight, _ in games)
    assert run.row("win_rate") == pytest.approx(100 * won / sum(weights))
    assert run.row("mean_grade") == pytest.approx(rate("mean_grade", run.valued))
    styles = np.array(
        [
            [(p[n] - p[f"baseline_{n}"]) / (p[n] + p[f"baseline_{n}"] + 1) for n in STYLES]
            for _, _, p in games
        ]
    )
    differing = styles[:, styles.std(axis=0) > 1e-12]
    columns = np.column_stack([np.ones(len(games)), differing / differing.std(axis=0)])
    strength, *_ = regression(columns.tolist(), [value for value, *_ in games], weights)
    assert run.row("win_rate (style-controlled)") == pytest.approx(100 * chance(strength), abs=1e-3)
    assert run.metrics["win_rate"]["high"] - run.metrics["win_rate"]["low"] > 10


@pytest.fixture
def dialogues(shared: Path, tmp_path: Path) -> Path:
    """Some of MT-Bench's dialogues, its reference answers, and answers of a baseline."""
    source, folder = shared / "datasets/mtbench", tmp_path / "data/mtbench"
    folder.mkdir(parents=True)
    references = "reference_answer_gpt-4.jsonl"
    (folder / references).symlink_to(source / references)
    rows = [
        row for row in lines(source / "question.jsonl") if str(row["question_id"]) in CATEGORIES
    ]
    draw = random.Random(2)
    with (
        (folder / "question.jsonl").open("w") as asked,
        (folder / "baseline.jsonl").open("w") as file,
    ):
        for row in rows:
            asked.write(json.dumps(row) + "\n")
            turns = ["word " * draw.randint(20, 300) for _ in range(2)]
            choices = [{"index": 0, "turns": turns}]
            file.write(json.dumps({"question_id": row["question_id"], "choices": choices}) + "\n")
    return tmp_path / "data"


def by_turn(run: Run, turn: int) -> list[dict[str, Any]]:
    return [one for one in run.valued if one["key"].endswith(".1") == (turn == 2)]


def in_category(run: Run, category: str) -> list[dict[str, Any]]:
    return [one for one in run.valued if CATEGORIES[one["key"].partition("#")[0]] == category]


def parts(run: Run) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    found = {f"turn_{turn}": by_turn(run, turn) for turn in (1, 2)}
    found |= {category: in_category(run, category) for category in CATEGORIES.values()}
    assert sum(map(bool, found.values())) > 5
    yield from ((part, scores) for part, scores in found.items() if scores)


def put_to_the_judge(run: Run, key: str) -> str:
    (question, *_) = [one["origin_prompt"] for one in run.questions if one["key"] == key]
    return "\n".join(turn["content"] for turn in question)


def test_mt_bench_rated(
    ends: tuple[str, str], dialogues: Path, shared: Path, tmp_path: Path
) -> None:
    run = Run(ends, dialogues, tmp_path, "mtbench_judge_gen")
    assert len(run.scores) == 10
    ratings = {one["key"]: float(one["answer"]) for one in run.valued}
    assert run.row("points (1-10)") == pytest.approx(fmean(ratings.values()))
    assert run.row("rating_percent") == pytest.approx(100 * (fmean(ratings.values()) - 1) / 9)
    assert list(run.metrics)[:2] == ["rating_percent", "points (1-10)"]
    for part, scores in parts(run):
        found = fmean(ratings[one["key"]] for one in scores)
        assert run.row(f"{part}/points (1-10)") == pytest.approx(found)
        assert run.metrics[f"{part}/points (1-10)"]["n"] == len(scores)
    (reference,) = [
        row["choices"][0]["turns"]
        for row in lines(shared / "datasets/mtbench/reference_answer_gpt-4.jsonl")
        if row["question_id"] == 111
    ]
    second = put_to_the_judge(run, "111#0.1")
    for text in (*reference, run.answers["111#0"], run.answers["111#0.1"]):
        assert text in second
    assert "Reference" not in put_to_the_judge(run, "81#0.1")
    assert "Reference Answer" in put_to_the_judge(run, "101#0")


def test_mt_bench_compared(ends: tuple[str, str], dialogues: Path, tmp_path: Path) -> None:
    moved = tmp_path / "other.jsonl"
    (dialogues / "mtbench/baseline.jsonl").rename(moved)
    named = ("--set-data", f"baseline={moved}")
    run = Run(ends, dialogues, tmp_path, "mtbench_pairwise_judge_gen", *named)
    values = [one["value"] for one in run.valued]
    for one in run.valued:
        orders = one["parts"]["preference"], one["parts"]["preference_swapped"]
        assert one["value"] == (orders[0] if orders[0] == orders[1] else 0.5)
    assert run.row("win_rate") == pytest.approx(100 * fmean(values))
    for name, value in (("wins", 1.0), ("losses", 0.0), ("ties", 0.5)):
        assert run.row(name) == pytest.approx(100 * values.count(value) / len(values))
    for part, scores in parts(run):
        assert run.row(f"{part}/win_rate") == pytest.approx(rate(part, scores))
    theirs = {row["question_id"]: row["choices"][0]["turns"] for row in lines(moved)}
    for key, shown in (("153#0", theirs[153][:1]), ("153#0.1", theirs[153])):
        for question in (put_to_the_judge(run, key), put_to_the_judge(run, f"{key}/2")):
            assert all(answer in question for answer in shown)
            assert run.answers[key] in question
