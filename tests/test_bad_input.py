"""Bad input: one clear error before anything is sent, exit code 2.

Every message says what was found, where, what was expected or what to do.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from running import steelyard

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``steelyard run`` against a port where a request would be noticed: nothing listens there."""

    def call(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        usual = ("--models", "vllm_api_general_chat", "--base-url", "http://127.0.0.1:9")
        return steelyard("run", *usual, *arguments, cwd=tmp_path, env=more)

    return call


def refused(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 12


def custom(tmp_path: Path, text: str, name: str = "own.jsonl") -> tuple[str, str]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return "--custom-dataset-path", str(path)


def test_a_missing_data_file_names_file_places_and_source(run: Run) -> None:
    refused(run("--datasets", "gsm8k_gen"), "gsm8k/test.jsonl", "datasets", "--data-dir")


def test_an_unknown_data_set_gets_a_suggestion(run: Run) -> None:
    refused(run("--datasets", "gsm8k_genn"), "gsm8k_genn", "Did you mean", "gsm8k_gen")


def test_an_unknown_model_gets_a_suggestion(tmp_path: Path) -> None:
    done = steelyard(
        "run", "--models", "vllm_api_general_chatt", "--datasets", "demo_gsm8k_gen", cwd=tmp_path
    )
    refused(done, "vllm_api_general_chatt", "Did you mean", "vllm_api_general_chat")


def test_an_unknown_flag_gets_a_suggestion(run: Run) -> None:
    refused(
        run("--datasets", "demo_gsm8k_gen", "--concurency", "3"), "--concurency", "--concurrency"
    )


def test_an_unknown_flag_value_lists_the_choices(run: Run) -> None:
    refused(run("--datasets", "demo_gsm8k_gen", "--mode", "evall"), "evall", "eval", "viz")


def test_a_number_out_of_range_names_flag_and_range(run: Run) -> None:
    refused(
        run("--datasets", "demo_gsm8k_gen", "--num-prompts", "0"), "--num-prompts", "at least 1"
    )


def test_a_broken_jsonl_line_is_named_by_number(run: Run, tmp_path: Path) -> None:
    flags = custom(tmp_path, '{"question": "1+1=", "answer": "2"}\n{"question": "2+2=", "ans')
    refused(run(*flags), "own.jsonl", "line 2")


def test_a_missing_column_is_named_with_its_line(run: Run, tmp_path: Path) -> None:
    flags = custom(tmp_path, '{"question": "1+1=", "answer": "2"}\n{"answer": "4"}\n')
    refused(run(*flags), "own.jsonl", "line 2", "question")


def test_a_duplicate_id_is_named(run: Run, tmp_path: Path) -> None:
    row = '{"id": "a", "question": "1+1=", "answer": "2"}\n'
    refused(run(*custom(tmp_path, row * 2)), "own.jsonl", "a", "line 2")


def test_chinese_text_in_an_older_encoding_is_recognised(run: Run, tmp_path: Path) -> None:
    for name, text in (
        ("old.csv", "question,answer\n一加一,二\n"),
        ("old.jsonl", '{"question": "中文题目"}'),
    ):
        path = tmp_path / name
        path.write_bytes(text.encode("gb18030"))
        refused(run("--custom-dataset-path", str(path)), name, "not UTF-8", "GB18030", "iconv")


def test_options_with_a_gap_are_refused(run: Run, tmp_path: Path) -> None:
    row = '{"question": "?", "A": "x", "B": "y", "D": "z", "answer": "A"}\n'
    refused(run(*custom(tmp_path, row)), "line 1", "no option C")


def test_an_unknown_marking_rule_lists_the_known_ones(run: Run) -> None:
    refused(run("--datasets", "demo_gsm8k_gen", "--scorer", "fixd"), "fixd", "fixed")


def test_an_unknown_summarizer_lists_the_known_ones(run: Run) -> None:
    refused(run("--datasets", "demo_gsm8k_gen", "--summarizer", "nope"), "nope", "example")


def test_reuse_does_not_leave_the_work_directory(run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere/configs").mkdir(parents=True)
    done = run("--datasets", "demo_gsm8k_gen", "--reuse", str(tmp_path / "elsewhere"))
    refused(done, "no run called")


def test_an_empty_data_set_is_said_to_be_empty(run: Run, tmp_path: Path) -> None:
    refused(run(*custom(tmp_path, "")), "own.jsonl", "empty")


def test_a_custom_file_that_does_not_exist_is_named(run: Run, tmp_path: Path) -> None:
    refused(run("--custom-dataset-path", str(tmp_path / "no.jsonl")), "no.jsonl")


def test_a_file_of_another_kind_names_the_kinds_that_work(run: Run, tmp_path: Path) -> None:
    refused(run(*custom(tmp_path, "x", "own.xlsx")), "own.xlsx", ".jsonl", ".csv")


def test_questions_without_answers_cannot_be_marked(run: Run, tmp_path: Path) -> None:
    refused(run(*custom(tmp_path, '{"question": "why?"}\n')), "answer", "--mode infer")


def test_a_stamp_that_does_not_exist_names_the_nearest(run: Run, tmp_path: Path) -> None:
    (tmp_path / "outputs/default/20250628_151326/configs").mkdir(parents=True)
    done = run("--datasets", "demo_gsm8k_gen", "--reuse", "20250628_151327")
    refused(done, "20250628_151327", "20250628_151326")


def test_reuse_without_any_run_says_so(run: Run) -> None:
    refused(run("--datasets", "demo_gsm8k_gen", "--reuse"), "no earlier run")


def test_eval_without_reuse_is_refused(run: Run) -> None:
    refused(run("--datasets", "demo_gsm8k_gen", "--mode", "eval"), "--reuse")


def test_a_work_dir_that_is_a_file_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    refused(run("--datasets", "demo_gsm8k_gen", "-w", str(tmp_path / "taken")), "taken")


def test_a_work_dir_on_a_read_only_place_is_named(run: Run) -> None:
    refused(run("--datasets", "demo_gsm8k_gen", "-w", "/proc/steelyard"), "/proc/steelyard")


def test_a_missing_key_variable_is_named(run: Run) -> None:
    done = run("--datasets", "demo_gsm8k_gen", "--model", "m", "--api-key-env", "NO_SUCH_KEY")
    refused(done, "NO_SUCH_KEY")


def test_an_unknown_setting_names_the_nearest(run: Run) -> None:
    done = run("--datasets", "demo_gsm8k_gen", "--set", "ca_fil=x.pem")
    refused(done, "ca_fil", "ca_file")


def test_a_config_file_with_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    config = tmp_path / "mine.py"
    config.write_text(
        "models = [dict(type='VLLMCustomAPIChat', abbr='m', host_ipp='localhost')]\n"
        "datasets = ['demo_gsm8k_gen']\n",
        encoding="utf-8",
    )
    refused(steelyard("run", str(config), cwd=tmp_path), "host_ipp", "host_ip")


def test_nothing_to_evaluate_is_said(tmp_path: Path) -> None:
    refused(steelyard("run", cwd=tmp_path), "--models")
    refused(steelyard("run", "--models", "vllm_api_general_chat", cwd=tmp_path), "--datasets")


def test_an_unknown_command_gets_a_suggestion(tmp_path: Path) -> None:
    refused(steelyard("rum", cwd=tmp_path), "rum", "run")


def test_nothing_is_left_behind_by_a_refused_command(run: Run, tmp_path: Path) -> None:
    run("--datasets", "gsm8k_genn")
    run("--datasets", "gsm8k_gen")
    assert not (tmp_path / "outputs").exists()
