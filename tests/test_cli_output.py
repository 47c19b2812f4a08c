"""What the command writes where: JSON alone on standard output, no secrets, no tracebacks.

And what happens when nobody can take it: a full disk, a closed pipe, a terminal of few letters.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running import PROGRAM, environment, lines, only_run, steelyard
from sim_process import simulated

DEMO = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
CHAT, MODEL = "vllm_api_general_chat", "vllm-api-general-chat"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with simulated("--dataset", DEMO) as address:
        yield address


def arguments(url: str, *more: str) -> list[str]:
    return ["run", "--models", CHAT, "--datasets", DEMO, "--base-url", url, *more]


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_events_tell_the_whole_run_and_nothing_else(url: str, tmp_path: Path) -> None:
    told = events(steelyard(*arguments(url, "--json"), cwd=tmp_path).stdout)
    assert [event["type"] for event in told if event["type"] != "progress"] == [
        "planned", "job_started", "job_ended", "job_ended", "report", "finished",
    ]  # fmt: skip
    assert told[-1]["exit_code"] == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--base-url", "http://127.0.0.1:9"), 1),
        (("--base-url", "http://127.0.0.1:9", "--model", "m", "--debug"), 1),
        (("--datasets", "no_such_set"), 2),
        (("--reuse", "20200101_000000"), 2),
        (("--num-prompts", "0"), 2),
        (("--mode", "eval"), 2),
        (("--work-dir", "/proc/none"), 2),
    ],
    ids=str,
)
def test_json_is_pure_and_ends_with_the_exit_code_when_things_fail(
    more: tuple[str, ...], code: int, url: str, tmp_path: Path
) -> None:
    done = steelyard(*arguments(url, "--json", *more), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    told = events(done.stdout)
    if told or more[0] != "--num-prompts":
        assert told[-1]["type"] == "finished"
        assert told[-1]["exit_code"] == code
        assert told[-1]["detail"]


def test_a_plan_can_be_read_by_programs(url: str, tmp_path: Path) -> None:
    (plan,) = events(steelyard(*arguments(url, "--json", "--dry-run"), cwd=tmp_path).stdout)
    assert (plan["name"], plan["requests"]) == (f"{MODEL}/demo_gsm8k", 8)


def test_a_dry_run_of_any_mode_shows_the_plan(url: str, tmp_path: Path) -> None:
    steelyard(*arguments(url), cwd=tmp_path)
    done = steelyard(*arguments(url, "--mode", "viz", "--reuse", "--dry-run"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "8 requests" in done.stdout


def test_a_password_in_an_address_is_told_to_nobody(tmp_path: Path) -> None:
    done = steelyard(
        *arguments("http://me:sesame@127.0.0.1:9", "--model", "m", "--json"), cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    written = b"".join(p.read_bytes() for p in (tmp_path / "outputs").rglob("*") if p.is_file())
    assert "sesame" not in done.stdout + done.stderr
    assert b"sesame" not in written


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_output_on_a_full_disk_is_one_error(
    more: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, *arguments(url, *more)],
            cwd=tmp_path, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.decode().count("\n") == 1, done.stderr
    assert b"No space left" in done.stderr


def test_a_reader_that_goes_away_ends_the_run_quietly(url: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*PROGRAM, *arguments(url)],
            cwd=tmp_path, env=environment(), stdout=writer, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_of_few_letters_gets_the_report_too(url: str, tmp_path: Path) -> None:
    own = tmp_path / "数学.jsonl"
    own.write_text('{"question": "1+1", "answer": "2"}\n', encoding="utf-8")
    done = steelyard(
        "run", "--models", CHAT, "--base-url", url, "--custom-dataset-path", str(own),
        cwd=tmp_path, env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_with_debug_log_lines_leave_as_events_and_errors_keep_their_traceback(
    url: str, tmp_path: Path
) -> None:
    told = events(steelyard(*arguments(url, "--json", "--debug"), cwd=tmp_path).stdout)
    assert any("8 requests" in event.get("text", "") for event in told)
    run = only_run(tmp_path / "outputs/default")
    assert not (run / "logs").exists()
    assert len(lines(run / "predictions" / MODEL / "demo_gsm8k.jsonl")) == 8
    done = steelyard(*arguments(url, "--debug", "--reuse", "20200101_000000"), cwd=tmp_path)
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    "reuse", [("-r",), ("--reuse",), ("--reuse={}",), ("-r{}",), ("-r", "{}")], ids=str
)
def test_the_command_to_go_on_names_the_run_once(
    reuse: tuple[str, ...], tmp_path: Path, url: str
) -> None:
    dead = arguments("http://127.0.0.1:9", "--model", "m")
    steelyard(*dead, cwd=tmp_path)
    stamp = only_run(tmp_path / "outputs/default").name
    done = steelyard(*dead, *(word.format(stamp) for word in reuse), cwd=tmp_path)
    command = done.stdout.strip().splitlines()[-1].strip()
    assert command == f"steelyard {' '.join(dead)} --reuse {stamp}"


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1"])
def test_a_temperature_that_is_none_is_refused(value: str, url: str, tmp_path: Path) -> None:
    done = steelyard(*arguments(url, f"--temperature={value}"), cwd=tmp_path)
    assert done.returncode == 2
    assert "--temperature" in done.stderr


def test_two_different_models_of_one_name_are_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from steelyard.core import ModelSpec\n"
        f"one, two = ({{'base_url': {url!r}, 'model': name}} for name in 'ab')\n"
        "models = [ModelSpec(abbr='m', backend='openai_chat', options=o) for o in (one, two)]\n"
        f"datasets = [{DEMO!r}]\narguments = {{'num_prompts': 2}}\n",
        encoding="utf-8",
    )
    done = steelyard("run", "mine.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "'m'" in done.stderr
