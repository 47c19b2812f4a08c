"""What reading a record file promises.

- Records come in the order of the file, as the type that was asked for.
- A cut last line counts as never written; a damaged earlier line is an error with its number.
- Where a key occurs twice, the later line wins.
- The files of several writing processes are read together, and never confused with others.
- A tail tells each whole line once, however the writing was cut up.
"""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import store
from steelyard.core import DataError, TornRecord


class Rec(msgspec.Struct, frozen=True):
    key: str
    text: str = ""


RECORDS = st.lists(st.builds(Rec, key=st.text(max_size=5), text=st.text(max_size=30)), max_size=12)


def lines(records: list[Rec]) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gsm8k.jsonl"


@given(records=RECORDS)
def test_what_was_written_is_read(tmp_path_factory, records: list[Rec]) -> None:
    file = tmp_path_factory.mktemp("records") / "x.jsonl"
    with store.Writer(file) as writer:
        for record in records:
            writer.append(record)
    assert list(store.read(file, Rec)) == records


@given(records=RECORDS, data=st.data())
def test_a_cut_at_any_byte_loses_at_most_the_record_it_hits(
    tmp_path_factory, records: list[Rec], data: st.DataObject
) -> None:
    whole = lines(records)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    file = tmp_path_factory.mktemp("cut") / "x.jsonl"
    file.write_bytes(cut)
    left = records[: cut.count(b"\n")]
    assert list(store.read(file, Rec)) == left

    with store.Writer(file) as writer:
        writer.append(Rec("new"))
    assert list(store.read(file, Rec)) == [*left, Rec("new")]


@given(records=RECORDS.filter(bool), data=st.data())
def test_a_damaged_line_is_named_and_the_ones_before_it_are_read(
    tmp_path_factory, records: list[Rec], data: st.DataObject
) -> None:
    number = data.draw(st.integers(1, len(records)))
    rows = lines(records).splitlines(keepends=True)
    rows[number - 1] = rows[number - 1][:-2] + b"\n"
    file = tmp_path_factory.mktemp("damage") / "x.jsonl"
    file.write_bytes(b"".join(rows))
    reading = store.read(file, Rec)
    assert [next(reading) for _ in range(number - 1)] == records[: number - 1]
    with pytest.raises(TornRecord) as found:
        next(reading)
    assert (found.value.path, found.value.line) == (file, number)


@pytest.mark.parametrize(
    "damage",
    [
        b"\0\0\0\0",
        b'{"key": "\xff"}',
        b'{"key": 3}',
        b'["key"]',
        b'{"key": "a", "text": ' + b"[" * 100_000,
    ],
    ids=["zeros", "not UTF-8", "wrong type", "not an object", "nested too deeply"],
)
def test_every_kind_of_damage_is_a_torn_record(path: Path, damage: bytes) -> None:
    path.write_bytes(b'{"key":"a"}\n' + damage + b'\n{"key":"b"}\n')
    with pytest.raises(TornRecord, match="line 2"):
        list(store.read(path, Rec))


def test_an_empty_line_left_by_an_editor_is_no_record(path: Path) -> None:
    path.write_bytes(b'{"key":"a"}\n\n{"key":"b"}\r\n')
    assert [record.key for record in store.read(path, Rec)] == ["a", "b"]


def test_reading_takes_one_record_at_a_time(path: Path) -> None:
    path.write_bytes(b'{"key":"a"}\nbroken\n')
    records = store.read(path, Rec)
    assert next(records) == Rec("a")
    with pytest.raises(TornRecord):
        next(records)


def test_a_file_that_is_not_there_is_an_error_that_names_it(path: Path) -> None:
    with pytest.raises(DataError, match=r"gsm8k\.jsonl.*No such file"):
        list(store.read(path, Rec))


def test_the_later_line_wins_over_all_parts(path: Path) -> None:
    path.write_bytes(lines([Rec("a", "1"), Rec("b", "1"), Rec("a", "2")]))
    store.part(path, 2).write_bytes(lines([Rec("b", "3"), Rec("c", "3")]))
    found = store.last(path, Rec, key=lambda record: record.key)
    assert found == {"a": Rec("a", "2"), "b": Rec("b", "3"), "c": Rec("c", "3")}


def test_parts_come_in_the_order_of_their_numbers(path: Path) -> None:
    names = ["gsm8k.10.jsonl", "gsm8k.2.jsonl", "gsm8k.jsonl", "gsm8k.3.jsonl"]
    for name in names:
        path.with_name(name).touch()
    assert [part.name for part in store.parts(path)] == [
        "gsm8k.jsonl",
        "gsm8k.2.jsonl",
        "gsm8k.3.jsonl",
        "gsm8k.10.jsonl",
    ]


def test_parts_are_found_when_the_first_process_wrote_nothing(path: Path) -> None:
    store.part(path, 3).touch()
    assert store.parts(path) == [path.with_name("gsm8k.3.jsonl")]


@pytest.mark.parametrize(
    "other",
    [
        "gsm8k.scores.jsonl",
        "gsm8k.scores.2.jsonl",
        "gsm8k_2.jsonl",
        "gsm8k2.jsonl",
        "gsm8k.1.jsonl",
        "gsm8k.02.jsonl",
        "gsm8k.2.json",
        "my-gsm8k.2.jsonl",
        "gsm8k.2.jsonl.bak",
    ],
)
def test_files_named_alike_are_no_parts(path: Path, other: str) -> None:
    path.touch()
    path.with_name(other).touch()
    assert store.parts(path) == [path]


def test_a_name_with_pattern_characters_is_taken_literally(tmp_path: Path) -> None:
    path = tmp_path / "a[b]+*.jsonl"
    path.touch()
    (tmp_path / "ab.2.jsonl").touch()
    assert store.parts(path) == [path]


def test_scores_have_parts_of_their_own(path: Path) -> None:
    path.touch()
    scores = path.with_name("gsm8k.scores.jsonl")
    scores.touch()
    assert store.parts(scores) == [scores]
    assert store.part(scores, 2).name == "gsm8k.scores.2.jsonl"


def test_there_are_no_parts_before_the_folder_exists(tmp_path: Path) -> None:
    assert store.parts(tmp_path / "nowhere" / "x.jsonl") == []


@given(records=RECORDS, data=st.data())
def test_a_tail_tells_every_whole_line_once(
    tmp_path_factory, records: list[Rec], data: st.DataObject
) -> None:
    whole = lines(records)
    file = tmp_path_factory.mktemp("tail") / "x.jsonl"
    tail = store.Tail(file)
    assert list(tail.new()) == []
    seen: list[bytes] = []
    written = 0
    while written < len(whole):
        step = data.draw(st.integers(1, len(whole) - written))
        with file.open("ab") as out:
            out.write(whole[written : written + step])
        written += step
        seen.extend(tail.new())
        assert len(seen) == whole[:written].count(b"\n")
    assert b"".join(line + b"\n" for line in seen) == whole
