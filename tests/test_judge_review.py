"""Judged runs on a bad day.

- Of two answers with one key the one that counts is judged, also when the other's judgement is
  still under way.
- One unreadable file of answers takes down its own job and no other.
- The progress of judging ends at its total, whatever needed no judge.
- Connections are counted for the jobs that run at the same time, not for all of them.
- Only replies of the judge that was asked last count, and the report names no other.
- A mode that judges without marking tells what is not judged, in its exit code too.
- Trouble with the judge is told as the judge's, with the flags that mend it.
- A file with a judge of one's own: what the data lacks is said before anything is asked, and a
  comparison is asked in both orders.
"""

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from running import lines, only_run, results, run_arguments, steelyard
from sim_process import simulated
from steelyard.pipeline.judge_words import cost as cost_told
from steelyard.pipeline.judge_words import of_judge
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.sender import Counts, Word
from steelyard.pipeline.tally import Tally
from steelyard.reports import JudgeAccount

MODEL, ROWS = "vllm-api-general-chat", 20
GSM8K = "gsm8k-judge"
DEMO = (
    *("run", "--models", "vllm_api_general_chat", "--datasets", "demo_gsm8k_gen"),
    *("--base-url", "http://127.0.0.1:9", "--judge-url", "http://127.0.0.1:9"),
)
"""Of bundled questions, before nobody."""


@pytest.fixture
def data(shared: Path) -> Path:
    return shared / "datasets"


def judged(url: str, judge: str, work: Path, data: Path, *more: str) -> tuple[str, ...]:
    asks = ("--num-prompts", str(ROWS), "--judge-prompt", "verifier", "--judge-url", judge)
    return (*run_arguments(url, work, data, *asks), *more)


def rewritten(path: Path, records: list[dict[str, Any] | None]) -> None:
    """Store ``records``, with an empty line for each ``None``."""
    texts = ("" if one is None else json.dumps(one) for one in records)
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def events(output: str, kind: str, stage: str) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in output.splitlines()]
    return [one for one in told if one["type"] == kind and one["stage"] == stage]


