"""Data files become typed rows; whatever is wrong with one is said with file, line and field."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import DataError, Sample
from steelyard.tasks.files import BadField, rows, samples


class Row(msgspec.Struct):
    question: str
    answer: str


class Numbered(msgspec.Struct):
    question: str
    max_tokens: int


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, row_type: type[Any] = Row, columns: Sequence[str] = ()) -> list[Any]:
    return [row for _, row in rows(path, row_type, columns=columns)]


def complaint(path: Path, row_type: type[Any] = Row) -> str:
    with pytest.raises(DataError) as caught:
        read(path, row_type)
    message = str(caught.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def as_sample(index: int, row: Row) -> Sample:
    if not row.answer:
        raise BadField("answer", row.answer, "some text")
    return Sample(id=row.question, question=row.question, target=row.answer)


TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
TABLES = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5)


@given(TABLES)
def test_json_lines_come_back_as_written(tmp_path_factory: Any, table: list[Any]) -> None:
    records = [{"question": question, "answer": answer} for question, answer in table]
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    path = write(tmp_path_factory.mktemp("rows") / "rows.jsonl", lines)
    assert [(row.question, row.answer) for row in read(path)] == table


@given(TABLES)
def test_csv_rows_come_back_as_written(tmp_path_factory: Any, table: list[Any]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("question", "answer"), *table])
    assert [(row.question, row.answer) for row in read(path)] == table


def test_a_json_line_ends_at_a_line_feed_only(tmp_path: Path) -> None:
    text = "one\u0085two\u2028three\x0bfour"
    path = write(
        tmp_path / "r.jsonl",
        json.dumps([text], ensure_ascii=False)[1:-1].join(('{"question": "q", "answer": ', "}\n")),
    )
    assert read(path)[0].answer == text


def test_a_byte_order_mark_and_windows_line_ends_and_blank_lines_do_not_matter(
    tmp_path: Path,
) -> None:
    line = b'{"question": "q", "answer": "a"}'
    path = write(tmp_path / "r.jsonl", b"\xef\xbb\xbf" + line + b"\r\n\r\n  \n" + line)
    assert [located.line for located in rows(path, Row)] == [1, 4]
    path = write(tmp_path / "r.csv", b"\xef\xbb\xbfquestion,answer\r\nq,a\r\n\r\nq2,a2")
    assert [located.line for located in rows(path, Row)] == [2, 4]


def test_csv_header_names_match_fields_whatever_their_case(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "No, Question ,ANSWER\n1,q,a\n")
    assert read(path) == [Row("q", "a")]


def test_a_csv_file_without_header_is_read_by_given_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "q,a\nq2,a2\n")
    assert read(path, columns=("question", "answer")) == [Row("q", "a"), Row("q2", "a2")]


def test_csv_numbers_become_numbers_where_the_row_wants_them(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "question,max_tokens\nq,512\n")
    assert read(path, Numbered) == [Numbered("q", 512)]


def test_a_csv_line_number_is_where_the_row_starts(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", 'question,max_tokens\n"two\nlines",1\n"q",many\n')
    assert complaint(path, Numbered).startswith(", line 4: Expected `int`, got `str`")


def test_json_files_hold_a_list_or_an_object_of_rows(tmp_path: Path) -> None:
    row = '{"question": "q", "answer": "a", "more": 1}'
    assert read(write(tmp_path / "list.json", f"[{row}]")) == [Row("q", "a")]
    assert read(write(tmp_path / "object.json", f'{{"0": {row}}}')) == [Row("q", "a")]


def test_parquet_rows_are_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"question": ["q", "r"], "answer": ["a", "b"], "more": [1, 2]})
    parquet.write_table(table, tmp_path / "rows.parquet")
    assert read(tmp_path / "rows.parquet") == [Row("q", "a"), Row("r", "b")]
    assert "row 1: Object missing required field `max_tokens`" in complaint(
        tmp_path / "rows.parquet", Numbered
    )


def test_a_row_type_may_be_a_plain_dictionary_of_all_columns(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"a": [1], "b": ["x"]}), tmp_path / "rows.parquet")
    write(tmp_path / "rows.jsonl", '{"a": 1, "b": "x"}')
    write(tmp_path / "rows.csv", "a,b\n1,x\n")
    assert read(tmp_path / "rows.parquet", dict) == [{"a": 1, "b": "x"}]
    assert read(tmp_path / "rows.jsonl", dict) == [{"a": 1, "b": "x"}]
    assert read(tmp_path / "rows.csv", dict) == [{"a": "1", "b": "x"}]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").mkdir()
    assert "the file cannot be read" in complaint(tmp_path / "rows.jsonl")


def test_a_file_that_is_no_parquet_file_is_said_to_be_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "not a readable parquet file" in complaint(write(tmp_path / "r.parquet", "text"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"question": "q"}', "line 1: Object missing required field `answer`"),
        ('\n{"question": "q", "answer": 1}', "line 2: Expected `str`, got `int` - at `$.answer`"),
        ('{"question": "q", "answ', "line 1: Input data was truncated"),
        ('["q", "a"]', "line 1: Expected `object`, got `array`"),
        (b'{"question": "\xff", "answer": ""}', "line 1: "),
        ("", "the file has no rows"),
        ("\n \n", "the file has no rows"),
    ],
)
def test_a_broken_json_line_is_named(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert expected in complaint(write(tmp_path / "rows.jsonl", content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("question\nq\n", "line 2: Object missing required field `answer`"),
        ("question,answer\nq\n", "line 2: 1 columns; expected 2 (question, answer)"),
        ("question,answer\nq,a\nq,a,b\n", "line 3: 3 columns; expected 2"),
        ("question,answer,Question\n", "line 1: two columns are called 'question'"),
        ('question,answer\n"q"x,a\n', "line 2: broken CSV"),
        ('question,answer\n"q,a\n', "line 2: broken CSV"),
        ("question,answer\n问,答\n".encode("gbk"), "not UTF-8 text"),
        ("question,answer\n", "the file has no rows"),
        ("", "the file has no rows"),
    ],
)
def test_a_broken_csv_line_is_named(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert expected in complaint(write(tmp_path / "rows.csv", content))


@pytest.mark.parametrize("content", ["[1, ", "3", '"text"'])
def test_a_json_file_that_holds_no_rows_is_refused(tmp_path: Path, content: str) -> None:
    complaint(write(tmp_path / "rows.json", content))


def test_other_formats_are_refused(tmp_path: Path) -> None:
    assert "expected a .jsonl, .json, .csv or .parquet file" in complaint(
        write(tmp_path / "rows.xlsx", "")
    )


def test_an_unusable_field_is_reported_with_line_and_content(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "question,answer\nq,a\nr,\n")
    with pytest.raises(DataError, match=r"line 3: field `answer` is ''; expected some text"):
        list(samples(path, Row, as_sample))


def test_long_content_is_shortened_in_the_report(tmp_path: Path) -> None:
    assert len(str(BadField("answer", "x" * 10_000, "less"))) < 200


def test_an_id_that_comes_twice_is_an_error_that_names_both_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "question,answer\nq,a\nr,b\nq,c\n")
    with pytest.raises(DataError, match=r"line 4: id 'q' was already used \(line 2\)"):
        list(samples(path, Row, as_sample))
