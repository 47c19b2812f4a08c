"""Our marks on real model outputs, row by row, against the marks of those who published them.

- GSM8K, two models of OpenAI: AISBench's rule gives every mark that the authors' rule gives.
- MMLU-Pro, 12,032 answers of Phi-3-mini: the authors' rule is reproduced on every row.
- GSM8K, two runs of another tool: the same marks, but for one answer that AISBench's rule cuts.
- L-Eval, answers of GPT-3.5: the repaired number rule and the first capital give its figures.
"""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from steelyard.core import Reply, Sample, Score, Scorer, Timing
from steelyard.scoring import (
    aisbench_value,
    cleaner,
    first_capital,
    first_option,
    fold,
    gsm8k,
    gsm8k_fixed,
    last_option,
    mark,
    mmlu_pro_0_shot,
    mmlu_pro_official,
    stated_option,
)

NOW = Timing(queued_ns=0, sent_ns=0, done_ns=1)
GSM8K_RUNS = {"6b_finetuning": 21.68, "6b_verification": 39.04}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return (json.loads(line) for line in data.split(b"\n") if line)


def marked(answers: Sequence[tuple[str, Sample]], rule: Scorer) -> list[Score]:
    clean = cleaner("strip_reasoning")
    return [
        mark(Reply(key=f"{sample.id}#0", timing=NOW, text=text), sample, rule, clean)
        for text, sample in answers
    ]


def gsm8k_answers(shared: Path, run: str) -> tuple[list[tuple[str, Sample]], list[bool]]:
    found = list(rows(shared / "outputs" / "gsm8k_openai" / f"{run}.jsonl"))
    answers = [
        (row["output"], Sample(id=str(i), question=row["question"], target=row["gold"]))
        for i, row in enumerate(found)
    ]
    return answers, [row["is_correct"] for row in found]


def by_the_letter_of_aisbench(text: str, gold: str) -> bool:
    """AISBench's rule once more, written from its description alone."""
    text = text.split("Question:")[0]
    found = [m.group() for m in re.finditer(r"-?\d+\.\d+|-?\d+", text)]
    return bool(found) and (found[-1] == gold or abs(float(found[-1]) - int(gold)) < 1e-6)


def after_the_last_a(text: str, gold: str) -> bool:
    """The authors' rule: the last number after the last line that begins with ``A:``."""
    answer = text.rpartition("\nA:")[2].replace(",", "")
    found = re.findall(r"-?\d+(?:\.\d+)?", answer)
    return bool(found) and float(found[-1]) == float(gold)


@pytest.mark.parametrize("run", GSM8K_RUNS)
def test_gsm8k_marks_equal_those_of_the_rules_written_again(shared: Path, run: str) -> None:
    answers, flags = gsm8k_answers(shared, run)
    marks = [score.value == 1 for score in marked(answers, gsm8k)]
    assert marks == [by_the_letter_of_aisbench(text, sample.target) for text, sample in answers]
    assert marks == [after_the_last_a(text, sample.target) for text, sample in answers]
    assert marks == flags


@pytest.mark.parametrize(("run", "published"), GSM8K_RUNS.items())
@pytest.mark.parametrize("rule", [gsm8k, gsm8k_fixed])
def test_the_published_gsm8k_figures_are_reproduced(shared, run, published, rule) -> None:
    answers, _ = gsm8k_answers(shared, run)
    scores = marked(answers, rule)
    (metric,) = fold(scores, repeats=1)
    assert round(metric.value, 2) == round(aisbench_value(scores) or 0, 2) == published
    assert (metric.n, metric.n_failed, metric.n_unparsed) == (1319, 0, 0)


def test_what_the_repaired_gsm8k_rule_reads_differently(shared: Path) -> None:
    """Fourteen answers with thousands separators, all of them wrong either way."""
    differing = []
    for run in GSM8K_RUNS:
        answers, _ = gsm8k_answers(shared, run)
        pairs = zip(marked(answers, gsm8k), marked(answers, gsm8k_fixed), strict=True)
        differing += [(a, b) for a, b in pairs if a.answer != b.answer]
    assert len(differing) == 14
    assert all(a.value == b.value for a, b in differing)


@pytest.fixture(scope="module")
def mmlu_pro(shared: Path) -> list[dict[str, Any]]:
    path = shared / "outputs" / "mmlu_pro_outputs" / "Phi-3-mini-4k-instruct.jsonl.gz"
    return list(rows(path))