def test_a_dialogue_begun_anew_is_judged_by_its_new_answers(data: Path, tmp_path: Path) -> None:
    """The old first answers are still before the judge when the new ones come."""
    work = tmp_path / "out"
    knows = ("--dataset", "mtbench_gen", "--data-dir", str(data))
    with simulated(*knows) as model, simulated("--judge", "fair", "--ttft", "700ms") as judge:
        asks = (
            *("run", "--models", "vllm_api_general_chat", "--datasets", "mtbench_gen"),
            *("--base-url", model, "--data-dir", str(data), "-w", str(work)),
            *("--num-prompts", "10", "--judge-prompt", "score", "--judge-url", judge),
        )
        assert steelyard(*asks, "--mode", "infer", cwd=tmp_path).returncode == 0
        answers = only_run(work) / "predictions" / MODEL / "mtbench.jsonl"
        old = lines(answers)
        for line in old:
            if line["key"].endswith(".1"):
                failure = {"kind": "status", "detail": "down", "status": 500}
                line.update(success=False, prediction="", failure=failure)
            else:
                line["prediction"] = f"An old answer. {line['prediction']}"
        rewritten(answers, [*old])
        done = steelyard(*asks, "--judge-concurrency", "64", "--reuse", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = results(only_run(work), MODEL, "mtbench-judge")["judge"]["outcomes"]
    assert sum(outcomes.values()) == 20
    assert "unjudged" not in outcomes


def test_an_empty_line_among_the_answers_is_nothing(data: Path, tmp_path: Path) -> None:
    work = tmp_path / "out"
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data))
    with simulated(*knows) as model, simulated("--judge", "fair") as judge:
        assert steelyard(*judged(model, judge, work, data), cwd=tmp_path).returncode == 0
        answers = only_run(work) / "predictions" / MODEL / "gsm8k.jsonl"
        rewritten(answers, [None, *lines(answers)[1:]])  # one is asked for again, and judged
        done = steelyard(*judged(model, judge, work, data, "--reuse"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(only_run(work), MODEL, GSM8K)["n"] == ROWS


@pytest.mark.parametrize("more", [("--mode", "eval"), ()])
def test_a_damaged_file_takes_down_its_own_job_alone(
    more: tuple[str, ...], data: Path, tmp_path: Path
) -> None:
    work = tmp_path / "out"
    both = ("--dataset", "gsm8k_gen", "aime2025_gen", "--data-dir", str(data))
    with simulated(*both) as model, simulated("--judge", "fair") as judge:
        asks = judged(model, judge, work, data, "--datasets", "gsm8k_gen", "aime2025_gen")
        assert steelyard(*asks, "--mode", "infer", cwd=tmp_path).returncode == 0
        answers = only_run(work) / "predictions" / MODEL / "gsm8k.jsonl"
        stored = lines(answers)[:-1]
        stored[3]["prompt_tokens"] = "many"
        rewritten(answers, [*stored])
        done = steelyard(*asks, "--reuse", *more, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "line 4: not a readable record" in done.stderr
    assert results(only_run(work), MODEL, "aime2025-judge")["n"] == ROWS
    assert not (only_run(work) / "results" / MODEL / f"{GSM8K}.json").exists()


def test_progress_ends_at_its_total(data: Path, tmp_path: Path) -> None:
    """A rule accepts most answers, and some requests to the model fail at first."""
    work = tmp_path / "out"
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data), "--accuracy", "0.7")
    faults = ("--fault", "500:0.3", "--fault-first", str(ROWS))
    with simulated(*knows, *faults) as model, simulated("--judge", "fair") as judge:
        asks = (*judged(model, judge, work, data, "--cascade", "--retries", "0"), "--json")
        runs = [asks, (*asks, "--reuse")]
        first, second = (steelyard(*one, cwd=tmp_path) for one in runs)
        assert (first.returncode, second.returncode) == (1, 0), second.stdout + second.stderr
        (only_run(work) / "predictions" / MODEL / f"{GSM8K}.jsonl").unlink()
        third = steelyard(*asks, "--reuse", "--mode", "judge", cwd=tmp_path)
        assert third.returncode == 0, third.stdout + third.stderr
    stored = lines(only_run(work) / "predictions" / MODEL / "gsm8k.jsonl")
    answered = sum(one["success"] for one in stored[:ROWS])
    assert 0 < answered < ROWS
    last = [events(done.stdout, "progress", "judge")[-1] for done in (first, second, third)]
    assert [(one["done"], one["total"]) for one in last] == [(answered, ROWS)] + [(ROWS, ROWS)] * 2
    assert events(second.stdout, "job_started", "judge")[0]["kept"] == answered
    assert last[2]["accuracy"] == pytest.approx(70, abs=10), "of all, not of what the rule rejects"


def test_connections_are_those_of_the_jobs_at_the_same_time(data: Path, tmp_path: Path) -> None:
    """Fourteen jobs, each of which may have a third of what this system allows."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if not 0 < allowed < 300_000:
        pytest.skip("this system allows any number of open files")
    knows = ("--dataset", "mmlu_pro_gen", "--data-dir", str(data))
    with simulated(*knows) as model, simulated("--judge", "fair") as judge:
        done = steelyard(
            *("run", "--models", "vllm_api_general_chat", "--datasets", "mmlu_pro_judge_gen"),
            *("--base-url", model, "--data-dir", str(data), "-w", "out", "--num-prompts", "1"),
            *("--judge-url", judge, "--judge-concurrency", str(allowed // 3)),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout + done.stderr


def test_who_judged_is_who_is_counted(data: Path, tmp_path: Path) -> None:
    """The first judge's verdicts are no part of the second one's score."""
    work = tmp_path / "out"
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data), "--accuracy", "0.7")
    opposite = ("--judge", "fair", "--judge-noise", "1", "--model", "opposite")
    with (
        simulated(*knows) as model,
        simulated("--judge", "fair") as one,
        simulated(*opposite, "--fault", "500:0.4:sticky") as other,
    ):
        assert steelyard(*judged(model, one, work, data), cwd=tmp_path).returncode == 0
        before = results(only_run(work), MODEL, GSM8K)
        more = ("--judge-model", "opposite", "--judge-set", "retries=0", "--reuse")
        named = steelyard(*judged(model, other, work, data, *more), cwd=tmp_path)
        assert named.returncode == 1, named.stdout + named.stderr
        after = results(only_run(work), MODEL, GSM8K)
        unnamed = judged(model, "http://127.0.0.1:9", work, data, "--mode", "eval", "--reuse")
        again = steelyard(*unnamed, cwd=tmp_path)
        assert again.returncode == 1, again.stdout + again.stderr
    assert before["judge"]["served"] == "steelyard-sim"
    for told in (after, results(only_run(work), MODEL, GSM8K)):
        assert told["judge"]["served"] == "opposite"
        assert 0 < told["judge"]["outcomes"]["judge_failed"] < ROWS
        assert told["n"] == ROWS - told["judge"]["outcomes"]["judge_failed"]
        assert told["accuracy"] < 50 < before["accuracy"]


@pytest.mark.parametrize("trouble", [("--fault", "500:0.5:sticky"), ("--judge-unparsable", "0.5")])
def test_judging_without_marking_says_what_is_not_judged(
    trouble: tuple[str, ...], data: Path, tmp_path: Path
) -> None:
    work = tmp_path / "out"
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data))
    with simulated(*knows) as model, simulated("--judge", "fair", *trouble) as judge:
        asks = (*judged(model, judge, work, data), "--judge-set", "retries=0")
        for more in (("--mode", "infer_judge"), ("--mode", "judge", "--reuse")):
            done = steelyard(*asks, *more, cwd=tmp_path)
            assert done.returncode == 1, done.stdout + done.stderr
            assert f"of {ROWS} answers are not judged" in done.stdout
    with simulated("--judge", "fair") as judge:
        more = ("--mode", "judge", "--reuse", "--judge-again")
        assert steelyard(*judged(model, judge, work, data, *more), cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        ((), "give the model's name with --judge-model"),
        (("--judge-model", "j"), "Check --judge-url, and that the service is running"),
    ],
)
def test_trouble_with_the_judge_names_the_judge_and_its_flags(
    more: tuple[str, ...], advice: str, data: Path, tmp_path: Path
) -> None:
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data))
    with simulated(*knows) as model:
        asks = judged(model, "http://127.0.0.1:9", tmp_path / "out", data, *more)
        done = steelyard(*asks, cwd=tmp_path)
    assert done.returncode == 1
    shown = done.stdout + done.stderr
    assert "judge 'judge': " in shown
    assert advice in shown
    assert "Check --base-url" not in shown


def test_flags_that_a_judge_has_too_get_the_judge_s_names() -> None:
    told = of_judge("j", "Check --base-url, --model and --model-path, --api-key-env.")
    assert told == (
        "judge 'j': Check --judge-url, --judge-model and --model-path, --judge-api-key-env."
    )


def test_a_wrong_key_is_told_before_a_wrong_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RIGHT_KEY", "right")
    asks = ("--mode", "infer_judge", "--judge-prompt", "verifier", "-w", "out")
    with (
        simulated("--dataset", "demo_gsm8k_gen") as model,
        simulated("--judge", "fair", "--require-key", "RIGHT_KEY") as judge,
    ):
        where = ("--base-url", model, "--judge-url", judge)
        done = steelyard(*DEMO[:5], *where, *asks, cwd=tmp_path)
    assert done.returncode == 1
    assert "Check the key: --judge-api-key-env names" in done.stdout + done.stderr
    assert "Is the base URL right" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("cost", "told"), [(0.0, "0.00 USD"), (0.00396, "0.0040 USD"), (1234.5, "1,234.50 USD")]
)
def test_little_costs_are_told_as_such(cost: float, told: str) -> None:
    account = JudgeAccount(
        judge="j@1",
        abbr="j",
        replies=2,
        prompt_tokens=3,
        output_tokens=4,
        cost=cost,
        currency="USD",
    )
    assert cost_told([account]) == f"2 replies, 3 prompt and 4 output tokens, {told}"


def test_a_table_alone_is_not_advised_to_ask(data: Path, tmp_path: Path) -> None:
    work = tmp_path / "out"
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data))
    with simulated(*knows) as model:
        asks = judged(model, "http://127.0.0.1:9", work, data)
        assert steelyard(*asks, "--mode", "infer", cwd=tmp_path).returncode == 0
        shown = steelyard(*asks, "--mode", "viz", "--reuse", cwd=tmp_path)
    assert shown.returncode == 1
    assert "make them with --mode eval --reuse" in shown.stdout
    assert "Ask what is missing" not in shown.stdout


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("reads: verdict\n---\n{question} {candidate} {refernce_text}", "refernce_text"),
        ("reads: pairwise baseline\n---\n{first} {second}", "baseline"),
    ],
)
def test_a_field_that_no_row_has_is_refused_before_anything_is_asked(
    form: str, named: str, tmp_path: Path
) -> None:
    (tmp_path / "own.txt").write_text(f"name: own\n{form}", encoding="utf-8")
    asks = (*DEMO, "--judge-prompt", "own.txt", "-w", "out")
    done = steelyard(*asks, cwd=tmp_path)
    assert done.returncode == 2
    assert f"names {{{named}}}, which is no field of the data. Its rows have none" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_comparison_of_ones_own_is_asked_in_both_orders(tmp_path: Path) -> None:
    rows = [{"question": f"Q{n}", "answer": "-", "other": f"No {n}."} for n in range(3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = "name: mine\nreads: pairwise other\n---\n{question} {first} {second}\n[[A]] or [[B]]?"
    (tmp_path / "own.txt").write_bytes(b"\xef\xbb\xbf" + own.replace("\n", "\r\n").encode())
    with simulated("--judge", "fair") as url:
        asks = (
            *("run", "--models", "vllm_api_general_chat", "--custom-dataset-path", "rows.jsonl"),
            *("--base-url", url, "--judge-url", url, "--judge-prompt", "own.txt", "-w", "out"),
        )
        done = steelyard(*asks, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of 3 comparisons came out the same in both orders" in done.stdout
    assert " + mine_swapped@1#" in done.stdout


def test_a_second_round_adds_to_what_the_first_one_came_to() -> None:
    """A judge on this machine is asked once more when all its other replies are there."""
    tally = Tally("j", total=9, stage="judge")
    for round_ in (Word(answered=5, failed={"timeout": 1}), Word(answered=2, attempts=3)):
        Counts([Word()], tally, JobLog(None, echo=None)).take(0, round_)
    assert (tally.answered, dict(tally.failed), tally.counters.attempts) == (7, {"timeout": 1}, 3)


def test_a_dry_run_tells_who_judges_and_how_often(data: Path, tmp_path: Path) -> None:
    asks = judged("http://127.0.0.1:9", "http://127.0.0.1:9", tmp_path / "out", data, "--dry-run")
    shown = steelyard(*asks, "--repeats", "3", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "The judge (judge): at most 60 questions." in shown.stdout
    assert "verifier@1#" in shown.stdout
    cascade = json.loads(steelyard(*asks, "--cascade", "--json", cwd=tmp_path).stdout)
    assert cascade["scorer"].startswith("gsm8k@1 | verifier@1#")
    assert (cascade["judge"], cascade["judge_questions"]) == ("judge", ROWS)


def test_a_rule_that_fails_in_a_cascade_takes_down_its_job_alone(
    data: Path, tmp_path: Path
) -> None:
    """The answers are kept, and the rule is told as the reason."""
    work = tmp_path / "out"
    (tmp_path / "rule.py").write_text("def mine(text, sample):\n    return 1 / 0\n")
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data))
    with simulated(*knows) as model, simulated("--judge", "fair") as judge:
        asks = judged(model, judge, work, data, "--cascade", "--scorer", "rule.py:mine")
        done = steelyard(*asks, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "fails on the answer to sample '0' (ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(lines(only_run(work) / "predictions" / MODEL / "gsm8k.jsonl")) == ROWS


def test_a_judge_whose_name_ends_like_a_part_is_not_taken_for_one(
    data: Path, tmp_path: Path
) -> None:
    """``gsm8k-gpt-4.5.jsonl`` would be the fifth file of ``gsm8k-gpt-4.jsonl``."""
    work = tmp_path / "out"
    (tmp_path / "judges" / "models").mkdir(parents=True)
    for name, abbr in (("older", "gpt-4"), ("newer", "gpt-4.5")):
        text = (
            "from steelyard.core import ModelSpec\n\n"
            f'models = [ModelSpec(abbr="{abbr}", backend="openai_chat", options={{"model": ""}})]\n'
        )
        (tmp_path / "judges" / "models" / f"{name}.py").write_text(text, encoding="utf-8")
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data), "--accuracy", "0.7")
    with (
        simulated(*knows) as model,
        simulated("--judge", "fair") as older,
        simulated("--judge", "fair", "--judge-noise", "1", "--model", "newer") as newer,
    ):
        for preset, judge, more in (
            ("older", older, ()),
            ("newer", newer, ("--reuse",)),
            ("older", older, ("--reuse",)),
        ):
            asks = judged(model, judge, work, data, "--judge", preset, *more)
            done = steelyard(*asks, "--config-dir", "judges", cwd=tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr
    told = [results(only_run(work), MODEL, f"gsm8k-{abbr}") for abbr in ("gpt-4", "gpt-4.5")]
    assert [one["judge"]["served"] for one in told] == ["steelyard-sim", "newer"]
    assert [one["judge"]["replies"] for one in told] == [ROWS, ROWS]
    assert told[0]["accuracy"] == 100 - told[1]["accuracy"]


def test_old_marks_are_called_old_when_answers_of_an_older_layout_do_not_fit(
    data: Path, tmp_path: Path
) -> None:
    work = tmp_path / "out"
    answers = work / "20250101_000000" / "predictions" / MODEL / "gsm8k.json"
    answers.parent.mkdir(parents=True)
    rows = {str(row): {"origin_prompt": "?", "prediction": "It is 18."} for row in range(ROWS)}
    answers.write_text(json.dumps(rows), encoding="utf-8")
    with simulated("--judge", "fair") as judge:
        asks = (*judged("http://127.0.0.1:9", judge, work, data), "--mode", "eval", "--reuse")
        assert steelyard(*asks, cwd=tmp_path).returncode == 0
        fewer = steelyard(*asks, "--num-prompts", "5", cwd=tmp_path)
    assert fewer.returncode == 1, fewer.stdout + fewer.stderr
    assert "a prediction belongs to row 5, but the data set has 5 rows" in fewer.stderr
    assert "these marks are old: marking again failed" in fewer.stdout


def test_a_generated_config_holds_no_secret_and_runs_with_it(data: Path, tmp_path: Path) -> None:
    with simulated("--dataset", "aime2025_gen", "--data-dir", str(data)) as model:
        server = model.replace("//", "//me:sesame@")
        made = steelyard(
            *("gen-config", "m", "-d", "aime2025", "-m", "infer", "-a", server, "-o", "c.py"),
            cwd=tmp_path,
        )
        assert made.returncode == 0, made.stderr
        text = (tmp_path / "c.py").read_text(encoding="utf-8")
        assert "sesame" not in text
        variable = "STEELYARD_SECRET_M_BASE_URL"
        assert f"# Secrets are read from the environment: {variable}" in text
        run = ("run", "c.py", "-w", "out", "--data-dir", str(data), "--num-prompts", "1")
        refused = steelyard(*run, cwd=tmp_path)
        assert refused.returncode == 2
        assert f"environment variable {variable} is not set" in refused.stderr
        done = steelyard(*run, cwd=tmp_path, env={variable: "me:sesame"})
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--judge-api-key-env", "NO_SUCH_KEY"), "another one with --judge-api-key-env"),
        (("--judge-set", "api_key=sesame"), "--judge-set api_key"),
    ],
)
def test_a_judge_s_key_that_cannot_be_used_is_told_as_the_judge_s(
    more: tuple[str, ...], says: str, data: Path, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9"
    done = steelyard(*judged(nowhere, nowhere, tmp_path / "out", data, *more), cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "sesame" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_judge_that_comes_back_counts_again(data: Path, tmp_path: Path) -> None:
    """Another one was asked in between, by mistake, and was not there."""
    work = tmp_path / "out"
    knows = ("--dataset", "gsm8k_gen", "--data-dir", str(data))
    with simulated(*knows) as model, simulated("--judge", "fair") as judge:
        asks = judged(model, judge, work, data)
        assert steelyard(*asks, cwd=tmp_path).returncode == 0
        nowhere = judged(model, "http://127.0.0.1:9", work, data, "--judge-model", "other")
        assert steelyard(*nowhere, "--reuse", cwd=tmp_path).returncode == 1
        for mode in ("eval", "judge", "all"):
            back = steelyard(*asks, "--mode", mode, "--reuse", cwd=tmp_path)
            assert back.returncode == 0, back.stdout + back.stderr
    told = results(only_run(work), MODEL, GSM8K)
    assert (told["n"], told["judge"]["served"]) == (ROWS, "steelyard-sim")
    assert told["judge"]["replies"] == ROWS, "nothing was asked twice"


@pytest.mark.parametrize("name", ["sharegpt_gen", "mtbench_gen"])
def test_answers_of_other_models_are_no_right_answers(
    name: str, data: Path, tmp_path: Path
) -> None:
    """What the data holds as history or reference of a dialogue marks nothing by a rule."""
    done = steelyard(
        *("run", "--models", "vllm_api_general_chat", "--base-url", "http://127.0.0.1:9"),
        *("--datasets", name, "--data-dir", str(data), "-w", "out"),
        cwd=tmp_path,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "has no right answer, so nothing can be marked" in done.stderr
    assert not (tmp_path / "out").exists()


def test_every_turn_of_a_judged_dialogue_has_its_detail(data: Path, tmp_path: Path) -> None:
    with simulated() as model, simulated("--judge", "fair") as judge:
        done = steelyard(
            *("run", "--models", "vllm_api_general_chat", "--datasets", "mtbench_judge_gen"),
            *("--num-prompts", "3", "--data-dir", str(data), "--dump-eval-details", "-w", "out"),
            *("--base-url", model, "--judge-url", judge),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (only_run(tmp_path / "out") / "results").glob("*/*.json")
    details = json.loads(path.read_text(encoding="utf-8"))["details"]
    turns = {one["key"]: one for kind, one in details.items() if kind != "type"}
    assert sorted(turns) == ["81#0", "81#0.1", "82#0", "82#0.1", "83#0", "83#0.1"]
    assert [("prompt" in turns[key]) for key in ("81#0", "81#0.1")] == [True, False]
