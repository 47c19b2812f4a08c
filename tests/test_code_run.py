"""A run whose answers are programs, from the command line.

- Right and wrong answers get the score they deserve, and the results say in which sandbox.
- Without a sandbox a run that would mark is refused before anything is asked.
- A sandbox that breaks on the way costs the score and no answers.
- The suite's data set ``code`` is asked six times.
"""

import os
import shutil
from pathlib import Path

import pytest

import made_up
import sandboxes
from running import lines, only_run, results, stats, steelyard
from sim_process import serving, simulated
from steelyard.sim import Answers, SimOptions
from steelyard.sim.answers import Answer

NAME = "humaneval_gen_0_shot"
MODEL = "vllm-api-general-chat"


def asking(url: str, data: Path, *more: str) -> tuple[str, ...]:
    models = ("--models", "vllm_api_general_chat", "--datasets", NAME, "--base-url", url)
    return ("run", *models, "--data-dir", str(data), "-w", "out", "--num-prompts", "12", *more)


def test_programs_get_the_score_they_deserve(shared: Path, tmp_path: Path) -> None:
    sandboxes.needed()
    data = shared / "datasets"
    with simulated("--dataset", NAME, "--data-dir", str(data), "--accuracy", "0.6") as url:
        done = steelyard(*asking(url, data), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "programs are being run in the sandbox" in done.stdout + done.stderr
    run = only_run(tmp_path / "out")
    found = results(run, MODEL, "openai_humaneval")
    scores = lines(run / "predictions" / MODEL / "openai_humaneval.scores.jsonl")
    right = sum(one["outcome"] == "right" for one in scores)
    assert 0 < right < 12
    assert found["humaneval_pass@1"] == pytest.approx(100 * right / 12)
    assert found["sandbox"].startswith("bubblewrap ")
    assert found["scorer"] == "humaneval@1"
    wrong = [one for one in scores if one["outcome"] == "wrong"]
    assert all("Error" in one["why"] for one in wrong)


def test_without_a_sandbox_nothing_is_asked(shared: Path, tmp_path: Path) -> None:
    data = shared / "datasets"
    with simulated("--dataset", NAME, "--data-dir", str(data)) as url:
        env = {"PATH": str(tmp_path)}
        refused = steelyard(*asking(url, data), cwd=tmp_path, env=env)
        assert refused.returncode == 2
        assert "apt-get install bubblewrap" in refused.stderr
        assert sum(one["asked"] for one in stats(url)["questions"].values()) == 0
        assert not (tmp_path / "out").exists()
        asked = steelyard(*asking(url, data, "--mode", "infer"), cwd=tmp_path, env=env)
        assert asked.returncode == 0, "asking needs none"
    marked = steelyard(*asking(url, data, "--mode", "eval", "--reuse"), cwd=tmp_path, env=env)
    assert marked.returncode == 2
    assert not (only_run(tmp_path / "out") / "results").exists()


@pytest.mark.parametrize("mode", ["all", "infer_judge", "judge", "eval"])
def test_a_cascade_without_a_sandbox_asks_neither_the_model_nor_the_judge(
    mode: str, shared: Path, tmp_path: Path
) -> None:
    data, env = shared / "datasets", {"PATH": str(tmp_path)}
    with (
        simulated("--dataset", NAME, "--data-dir", str(data)) as url,
        simulated("--judge", "fair") as judge,
    ):
        by_judge = ("--judge-url", judge, "--judge-prompt", "verifier")
        again = ("--reuse",) if mode in ("judge", "eval") else ()
        if again:
            steelyard(*asking(url, data, "--mode", "infer"), cwd=tmp_path, env=env)
        asked = stats(url)["questions"]
        cascade = asking(url, data, *by_judge, "--cascade", "--mode", mode, *again)
        refused = steelyard(*cascade, cwd=tmp_path, env=env)
        assert refused.returncode == 2
        assert "apt-get install bubblewrap" in refused.stderr
        assert stats(url)["questions"] == asked
        assert stats(judge)["requests"] == {}
        judged = asking(url, data, *by_judge, "--mode", mode, *again)
        done = steelyard(*judged, cwd=tmp_path, env=env)
        assert done.returncode == 0, "without the rule no program is run"
        assert "programs are being run" not in done.stdout + done.stderr


def test_a_sandbox_that_starts_no_more_is_a_failure_and_no_wrong_answer(
    shared: Path, tmp_path: Path
) -> None:
    sandboxes.needed()
    data, mark = shared / "datasets", tmp_path / "mark"
    broken = tmp_path / "broken"
    broken.mkdir()
    script = broken / "bwrap"
    script.write_text(
        f"#!/bin/sh\nif [ -e {mark} ]; then echo 'bwrap: no more' >&2; exit 1; fi\n"
        f': > {mark}\nexec {shutil.which("bwrap")} "$@"\n'
    )
    script.chmod(0o755)
    with simulated("--dataset", NAME, "--data-dir", str(data)) as url:
        env = {"PATH": f"{broken}:{os.environ['PATH']}"}
        failed = steelyard(*asking(url, data), cwd=tmp_path, env=env)
    assert failed.returncode == 1
    assert "the sandbox did not start: bwrap: no more" in failed.stdout + failed.stderr
    run = only_run(tmp_path / "out")
    assert not (run / "results").exists()
    marked = steelyard(*asking(url, data, "--mode", "eval", "--reuse"), cwd=tmp_path)
    assert marked.returncode == 0, marked.stdout + marked.stderr
    assert results(run, MODEL, "openai_humaneval")["humaneval_pass@1"] == 100.0


def test_the_suite_asks_livecodebench_six_times(tmp_path: Path) -> None:
    sandboxes.needed()
    adds = "```python\nprint(sum(map(int, input().split())))\n```"
    known = Answers(
        tuple(
            Answer(
                id=name, question=f"Made-up problem {name}.", right=adds, wrong="", is_right=True
            )
            for name in ("sum_6", "double_6")
        )
    )
    with serving(SimOptions(), known) as url:
        words = ("-d", "code", "--api-server", url, "--mode", "infer", "-o", "c.py")
        written = steelyard("gen-config", "m", *words, cwd=tmp_path)
        assert written.returncode == 0, written.stderr
        env = {"STEELYARD_DATA": str(made_up.folder())}
        asked = steelyard("run", "c.py", "-w", "out", cwd=tmp_path, env=env)
        assert asked.returncode == 0, asked.stdout + asked.stderr
    whole = ("run", "c.py", "-w", "out", "--reuse", "--mode", "eval")
    marked = steelyard(*whole, cwd=tmp_path, env=env)
    assert marked.returncode == 0, marked.stdout + marked.stderr
    found = results(only_run(tmp_path / "out"), "m", "lcb_code_generation_repeat_6")
    assert found["pass@1 (6 runs average)"] == 50.0
    assert found["pass@6"] == 50.0
    assert found["total"] == 12
    assert found["scorer"] == "livecodebench_last@1"
