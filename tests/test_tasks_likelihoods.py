"""Built-in tasks of likelihoods, checked on the real data: what is asked, and what is marked.

- Every row has a candidate for each option, and the right one alone gets full marks.
- Prompts and candidates read as the tools that they are compared with write them.
"""

import json
from pathlib import Path

import pytest

from steelyard.core import (
    DataError,
    Likelihood,
    LikelihoodScorer,
    MissingData,
    Request,
    Sample,
    Sampling,
    Task,
)
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.builtin.hellaswag import without_marks
from steelyard.tasks.data import Data
from steelyard.tasks.merge import merged
from test_tasks_builtin import LIKELIHOOD_NAMES, sampled, tasks

LETTERS = "ABCDE"


def first_request(shared: Path, name: str, row: int = 0) -> Request:
    task, rows = sampled(shared, name)[0]
    return next(iter(requests(task, rows[row : row + 1], sampling=Sampling())))


def texts(request: Request) -> list[str]:
    """Prompt, lead and scored text of every candidate, with a bar in front of what is scored."""
    (message,) = request.messages
    return [f"{message.content}{one.lead}|{one.text}" for one in request.candidates]


def favouring(letter: str, sample: Sample) -> list[Likelihood]:
    """Likelihoods that any rule must read as a choice of ``letter``."""
    return [
        Likelihood(total=total, tokens=1, whole_total=total, whole_tokens=1)
        for total in (-1.0 if letter == one else -1e6 for one in LETTERS[: len(sample.choices)])
    ]


def compared(task: Task, likelihoods: list[Likelihood], sample: Sample) -> list[float]:
    rules = (task.scorer, *task.variants.values())
    assert all(isinstance(rule, LikelihoodScorer) for rule in rules)
    return [
        rule.compare(likelihoods, sample).value
        for rule in rules
        if isinstance(rule, LikelihoodScorer)
    ]


@pytest.mark.parametrize("name", LIKELIHOOD_NAMES)
def test_the_right_option_gets_full_marks_and_no_other(shared: Path, name: str) -> None:
    for task, rows in sampled(shared, name):
        for sample in rows:
            right = str(sample.target)
            wrong = LETTERS[(LETTERS.index(right) + 1) % len(sample.choices)]
            assert set(compared(task, favouring(right, sample), sample)) == {1.0}
            assert set(compared(task, favouring(wrong, sample), sample)) == {0.0}


@pytest.mark.parametrize("name", LIKELIHOOD_NAMES)
def test_every_option_is_a_candidate_with_something_to_score(shared: Path, name: str) -> None:
    for task, rows in sampled(shared, name):
        for request in requests(task, rows, sampling=Sampling()):
            assert len(request.candidates) > 1
            assert all(one.text.strip() for one in request.candidates)
            whole = {(one.lead, one.text) for one in request.candidates}
            assert len(whole) > 1
            content = str(request.messages[-1].content)
            assert content == content.rstrip() or not name.endswith("_lm_eval")


def test_arc_reads_like_this(shared: Path) -> None:
    question = (
        "Question: Which statement best explains why photosynthesis is the foundation of most"
    )
    for name in ("arc_easy_lm_eval", "ARC_e_ppl_0_shot_str"):
        asked = texts(first_request(shared, name))
        assert asked[0] == (
            f"{question} food webs?\nAnswer:| Sunlight is the source of energy for nearly all "
            "ecosystems."
        )
        assert len(asked) == 4


def test_the_options_of_arc_are_counted_by_position(shared: Path) -> None:
    ((_, rows),) = sampled(shared, "arc_challenge_lm_eval")
    assert {len(row.choices) for row in rows} == {3, 4, 5}
    assert {str(row.target) for row in rows} <= set(LETTERS)
    file = shared / "datasets/ARC/ARC-c/ARC-Challenge-Test.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    for row, line in zip(rows, lines, strict=True):
        right = [
            one["text"] for one in line["question"]["choices"] if one["label"] == line["answerKey"]
        ]
        assert [row.choices[LETTERS.index(str(row.target))]] == right


