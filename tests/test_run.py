"""What ``steelyard run`` does, from the command line to the files.

The scenarios of the documents that users come from: modes, several models and data sets, reuse of
all or some tasks, merged sub-data sets, repeats, custom data, marking again, config files. Against
the simulated endpoint, which answers a known share of the questions rightly.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running import lines, only_run, results, stats, steelyard
from sim_process import simulated

CHAT, STREAM, TEXT = "vllm_api_general_chat", "vllm_api_stream_chat", "vllm_api_general"
DEMO = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
MODEL = "vllm-api-general-chat"


@pytest.fixture(scope="module")
def data(shared: Path) -> Path:
    return shared / "datasets"


@pytest.fixture(scope="module")
def url(data: Path) -> Iterator[str]:
    names = ("gsm8k_gen", "aime2024_gen", "ceval_gen", "math500_gen", DEMO)
    with simulated("--dataset", *names, "--accuracy", "0.75", "--data-dir", str(data)) as address:
        yield address


class Session:
    """A user's working directory, and the commands given in it."""

    def __init__(self, folder: Path, url: str, data: Path) -> None:
        self.folder, self.url, self.data = folder, url, data

    def run(self, *arguments: str, code: int = 0) -> str:
        reach = ("--base-url", self.url, "--data-dir", str(self.data))
        done = steelyard("run", *arguments, *reach, cwd=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    @property
    def folder_of_run(self) -> Path:
        return only_run(self.folder / "outputs/default")

    def results(self, dataset: str, model: str = MODEL) -> dict[str, Any]:
        return results(self.folder_of_run, model, dataset)

    def summary(self) -> list[dict[str, str]]:
        path = sorted((self.folder_of_run / "summary").glob("*.csv"))[-1]
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def user(tmp_path: Path, url: str, data: Path) -> Session:
    return Session(tmp_path, url, data)


def test_a_run_leaves_the_files_that_users_know(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    run = user.folder_of_run
    assert re.fullmatch(r"\d{8}_\d{6}", run.name)
    found = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    expected = {
        "plan.json",
        f"logs/infer/{MODEL}/demo_gsm8k.out",
        f"logs/eval/{MODEL}/demo_gsm8k.out",
        f"predictions/{MODEL}/demo_gsm8k.jsonl",
        f"predictions/{MODEL}/demo_gsm8k.scores.jsonl",
        f"results/{MODEL}/demo_gsm8k.json",
    }
    assert expected <= found
    rest = sorted(found - expected)
    assert [re.sub(r"\d{8}_\d{6}(_\d+)?", "TIME", name) for name in rest] == [
        "configs/TIME.py", "summary/summary_TIME.csv", "summary/summary_TIME.md",
        "summary/summary_TIME.txt",
    ]  # fmt: skip


def test_the_score_is_the_known_share_with_its_interval_and_counts(user: Session) -> None:
    screen = user.run("--models", CHAT, "--datasets", DEMO)
    found = user.results("demo_gsm8k")
    assert found["accuracy"] == 75
    assert found["low"] < 75 < found["high"]
    assert (found["answered"], found["failed"], found["unparsed"]) == (8, 0, 0)
    assert re.search(r"demo_gsm8k +[0-9a-f]{6} +accuracy +gen +75\.00 \[", screen)
    (row,) = user.summary()
    assert row[MODEL] == "75.00"
    assert row[f"{MODEL} answered"] == "8"


def test_a_line_of_predictions_says_what_was_asked_and_answered(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    stored = lines(user.folder_of_run / "predictions" / MODEL / "demo_gsm8k.jsonl")
    assert sorted(line["id"] for line in stored) == list(range(8))
    line = stored[0]
    assert line["data_abbr"] == "demo_gsm8k"
    assert line["success"] is True
    assert line["origin_prompt"][-1]["role"] == "user"
    assert line["prediction"]
    assert line["gold"].isdigit()
    assert line["timing"]["done_ns"] > line["timing"]["sent_ns"]


def test_models_times_datasets_with_paired_comparison(user: Session) -> None:
    screen = user.run(
        "--models", CHAT, STREAM, "--datasets", "gsm8k_gen_4_shot_cot_str",
        "aime2024_gen_0_shot_chat_prompt", "--num-prompts", "20",
    )  # fmt: skip
    rows = {row["dataset"]: row for row in user.summary()}
    assert set(rows) == {"gsm8k", "aime2024"}
    assert rows["gsm8k"][MODEL] == rows["gsm8k"]["vllm-api-stream-chat"]
    assert "no clear difference" in screen


def test_infer_then_eval_then_viz(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO, "--mode", "infer")
    run = user.folder_of_run
    assert not (run / "results").exists()
    assert not (run / "summary").exists()
    asked = sum(stats(user.url)["requests"].values())
    user.run("--models", CHAT, "--datasets", DEMO, "--mode", "eval", "--reuse")
    assert user.results("demo_gsm8k")["accuracy"] == 75
    before = sorted((run / "summary").iterdir())
    user.run("--models", CHAT, "--datasets", DEMO, "--mode", "viz", "--reuse", run.name)
    assert len(list((run / "summary").iterdir())) == len(before) + 3
    assert sum(stats(user.url)["requests"].values()) - asked <= 2, "only statistics were asked"


def test_the_stream_gives_the_same_answers_with_their_timing(user: Session) -> None:
    user.run("--models", STREAM, "--datasets", DEMO)
    stored = lines(user.folder_of_run / "predictions/vllm-api-stream-chat/demo_gsm8k.jsonl")
    assert user.results("demo_gsm8k", "vllm-api-stream-chat")["accuracy"] == 75
    assert all(len(line["timing"]["gaps_us"]) == line["output_tokens"] for line in stored)


@pytest.mark.parametrize(
    ("preset", "abbr", "more"),
    [
        (TEXT, "vllm-api-general", ()),
        ("vllm_api_general_stream", "vllm-api-general-stream", ()),
        ("vllm_api_stream_chat_multiturn", "vllm-multiturn-api-chat-stream", ()),
        ("tgi_api_general", "tgi-api-general", ()),
        ("tgi_stream_api_general", "tgi-stream-api-general", ()),
        ("triton_api_general", "triton-api-general", ("--model", "m")),
        ("triton_stream_api_general", "triton-stream-api-general", ("--model", "m")),
        ("mindie_stream_api_general", "mindie-stream-api", ()),
    ],
)
def test_every_preset_reaches_its_service(
    preset: str, abbr: str, more: tuple[str, ...], user: Session
) -> None:
    user.run("--models", preset, "--datasets", DEMO, *more)
    assert user.results("demo_gsm8k", abbr)["accuracy"] == 75


def test_reuse_asks_nothing_again(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    screen = user.run("--models", CHAT, "--datasets", DEMO, "--reuse")
    assert "nothing to ask" in screen
    log = user.folder_of_run / "logs/infer" / MODEL / "demo_gsm8k.out"
    assert "Get no data to infer, task finished" in log.read_text(encoding="utf-8")


def test_reuse_goes_on_with_more_rows_models_or_fewer(user: Session) -> None:
    both = ("--datasets", "gsm8k_gen", "aime2024_gen")
    user.run("--models", CHAT, STREAM, *both, "--num-prompts", "5")
    stamp = user.folder_of_run.name
    screen = user.run(
        "--models", CHAT, "--datasets", "gsm8k_gen", "--num-prompts", "12", "--reuse", stamp
    )
    assert "found 5 finished" in screen
    assert "only 12 of 1,319 rows" in screen
    assert user.results("gsm8k")["answered"] == 12
    assert user.results("gsm8k", "vllm-api-stream-chat")["answered"] == 5


def test_a_changed_prompt_or_sampling_is_refused_and_named(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", "gsm8k_gen", "--num-prompts", "5")
    again = ("--models", CHAT, "--num-prompts", "9", "--reuse")
    refused = user.run(*again, "--datasets", "gsm8k_gen", "--temperature", "0.7", code=2)
    assert "another sampling temperature (0.01, now 0.7)" in refused
    refused = user.run(*again, "--datasets", "gsm8k_gen_0_shot_cot_str", code=2)
    assert "prompt" in refused
    assert "examples" in refused
    mixed = user.run(*again, "--datasets", "gsm8k_gen", "--temperature", "0.7", "--reuse-anyway")
    assert "sampling" in mixed
    assert "mixed" in mixed


def test_another_address_or_concurrency_is_the_same_model(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", "gsm8k_gen", "--num-prompts", "5")
    user.url = user.url.replace("127.0.0.1", "localhost")
    more = ("--num-prompts", "9", "--concurrency", "3", "--reuse")
    user.run("--models", CHAT, "--datasets", "gsm8k_gen", *more)
    assert user.results("gsm8k")["answered"] == 9


def test_tasks_that_are_not_in_the_folder_run_from_the_start_with_a_notice(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    screen = user.run("--models", TEXT, "--datasets", "gsm8k_gen", "--num-prompts", "4", "--reuse")
    assert "none of these tasks" in screen
    assert user.results("gsm8k", "vllm-api-general")["answered"] == 4


def test_repeats_give_the_rows_of_the_documents(user: Session) -> None:
    more = ("--set", "generation_kwargs.num_return_sequences=5")
    user.run("--models", STREAM, "--datasets", "aime2024_gen", *more)
    metrics = [row["metric"] for row in user.summary()]
    assert metrics == ["accuracy (5 runs average)", "avg@5", "pass@5", "cons@5"]
    stored = lines(user.folder_of_run / "predictions/vllm-api-stream-chat/aime2024.jsonl")
    assert len(stored) == 150
    assert {line["key"].partition("#")[2] for line in stored} == set("01234")


def test_sub_data_sets_have_rows_of_their_own_and_groups(user: Session) -> None:
    user.run("--models", TEXT, "--datasets", "ceval_gen", "--num-prompts", "4")
    rows = {(row["dataset"], row["metric"]): row for row in user.summary()}
    assert len([name for name, _ in rows if name.startswith("ceval-")]) == 52 + 6
    assert rows["ceval", "naive_average"]["vllm-api-general"] == "75.00"
    assert rows["ceval-weighted", "weighted_average"]["vllm-api-general answered"] == "208"


def test_merged_sub_data_sets_are_one_task_with_one_score(user: Session) -> None:
    merged = ("--models", TEXT, "--datasets", "ceval_gen", "--merge-ds", "--num-prompts", "2")
    user.run(*merged)
    (row,) = user.summary()
    assert row["dataset"] == "cevaldataset"
    assert user.results("cevaldataset", "vllm-api-general")["answered"] == 104
    assert "nothing to ask" in user.run(*merged, "--reuse")
    more = user.run(*merged[:-1], "3", "--reuse")
    assert "found 104 finished" in more
    assert user.results("cevaldataset", "vllm-api-general")["answered"] == 156


def test_several_tasks_run_at_the_same_time(user: Session) -> None:
    user.run(
        "--models", TEXT, STREAM, "--datasets", "gsm8k_gen", "math500_gen_0_shot_cot_chat_prompt",
        "--disable-cb", "--max-num-workers", "4", "--num-prompts", "12",
    )  # fmt: skip
    assert [row["dataset"] for row in user.summary()] == ["gsm8k", "math_prm800k_500"]
    assert user.results("math_prm800k_500", "vllm-api-general")["accuracy"] == 75


def test_sender_processes_give_the_same_result_in_files_of_their_own(user: Session) -> None:
    more = ("--num-prompts", "60", "--concurrency", "8", "--senders", "2")
    user.run("--models", CHAT, "--datasets", "gsm8k_gen", *more)
    folder = user.folder_of_run / "predictions" / MODEL
    first, second = (lines(folder / name) for name in ("gsm8k.jsonl", "gsm8k.2.jsonl"))
    assert len(first) == len(second) == 30
    assert user.results("gsm8k")["answered"] == 60
    assert "nothing to ask" in user.run(
        "--models", CHAT, "--datasets", "gsm8k_gen", "--num-prompts", "60", "--reuse"
    )


def test_own_questions_are_asked_and_marked(user: Session) -> None:
    rows = [
        {"question": "What is six times seven?", "A": "41", "B": "42", "answer": "B"},
        {"question": "And seven times eight?", "A": "56", "B": "65", "answer": "A",
         "max_tokens": 5},
    ]  # fmt: skip
    path = user.folder / "sums.v2.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    user.run("--models", CHAT, "--custom-dataset-path", str(path))
    found = user.results("sums")
    assert found["answered"] == 2
    stored = lines(user.folder_of_run / "predictions" / MODEL / "sums.jsonl")
    assert [line["output_tokens"] for line in sorted(stored, key=lambda line: line["id"])][1] <= 5


def test_stored_answers_are_marked_again_by_another_rule(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    rule = user.folder / "rules.py"
    rule.write_text("def never(text):\n    return 'nothing'\n", encoding="utf-8")
    again = ("--models", CHAT, "--datasets", DEMO, "--mode", "eval", "--reuse")
    user.run(*again, "--scorer", f"{rule}:never")
    assert user.results("demo_gsm8k")["accuracy"] == 0
    assert user.results("demo_gsm8k")["scorer"].startswith("rules.never@")
    user.run(*again, "--scorer", "fixed")
    assert user.results("demo_gsm8k")["scorer"] == "gsm8k_fixed@1"
    user.run(*again)
    assert user.results("demo_gsm8k")["accuracy"] == 75


def test_an_edited_copy_of_a_data_set_takes_its_place(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    table = user.run("--datasets", DEMO, "--search")
    (path,) = re.findall(r"│ (/\S+\.py) *│", table)
    text = Path(path).read_text(encoding="utf-8")
    own = user.folder / "steelyard/datasets"
    own.mkdir(parents=True)
    (own / "gsm8k.py").write_text(text.replace("scorer=gsm8k,", "scorer=gsm8k_fixed,"), "utf-8")
    user.run("--models", CHAT, "--datasets", DEMO, "--mode", "eval", "--reuse")
    assert user.results("demo_gsm8k")["scorer"] == "gsm8k_fixed@1"


def test_details_and_extract_rate_are_written_when_asked_for(user: Session) -> None:
    flags = ("--dump-eval-details", "--dump-extract-rate")
    user.run("--models", CHAT, "--datasets", DEMO, *flags)
    found = user.results("demo_gsm8k")
    assert found["extract_rate"] == 100
    assert [row["metric"] for row in user.summary()] == ["accuracy", "extract_rate"]
    assert found["details"]["type"] == "GEN"
    assert sum(found["details"][str(row)]["correct"] for row in range(8)) == 6


def test_the_dumped_config_runs_again(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO, "--temperature", "0.3", "--concurrency", "3")
    (config,) = (user.folder_of_run / "configs").iterdir()
    done = steelyard("run", str(config), "-w", "again", cwd=user.folder)
    assert done.returncode == 0, done.stderr
    assert results(only_run(user.folder / "again"), MODEL, "demo_gsm8k")["accuracy"] == 75


def test_an_old_style_config_file_runs(user: Session) -> None:
    host, port = user.url.removeprefix("http://").split(":")
    (user.folder / "old.py").write_text(
        "from mmengine.config import read_base\n"
        "from ais_bench.benchmark.models import VLLMCustomAPIChat\n"
        "with read_base():\n"
        "    from ais_bench.benchmark.configs.summarizers.example import summarizer\n"
        "    from ais_bench.benchmark.configs.datasets.demo."
        "demo_gsm8k_gen_4_shot_cot_chat_prompt import gsm8k_datasets\n"
        "datasets = [*gsm8k_datasets]\n"
        "models = [dict(attr='service', type=VLLMCustomAPIChat, abbr='mine', path='', model='',\n"
        f"    stream=False, request_rate=0, retry=2, host_ip='{host}', host_port={port},\n"
        "    max_out_len=512, batch_size=4, trust_remote_code=False,\n"
        "    generation_kwargs=dict(temperature=0.5, num_return_sequences=2))]\n",
        encoding="utf-8",
    )
    done = steelyard("run", "old.py", cwd=user.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert user.results("demo_gsm8k", "mine")["accuracy (2 runs average)"] == 75


def test_predictions_of_the_older_layout_are_marked(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    folder = user.folder_of_run / "predictions" / MODEL
    stored = {line["id"]: line for line in lines(folder / "demo_gsm8k.jsonl")}
    fields = ("origin_prompt", "prediction", "gold")
    old = {str(row): {name: stored[row][name] for name in fields} for row in sorted(stored)}
    (folder / "demo_gsm8k.jsonl").unlink()
    (folder / "demo_gsm8k.json").write_text(json.dumps(old), encoding="utf-8")
    (user.folder_of_run / "results" / MODEL / "demo_gsm8k.json").unlink()
    user.run("--models", CHAT, "--datasets", DEMO, "--mode", "eval", "--reuse")
    assert user.results("demo_gsm8k")["accuracy"] == 75


def test_predictions_of_other_tools_are_marked(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    path = user.folder_of_run / "predictions" / MODEL / "demo_gsm8k.jsonl"
    fields = ("data_abbr", "id", "success", "origin_prompt", "prediction", "gold")
    kept = [{name: line[name] for name in fields if name in line} for line in lines(path)]
    for line in kept:
        line.setdefault("success", True)
        line["uuid"] = "0f3a"
    path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    user.run("--models", CHAT, "--datasets", DEMO, "--mode", "eval", "--reuse")
    assert user.results("demo_gsm8k")["accuracy"] == 75


def test_a_damaged_line_is_named_and_a_cut_one_is_asked_again(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO)
    path = user.folder_of_run / "predictions" / MODEL / "demo_gsm8k.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert "found 7 finished" in user.run("--models", CHAT, "--datasets", DEMO, "--reuse")
    path.write_bytes(whole.replace(b'"key"', b'"key', 1))
    refused = user.run("--models", CHAT, "--datasets", DEMO, "--reuse", code=2)
    assert "line 1" in refused
    assert path.name in refused


def test_results_older_than_the_answers_are_noticed(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", "gsm8k_gen", "--num-prompts", "4")
    more = ("--models", CHAT, "--datasets", "gsm8k_gen", "--reuse")
    user.run(*more, "--num-prompts", "8", "--mode", "infer")
    assert "stored answers changed" in user.run(*more, "--mode", "viz")


def test_a_dry_run_sends_nothing_and_leaves_nothing(user: Session) -> None:
    before = stats(user.url)["requests"].get("/v1/chat/completions", 0)
    shown = user.run("--models", CHAT, "--datasets", "gsm8k_gen", "aime2024_gen", "--dry-run")
    assert "1,349 requests" in shown
    assert "Janet" in shown
    assert stats(user.url)["requests"].get("/v1/chat/completions", 0) == before
    assert not (user.folder / "outputs").exists()


def test_warm_up_answers_are_thrown_away(user: Session) -> None:
    user.run("--models", CHAT, "--datasets", DEMO, "--num-warmups", "3")
    assert len(lines(user.folder_of_run / "predictions" / MODEL / "demo_gsm8k.jsonl")) == 8
    log = user.folder_of_run / "logs/infer" / MODEL / "demo_gsm8k.out"
    assert "warm-up: 3 requests, 0 failed" in log.read_text(encoding="utf-8")


def test_events_for_programs_are_json_lines(user: Session) -> None:
    shown = user.run("--models", CHAT, "--datasets", DEMO, "--json")
    events = [json.loads(line) for line in shown.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "planned"
    assert kinds[-1] == "finished"
    assert events[-1]["exit_code"] == 0
    assert {"job_started", "progress", "job_ended", "report"} <= set(kinds)
    (score,) = events[kinds.index("report")]["scores"]
    assert (score["dataset"], score["model"], score["value"]) == ("demo_gsm8k", MODEL, 75)


def test_debug_writes_no_log_files(user: Session) -> None:
    shown = user.run("--models", CHAT, "--datasets", DEMO, "--debug")
    assert not (user.folder_of_run / "logs").exists()
    assert "8 requests" in shown


def test_search_prints_the_table_of_the_documents(user: Session) -> None:
    names = ("gsm8k_gen_4_shot_cot_str", "aime2024_gen_0_shot_chat_prompt")
    table = user.run("--models", CHAT, STREAM, "--datasets", *names, "--search")
    assert table.startswith("Searching configs...\n╒")
    rows = re.findall(r"│ (--\w+) +│ (\w+) +│ (\S+\.py) +│", table)
    assert [(kind, name) for kind, name, _ in rows] == [
        ("--models", CHAT), ("--models", STREAM), *(("--datasets", name) for name in names)
    ]  # fmt: skip
    assert all(Path(path).is_file() for *_, path in rows)


def test_a_run_that_is_refused_late_leaves_no_folder(tmp_path: Path) -> None:
    """Whether a cluster can compute a model is known only when the run begins."""
    (tmp_path / "rows.jsonl").write_text('{"question": "1 + 1", "answer": "2"}\n', "utf-8")
    weights = Path(__file__).parents[1] / "tools/tiny_model/model"
    done = steelyard(
        *("run", "--models", "hf_chat_model", "--model-path", str(weights), "-w", "out"),
        *("--custom-dataset-path", "rows.jsonl", "--runner", "ray", "--ray-address", "nonsense"),
        cwd=tmp_path,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "ray" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
