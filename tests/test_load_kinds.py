"""Kinds of loads and services, each sent for real and looked up in the files.

- Turns of a dialogue are requests of their own; a trace is sent at its own times.
- Every streaming protocol is measured; token counts come from the service, else the tokenizer,
  else they are absent and it is said.
- The HDF5 file holds what the details hold; AISBench's own figures stand under their own names.
- The service's counters before and after a run become figures of the serving engine.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import pytest

import small_tokenizer
from running import lines, only_run, steelyard
from sim_process import simulated


def perf(url: str, work: Path, preset: str, dataset: str, *more: str) -> Sequence[str]:
    return (
        "run", "--models", preset, "--datasets", dataset, "--mode", "perf", "--base-url", url,
        "-w", str(work), "--num-warmups", "0", *more,
    )  # fmt: skip


def the_files(work: Path) -> Path:
    """The folder of the one model."""
    (folder,) = [path for path in (only_run(work) / "performance").iterdir() if path.is_dir()]
    return folder


def figures(work: Path) -> dict[str, Any]:
    (path,) = the_files(work).glob("*_figures.json")
    return json.loads(path.read_text())


def names(found: dict[str, Any]) -> set[str]:
    return {row["name"] for row in found["stats"]}


def test_turns_of_a_dialogue_are_requests_with_the_answers_before_them(
    shared: Path, tmp_path: Path
) -> None:
    with simulated("--ttft", "5ms", "--tokens", "3") as url:
        given = ("--num-prompts", "6", "--concurrency", "3", "--data-dir", str(shared / "datasets"))
        preset = "vllm_api_stream_chat_multiturn"
        done = steelyard(*perf(url, tmp_path, preset, "mtbench_gen", *given), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    found = lines(the_files(tmp_path) / "mtbenchdataset_details.json")
    assert sorted(line.get("turn_id", 0) for line in found) == [0] * 6 + [1] * 6
    first = {line["key"]: line for line in found if "." not in line["key"]}
    for line in found:
        if "." in line["key"]:
            before = first[line["key"].partition(".")[0]]
            assert line["timing"]["sent_ns"] >= before["timing"]["done_ns"]
            assert line["input_tokens"] > before["input_tokens"]


def test_a_trace_is_sent_at_its_own_times(tmp_path: Path) -> None:
    times_ms = [5000, 5000, 5100, 5300, 5350]
    rows = [{"question": f"q{k}", "timestamp": at} for k, at in enumerate(times_ms)]
    (tmp_path / "trace.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with simulated("--tokens", "2") as url:
        done = steelyard(
            "run", "--models", "vllm_api_stream_chat", "--custom-dataset-path", "trace.jsonl",
            "--mode", "perf", "--base-url", url, "-w", "w", "--num-warmups", "0",
            "--use-timestamp", cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    found = lines(the_files(tmp_path / "w") / "trace_details.json")
    sent = sorted(line["timing"]["sent_ns"] for line in found)
    offsets_ms = [(one - sent[0]) / 1e6 for one in sent]
    assert offsets_ms == pytest.approx([at - 5000 for at in times_ms], abs=30)


@pytest.mark.parametrize(
    "preset",
    [
        "vllm_api_general_stream",
        "vllm_api_stream_chat",
        "tgi_stream_api_general",
        "triton_stream_api_general",
        "mindie_stream_api_general",
    ],
)
def test_every_streaming_protocol_is_measured(preset: str, tmp_path: Path) -> None:
    with simulated("--ttft", "40ms", "--itl", "5ms", "--tokens", "8") as url:
        given = ["--num-prompts", "6", "--concurrency", "3"]
        if preset.startswith("triton"):
            given += ["--model", "steelyard-sim"]
        done = steelyard(*perf(url, tmp_path, preset, "synthetic_gen", *given), cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    found = figures(tmp_path)
    averages = {row["name"]: row["values"]["Average"]["value"] for row in found["stats"]}
    assert 40 <= averages["TTFT"] < 150  # a busy machine adds to what the service took
    assert 4 < averages["ITL"] < 20
    assert 75 <= averages["E2EL"] < 300


def test_counts_that_the_service_does_not_give_come_from_the_tokenizer(tmp_path: Path) -> None:
    tokenizer = small_tokenizer.put("byte_level", tmp_path / "tokenizer")
    with simulated("--dialect", "llamacpp", "--keep-streams", "--tokens", "8") as url:
        given = ("--num-prompts", "5", "--concurrency", "1")
        bare = perf(url, tmp_path / "bare", "vllm_api_stream_chat", "synthetic_gen", *given)
        done = steelyard(*bare, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "gave no token count of 5 answers" in done.stdout
        assert not names(figures(tmp_path / "bare")) & {"OutputTokens", "TPOT"}
        done = steelyard(
            *perf(url, tmp_path / "told", "vllm_api_stream_chat", "synthetic_gen", *given),
            "--tokenizer", str(tokenizer), cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert "were counted with the tokenizer" in done.stdout
    assert {"OutputTokens", "InputTokens", "TPOT"} <= names(figures(tmp_path / "told"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small load test."""
    work = tmp_path_factory.mktemp("run")
    with simulated("--ttft", "20ms", "--itl", "4ms", "--tokens", "6") as url:
        given = ("--num-prompts", "12", "--concurrency", "4")
        line = perf(url, work, "vllm_api_stream_chat", "synthetic_gen", *given)
        assert steelyard(*line, cwd=work).returncode == 0
    return work


