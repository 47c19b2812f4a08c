"""Files of labelled answers, and what is wrong with them.

- All three kinds are read, from JSON lines and CSV, in English and Chinese.
- LLMBar's and PandaLM's files are read as they are.
- A row that cannot be used is named with its file, line and field, and with what was expected.
- No judge is shown a label.
"""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from steelyard.core import DataError
from steelyard.scoring import letter_verifier, pairwise, score, verifier
from steelyard.scoring.judging import FormJudge
from steelyard.tasks.labelled_answers import Labelled, holds_pairs, labelled_answers

CORRECTNESS = {"question": "6 * 7?", "answer": "It is 42.", "reference": "42", "label": "correct"}
PAIR = {"question": "Name a river.", "answer_1": "The Rhine.", "answer_2": "Paris.", "label": 1}
SCORE = {"question": "Name a river.", "answer": "The Rhine.", "label": 4}


def written(path: Path, *rows: object) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read(path: Path, judge: FormJudge) -> list[Labelled]:
    return labelled_answers(path, judge)[0]


@pytest.mark.parametrize(
    ("judge", "row", "label", "means"),
    [
        *[
            (verifier(), CORRECTNESS, label, means)
            for means, labels in {
                "correct": ("correct", "Correct ", True, "true", 1, 1.0, "1", "正确"),
                "incorrect": ("incorrect", False, "FALSE", 0, "0", "错误"),
                "invalid": ("invalid", "无效"),
            }.items()
            for label in labels
        ],
        (letter_verifier(), CORRECTNESS, "invalid", "incorrect"),
        *[
            (pairwise(), PAIR, label, means)
            for means, labels in {"1": (1, "1", 1.0), "2": (2,), "tie": (0, "tie", "平局")}.items()
            for label in labels
        ],
        *[(score(1, 5), SCORE, label, 4.5) for label in (4.5, "4.5", " 4.5")],
        (score(1, 5), SCORE, 1, 1.0),
    ],
)
def test_labels_are_understood(
    judge: FormJudge, row: dict[str, object], label: object, means: object, tmp_path: Path
) -> None:
    (found,) = read(written(tmp_path / "rows.jsonl", {**row, "label": label}), judge)
    assert found.label == means


@pytest.mark.parametrize("judge", [verifier(), score(1, 5), pairwise()])
def test_csv_says_what_json_lines_say(judge: FormJudge, tmp_path: Path) -> None:
    row = PAIR if judge.against else {**CORRECTNESS, "label": 1}
    table = tmp_path / "rows.csv"
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)
    assert read(table, judge) == read(written(tmp_path / "rows.jsonl", row), judge)
    assert holds_pairs(table) is (judge.against is not None)


@pytest.mark.parametrize(
    ("judge", "changes", "told"),
    [
        (verifier(), {"label": "maybe"}, "field `label` is 'maybe'; expected correct, incorrect"),
        (verifier(), {"label": None}, "field `label` is missing; expected correct"),
        (verifier(), {"reference": None}, "field `reference` is missing; expected the right"),
        (verifier(), {"answer": None}, "field `answer` is missing; expected the text of the"),
        (verifier(), {"answer": ["42"]}, "field `answer` is ['42']; expected the text"),
        (verifier(), {"question": " "}, "field `question` is ' '; expected the text of the"),
        (score(1, 5), {"label": 6}, "field `label` is 6; expected a number from 1 to 5"),
        (score(1, 5), {"label": True}, "field `label` is True; expected a number from 1 to 5"),
        (score(1, 5), {"label": "good"}, "field `label` is 'good'; expected a number from 1 to 5"),
        (pairwise(), {"answer_1": "x"}, "field `answer_2` is missing; expected the text of"),
        (pairwise(), {**PAIR, "label": 3}, "field `label` is 3; expected 1 or 2"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_named(
    judge: FormJudge, changes: dict[str, object], told: str, tmp_path: Path
) -> None:
    good = PAIR if judge.against else {**CORRECTNESS, "label": 1}
    base = {name: value for name, value in good.items() if not name.startswith("answer_")}
    bad = {name: value for name, value in {**base, **changes}.items() if value is not None}
    path = written(tmp_path / "rows.jsonl", good, bad)
    with pytest.raises(DataError) as refused:
        read(path, judge)
    assert str(refused.value).startswith(f"{path}, line 2: {told}")


def test_annotators_have_a_majority_or_the_row_is_left_out(tmp_path: Path) -> None:
    row = {name: value for name, value in PAIR.items() if name != "label"}
    votes = [(1, 1, 2), (0, 1, 2), (0, 2, 0)]
    rows = [
        row | {f"annotator{n}": vote for n, vote in enumerate(three, start=1)} for three in votes
    ]
    found, left_out = labelled_answers(written(tmp_path / "rows.jsonl", *rows), pairwise())
    assert ([one.label for one in found], left_out) == (["1", "tie"], 1)
    base = {name: value for name, value in SCORE.items() if name != "label"}
    scored = written(tmp_path / "scores.jsonl", {**base, "annotator1": 4, "annotator2": 5})
    assert [one.label for one in read(scored, score(1, 5))] == [4.5]


def test_no_judge_is_shown_a_label(tmp_path: Path) -> None:
    row = {**SCORE, "annotator_1": 3, "topic": "rivers", "level": 2}
    (found,) = read(written(tmp_path / "rows.jsonl", row), score(1, 5))
    assert found.sample.meta == {
        "question": "Name a river.", "answer": "The Rhine.", "topic": "rivers", "level": "2",
    }  # fmt: skip


def test_llmbar_is_read_as_it_is(shared: Path) -> None:
    for path in sorted((shared / "datasets/llmbar").glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        assert holds_pairs(path)
        found = read(path, pairwise())
        assert [one.label for one in found] == [str(row["label"]) for row in raw]
        assert [(one.sample.question, one.answer, one.other) for one in found] == [
            (row["input"], row["output_1"], row["output_2"].strip()) for row in raw
        ]


def test_pandalm_is_read_as_it_is(shared: Path) -> None:
    path = shared / "datasets/pandalm/testset-v1.json"
    found, left_out = labelled_answers(path, pairwise())
    labels = Counter(one.label for one in found)
    assert (labels, left_out) == (Counter({"tie": 105, "1": 422, "2": 472}), 0)
    first = found[0].sample.question
    assert isinstance(first, str)
    assert first.startswith("The sentence you are given might be too wordy")
    assert first.endswith("please let me know.")
