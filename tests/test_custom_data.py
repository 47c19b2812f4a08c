"""A user's own questions, as ``.jsonl`` or ``.csv``: what is understood and what is refused.

- The first row decides what the data is; every later row must agree, or is named with its line.
- The meta file beside the data chooses rows and output limits, the same ones every time.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from steelyard.core import ConfigError, DataError, Sample, Sampling
from steelyard.tasks.asking import requests
from steelyard.tasks.custom import custom_task
from steelyard.tasks.prompting import gold_text, wrong_text

MCQ = {"question": "1+1=", "A": "1", "B": "2", "C": "3", "answer": "B"}
QA = {"question": "1+1=", "answer": "2"}


def jsonl(folder: Path, *records: Any, name: str = "mine.jsonl") -> Path:
    path = folder / name
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    path.write_text(lines, encoding="utf-8")
    return path


def csv(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, **options: Any) -> list[Sample]:
    return list(custom_task(path, **options).samples())


def asked(path: Path, **options: Any) -> str:
    task = custom_task(path, **options)
    request = next(requests(task, task.samples(), sampling=Sampling()))
    (message,) = request.messages
    return str(message.content)


def complaint(path: Path, **options: Any) -> str:
    with pytest.raises((DataError, ConfigError)) as caught:
        read(path, **options)
    return str(caught.value)


@pytest.mark.parametrize("file", ["test_mcq.jsonl", "test_mcq.csv", "test_mcq_max_tokens.jsonl"])
def test_multiple_choice_samples_of_aisbench_are_understood(shared: Path, file: str) -> None:
    rows = read(shared / "datasets/custom_samples/aisbench" / file)
    assert [row.id for row in rows] == ["0", "1", "2", "3"]
    assert all(len(row.choices) == 3 and row.target in "ABC" for row in rows)


def test_output_limits_of_rows_are_read(shared: Path) -> None:
    rows = read(shared / "datasets/custom_samples/aisbench/test_mcq_max_tokens.jsonl")
    assert [row.max_tokens for row in rows] == [512, 1024, 1024, 2048]


@pytest.mark.parametrize("file", ["test_qa.jsonl", "test_qa.csv"])
def test_question_and_answer_samples_of_aisbench_are_understood(shared: Path, file: str) -> None:
    rows = read(shared / "datasets/custom_samples/aisbench" / file)
    assert len(rows) == 4
    assert all(row.target and row.choices == () for row in rows)


@pytest.mark.parametrize(
    ("file", "count", "first_question", "first_target"),
    [
        ("evalscope/qa/test.jsonl", 6, "世界上最高的山是哪座山？", "是珠穆朗玛峰"),
        ("evalscope/qa/arena.jsonl", 10, "How can I improve my time management skills?", None),
        ("evalscope/mcq/example_val.csv", 12, "以下哪个公式是二次函数的标准形式？", "B"),
        (
            "inspect/biology_qa.jsonl",
            20,
            "Hansen's disease is more commonly known by which name?",
            "Leprosy",
        ),
        (
            "inspect/security_guide.jsonl",
            16,
            "How do I prevent SQL Injection attacks?",
            "use parameterized queries and prepared statements",
        ),
    ],
)
def test_samples_of_other_tools_are_understood(
    shared: Path, file: str, count: int, first_question: str, first_target: str | None
) -> None:
    rows = read(shared / "datasets/custom_samples" / file)
    assert len(rows) == count
    assert (rows[0].question, rows[0].target) == (first_question, first_target)


def test_several_right_options_are_refused(shared: Path) -> None:
    path = shared / "datasets/custom_samples/evalscope/mcq/example_multi_val.jsonl"
    assert "line 1: field `answer` is ['A', 'C']; expected a text or a number" in complaint(path)


def test_options_may_be_a_list_whose_length_differs_from_row_to_row(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        {"input": "q", "choices": ["x", "y"], "target": "A"},
        {"input": "r", "choices": ["x", "y", 3], "target": "C"},
    )
    assert [row.choices for row in read(path)] == [("x", "y"), ("x", "y", "3")]


def test_the_task_is_called_like_the_file_up_to_its_first_dot(tmp_path: Path) -> None:
    path = jsonl(tmp_path, QA, name="my_test.v2.jsonl")
    assert custom_task(path).name == "my_test"
    assert custom_task(path, abbr="other").name == "other"


def test_a_multiple_choice_prompt_lists_the_options(tmp_path: Path) -> None:
    assert asked(jsonl(tmp_path, MCQ)) == "Question: 1+1=\nA. 1\nB. 2\nC. 3\nAnswer: "


def test_a_question_with_known_answer_asks_for_an_answer(tmp_path: Path) -> None:
    assert asked(jsonl(tmp_path, QA)) == "Question: 1+1=\nAnswer: "


def test_a_question_without_known_answer_is_asked_as_it_is(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"question": "Why?"})
    assert asked(path) == "Why?"
    assert read(path)[0].target is None


def test_an_own_template_may_name_every_column_but_never_shows_the_answer(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {**QA, "topic": "sums", "level": 3})
    template = "{topic} ({level}): {question} {answer}{target}"
    assert asked(path, template=template) == "sums (3): 1+1= "


def test_the_data_type_can_be_said_instead_of_guessed(tmp_path: Path) -> None:
    path = jsonl(tmp_path, MCQ)
    assert read(path, data_type="qa")[0].choices == ()
    assert read(path, data_type="mcq")[0].choices == ("1", "2", "3")
    assert "0 options found" in complaint(jsonl(tmp_path, QA), data_type="mcq")


def test_one_option_is_no_choice(tmp_path: Path) -> None:
    assert read(jsonl(tmp_path, {**QA, "A": "x"}))[0].choices == ()


@pytest.mark.parametrize("record", [MCQ, QA, {**QA, "answer": "Paris"}])
def test_right_and_wrong_answers_are_marked_so(tmp_path: Path, record: Any) -> None:
    task = custom_task(jsonl(tmp_path, record))
    for row in task.samples():
        for scorer in (task.scorer, *task.variants.values()):
            assert scorer(gold_text(task, row), row).value == 1.0
            assert scorer(wrong_text(task, row), row).value == 0.0


def test_ids_of_the_data_are_kept_and_numbers_are_texts(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"id": 7, "question": 12, "answer": 2.5})
    assert read(path) == [Sample(id="7", question="12", target="2.5")]


def test_numbers_in_a_timestamp_column_are_the_times_of_a_trace(tmp_path: Path) -> None:
    rows = [{"question": "q", "timestamp": at} for at in (0, 12.5, "30")]
    assert [sample.due_ms for sample in read(jsonl(tmp_path, *rows))] == [0, 12.5, 30]
    table = csv(tmp_path, "question,timestamp,max_tokens\nq,5,7\nr,6,8\n")
    assert [(one.due_ms, one.max_tokens) for one in read(table)] == [(5, 7), (6, 8)]


def test_text_in_a_timestamp_column_is_a_field_like_any_other(tmp_path: Path) -> None:
    (sample,) = read(jsonl(tmp_path, {"question": "q", "timestamp": "1984-01-24 10:00"}))
    assert (sample.due_ms, sample.meta) == (None, {"timestamp": "1984-01-24 10:00"})


@pytest.mark.parametrize("at", [-1, "late", None, True, "nan"])
def test_a_row_without_its_time_is_named(tmp_path: Path, at: Any) -> None:
    rows = [{"question": "q", "timestamp": 0}, {"question": "r", "timestamp": at}]
    assert "line 2: field `timestamp` is" in complaint(jsonl(tmp_path, *rows))


def test_csv_output_limits_may_be_blank(tmp_path: Path) -> None:
    path = csv(tmp_path, "question,answer,max_tokens\nq,a,\nr,b,64\n")
    assert [row.max_tokens for row in read(path)] == [None, 64]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([{"answer": "2"}], "line 1: the columns are answer; expected `question`"),
        ([QA, {"answer": "2"}], "line 2: field `question` is missing"),
        ([QA, {"question": " ", "answer": "2"}], "line 2: field `question` is ' '"),
        ([QA, {"question": {}, "answer": "2"}], "line 2: field `question` is {}"),
        ([QA, {"question": "q"}], "line 2: field `answer` is missing; expected an answer, as in"),
        ([QA, {"question": "q", "answer": ""}], "line 2: field `answer` is ''"),
        ([QA, {"question": "q", "answer": True}], "line 2: field `answer` is True"),
        ([{"question": "q"}, QA], "line 2: field `answer` is '2'; expected none, as in the first"),
        ([MCQ, QA], "line 2: field `A` is missing; expected an option, as in the first row"),
        ([MCQ, {**MCQ, "C": None}], "line 2: field `C` is missing; expected an option"),
        ([MCQ, {**MCQ, "D": "4"}], "line 2: field `D` is '4'; expected none, as in the first row"),
        (
            [MCQ, {**MCQ, "answer": "D"}],
            "line 2: field `answer` is 'D'; expected one of the letters",
        ),
        (
            [{"question": "q", "choices": ["x", "y"], "answer": "A"}, MCQ],
            "line 2: field `choices` is missing; expected a list of 2 to 26 options",
        ),
        ([MCQ, {**MCQ, "answer": "AB"}], "line 2: field `answer` is 'AB'; expected one of the"),
        ([{**QA, "id": "x"}, {**QA, "id": "x"}], "line 2: id 'x' was already used (line 1)"),
        ([{**QA, "id": "x"}, QA], "line 2: field `id` is missing; expected a name without #"),
        ([{**QA, "id": "x#1"}], "line 1: field `id` is 'x#1'"),
        ([{**QA, "max_tokens": 0}], "line 1: field `max_tokens` is 0; expected a whole number"),
        ([{**QA, "max_tokens": "many"}], "line 1: field `max_tokens` is 'many'"),
        ([{**QA, "max_tokens": True}], "line 1: field `max_tokens` is True"),
        ([], "the file has no rows"),
    ],
)
def test_a_row_that_does_not_fit_is_named(
    tmp_path: Path, records: list[Any], expected: str
) -> None:
    path = jsonl(tmp_path, *records)
    message = complaint(path)
    assert message.startswith(str(path))
    assert expected in message


def test_other_files_are_refused(tmp_path: Path) -> None:
    assert "expected a .jsonl or .csv file" in complaint(tmp_path / "mine.xlsx")
    assert "no such file" in complaint(tmp_path / "absent.jsonl")


def with_meta(folder: Path, meta: Any, count: int = 10) -> Path:
    path = jsonl(folder, *({"question": f"q{n}", "answer": "a"} for n in range(count)))
    (folder / "mine.jsonl.meta.json").write_text(json.dumps(meta), encoding="utf-8")
    return path


def test_a_meta_file_beside_the_data_is_found(tmp_path: Path) -> None:
    assert [row.id for row in read(with_meta(tmp_path, {"request_count": 3}))] == ["0", "1", "2"]


def test_a_meta_file_elsewhere_can_be_named_and_must_exist(tmp_path: Path) -> None:
    path = with_meta(tmp_path, {"request_count": 3})
    other = tmp_path / "other.json"
    assert "no such file" in complaint(path, meta_path=other)
    other.write_text('{"request_count": "1"}', encoding="utf-8")
    assert len(read(path, meta_path=other)) == 1


def test_more_requests_than_rows_start_over_under_new_ids(tmp_path: Path) -> None:
    rows = read(with_meta(tmp_path, {"request_count": 5}, count=2))
    assert [row.id for row in rows] == ["0", "1", "0~2", "1~2", "0~3"]
    assert [row.question for row in rows] == ["q0", "q1", "q0", "q1", "q0"]


def test_shuffle_mixes_the_first_rows(tmp_path: Path) -> None:
    path = with_meta(tmp_path, {"request_count": 8, "sampling_mode": "shuffle"})
    ids = [row.id for row in read(path)]
    assert sorted(ids) == list("01234567")
    assert ids != sorted(ids)
    assert [row.id for row in read(path)] == ids


def test_random_draws_from_all_rows_without_taking_one_twice(tmp_path: Path) -> None:
    path = with_meta(tmp_path, {"request_count": 50, "sampling_mode": "random"}, count=100)
    ids = [row.id for row in read(path)]
    assert len(set(ids)) == 50
    assert any(int(name) >= 50 for name in ids)
    assert [row.id for row in read(path)] == ids


def test_uniform_limits_lie_in_their_range_with_both_ends(tmp_path: Path) -> None:
    params = {"min_value": 3, "max_value": "5"}
    path = with_meta(tmp_path, {"output_config": {"method": "uniform", "params": params}}, 200)
    limits = [row.max_tokens for row in read(path)]
    assert set(limits) == {3, 4, 5}
    assert [row.max_tokens for row in read(path)] == limits


def test_shares_are_rounded_down_and_the_last_takes_the_rest(tmp_path: Path) -> None:
    params = {"percentage_distribute": [[100, 0.29], [200, 0.01], [300, 0.7]]}
    path = with_meta(tmp_path, {"output_config": {"method": "percentage", "params": params}}, 150)
    limits = [row.max_tokens for row in read(path)]
    assert Counter(limits) == {100: 43, 200: 1, 300: 106}
    assert limits != sorted(limits)


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"requests": 3}, "unknown field `requests`"),
        ({"request_count": 0}, "Expected `int` >= 1"),
        ({"request_count": "some"}, "Expected `int | null`, got `str` - at `$.request_count`"),
        ({"sampling_mode": "none"}, "Invalid enum value 'none'"),
        ({"output_config": {"method": "zipf", "params": {}}}, "Invalid value 'zipf'"),
        ({"output_config": {"method": "uniform"}}, "missing required field `params`"),
        (
            {"output_config": {"method": "uniform", "params": {"min_value": 3, "max_value": 2}}},
            "min_value is larger than max_value",
        ),
        (
            {"output_config": {"method": "percentage", "params": {"percentage_distribute": []}}},
            "must be above 0 and add up to 1",
        ),
        (
            {
                "output_config": {
                    "method": "percentage",
                    "params": {"percentage_distribute": [[10, 0.5], [20, 0.4]]},
                }
            },
            "0.5, 0.4; they must be above 0 and add up to 1",
        ),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_a_meta_file_that_does_not_fit_is_refused(tmp_path: Path, meta: Any, expected: str) -> None:
    message = complaint(with_meta(tmp_path, meta))
    assert message.startswith(str(tmp_path / "mine.jsonl.meta.json"))
    assert expected in message
