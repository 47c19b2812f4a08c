"""A disk that fills up in mid-run: one error, nothing is lost, and the run goes on later."""

from pathlib import Path

from running import lines, only_run, results, run_arguments, steelyard
from sim_process import simulated
from small_disk import enlarge, small_disk

MODEL, ROWS = "vllm-api-general-chat", 400


def test_a_full_disk_stops_the_run_and_loses_nothing(shared: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "512k") as disk:
        fill_up_and_go_on(shared / "datasets", disk)


def fill_up_and_go_on(data: Path, disk: Path) -> None:
    work = disk / "out"
    more = ("--num-prompts", str(ROWS), "--concurrency", "8")
    with simulated("--dataset", "gsm8k_gen", "--data-dir", str(data)) as url:
        full = steelyard(*run_arguments(url, work, data, *more), cwd=disk.parent)
        assert full.returncode == 1, full.stdout + full.stderr
        assert "no space left" in full.stderr
        assert f"--reuse {only_run(work).name}" in full.stderr
        assert "Traceback" not in full.stderr
        kept = {line["key"] for line in lines(stored(work))}
        assert 0 < len(kept) < ROWS

        enlarge(disk, "8m")
        again = steelyard(*run_arguments(url, work, data, *more, "--reuse"), cwd=disk.parent)
        assert again.returncode == 0, again.stdout + again.stderr
        assert f"found {len(kept)} finished" in again.stdout
    keys = [line["key"] for line in lines(stored(work))]
    assert len(keys) == len(set(keys)) == ROWS
    assert results(only_run(work), MODEL, "gsm8k")["answered"] == ROWS


def stored(work: Path) -> Path:
    return only_run(work) / "predictions" / MODEL / "gsm8k.jsonl"
