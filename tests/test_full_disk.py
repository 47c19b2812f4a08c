"""A disk that fills up in mid-run: one error, nothing is lost, and the run goes on later."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import lines, only_run, results, run_arguments, steelyard
from sim_process import simulated

MODEL, ROWS = "vllm-api-general-chat", 400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB; about a hundred and fifty replies fit."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "steelyard-test", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_stops_the_run_and_loses_nothing(
    shared: Path, tmp_path: Path, small_disk: Path
) -> None:
    data, work = shared / "datasets", small_disk / "out"
    more = ("--num-prompts", str(ROWS), "--concurrency", "8")
    with simulated("--dataset", "gsm8k_gen", "--data-dir", str(data)) as url:
        full = steelyard(*run_arguments(url, work, data, *more), cwd=tmp_path)
        assert full.returncode == 1, full.stdout + full.stderr
        assert "no space left" in full.stderr
        assert f"--reuse {only_run(work).name}" in full.stderr
        assert "Traceback" not in full.stderr
        kept = {line["key"] for line in lines(stored(work))}
        assert 0 < len(kept) < ROWS

        subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
        again = steelyard(*run_arguments(url, work, data, *more, "--reuse"), cwd=tmp_path)
        assert again.returncode == 0, again.stdout + again.stderr
        assert f"found {len(kept)} finished" in again.stdout
    keys = [line["key"] for line in lines(stored(work))]
    assert len(keys) == len(set(keys)) == ROWS
    assert results(only_run(work), MODEL, "gsm8k")["answered"] == ROWS


def stored(work: Path) -> Path:
    return only_run(work) / "predictions" / MODEL / "gsm8k.jsonl"