def mmlu_pro_scores(found: list[dict[str, Any]], rule: Scorer) -> list[Score]:
    answers = [
        (
            row["output"],
            Sample(
                id=str(row["question_id"]),
                question="?",
                target=row["answer"],
                choices=("option",) * row["options"],
            ),
        )
        for row in found
    ]
    return marked(answers, rule)


def test_the_authors_mmlu_pro_reading_is_reproduced_on_every_row(mmlu_pro) -> None:
    scores = mmlu_pro_scores(mmlu_pro, mmlu_pro_official)
    assert [score.answer for score in scores] == [row["pred"] for row in mmlu_pro]
    (metric,) = fold(scores, repeats=1)
    assert (round(metric.value, 2), metric.n, metric.n_unparsed) == (41.48, 12032, 1855)


@pytest.mark.parametrize(
    ("rule", "accuracy", "unparsed", "marks_differing"),
    [
        (mmlu_pro_0_shot, 0.02, 11961, 4991),
        (stated_option("ABCDEFGHIJKLMNOP"), 41.79, 1650, 79),
    ],
    ids=lambda value: getattr(value, "id", value),
)
def test_how_other_rules_read_answers_to_the_authors_prompt(
    mmlu_pro, rule, accuracy, unparsed, marks_differing
) -> None:
    scores = mmlu_pro_scores(mmlu_pro, rule)
    official = mmlu_pro_scores(mmlu_pro, mmlu_pro_official)
    (metric,) = fold(scores, repeats=1)
    assert (round(metric.value, 2), metric.n_unparsed) == (accuracy, unparsed)
    pairs = zip(scores, official, strict=True)
    assert sum(a.value != b.value for a, b in pairs) == marks_differing


@pytest.mark.parametrize(
    ("model", "rule", "cut"),
    [
        ("qwen-plus", gsm8k, ["160"]),
        ("qwen-plus", gsm8k_fixed, []),
        ("qwen3-max", gsm8k, []),
        ("qwen3-max", gsm8k_fixed, []),
    ],
)
def test_another_tools_gsm8k_marks_are_reproduced(shared, model, rule, cut) -> None:
    """One answer repeats "Question:" in mid-text, where AISBench's rule stops reading."""
    run = shared / "outputs" / "evalscope_runs" / model
    reviews = {row["index"]: row for row in rows(run / "reviews" / model / "gsm8k_main.jsonl")}
    differing = []
    for row in rows(run / "predictions" / model / "gsm8k_main.jsonl"):
        review = reviews[row["index"]]
        text = row["model_output"]["choices"][0]["message"]["content"]
        verdict = rule(text, Sample(id="1", question="?", target=review["target"]))
        if verdict.value != review["sample_score"]["score"]["value"]["acc"]:
            differing.append(review["target"])
    assert differing == cut


def leval(shared: Path, name: str) -> list[tuple[str, str]]:
    path = shared / "outputs" / "leval_outputs" / f"turbo-16k-0613__{name}.jsonl"
    return [(row["output"], row["gt"]) for row in rows(path)]


@pytest.mark.parametrize(("rule", "accuracy"), [(gsm8k, 80.0), (gsm8k_fixed, 83.0)])
def test_three_answers_in_a_hundred_of_gpt_3_5_are_lost_to_thousands_separators(
    shared: Path, rule: Scorer, accuracy: float
) -> None:
    """The figure of L-Eval's own rule is 83.0."""
    answers = [
        (text, Sample(id=str(i), question="?", target=gold.replace(",", "")))
        for i, (text, gold) in enumerate(leval(shared, "gsm100"))
    ]
    assert fold(marked(answers, rule), repeats=1)[0].value == accuracy


@pytest.mark.parametrize(
    ("rule", "accuracy"),
    [
        (first_capital, 61.39),
        (first_option("ABCD"), 61.39),
        (stated_option("ABCD"), 61.39),
        (last_option("ABCD"), 56.44),
    ],
    ids=lambda value: getattr(value, "id", value),
)
def test_letters_of_gpt_3_5_that_answers_with_the_options_text(
    shared: Path, rule: Scorer, accuracy: float
) -> None:
    """The figure of L-Eval's own rule is 61.39; capitals in the text mislead ``last_option``."""
    answers = [
        (text, Sample(id=str(i), question="?", target=next(x for x in gold if x in "ABCD")))
        for i, (text, gold) in enumerate(leval(shared, "quality"))
    ]
    assert round(fold(marked(answers, rule), repeats=1)[0].value, 2) == accuracy
