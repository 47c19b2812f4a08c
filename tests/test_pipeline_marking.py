"""Marking and reporting when rules or files are broken: one job is lost at most, nothing is hidden.

Real runs of the eight bundled questions against the simulated endpoint.
"""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import lines, only_run, results, started, steelyard
from sim_process import simulated

DEMO = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
CHAT, MODEL = "vllm_api_general_chat", "vllm-api-general-chat"
TEXT, OTHER = "vllm_api_general", "vllm-api-general"
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with simulated("--dataset", DEMO, "--accuracy", "0.75") as address:
        yield address


def run(url: str, cwd: Path, *more: str, models: tuple[str, ...] = (CHAT,)) -> Done:
    usual = ("--models", *models, "--datasets", DEMO, "--base-url", url)
    done = steelyard("run", *usual, *more, cwd=cwd)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def folder(cwd: Path) -> Path:
    return only_run(cwd / "outputs/default")


def rule(cwd: Path, text: str) -> str:
    path = cwd / "rules.py"
    path.write_text(text, encoding="utf-8")
    return f"{path}:mark"


BREAKS_AT_THE_FOURTH = """
seen = []
def mark(text, sample):
    from steelyard.core import Verdict
    seen.append(sample)
    return Verdict(1 / (4 - len(seen)) * 0 + 1, text)
"""


def test_a_rule_that_breaks_in_the_middle_is_named_and_old_marks_are_called_old(
    url: str, tmp_path: Path
) -> None:
    run(url, tmp_path)
    broken = rule(tmp_path, BREAKS_AT_THE_FOURTH)
    done = run(url, tmp_path, "--mode", "eval", "--reuse", "--scorer", broken)
    assert done.returncode == 1
    assert "rules.mark@" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "these marks are old" in done.stdout
    assert results(folder(tmp_path), MODEL, "demo_gsm8k")["accuracy"] == 75
    log = (folder(tmp_path) / "logs/eval" / MODEL / "demo_gsm8k.out").read_text("utf-8")
    assert "rules.py" in log, "the log says where the rule broke"


def test_a_rule_of_ones_own_that_breaks_while_asking_costs_no_answer(
    url: str, tmp_path: Path
) -> None:
    live = "from steelyard.scoring import scorer\n@scorer(version=1)\ndef mark(text, sample):\n"
    broken = rule(tmp_path, f"{live}    raise KeyError('x')\n")
    done = run(url, tmp_path, "--scorer", broken)
    assert done.returncode == 1
    assert "8 answered" in done.stdout
    assert len(lines(folder(tmp_path) / "predictions" / MODEL / "demo_gsm8k.jsonl")) == 8


def test_a_mark_above_one_is_refused(url: str, tmp_path: Path) -> None:
    text = (
        "from steelyard.core import Verdict\ndef mark(text, sample):\n    return Verdict(5, '')\n"
    )
    done = run(url, tmp_path, "--scorer", rule(tmp_path, text))
    assert done.returncode == 1
    assert "between 0 and 1" in done.stderr
    assert not (folder(tmp_path) / "results").exists()


def test_marking_ends_at_once_when_it_is_interrupted(url: str, tmp_path: Path) -> None:
    run(url, tmp_path, "--mode", "infer")
    slow = rule(tmp_path, "import time\ndef mark(text):\n    open('m', 'w')\n    time.sleep(5)\n")
    usual = ("--models", CHAT, "--datasets", DEMO, "--mode", "eval", "--reuse", "--scorer", slow)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = started("run", *usual, cwd=tmp_path)
        while not (tmp_path / "m").exists():
            time.sleep(0.05)
        (tmp_path / "m").unlink()
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert time.monotonic() - began < 4
        assert "--reuse" in out
        assert "Traceback" not in out + err


def test_unreadable_marks_cost_only_the_comparison(url: str, tmp_path: Path) -> None:
    both = (CHAT, TEXT)
    assert "no clear difference" in run(url, tmp_path, models=both).stdout
    path = folder(tmp_path) / "predictions" / MODEL / "demo_gsm8k.scores.jsonl"
    path.write_bytes(b"\xff\n" + path.read_bytes())
    done = run(url, tmp_path, "--mode", "viz", "--reuse", models=both)
    assert done.returncode == 0
    assert "75.00" in done.stdout
    assert "not compared" in done.stderr
    assert "no clear difference" not in done.stdout


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"{}"])
def test_an_unreadable_results_file_costs_only_its_own_cell(
    data: bytes, url: str, tmp_path: Path
) -> None:
    run(url, tmp_path, models=(CHAT, TEXT))
    (folder(tmp_path) / "results" / MODEL / "demo_gsm8k.json").write_bytes(data)
    done = run(url, tmp_path, "--mode", "viz", "--reuse", models=(CHAT, TEXT))
    assert done.returncode == 1
    assert "not a results file" in done.stdout
    assert "75.00" in done.stdout


def test_marks_of_answers_to_another_prompt_keep_that_prompts_version(
    url: str, tmp_path: Path
) -> None:
    run(url, tmp_path)
    before = results(folder(tmp_path), MODEL, "demo_gsm8k")["version"]
    plan = folder(tmp_path) / "plan.json"
    stored = json.loads(plan.read_bytes())
    stored["jobs"][0]["parts"]["prompt"] = "0" * 64
    plan.write_text(json.dumps(stored), encoding="utf-8")
    done = run(url, tmp_path, "--mode", "eval", "--reuse")
    assert done.returncode == 0
    assert "asked for with another prompt" in done.stderr
    assert results(folder(tmp_path), MODEL, "demo_gsm8k")["version"] != before
