"""Where data files are looked for, and what is said when one is in none of the places."""

from pathlib import Path

import pytest

from steelyard.core import ConfigError, MissingData
from steelyard.tasks.data import Data, data_roots, packaged


def put(root: Path, name: str, text: str = "x") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_first_folder_that_has_the_file_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    put(second, "gsm8k/test.jsonl")
    data = Data((first, second))
    assert data.find("gsm8k/test.jsonl", "the web") == second / "gsm8k/test.jsonl"
    put(first, "gsm8k/test.jsonl")
    assert data.find("gsm8k/test.jsonl", "the web") == first / "gsm8k/test.jsonl"


def test_a_folder_in_the_place_of_a_file_is_not_the_file(tmp_path: Path) -> None:
    (tmp_path / "gsm8k").mkdir()
    with pytest.raises(MissingData):
        Data((tmp_path,)).find("gsm8k", "the web")


def test_missing_data_names_the_file_the_places_and_the_source(tmp_path: Path) -> None:
    with pytest.raises(MissingData) as caught:
        Data((tmp_path,)).find("gsm8k/test.jsonl", "https://example.org/gsm8k.zip")
    message = str(caught.value)
    for part in ("gsm8k/test.jsonl", str(tmp_path), "https://example.org/gsm8k.zip", "--data-dir"):
        assert part in message


def test_the_flag_comes_before_the_variables_and_they_before_the_working_folder(
    tmp_path: Path,
) -> None:
    environ = {
        "AIS_BENCH_DATASETS_CACHE": "/ais",
        "COMPASS_DATA_CACHE": "/compass",
        "STEELYARD_DATA": "/ours",
        "OTHER": "/nowhere",
    }
    (tmp_path / "mine").mkdir()
    assert data_roots("mine", environ, tmp_path) == (
        tmp_path / "mine",
        Path("/ours"),
        Path("/compass"),
        Path("/compass/data"),
        Path("/ais"),
        Path("/ais/ais_bench/datasets"),
        tmp_path / "ais_bench/datasets",
        tmp_path / "datasets",
    )


def test_empty_variables_count_as_unset(tmp_path: Path) -> None:
    assert data_roots(None, {"STEELYARD_DATA": ""}, tmp_path) == data_roots(None, {}, tmp_path)


def test_a_data_folder_asked_for_by_flag_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data-dir nowhere: no such folder"):
        data_roots("nowhere", {}, tmp_path)


def test_the_demo_rows_ship_with_the_package_unchanged(shared: Path) -> None:
    original = (shared / "datasets/gsm8k/test.jsonl").read_bytes().split(b"\n")
    assert packaged("gsm8k.jsonl").read_bytes().splitlines() == original[:8]
    training = (shared / "datasets/gsm8k/train.jsonl").read_bytes().split(b"\n")
    assert packaged("gsm8k_examples.jsonl").read_bytes().splitlines() == training[:4]
