"""Sender processes: what dies, is refused or is orphaned costs no finished answer."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import lines, only_run, run_arguments, started, steelyard
from sim_process import simulated

MODEL = "vllm-api-general-chat"
SENDERS = ("--senders", "2", "--concurrency", "8")


@pytest.fixture(scope="module")
def data(shared: Path) -> Path:
    return shared / "datasets"


@pytest.fixture(scope="module")
def url(data: Path) -> Iterator[str]:
    with simulated("--dataset", "gsm8k_gen", "--data-dir", str(data), "--ttft", "150ms") as found:
        yield found


def stored(work: Path) -> list[str]:
    """The keys in all record files of the only run."""
    if not work.exists():
        return []
    folder = only_run(work) / "predictions" / MODEL
    files = ("gsm8k.jsonl", "gsm8k.2.jsonl")
    return [line["key"] for name in files for line in lines(folder / name)]


def senders_of(process: "subprocess.Popen[str]") -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    return [int(number) for number in found.split()]


def asking(process: "subprocess.Popen[str]", work: Path) -> None:
    """Wait until answers of both senders are stored."""
    while len(stored(work)) < 20:
        assert process.poll() is None
        time.sleep(0.05)


def alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text("ascii").split()[2] != "Z"
    except OSError:
        return False


def gone(numbers: list[int], limit_s: float = 5) -> bool:
    end = time.monotonic() + limit_s
    while any(map(alive, numbers)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, numbers))


def test_a_sender_that_dies_stops_its_job_and_keeps_what_it_had(
    url: str, data: Path, tmp_path: Path
) -> None:
    work = tmp_path / "out"
    process = started(*run_arguments(url, work, data, *SENDERS), cwd=tmp_path)
    asking(process, work)
    before = set(stored(work))
    os.kill(senders_of(process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "ended with code -9" in out
    assert "Traceback" not in err
    assert before <= set(stored(work))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_ends_the_run_with_all_its_senders(
    number: signal.Signals, times: int, url: str, data: Path, tmp_path: Path
) -> None:
    work = tmp_path / "out"
    process = started(*run_arguments(url, work, data, *SENDERS), cwd=tmp_path)
    asking(process, work)
    senders = senders_of(process)
    for _ in range(times):
        process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert f"--reuse {only_run(work).name}" in out
    assert err == ""
    assert gone(senders)


def test_senders_of_a_killed_run_end_and_the_run_goes_on_without_asking_twice(
    url: str, data: Path, tmp_path: Path
) -> None:
    work, more = tmp_path / "out", (*SENDERS, "--num-prompts", "60")
    process = started(*run_arguments(url, work, data, *more), cwd=tmp_path)
    asking(process, work)
    senders = senders_of(process)
    process.kill()
    done = steelyard(*run_arguments(url, work, data, *more, "--reuse"), cwd=tmp_path)
    process.communicate()
    assert done.returncode == 0, done.stdout + done.stderr
    assert gone(senders)
    keys = stored(work)
    assert len(keys) == len(set(keys)) == 60


def test_files_of_the_working_directory_are_not_taken_for_modules(
    url: str, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('shadowed')\n", encoding="utf-8")
    work, steelyard_program = tmp_path / "out", "from steelyard.cli.main import main; main()"
    command = run_arguments(url, work, data, *SENDERS, "--num-prompts", "16")
    code = f"import sys; sys.argv[1:] = {list(command)!r}; {steelyard_program}"
    python = [sys.executable, "-P", "-c", code]
    done = subprocess.run(python, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert len(stored(work)) == 16, done.stdout + done.stderr


def test_a_question_that_a_backend_cannot_take_stops_the_job_not_the_program(
    url: str, tmp_path: Path
) -> None:
    own = tmp_path / "steelyard/datasets"
    own.mkdir(parents=True)
    (own / "pictures.py").write_text(
        '"""Two questions with a picture."""\n'
        "from steelyard.core import Prompt, Sample, Task\n"
        "from steelyard.scoring import gsm8k\n"
        "from steelyard.tasks.catalogue import task\n"
        "PART = {'type': 'image_url', 'image_url': {'url': 'data:,'}}\n"
        "ROWS = tuple(Sample(id=str(n), question=[PART], target='1') for n in range(4))\n"
        "@task('pictures')\n"
        "def pictures(data):\n"
        "    return Task(name='pictures', version=1, samples=lambda: ROWS,\n"
        "                prompt=Prompt(user='{question}'), scorer=gsm8k)\n",
        encoding="utf-8",
    )
    for more in ((), ("--senders", "2"), ("--num-warmups", "2")):
        done = steelyard(
            "run", "--models", "vllm_api_general", "--datasets", "pictures", "--base-url", url,
            "--model", "m", "-w", f"out{len(more)}{more[:1]}", *more, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 1, done.stdout + done.stderr
        assert "takes plain text" in done.stdout
        assert "Traceback" not in done.stderr