def test_hellaswag_reads_like_this(shared: Path) -> None:
    scene = (
        "A group of people sits around a large dance floor. A man and a woman walk onto the dance "
        "floor and dance. A band on stage plays. They"
    )
    ending = " finish the dance and the crowd claps."
    assert texts(first_request(shared, "hellaswag_lm_eval", 1))[3] == f"Tango: {scene}|{ending}"
    assert texts(first_request(shared, "hellaswag_ppl_0_shot_chat_prompt", 1))[3] == (
        f"{scene}|{ending}"
    )


def test_marks_of_wikihow_go_as_in_the_prepared_data() -> None:
    assert without_marks("Baking: How to bake [title] Mix flour. [step] Stir it.") == (
        "Baking: How to bake. Mix flour. Stir it."
    )


def test_the_authors_file_of_hellaswag_becomes_the_prepared_form(tmp_path: Path) -> None:
    row = {
        "activity_label": "Baking",
        "ctx_a": "[header] How to bake bread [title] Mix flour. [step] Stir.",
        "ctx_b": "the dough",
        "endings": ["rises.", "sings.", "[substeps] runs.", "falls."],
        "label": 0,
    }
    (tmp_path / "hellaswag").mkdir()
    file = tmp_path / "hellaswag/hellaswag_val.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (task,) = catalogue.find("hellaswag_lm_eval")[0].make(Data((tmp_path,)))
    (asked,) = requests(task, task.samples(), sampling=Sampling())
    assert texts(asked)[:3] == [
        "Baking: How to bake bread. Mix flour. Stir. The dough| rises.",
        "Baking: How to bake bread. Mix flour. Stir. The dough| sings.",
        "Baking: How to bake bread. Mix flour. Stir. The dough|  runs.",
    ]


def test_a_row_of_the_authors_file_without_a_label_is_refused(tmp_path: Path) -> None:
    row = {"activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": ["d"] * 4, "label": ""}
    (tmp_path / "hellaswag").mkdir()
    file = tmp_path / "hellaswag/hellaswag_val.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (task,) = catalogue.find("hellaswag_lm_eval")[0].make(Data((tmp_path,)))
    with pytest.raises(DataError, match="line 1: field `label`"):
        list(task.samples())


def test_blanks_behind_a_beginning_are_scored_with_the_ending(tmp_path: Path) -> None:
    row = {"query": "Baking: Stir.  ", "choices": ["a", "b", "c", "d"], "gold": 1}
    (tmp_path / "hellaswag").mkdir()
    file = tmp_path / "hellaswag/hellaswag.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (task,) = catalogue.find("hellaswag_lm_eval")[0].make(Data((tmp_path,)))
    (asked,) = requests(task, task.samples(), sampling=Sampling())
    assert texts(asked)[0] == "Baking: Stir.|   a"


def test_piqa_reads_like_this(shared: Path) -> None:
    assert texts(first_request(shared, "piqa_lm_eval", 1)) == [
        "Question: dresser\nAnswer:| replace drawer with bobby pin ",
        "Question: dresser\nAnswer:| finish, woodgrain with  bobby pin ",
    ]
    assert texts(first_request(shared, "piqa_ppl_0_shot_str", 1))[0] == (
        "Q: dresser\nA:| replace drawer with bobby pin "
    )


def test_siqa_reads_like_this(shared: Path) -> None:
    assert texts(first_request(shared, "siqa_ppl_0_shot_chat"))[0] == (
        "Tracy didn't go home that evening and resisted Riley's attacks.\n"
        "Question: What does Tracy need to do before this?\nAnswer:| make a new plan"
    )


