"""The command lines of the documents that users come from run as they are written there.

A service on the presets' port (8080), data in ``./ais_bench/datasets``, results in
``./outputs/default``: nothing is edited, no flag is added.
"""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import environment, only_run, results
from sim_process import simulated

NAMES = (
    "gsm8k_gen", "aime2024_gen", "math500_gen", "ceval_gen",
    "demo_gsm8k_gen_4_shot_cot_chat_prompt",
)  # fmt: skip
TWO_BY_TWO = (
    "--models vllm_api_general_chat vllm_api_stream_chat "
    "--datasets gsm8k_gen_4_shot_cot_str aime2024_gen_0_shot_chat_prompt"
)
DEMO = "--models vllm_api_general_chat --datasets demo_gsm8k_gen_4_shot_cot_chat_prompt"


@pytest.fixture(scope="module")
def service(shared: Path) -> Iterator[None]:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8080)) == 0:
            pytest.skip("port 8080, the presets' port, is taken on this machine")
    data = ("--data-dir", str(shared / "datasets"))
    with simulated("--port", "8080", "--dataset", *NAMES, "--accuracy", "0.5", *data):
        yield


@pytest.fixture
def place(service: None, shared: Path, tmp_path: Path) -> Path:
    (tmp_path / "ais_bench").mkdir()
    (tmp_path / "ais_bench/datasets").symlink_to(shared / "datasets")
    return tmp_path


def ais_bench(place: Path, line: str) -> str:
    program = Path(sys.executable).parent / "ais_bench"
    done = subprocess.run(
        [program, *line.split()],
        cwd=place, env=environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def the_run(place: Path) -> Path:
    return only_run(place / "outputs/default")


def rows(table: str) -> list[list[str]]:
    """The score rows of the table on the screen: data set, version, metric, mode, scores."""
    return [
        re.split(r"\s{2,}", line.strip())
        for line in table.splitlines()
        if re.match(r"\S+ +([0-9a-f]{6}|-) +\w+ +gen ", line)
    ]


def test_several_models_and_data_sets_and_going_on_with_all_or_some(place: Path) -> None:
    found = rows(ais_bench(place, TWO_BY_TWO))
    assert [(row[0], row[2], row[3]) for row in found] == [
        ("gsm8k", "accuracy", "gen"),
        ("aime2024", "accuracy", "gen"),
    ]
    assert all(cell.startswith("50.") for cell in found[0][4:6])
    stamp = the_run(place).name
    some = (
        TWO_BY_TWO,
        "--models vllm_api_general_chat --datasets gsm8k_gen_4_shot_cot_str",
        (
            "--models vllm_api_general_chat --datasets gsm8k_gen_4_shot_cot_str "
            "aime2024_gen_0_shot_chat_prompt"
        ),
        (
            "--models vllm_api_general_chat vllm_api_stream_chat "
            "--datasets aime2024_gen_0_shot_chat_prompt"
        ),
    )
    for line in some:
        assert "nothing to ask" in ais_bench(place, f"{line} --reuse {stamp}")
    assert the_run(place).name == stamp


def test_searching_for_the_files_behind_names(place: Path) -> None:
    assert len(re.findall(r"\.py +│", ais_bench(place, f"{TWO_BY_TWO} --search"))) == 4
    assert "gsm8k.py" in ais_bench(place, "--datasets gsm8k_gen_4_shot_cot_chat_prompt --search")
    assert not (place / "outputs").exists()


def test_several_tasks_at_once(place: Path) -> None:
    ais_bench(
        place,
        "--models vllm_api_general vllm_api_stream_chat --datasets gsm8k_gen "
        "math500_gen_0_shot_cot_chat_prompt --disable-cb --max-num-workers 4",
    )
    for model in ("vllm-api-general", "vllm-api-stream-chat"):
        for dataset in ("gsm8k", "math_prm800k_500"):
            found = results(the_run(place), model, dataset)
            assert found["accuracy"] == pytest.approx(50, abs=0.1)


def test_going_on_with_other_names_than_before(place: Path) -> None:
    ais_bench(place, DEMO)
    stamp = the_run(place).name
    ais_bench(place, f"--models vllm_api_general --datasets gsm8k_gen --reuse {stamp}")
    assert results(the_run(place), "vllm-api-general", "gsm8k")["answered"] == 1319


def test_merged_sub_data_sets(place: Path) -> None:
    table = ais_bench(place, "--models vllm_api_general --datasets ceval_gen --merge-ds")
    assert [row[0] for row in rows(table)] == ["cevaldataset"]
    assert results(the_run(place), "vllm-api-general", "cevaldataset")["answered"] == 1346


def test_marking_again(place: Path) -> None:
    ais_bench(place, DEMO)
    ais_bench(place, f"{DEMO} --mode eval --reuse {the_run(place).name}")
    assert results(the_run(place), "vllm-api-general-chat", "demo_gsm8k")["accuracy"] == 50


def test_the_modes_one_after_the_other(place: Path) -> None:
    line = "--models vllm_api_general --datasets gsm8k_gen --mode"
    ais_bench(place, f"{line} infer")
    run = the_run(place)
    assert {path.name for path in run.iterdir()} == {
        "configs", "logs", "plan.json", "predictions"
    }  # fmt: skip
    ais_bench(place, f"{line} eval --reuse")
    assert (run / "results").exists()
    ais_bench(place, f"{line} viz --reuse")
    assert len(list((run / "summary").glob("*.txt"))) == 2
    ais_bench(place, f"{line} all --reuse")
    assert the_run(place) == run


def test_a_load_test_and_its_figures_again(place: Path) -> None:
    line = "--models vllm_api_general_stream --datasets synthetic_gen --mode"
    ais_bench(place, f"{line} perf")
    run = the_run(place)
    assert {path.name for path in run.iterdir()} == {"configs", "logs", "performance"}
    assert (run / "logs/performance").is_dir()
    found = {path.name for path in (run / "performance/vllm-api-general-stream").iterdir()}
    assert found >= {
        "syntheticdataset.csv",
        "syntheticdataset.json",
        "syntheticdataset_details.h5",
        "syntheticdataset_details.json",
        "syntheticdataset_plot.html",
    }
    ais_bench(place, f"{line} perf_viz --reuse")
    assert the_run(place) == run


def test_own_data_as_load(place: Path) -> None:
    (place / "x").mkdir()
    rows = [
        f'{{"question": "{k} + 1 = ?", "answer": "{k + 1}", "max_tokens": 9}}' for k in range(5)
    ]
    (place / "x/test_qa.jsonl").write_text("\n".join(rows), encoding="utf-8")
    ais_bench(
        place,
        "--models vllm_api_stream_chat --custom-dataset-path x/test_qa.jsonl --mode perf",
    )
    assert (the_run(place) / "performance/vllm-api-stream-chat/test_qa.csv").exists()
