"""Answers by one service, judgements by another: whole runs of the command.

- The score is what the judge says; the report says who judged, by which words, and what it took.
- A judge that fails or says nothing that can be read never makes an answer wrong.
- A judgement of another answer, or by another judge or prompt, counts for nothing, and is told.
- Killed in mid-judging, the next run repeats none of it and ends with the same score.
- What cannot be judged is refused before anything is sent.

The model is the simulated endpoint, which knows 60 GSM8K questions and answers a known share
rightly; the judge is another one, which compares with the reference.
"""

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running import lines, only_run, results, run_arguments, started, stats, steelyard
from sim_process import simulated

MODEL, ROWS = "vllm-api-general-chat", 60
JUDGED = "gsm8k-judge"


@pytest.fixture
def data(shared: Path) -> Path:
    return shared / "datasets"


@pytest.fixture
def model(data: Path) -> Iterator[str]:
    with simulated("--dataset", "gsm8k_gen", "--data-dir", str(data), "--accuracy", "0.7") as url:
        yield url


def judged(url: str, judge: str, work: Path, data: Path, *more: str) -> tuple[str, ...]:
    asks = ("--num-prompts", str(ROWS), "--judge-prompt", "verifier", "--judge-url", judge)
    return (*run_arguments(url, work, data, *asks), *more)


def judgements(work: Path) -> list[dict[str, Any]]:
    return lines(only_run(work) / "predictions" / MODEL / f"{JUDGED}.jsonl")


def figures(work: Path) -> dict[str, Any]:
    return results(only_run(work), MODEL, JUDGED)


def asked(url: str) -> int:
    return sum(n for path, n in stats(url)["requests"].items() if "completions" in path)