def test_the_options_of_winogrande_stand_before_the_same_scored_text(shared: Path) -> None:
    assert texts(first_request(shared, "winogrande_lm_eval")) == [
        "Sarah was a much better surgeon than Maria so Sarah| always got the easier cases.",
        "Sarah was a much better surgeon than Maria so Maria| always got the easier cases.",
    ]


def test_boolq_reads_like_this(shared: Path) -> None:
    asked = texts(first_request(shared, "boolq_lm_eval"))
    assert asked[0].startswith("All biomass goes") or asked[0].startswith("Ethanol fuel -- ")
    assert [one.rpartition("\n")[2] for one in asked] == ["Answer:| no", "Answer:| yes"]
    assert "\nQuestion: does ethanol take more energy make that produces?\nAnswer:" in asked[0]
    assert {
        str(row.target) for _, rows in sampled(shared, "boolq_lm_eval") for row in rows[:9]
    } == {
        "A",
        "B",
    }


def test_exams_compare_their_letters(shared: Path) -> None:
    assert [
        one.rpartition("\n")[2] for one in texts(first_request(shared, "mmlu_ppl_0_shot_str"))
    ] == [f"Answer:| {letter}" for letter in "ABCD"]
    assert [
        one.rpartition("\n")[2] for one in texts(first_request(shared, "ceval_ppl_0_shot_str"))
    ] == [f"答案:| {letter}" for letter in "ABCD"]
    name = "cmmlu_ppl_0_shot_cot_chat_prompt"
    assert [one.rpartition("\n")[2] for one in texts(first_request(shared, name))] == [
        f"答案:| {letter}" for letter in "ABCD"
    ]


def test_the_text_of_an_exam_is_that_of_the_examples_with_a_letter_behind(shared: Path) -> None:
    asked = texts(first_request(shared, "ceval_ppl_0_shot_str"))[0].replace("|", "")
    generated = first_request(shared, "ceval_gen_5_shot_str").messages[0].content
    assert asked == f"{generated}A"


def test_subjects_compared_by_letters_can_run_as_one(shared: Path) -> None:
    whole = merged(tasks(shared, "mmlu_ppl_0_shot_str"))
    assert whole.name == "mmludataset"
    assert whole.candidates is not None


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("hellaswag_gen_10_shot_chat_prompt", "hellaswag_train_sampled25.jsonl"),
        ("winogrande_gen_5_shot_chat_prompt", "train_xs.jsonl"),
    ],
)
def test_examples_that_are_not_there_are_named(shared: Path, name: str, missing: str) -> None:
    (task,) = tasks(shared, name)
    if any((shared / "datasets").rglob(missing)):
        pytest.skip("the examples are there")
    with pytest.raises(MissingData, match=missing):
        task.shots()


@pytest.mark.parametrize(
    ("labels", "words"), [("0\n", "label"), ("0\n1\n1\n", "3 labels"), ("0\n7\n", "7")]
)
def test_labels_that_do_not_fit_their_rows_are_an_error(
    tmp_path: Path, labels: str, words: str
) -> None:
    folder = tmp_path / "piqa"
    folder.mkdir()
    row = json.dumps({"goal": "g", "sol1": "a", "sol2": "b"})
    (folder / "dev.jsonl").write_text(f"{row}\n{row}\n", encoding="utf-8")
    (folder / "dev-labels.lst").write_text(labels, encoding="utf-8")
    (task,) = catalogue.find("piqa_lm_eval")[0].make(Data((tmp_path,)))
    with pytest.raises(DataError, match=words):
        list(task.samples())


def test_a_sentence_without_a_blank_is_refused(tmp_path: Path) -> None:
    (tmp_path / "winogrande").mkdir()
    row = {"sentence": "No gap.", "option1": "a", "option2": "b", "answer": "1"}
    (tmp_path / "winogrande/dev.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (task,) = catalogue.find("winogrande_lm_eval")[0].make(Data((tmp_path,)))
    with pytest.raises(DataError, match="sentence"):
        list(task.samples())