def again(work: Path, *more: str) -> str:
    done = steelyard(
        "run", "--models", "vllm_api_stream_chat", "--datasets", "synthetic_gen",
        "--mode", "perf_viz", "--reuse", "-w", str(work), *more, cwd=work,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_hdf5_file_holds_the_gaps_of_the_details(run: Path) -> None:
    details = {line["key"]: line["timing"] for line in lines(
        the_files(run) / "syntheticdataset_details.json"
    )}  # fmt: skip
    with h5py.File(the_files(run) / "syntheticdataset_details.h5") as file:
        starts = file["itl_start"][:]
        for row, key in enumerate(file["key"].asstr()[:]):
            gaps = file["itl_us"][starts[row] : starts[row + 1]].tolist()
            assert gaps == details[key]["gaps_us"][1:]
            assert file["ttft_us"][row] == details[key]["gaps_us"][0]
        assert list(file["sent_ns"][:]) == sorted(file["sent_ns"][:])


def test_aisbenchs_own_figures_stand_under_their_own_names(run: Path) -> None:
    again(run, "--compat-metrics")
    found = figures(run)
    assert {"E2EL (AISBench)", "TTFT (AISBench)", "ITL (AISBench)"} <= names(found)
    ours, theirs = (
        next(row for row in found["stats"] if row["name"] == name and row["stage"] == "total")
        for name in ("E2EL", "E2EL (AISBench)")
    )
    assert theirs["values"]["Average"]["value"] >= ours["values"]["Average"]["value"] - 0.1


def test_goodput_is_reported_for_objectives(run: Path) -> None:
    text = again(run, "--slo", "ttft=1s,e2el=1ms")
    assert "Goodput: 0" in text
    assert "ttft <= 1000 ms: 12 of 12 requests (100.00 %" in text
    assert "e2el <= 1 ms: 0 of 12 requests (0.00 %" in text


BEFORE = """
vllm:spec_decode_num_drafts_total{model_name="m"} 10
vllm:spec_decode_num_draft_tokens_total{model_name="m"} 30
vllm:spec_decode_num_accepted_tokens_total{model_name="m"} 15
vllm:prefix_cache_queries_total{model_name="m"} 100
vllm:prefix_cache_hits_total{model_name="m"} 50
"""
AFTER = """
vllm:spec_decode_num_drafts_total{model_name="m"} 20
vllm:spec_decode_num_draft_tokens_total{model_name="m"} 60
vllm:spec_decode_num_accepted_tokens_total{model_name="m"} 36
vllm:prefix_cache_queries_total{model_name="m"} 300
vllm:prefix_cache_hits_total{model_name="m"} 200
"""


def test_the_services_counters_become_figures_of_the_engine(run: Path) -> None:
    url = "http://127.0.0.1:8000/metrics"
    looks = {"before": {"url": url, "text": BEFORE}, "after": {"url": url, "text": AFTER}}
    (the_files(run) / "syntheticdataset_server.json").write_text(json.dumps(looks))
    text = again(run)
    assert "21 of 30 drafted tokens accepted (70.00 %), acceptance length 3.1" in text
    assert "Prefix cache: 75.00 % of the looked-up tokens were hits" in text
    written = json.loads((the_files(run).parent / "spec_decode_127.0.0.1_8000.json").read_text())
    assert written["status"] == "ok"
    assert written["data"]["acceptance_rate"] == pytest.approx(70)


def test_absent_counters_are_told_when_they_were_asked_for(run: Path) -> None:
    looks = {
        "before": {"url": "u", "error": "HTTP 404"},
        "after": {"url": "u", "error": "HTTP 404"},
    }
    (the_files(run) / "syntheticdataset_server.json").write_text(json.dumps(looks))
    assert "Speculative decoding" not in again(run)
    assert "N/A, HTTP 404" in again(run, "--spec-decode")