def test_the_judge_marks_and_the_report_says_who_and_at_what_cost(
    model: str, data: Path, tmp_path: Path
) -> None:
    with simulated("--judge", "fair") as judge:
        prices = ("--judge-set", "price.input=1", "price.output=4", "price.currency=USD")
        done = steelyard(*judged(model, judge, tmp_path / "out", data, *prices), cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        by_rule = steelyard(
            *run_arguments(model, tmp_path / "rule", data, "--num-prompts", str(ROWS)),
            cwd=tmp_path,
        )
        assert by_rule.returncode == 0, by_rule.stderr
    told = figures(tmp_path / "out")
    right = results(only_run(tmp_path / "rule"), MODEL, "gsm8k")
    assert 0 < told["accuracy"] == right["accuracy"] < 100
    assert (told["low"], told["high"]) == (right["low"], right["high"])
    account = told["judge"]
    assert account["judge"].startswith("verifier@1#")
    n_right = round(told["n"] * right["accuracy"] / 100)
    assert account["outcomes"] == {"right": n_right, "wrong": told["n"] - n_right}
    assert account["replies"] == account["asked"] == ROWS
    stored = judgements(tmp_path / "out")
    spent = sum(line["prompt_tokens"] + 4 * line["output_tokens"] for line in stored) / 1e6
    assert account["cost"] == pytest.approx(spent)
    assert f"judged by judge (steelyard-sim), {account['judge']}" in done.stdout
    assert "0.0 % of 60 unparsed" in done.stdout
    assert " USD" in done.stdout
    assert {line["judged"].partition("@")[2] for line in stored} == {"steelyard-sim"}


def test_judging_begins_while_answers_are_made(data: Path, tmp_path: Path) -> None:
    slow = ("--ttft", "uniform(100ms,300ms)")
    with (
        simulated("--dataset", "gsm8k_gen", "--data-dir", str(data), *slow) as model,
        simulated("--judge", "fair") as judge,
    ):
        more = ("--concurrency", "4", "--mode", "infer_judge")
        process = started(*judged(model, judge, tmp_path / "out", data, *more), cwd=tmp_path)
        wait_for_judgements(tmp_path / "out", 10)
        answers = only_run(tmp_path / "out") / "predictions" / MODEL / "gsm8k.jsonl"
        assert len(lines(answers)) < ROWS
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert len(judgements(tmp_path / "out")) == ROWS
    assert not (only_run(tmp_path / "out") / "results").exists(), "infer_judge marks nothing"


def test_two_stages_with_one_service_at_a_time_say_what_one_run_says(
    data: Path, tmp_path: Path
) -> None:
    """The guide's flow: the model is gone before the judge is there."""
    knows = ("--dataset", "aime2025_gen", "--data-dir", str(data), "--accuracy", "0.6")
    env = {"COMPASS_DATA_CACHE": str(data)}

    def run(*words: str) -> None:
        done = steelyard(*words, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stdout + done.stderr

    def generate(*words: str) -> None:
        run("gen-config", "模型", "-d", "aime2025", *words)

    with simulated(*knows) as model, simulated("--judge", "fair") as judge:
        generate("--api-server", model, "--judger-server", judge, "-o", "e2e.py")
        run("run", "e2e.py", "-w", "whole")
    with simulated(*knows) as model:
        generate("--mode", "infer", "--api-server", model, "-o", "infer.py")
        run("run", "infer.py", "-w", "steps")
    stamp = only_run(tmp_path / "steps").name
    with simulated("--judge", "fair") as judge:
        generate("--mode", "eval", "--judger-server", judge, "-o", "judge.py")
        run("run", "judge.py", "-w", "steps", "-r", stamp)
        seen = asked(judge)
        run("run", "judge.py", "-w", "steps", "-r", stamp)
        assert asked(judge) == seen == 960
    whole, steps = (
        results(only_run(tmp_path / name), "模型", "aime2025_repeat_32-CompassVerifier")
        for name in ("whole", "steps")
    )
    assert whole["metrics"] == steps["metrics"]
    assert whole["avg@32"] == pytest.approx(60)
    assert whole["judge"]["outcomes"] == steps["judge"]["outcomes"]


def test_a_reply_without_a_verdict_is_asked_for_once_more_then_shown(
    model: str, data: Path, tmp_path: Path
) -> None:
    work = tmp_path / "out"
    with simulated("--judge", "fair", "--judge-unparsable", "0.2") as judge:
        done = steelyard(*judged(model, judge, work, data), cwd=tmp_path)
        assert done.returncode == 1, "a twentieth without a verdict is no complete run"
        told = figures(work)
        unparsed = told["judge"]["outcomes"]["unparsed"]
        counts = Counter(line["key"] for line in judgements(work))
        twice = [key for key, number in counts.items() if number > 1]
        assert len(twice) >= unparsed > 0
        assert asked(judge) == len(judgements(work)) == ROWS + len(twice)
        assert told["n"] == ROWS - unparsed
        assert told["accuracy (unjudged as wrong)"] < told["accuracy"]
        assert "without a verdict" in done.stdout
        assert "--judge-again" in done.stdout

        again = steelyard(*judged(model, judge, work, data, "--reuse"), cwd=tmp_path)
        assert again.returncode == 1
        assert asked(judge) == ROWS + len(twice), "what was asked twice is left alone"
        more = ("--reuse", "--judge-again")
        still = steelyard(*judged(model, judge, work, data, *more), cwd=tmp_path)
        assert still.stdout.rpartition("Ask what is missing")[2].count("--judge-again") == 1
    with simulated("--judge", "fair") as judge:
        more = ("--reuse", "--judge-again")
        mended = steelyard(*judged(model, judge, work, data, *more), cwd=tmp_path)
        assert mended.returncode == 0, mended.stdout + mended.stderr
        assert asked(judge) == unparsed
    assert figures(work)["n"] == ROWS


def test_a_judge_that_fails_makes_no_answer_wrong(model: str, data: Path, tmp_path: Path) -> None:
    work = tmp_path / "out"
    with simulated("--judge", "fair", "--fault", "500:0.3") as judge:
        done = steelyard(
            *judged(model, judge, work, data, "--judge-set", "retries=0"), cwd=tmp_path
        )
    assert done.returncode == 1, done.stdout + done.stderr
    told = figures(work)
    failed = told["judge"]["outcomes"]["judge_failed"]
    assert 0 < failed < ROWS
    assert told["n"] == ROWS - failed
    assert "that the judge could not be asked about, for example: status:" in done.stdout
    with simulated("--judge", "fair") as judge:
        more = ("--mode", "judge", "--reuse")
        only = steelyard(*judged(model, judge, work, data, *more), cwd=tmp_path)
        assert only.returncode == 0, only.stdout + only.stderr
        assert asked(judge) == failed
        marked = steelyard(
            *judged(model, judge, work, data, "--mode", "eval", "--reuse"), cwd=tmp_path
        )
        assert marked.returncode == 0, marked.stdout + marked.stderr
        assert asked(judge) == failed
    assert figures(work)["n"] == ROWS


def test_a_judge_that_is_not_there_does_not_stop_the_asking(
    model: str, data: Path, tmp_path: Path
) -> None:
    work = tmp_path / "out"
    nowhere = "http://127.0.0.1:9"
    done = steelyard(*judged(model, nowhere, work, data), cwd=tmp_path)
    assert done.returncode == 1
    assert "judge" in done.stderr
    assert "no reply yet; 0 replies" in done.stdout
    assert len(lines(only_run(work) / "predictions" / MODEL / "gsm8k.jsonl")) == ROWS
    assert figures(work)["judge"]["outcomes"] == {"unjudged": ROWS}
    assert "accuracy" not in figures(work), "nothing judged is no score of zero"
    with simulated("--judge", "fair") as judge:
        later = steelyard(*judged(model, judge, work, data, "--reuse"), cwd=tmp_path)
    assert later.returncode == 0, later.stdout + later.stderr
    assert figures(work)["n"] == ROWS


def test_judgements_of_something_else_are_stale(model: str, data: Path, tmp_path: Path) -> None:
    work = tmp_path / "out"
    with simulated("--judge", "fair") as judge:
        assert steelyard(*judged(model, judge, work, data), cwd=tmp_path).returncode == 0
        letters = ("--judge-prompt", "letter_verifier", "--reuse")
        nobody = judged(model, "http://127.0.0.1:9", work, data, "--mode", "eval", *letters)
        shown = steelyard(*nobody, cwd=tmp_path)
        assert shown.returncode == 1
        assert f"{ROWS} answers have only judgements that are stale" in shown.stdout
        other = steelyard(*judged(model, judge, work, data, *letters), cwd=tmp_path)
        assert other.returncode == 0, other.stdout + other.stderr
        assert (
            f"{ROWS} judgements were of other answers, or by another judge or prompt"
            in other.stderr
        )
        assert asked(judge) == 2 * ROWS
        assert f"{2 * ROWS} replies ({ROWS} of them stale)" in other.stdout

        answers = only_run(work) / "predictions" / MODEL / "gsm8k.jsonl"
        changed = [json.loads(line) for line in answers.read_bytes().splitlines()]
        for line in changed[:7]:
            line["prediction"] += " So it is."
        answers.write_text("".join(json.dumps(line) + "\n" for line in changed), encoding="utf-8")
        after = steelyard(*judged(model, judge, work, data, *letters), cwd=tmp_path)
        assert after.returncode == 0, after.stdout + after.stderr
        assert asked(judge) == 2 * ROWS + 7
        back = steelyard(*judged(model, judge, work, data, "--reuse"), cwd=tmp_path)
        assert back.returncode == 0
        assert asked(judge) == 2 * ROWS + 14, "what was judged by these words before still counts"


def test_another_judge_at_the_same_address_judges_again(
    model: str, data: Path, tmp_path: Path
) -> None:
    """Nobody named the judge, and nothing is missing: still, what A said is not what B says."""
    work = tmp_path / "out"
    with simulated("--judge", "fair", "--model", "A") as judge:
        first = steelyard(*judged(model, judge, work, data), cwd=tmp_path)
        assert first.returncode == 0, first.stdout + first.stderr
        same = steelyard(*judged(model, judge, work, data, "--reuse"), cwd=tmp_path)
        assert same.returncode == 0
        assert asked(judge) == ROWS
    gone = steelyard(*judged(model, judge, work, data, "--mode", "eval", "--reuse"), cwd=tmp_path)
    assert gone.returncode == 0, "a judge that is not needed may be gone"
    with simulated("--judge", "fair", "--model", "B", "--judge-noise", "1") as other:
        again = steelyard(*judged(model, other, work, data, "--reuse"), cwd=tmp_path)
        assert again.returncode == 0, again.stdout + again.stderr
        assert asked(other) == ROWS
    assert f"{ROWS} judgements were of other answers, or by another judge" in again.stderr
    assert figures(work)["judge"]["served"] == "B"


def test_a_cascade_asks_about_what_the_rule_rejects(model: str, data: Path, tmp_path: Path) -> None:
    with simulated("--judge", "fair", "--judge-noise", "1") as judge:  # says the opposite
        work = tmp_path / "out"
        done = steelyard(
            *judged(model, judge, work, data, "--cascade", "--audit", "0.4"), cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
        account = figures(work)["judge"]
        assert asked(judge) == ROWS - account["by_rule"] + account["audited"]
        assert 0 < account["audited"] < account["by_rule"] < ROWS
        assert account["audit_agreed"] == 0
        assert figures(work)["accuracy"] == 100, "right by rule, or by this judge"
        assert "the judge accepts 0" in done.stdout
        assert account["judge"].startswith("gsm8k@")


KILLS, IN_FLIGHT, MANY = 6, 16, 600


def test_kills_in_mid_judging_lose_nothing_and_repeat_nothing(data: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    flags = ("--judge-concurrency", str(IN_FLIGHT), "--num-prompts", str(MANY))
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data), "--accuracy", "0.7")
    with simulated(*knows) as model, simulated("--judge", "fair", "--ttft", "100ms") as judge:
        work = tmp_path / "out"
        for kill in range(KILLS):
            more = ("--reuse",) if kill else ()
            process = started(*judged(model, judge, work, data, *flags, *more), cwd=tmp_path)
            wait_for_judgements(work, 1 + (len(judgements(work)) if kill else 0))
            time.sleep(chance.uniform(0.0, 0.25))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert len(judgements(work)) < MANY, "the kills must fall into the judging"
        last = steelyard(*judged(model, judge, work, data, *flags, "--reuse"), cwd=tmp_path)
        assert last.returncode == 0, last.stdout + last.stderr
        keys = [line["key"] for line in judgements(work)]
        assert len(keys) == len(set(keys)) == MANY
        assert asked(judge) - MANY <= KILLS * IN_FLIGHT
        assert asked(model) - MANY <= KILLS * 32
        calm = tmp_path / "calm"
        whole = steelyard(*judged(model, judge, calm, data, *flags), cwd=tmp_path)
        assert whole.returncode == 0, whole.stderr
    assert figures(work)["metrics"] == figures(calm)["metrics"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--datasets", "aime2025_gen_0_shot_llmjudge"), "marked by a judge, and none is named"),
        (("--datasets", "gsm8k_gen", "--mode", "infer_judge"), "none of these data sets is judged"),
        (("--datasets", "gsm8k_gen", "--cascade"), "need a judge"),
        (("--datasets", "gsm8k_gen", "--judge-prompt", "verifer", "--judge-url", "http://h:1"),
         "Near: verifier"),
        (("--datasets", "gsm8k_gen", "--judge-prompt", "score:5-1", "--judge-url", "http://h:1"),
         "has to rise"),
        (("--datasets", "gsm8k_gen", "--judge-url", "http://h:1", "--judge-set", "repeats=3"),
         "steelyard calibrate"),
        (("--datasets", "gsm8k_gen", "--judge-url", "http://h:1", "--judge-prompt", "verifier",
          "--audit", "0.1"), "add --cascade"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(
    more: tuple[str, ...], says: str, data: Path, tmp_path: Path
) -> None:
    done = steelyard(
        *("run", "--models", "vllm_api_general_chat", "--base-url", "http://127.0.0.1:9"),
        *("--data-dir", str(data), "-w", "out", *more),
        cwd=tmp_path,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("m", "-a", "ftp://h", "-j", "h:2"), 2, "--api-server: base_url 'ftp://h': expected http"),
        (
            ("m", "-a", "h:1", "-j", "h:2:3"),
            2,
            "--judger-server: base_url 'http://h:2:3': expected",
        ),
        (("gpqa", "-a", "h:1", "-j", "h:2"), 0, "gpqa is taken as the model's name"),
        (("gpqa", "-a", "h:1", "-j", "h:2", "-d", "gpqa"), 0, ""),
    ],
)
def test_a_config_is_written_for_addresses_alone_and_for_a_model(
    words: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    done = steelyard("gen-config", *words, "-o", "c.py", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "c.py").exists()) == (code, code == 0)
    assert says in done.stderr
    assert says or not done.stderr


def test_a_judge_who_is_asked_about_nothing_is_told(tmp_path: Path) -> None:
    asks = ("run", "--models", "vllm_api_general_chat", "--datasets", "demo_gsm8k_gen", "-w", "out")
    with simulated("--dataset", "demo_gsm8k_gen") as url:
        done = steelyard(*asks, "--base-url", url, "--judge-url", url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "--judge-url has no effect: demo_gsm8k_gen is marked by rule; --judge-prompt verifier has "
        "any data set judged"
    ) in done.stdout + done.stderr


def test_the_kept_config_runs_again_with_its_judge(model: str, data: Path, tmp_path: Path) -> None:
    with simulated("--judge", "fair") as judge:
        first = steelyard(*judged(model, judge, tmp_path / "out", data), cwd=tmp_path)
        assert first.returncode == 0, first.stderr
        (config,) = (only_run(tmp_path / "out") / "configs").glob("*.py")
        again = steelyard("run", str(config), "-w", "again", cwd=tmp_path)
        assert again.returncode == 0, again.stdout + again.stderr
    assert figures(tmp_path / "again")["metrics"] == figures(tmp_path / "out")["metrics"]


def test_opencompass_names_a_judge_in_the_environment(
    model: str, data: Path, tmp_path: Path
) -> None:
    with simulated("--judge", "fair") as judge:
        arguments = run_arguments(model, tmp_path / "out", data, "--num-prompts", "5")
        env = {"OC_JUDGE_API_BASE": f"{judge}/v1", "OC_JUDGE_MODEL": "steelyard-sim"}
        done = steelyard(*arguments, "--judge-prompt", "verifier", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert figures(tmp_path / "out")["judge"]["served"] == "steelyard-sim"


def wait_for_judgements(work: Path, number: int, limit_s: float = 60) -> None:
    end = time.monotonic() + limit_s
    found = 0
    while found < number:
        assert time.monotonic() < end, f"{found} judgements instead of {number}"
        found = len(judgements(work)) if work.exists() and any(work.iterdir()) else 0
        time.sleep(0.02)
