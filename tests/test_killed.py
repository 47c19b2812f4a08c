"""What a run promises when it is killed.

- No finished reply is lost, and none is asked twice: the endpoint's own count proves it.
- The score in the end is that of an undisturbed run with the same replies.
- An interrupt (Ctrl-C) keeps what is finished, says how to go on, and exits with 130.
"""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from running import lines, only_run, results, run_arguments, started, stats, steelyard
from sim_process import simulated

MODEL, DATASET, ROWS, KILLS, IN_FLIGHT = "vllm-api-general-chat", "gsm8k", 1319, 20, 16


def finished_keys(work_dir: Path) -> set[str]:
    runs = [path for path in work_dir.iterdir() if path.is_dir()] if work_dir.exists() else []
    return {
        line["key"]
        for run in runs
        for line in lines(run / "predictions" / MODEL / f"{DATASET}.jsonl")
        if line.get("success", True)
    }


def asked_of(url: str) -> dict[str, int]:
    return {name: counts["asked"] for name, counts in stats(url)["questions"].items()}


def test_twenty_kills_lose_nothing_and_repeat_nothing(shared: Path, tmp_path: Path) -> None:
    data = shared / "datasets"
    chance = random.Random(11)
    options = ("--dataset", "gsm8k_gen", "--accuracy", "0.613", "--data-dir", str(data))
    slow = ("--ttft", "uniform(40ms,120ms)")
    with simulated(*options, *slow) as url:
        work = tmp_path / "killed"
        safe: dict[str, int] = {}
        for kill in range(KILLS):
            more = ("--reuse",) if kill and any(work.iterdir()) else ()
            arguments = run_arguments(url, work, data, "--concurrency", str(IN_FLIGHT), *more)
            process = started(*arguments, cwd=tmp_path)
            if kill % 4:  # most kills fall into the asking, some before it has begun
                wait_for_one_more(work)
            time.sleep(chance.uniform(0.0, 0.3))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            asked = asked_of(url)
            for key in finished_keys(work) if work.exists() else ():
                safe.setdefault(key, asked[key.partition("#")[0]])
            if not work.exists():
                work.mkdir()
        assert 0 < len(safe) < ROWS, "the kills must fall into the run"
        last = steelyard(
            *run_arguments(url, work, data, "--concurrency", "64", "--reuse"), cwd=tmp_path
        )
        assert last.returncode == 0, last.stderr
        asked = asked_of(url)
        repeated = {key for key, before in safe.items() if asked[key.partition("#")[0]] != before}
        assert repeated == set()
        assert sum(asked.values()) - ROWS <= KILLS * IN_FLIGHT
        assert finished_keys(work) >= set(safe)

        calm = tmp_path / "calm"
        whole = steelyard(*run_arguments(url, calm, data, "--concurrency", "64"), cwd=tmp_path)
        assert whole.returncode == 0, whole.stderr
    killed_run, calm_run = only_run(work), only_run(calm)
    killed, undisturbed = (results(run, MODEL, DATASET) for run in (killed_run, calm_run))
    assert killed["accuracy"] == undisturbed["accuracy"] == pytest.approx(100 * 809 / ROWS)
    assert marks(killed_run) == marks(calm_run)


def marks(run: Path) -> dict[str, tuple[str, float | None]]:
    path = run / "predictions" / MODEL / f"{DATASET}.scores.jsonl"
    return {line["key"]: (line["outcome"], line.get("value")) for line in lines(path)}


def test_an_interrupt_keeps_what_is_finished_and_says_how_to_go_on(
    shared: Path, tmp_path: Path
) -> None:
    data = shared / "datasets"
    with simulated("--dataset", "gsm8k_gen", "--data-dir", str(data), "--ttft", "100ms") as url:
        work = tmp_path / "out"
        process = started(*run_arguments(url, work, data, "--concurrency", "8"), cwd=tmp_path)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    stamp = only_run(work).name
    assert f"--reuse {stamp}" in out + err
    assert "Traceback" not in err
    kept = finished_keys(work)
    assert 0 < len(kept) < ROWS


def test_a_second_run_on_a_running_folder_is_refused(shared: Path, tmp_path: Path) -> None:
    data = shared / "datasets"
    with simulated("--dataset", "gsm8k_gen", "--data-dir", str(data), "--ttft", "200ms") as url:
        work = tmp_path / "out"
        first = started(*run_arguments(url, work, data, "--concurrency", "4"), cwd=tmp_path)
        try:
            wait_for(lambda: work.exists() and bool(finished_keys(work)))
            second = steelyard(*run_arguments(url, work, data, "--reuse"), cwd=tmp_path)
            assert second.returncode != 0
            assert "another" in second.stdout + second.stderr
        finally:
            first.kill()
            first.communicate()


def wait_for_one_more(work: Path) -> None:
    before = len(finished_keys(work))
    wait_for(lambda: len(finished_keys(work)) > before)


def wait_for(condition: Callable[[], bool], limit_s: float = 20) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise subprocess.TimeoutExpired("waiting", limit_s)
        time.sleep(0.05)
