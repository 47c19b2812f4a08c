"""Real judges' raw replies, read again, against the figures of those who published them.

- LLMBar, three judges, 326 comparisons in both orders: every stored winner is read out of the raw
  reply, and accuracy, agreement and kappa follow. Their kappa with people has a slip, kept here
  to show that the same replies give their figure; the figure without it stands beside it.
- PandaLM-7B, 999 comparisons: verdicts, kappa of the annotators, accuracy, macro F1.
- AlpacaEval 2, GPT-4 Turbo on 805 answers: win rates and standard error; preferences out of the
  log-probabilities of the judge's one token.
"""

import gzip
import json
import math
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from steelyard.scoring import (
    agreement,
    cohen_kappa,
    decided,
    first_token_preference,
    length_bias,
    macro,
    majority,
    position_bias,
    standard_error,
    win_rate,
)
from steelyard.scoring.judge_readings import Preferred
from steelyard.scoring.verdict_kinds import preference
from steelyard.scoring.verdicts import read

LLMBAR = {
    "Natural__GPT-4_Vanilla": (95.0, 96.0, 93.0, 95.0, 0.2678, 0.2715, 0.8977),
    "Adversarial_Neighbor__ChatGPT_CoT": (23.13, 22.39, 4.48, 62.69, -0.2145, -0.1371, 0.3319),
    "Adversarial_GPTInst__ChatGPT_Vanilla": (27.17, 26.09, 7.61, 61.96, -0.1652, -0.1437, 0.3161),
}
"""Published: accuracy in either order, right in both, same in both, kappa with people in either
order, kappa of the orders."""


def llmbar(shared: Path, run: str) -> list[dict[str, Any]]:
    path = shared / "outputs" / "llmbar_judges" / f"{run}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def winners(rows: list[dict[str, Any]], *, swap: bool) -> list[str | None]:
    """Which output each raw reply prefers: 1, 2, or none that can be read."""
    reading = Preferred(against="", swapped=swap, names=("a", "b", "tie"))
    values = [
        reading.judgement(row["results"][-1][f"swap = {swap}"]["completion"][0]).value
        for row in rows
    ]
    return [None if value is None else "1" if value == 1 else "2" for value in values]


@pytest.mark.parametrize("run", LLMBAR)
@pytest.mark.parametrize("swap", [False, True])
def test_every_winner_of_llmbar_is_read(shared: Path, run: str, swap: bool) -> None:
    rows = llmbar(shared, run)
    stored = [row["results"][-1][f"swap = {swap}"]["winner"] for row in rows]
    assert winners(rows, swap=swap) == stored


@pytest.mark.parametrize(("run", "published"), LLMBAR.items())
def test_the_figures_of_llmbar_follow(shared: Path, run: str, published: Any) -> None:
    rows = llmbar(shared, run)
    people = [str(row["label"]) for row in rows]
    straight, swapped = winners(rows, swap=False), winners(rows, swap=True)
    in_both = [one if one == other else None for one, other in zip(straight, swapped, strict=True)]
    shares = [
        agreement(straight, people),
        agreement(swapped, people),
        agreement(in_both, people),
        agreement(straight, swapped),
    ]
    assert [round(100 * share.value, 2) for share in shares] == list(published[:4])

    def their_number(winner: str | None) -> int:
        """Their code keeps 0 and 1 and makes everything else, the winner 2 too, a 0."""
        return int(winner == "1")

    ours, theirs = map(their_number, straight), list(map(their_number, swapped))
    labels = [row["label"] for row in rows]
    first = list(ours)
    kappas = [cohen_kappa(first, labels), cohen_kappa(theirs, labels), cohen_kappa(first, theirs)]
    assert [round(kappa.value, 4) for kappa in kappas if kappa] == list(published[4:])


def test_the_kappa_of_llmbar_without_the_slip(shared: Path) -> None:
    rows = llmbar(shared, "Natural__GPT-4_Vanilla")
    found = cohen_kappa(winners(rows, swap=False), [str(row["label"]) for row in rows])
    assert found is not None
    assert [round(number, 3) for number in found] == [0.898, 0.81, 0.985]


