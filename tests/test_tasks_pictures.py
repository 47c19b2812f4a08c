"""GEdit-Bench: rows with pictures, out of Arrow and parquet files.

- A picture in an Arrow file is a span of that file: nothing is copied.
- Where it is no span (parquet, compressed Arrow), it is unpacked once, whole or not at all.
- What the rows are does not depend on where they lie or how they are stored.
- What is wrong with a file is said with file, row and column; without pyarrow, how to install it.
- The judge is shown what each question needs, and no more.
"""

import json
import sys
from pathlib import Path

import pyarrow
import pyarrow.ipc
import pytest
from pyarrow import parquet

import made_up
from running import steelyard
from steelyard import store
from steelyard.backends._pictures import picture_bytes
from steelyard.core import (
    DataError,
    Job,
    MissingData,
    ModelSpec,
    Picture,
    Sample,
    Sampling,
    Task,
    by_content,
    pictures_in,
)
from steelyard.core.pictures import LARGEST_BYTES
from steelyard.pipeline.prepare import prepare
from steelyard.sim.wire_images import picture
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.data import Data

NAME, FENCE = "gedit_gen_0_shot_llmjudge", "k3v9q0zt71mx"
ROWS = made_up.gedit_rows(12)
EDITED = Picture(sha256="e" * 64, path="/edited.png", size=1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def gedit(root: Path) -> Task:
    (entry,) = catalogue.find(NAME)
    (task,) = entry.make(Data((root,)))
    return task


def read(root: Path) -> list[Sample]:
    return list(gedit(root).samples())


def stored(root: Path) -> list[bytes]:
    return [picture_bytes(pictures_in(sample.question)[0]) for sample in read(root)]


def data_digest(root: Path) -> str:
    job = Job(model=ModelSpec(abbr="m", backend="picture_folder"), task=gedit(root), dataset=NAME)
    (item,) = prepare([job], marked=False)
    return item.parts["data"]


def put_parquet(root: Path, rows: list[dict[str, object]], folder: str = "data") -> Path:
    path = root / "GEdit-Bench" / folder / "train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=5)
    return path


def put_stream(root: Path, rows: list[dict[str, object]], codec: str | None = None) -> Path:
    home = root / "GEdit-Bench"
    home.mkdir(parents=True)
    table = pyarrow.Table.from_pylist(rows)
    options = pyarrow.ipc.IpcWriteOptions(compression=codec)
    with pyarrow.ipc.new_stream(str(home / "a.arrow"), table.schema, options=options) as stream:
        stream.write_table(table)
    state = {"_data_files": [{"filename": "a.arrow"}]}
    (home / "state.json").write_text(json.dumps(state), encoding="utf-8")
    return home / "a.arrow"


def test_an_arrow_file_gives_spans_of_itself(tmp_path: Path, cache: Path) -> None:
    home = made_up.put_gedit(tmp_path)
    assert stored(tmp_path) == [row["input_image"]["bytes"] for row in ROWS]
    places = {pictures_in(sample.question)[0].path for sample in read(tmp_path)}
    assert places == {str(path) for path in home.glob("*.arrow")}
    assert not cache.exists()


@pytest.mark.parametrize("way", ["parquet", "parquet in the folder", "zstd"])
def test_what_is_no_span_is_unpacked_once(tmp_path: Path, cache: Path, way: str) -> None:
    if way == "zstd":
        put_stream(tmp_path, ROWS, "zstd")
    else:
        put_parquet(tmp_path, ROWS, "data" if way == "parquet" else "")
    assert stored(tmp_path) == [row["input_image"]["bytes"] for row in ROWS]
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")}
    assert len(files) == 6, "one for both languages, and nothing half-written"
    assert all(path.suffix == ".png" for path in files)
    read(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")} == files
    torn = next(iter(files))
    torn.write_bytes(b"\x89PNG")
    assert stored(tmp_path) == [row["input_image"]["bytes"] for row in ROWS]


def test_rows_are_the_same_wherever_and_however_they_are_stored(tmp_path: Path) -> None:
    made_up.put_gedit(tmp_path / "one")
    made_up.put_gedit(tmp_path / "moved", shards=3)
    put_parquet(tmp_path / "parquet", ROWS)
    assert (
        data_digest(tmp_path / "one")
        == data_digest(tmp_path / "moved")
        == data_digest(tmp_path / "parquet")
    )
    other = [*ROWS[:-1], {**ROWS[-1], "input_image": {"bytes": picture("other"), "path": None}}]
    put_stream(tmp_path / "other", other)
    assert data_digest(tmp_path / "other") != data_digest(tmp_path / "one")


def test_a_row_is_asked_with_its_picture_and_its_instruction(tmp_path: Path) -> None:
    made_up.put_gedit(tmp_path)
    task = gedit(tmp_path)
    asked = list(requests(task, task.samples(), sampling=Sampling()))
    assert [one.key for one in asked] == [f"{n}#0" for n in range(12)]
    assert asked[3].place == "color_alter/cn/made_up_1"
    (message,) = asked[3].messages
    shown, text = message.content
    assert shown == pictures_in(message.content)[0].part
    assert text == {"type": "text", "text": "把东西 1 涂成红色。"}


def test_one_question_shows_both_pictures_the_other_the_edited_one_alone(tmp_path: Path) -> None:
    made_up.put_gedit(tmp_path)
    task = gedit(tmp_path)
    sample = next(iter(task.samples()))
    (original,) = pictures_in(sample.question)
    sc, pq = (judge.question(sample, EDITED, FENCE) for judge in task.judges)
    assert pictures_in(sc[-1].content) == [original, EDITED]
    assert pictures_in(pq[-1].content) == [EDITED]
    words = [str(messages[-1].content[0]["text"]) for messages in (sc, pq)]
    assert f"<instruction {FENCE}>\nPaint thing 0 red.\n</instruction {FENCE}>" in words[0]
    assert "Paint thing" not in words[1]
    assert all(one.endswith("output score = [score1, score2]") for one in words)
    with pytest.raises(DataError, match="looks at pictures"):
        task.judges[0].question(sample, "a text", FENCE)


def without(column: str) -> list[dict[str, object]]:
    return [{name: row[name] for name in row if name != column} for row in ROWS]


def changed(column: str, value: object) -> list[dict[str, object]]:
    return [{**row, column: value} if n == 2 else row for n, row in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (without("input_image"), "no column 'input_image'; its columns are task_type, key"),
        (without("instruction"), "there is no column 'instruction'"),
        ([{**row, "input_image": "a.png"} for row in ROWS], "column 'input_image' holds string"),
        (changed("input_image", {"bytes": None, "path": "x.png"}),
         "row 3: field `input_image` is missing; expected the bytes of a picture"),
        (changed("input_image", {"bytes": b"GIF89a", "path": None}),
         "row 3: field `input_image` is b'GIF89a'; expected a picture, but it begins like no PNG"),
        (changed("input_image", {"bytes": b"\x89PNG\r\n\x1a\n" + bytes(LARGEST_BYTES), "path": ""}),
         "row 3: .*33,554,432 is the most that is taken"),
        (changed("instruction", None), "row 3: Expected `str`, got `null` - at `\\$.instruction`"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["arrow", "parquet"])
def test_what_is_wrong_with_a_row_is_said(
    tmp_path: Path, rows: list[dict[str, object]], says: str, way: str
) -> None:
    path = (put_stream if way == "arrow" else put_parquet)(tmp_path, rows)
    with pytest.raises(DataError, match=says) as caught:
        read(tmp_path)
    assert str(path) in str(caught.value)


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"GEdit-Bench/state\.json"):
        read(tmp_path)
    home = made_up.put_gedit(tmp_path / "torn")
    shard = home / "data-00001-of-00002.arrow"
    shard.write_bytes(shard.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"data-00001-of-00002\.arrow"):
        read(tmp_path / "torn")
    shard.unlink()
    with pytest.raises(DataError, match=r"data-00001-of-00002\.arrow"):
        read(tmp_path / "torn")
    (home / "state.json").write_text('{"_data_files": [{"filename": "../a.arrow"}]}')
    with pytest.raises(DataError, match="is no file beside it"):
        read(tmp_path / "torn")
    put_parquet(tmp_path / "text", ROWS).write_bytes(b"no parquet")
    with pytest.raises(DataError, match="not a readable parquet file"):
        read(tmp_path / "text")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, cache: Path) -> None:
    put_parquet(tmp_path, ROWS)
    cache.write_text("a file in its place")
    with pytest.raises(DataError, match=r"cannot be unpacked to .*XDG_CACHE_HOME"):
        read(tmp_path)


def test_without_pyarrow_it_says_how_to_install_it(tmp_path: Path) -> None:
    made_up.put_gedit(tmp_path / "data")
    (tmp_path / "absent/pyarrow").mkdir(parents=True)
    (tmp_path / "absent/pyarrow/__init__.py").write_text("raise ImportError('not installed')")
    done = steelyard(
        *("run", "--models", "picture_folder", "--set", f"pictures={tmp_path}", "--datasets", NAME),
        *("--judge-url", "http://127.0.0.1:9", "--data-dir", "data", "-w", "out"),
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join((str(tmp_path / "absent"), *sys.path))},
    )
    assert done.returncode == 2
    assert "pip install 'steelyard[data]'" in done.stderr


def test_a_digest_is_of_what_a_picture_is_and_not_of_where_it_lies() -> None:
    here = Picture(sha256="a" * 64, path="/here.png", size=3)
    there = Picture(sha256="a" * 64, path="/there.arrow", size=3, offset=77)
    other = Picture(sha256="b" * 64, path="/here.png", size=3)
    text = {"type": "text", "text": "Paint it red."}
    one, same, another = (
        store.digest(by_content([found.part, text])) for found in (here, there, other)
    )
    assert one == same != another