def test_the_position_bias_of_a_judge_that_was_misled(shared: Path) -> None:
    rows = llmbar(shared, "Adversarial_Neighbor__ChatGPT_CoT")
    pairs = [
        (float(one == "1"), float(other == "1"))
        for one, other in zip(winners(rows, swap=False), winners(rows, swap=True), strict=True)
        if one and other
    ]
    found = position_bias(*zip(*pairs, strict=True))
    assert (found.n, found.consistent, found.first, found.second) == (133, 84, 49, 0)
    assert found.p_value < 1e-12


def pandalm(shared: Path) -> list[dict[str, Any]]:
    path = shared / "outputs" / "pandalm_judges" / "pandalm-7b.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_figures_of_pandalm_follow(shared: Path) -> None:
    rows = pandalm(shared)
    number = {"first": 1, "second": 2, "tie": 0}
    verdicts = [read(row["result"], preference("1", "2", "0")).verdict for row in rows]
    judged = [number[verdict] for verdict in verdicts if verdict]
    assert len(judged) == len(rows) == 999
    people = [[row[f"annotator{i}"] for row in rows] for i in (1, 2, 3)]
    gold = [majority(labels) for labels in zip(*people, strict=True)]
    assert [gold.count(label) for label in (0, 1, 2)] == [105, 422, 472]
    kappas = [cohen_kappa(people[i], people[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert [round(kappa.value, 2) for kappa in kappas if kappa] == [0.85, 0.88, 0.86]
    assert round(100 * agreement(judged, gold).value, 2) == 66.77
    assert [round(100 * share, 2) for share in macro(judged, gold)] == [57.38, 57.5, 57.43]


@pytest.mark.parametrize("way", ["{0}", "{0}\n\n### Reason: {1}", "{1}\n\nVerdict: {0}"])
def test_pandalms_verdicts_are_read_with_their_reasons(shared: Path, way: str) -> None:
    """Its reasons speak of "Response 1", so they must not be taken for the verdict."""
    kind = preference("1", "2", "0")
    expected = {"1": "first", "2": "second", "0": "tie"}
    for row in pandalm(shared):
        verdict, why = read(way.format(row["result"], row["reason"]), kind)
        assert verdict in (expected[row["result"]], None), (row["idx"], why)


def alpaca(shared: Path) -> list[dict[str, Any]]:
    path = shared / "outputs" / "alpaca_eval_annotations" / "gpt-3.5-turbo-1106.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    return [json.loads(line) for line in lines if line.strip()]


def test_the_win_rates_of_alpaca_eval_follow(shared: Path) -> None:
    rows = alpaca(shared)
    values = [row["preference"] - 1 for row in rows]
    found = win_rate(values)
    assert round(100 * found.value, 3) == 9.178
    assert round(100 * standard_error(values), 4) == 0.8904
    outcomes = [decided(value) for value in values]
    assert [outcomes.count(value) for value in (1, 0, 0.5)] == [64, 737, 4]
    assert round(100 * fmean(outcomes), 4) == 8.1988
    assert 100 * found.low < 9.178 < 100 * found.high
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.008904, rel=0.1)


def test_preferences_of_alpaca_eval_come_from_one_token(shared: Path) -> None:
    """Half of the pairs were shown in the other order, and the file does not say which."""
    kind = preference("m", "M", "tie", cased=True)
    told = 0
    for row in alpaca(shared):
        chances = {name: chance for name, chance in row["top_logprobs"] or []}
        if not chances:
            assert row["preference"] == 1.5
            continue
        told += 1
        preferred = first_token_preference(chances.get("m", -100.0), chances.get("M", -100.0))
        value = row["preference"] - 1
        assert min(abs(value - preferred), abs(value - (1 - preferred))) < 1e-4
        likeliest = row["top_logprobs"][0][0]
        read_as = read(likeliest, kind).verdict
        assert read_as == ("first" if likeliest == "m" else "second")
        assert (read_as == "first") is (preferred > 0.5) or math.isclose(preferred, 0.5)
    assert told == 801


def test_of_alpaca_evals_pairs_the_longer_answer_won_nine_in_ten(shared: Path) -> None:
    """Not all of it is bias: the baseline, a better model, also wrote the longer answers."""
    rows = alpaca(shared)
    found = length_bias(
        [row["preference"] - 1 for row in rows],
        [len(row["output_2"]) for row in rows],
        [len(row["output_1"]) for row in rows],
    )
    assert found is not None
    assert round(100 * found.value, 1) == 90.2
