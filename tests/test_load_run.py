"""A load test from command line to files.

- The files, columns and names are those that users know; the figures are what the service did.
- Nothing is tried again, warm-up rows are not measured, a failure is in no latency.
- ``perf_viz`` computes everything again from the files, also by other rules.
- Open loads keep their schedule and say how late they were; sender processes share one load.
- A killed or interrupted run leaves readable files and is called incomplete.
"""

import csv
import json
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from running import lines, only_run, started, stats, steelyard
from sim_process import simulated
from steelyard.engine.receiver import available

MODEL = "vllm-api-stream-chat"
DATA = "syntheticdataset"
SLOW = ("--ttft", "60ms", "--itl", "10ms", "--tokens", "12")
TTFT_MS, ITL_MS, TOKENS = 60, 10, 12


def perf(url: str, work: Path, *more: str, preset: str = "vllm_api_stream_chat") -> Sequence[str]:
    return (
        "run", "--models", preset, "--datasets", "synthetic_gen", "--mode", "perf",
        "--base-url", url, "--model", "steelyard-sim", "-w", str(work), *more,
    )  # fmt: skip


def load_files(work: Path, ending: str, model: str = MODEL) -> Path:
    return only_run(work) / "performance" / model / f"{DATA}{ending}"


def asked_of(url: str) -> int:
    """Requests that came to the service."""
    return sum(stats(url)["requests"].values())


def figures(work: Path, model: str = MODEL) -> dict[str, Any]:
    return json.loads(load_files(work, "_figures.json", model).read_text())


def average(found: dict[str, Any], name: str, stage: str = "total") -> float:
    (row,) = [row for row in found["stats"] if (row["name"], row["stage"]) == (name, stage)]
    return row["values"]["Average"]["value"]


def common(found: dict[str, Any], name: str) -> float:
    (row,) = [row for row in found["common"] if (row["name"], row["stage"]) == (name, "total")]
    return row["value"]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty requests, eight at a time, of a service whose times are known."""
    work = tmp_path_factory.mktemp("closed")
    with simulated(*SLOW) as url:
        done = steelyard(*perf(url, work, "--concurrency", "8", "--num-prompts", "40"), cwd=work)
        assert done.returncode == 0, done.stdout + done.stderr
        asked = asked_of(url)
    (work / "screen.txt").write_text(done.stdout)
    (work / "asked.txt").write_text(str(asked))
    return work


def test_the_figures_are_what_the_service_did(closed: Path) -> None:
    found = figures(closed)
    assert TTFT_MS <= average(found, "TTFT") < TTFT_MS + 15
    assert ITL_MS - 1 < average(found, "ITL") < ITL_MS + 3
    assert average(found, "OutputTokens") == TOKENS
    whole_ms = TTFT_MS + (TOKENS - 1) * ITL_MS
    assert whole_ms <= average(found, "E2EL") < whole_ms + 40
    assert common(found, "Total Requests") == common(found, "Success Requests") == 40
    assert common(found, "Max Concurrency") == 8


def test_the_csv_has_the_columns_and_rows_that_people_know(closed: Path) -> None:
    with load_files(closed, ".csv").open(encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    assert head == [
        "Performance Parameters", "Stage", "Average", "Min", "Max", "Median", "P75", "P90", "P99",
        "N",
    ]  # fmt: skip
    assert [row[0] for row in rows if row[1] == "total"] == [
        "E2EL", "TTFT", "TPOT", "ITL", "InputTokens", "OutputTokens", "OutputTokenThroughput",
        "PrefillTokenThroughput",
    ]  # fmt: skip
    assert rows[0][2].endswith(" ms")
    assert rows[0][-1] == "40"


def test_the_json_holds_the_common_metrics_by_stage(closed: Path) -> None:
    found = json.loads(load_files(closed, ".json").read_text())
    assert found["Total Requests"]["total"] == 40
    assert found["Request Throughput"]["total"].endswith(" req/s")
    assert found["Benchmark Duration"]["total"].endswith(" ms")


def test_every_request_is_one_line_with_its_clock(closed: Path) -> None:
    found = lines(load_files(closed, "_details.json"))
    assert len({line["key"] for line in found}) == len(found) == 40
    for line in found:
        assert line["success"] is True
        assert line["output_tokens"] == len(line["timing"]["gaps_us"]) == TOKENS


def test_a_warm_up_is_sent_and_not_measured(closed: Path) -> None:
    assert (closed / "asked.txt").read_text() == "41"
    assert not any("warmup" in line["key"] for line in lines(load_files(closed, "_details.json")))


def test_the_screen_names_task_tables_and_place(closed: Path) -> None:
    text = (closed / "screen.txt").read_text()
    assert f"Performance Results of task [{MODEL}/{DATA}]:" in text
    assert "Common Metric" in text
    assert "Performance Result files located in" in text


def test_note_and_page_say_who_stamped_the_arrivals(closed: Path) -> None:
    clock = "kernel" if available() else "event loop"
    assert json.loads(load_files(closed, "_run.json").read_text())["arrivals"] == clock
    page = load_files(closed, "_plot.html").read_text(encoding="utf-8")
    assert "Arrivals stamped by" in page
    assert f"the {clock}" in page


def test_perf_viz_finds_the_same_figures_and_sends_nothing(closed: Path) -> None:
    before = figures(closed)
    done = steelyard(
        "run", "--models", "vllm_api_stream_chat", "--datasets", "synthetic_gen",
        "--mode", "perf_viz", "--reuse", "-w", str(closed), cwd=closed,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert figures(closed) == before


def test_other_statistics_can_be_asked_for_afterwards(closed: Path) -> None:
    done = steelyard(
        "run", "--models", "vllm_api_stream_chat", "--datasets", "synthetic_gen",
        "--mode", "perf_viz", "--reuse", "--stats", "P50", "P95", "-w", str(closed), cwd=closed,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with load_files(closed, ".csv").open(encoding="utf-8") as file:
        assert next(csv.reader(file))[2:-1] == ["P50", "P95"]


def test_failures_are_counted_by_kind_and_not_tried_again(tmp_path: Path) -> None:
    with simulated(*SLOW, "--fault", "500:0.3", "--seed", "3") as url:
        given = ("--concurrency", "8", "--num-prompts", "30", "--num-warmups", "0")
        done = steelyard(*perf(url, tmp_path, *given), cwd=tmp_path)
        assert done.returncode == 1
        assert asked_of(url) == 30
    found = figures(tmp_path)
    failed = found["failures"]["status 500"]
    assert 0 < failed < 30
    assert common(found, "Failed Requests") == failed
    assert common(found, "Success Requests") == 30 - failed
    assert next(row["n"] for row in found["stats"] if row["name"] == "E2EL") == 30 - failed
    assert f"{failed} of 30 requests failed (status 500: {failed})" in done.stdout


def test_a_service_that_does_not_stream_gives_end_to_end_figures_only(tmp_path: Path) -> None:
    with simulated(*SLOW) as url:
        given = ("--concurrency", "4", "--num-prompts", "8")
        done = steelyard(*perf(url, tmp_path, *given, preset="vllm_api_general_chat"), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    found = figures(tmp_path, "vllm-api-general-chat")
    names = {row["name"] for row in found["stats"]}
    assert "E2EL" in names
    assert not names & {"TTFT", "TPOT", "ITL", "PrefillTokenThroughput"}
    assert "end-to-end figures only" in done.stdout


def test_objectives_that_cannot_be_measured_are_refused_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    with simulated() as url:
        given = ("--slo", "ttft=100ms")
        done = steelyard(*perf(url, tmp_path, *given, preset="vllm_api_general_chat"), cwd=tmp_path)
        assert done.returncode == 2
        assert asked_of(url) == 0
    assert "does not stream" in done.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--stats", "P50", "P999"), "--stats P999: there is no such statistic"),
        (("--slo", "tft=1"), "tft"),
        (("--burstiness", "-1"), "--burstiness -1 is out of range"),
        (("--ramp-up-strategy", "linear"), "expected a start above 0"),
        (("--use-timestamp",), "use_timestamp needs a time stamp in every row"),
        (("--set-data", "Requests=5"), "Requests"),
        (("--tokenizer", "nowhere"), "tokenizer nowhere: no such file"),
    ],
)
def test_what_cannot_be_is_refused_with_one_clear_error(
    given: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with simulated() as url:
        done = steelyard(*perf(url, tmp_path / "w", *given), cwd=tmp_path)
        assert done.returncode == 2, done.stdout
        assert asked_of(url) == 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_synthetic_tokens_without_a_tokenizer_are_refused(tmp_path: Path) -> None:
    given = ("--models", "vllm_api_stream_chat", "--datasets", "synthetic_gen_tokenid")
    done = steelyard("run", *given, "--mode", "perf", "-w", str(tmp_path / "w"), cwd=tmp_path)
    assert done.returncode == 2
    assert "--tokenizer PATH" in done.stderr


def test_a_poisson_load_keeps_its_rate_and_its_schedule(tmp_path: Path) -> None:
    with simulated("--ttft", "20ms", "--tokens", "2") as url:
        given = (
            "--request-rate", "100", "--burstiness", "1", "--concurrency", "200",
            "--num-prompts", "200", "--num-warmups", "0",
        )  # fmt: skip
        done = steelyard(*perf(url, tmp_path, *given), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    found = lines(load_files(tmp_path, "_details.json"))
    due = sorted(line["timing"]["due_ns"] for line in found)
    assert len(due) == 200
    assert 1.7 < (due[-1] - due[0]) / 1e9 < 2.0
    gaps = sorted(b - a for a, b in pairwise(due))
    assert gaps[20] < 3e6 < 20e6 < gaps[180]  # far from even
    late_ms = sorted((line["timing"]["sent_ns"] - line["timing"]["due_ns"]) / 1e6 for line in found)
    assert late_ms[0] >= 0
    assert late_ms[len(late_ms) // 2] < 20
    assert any(row["name"] == "E2EL (from due)" for row in figures(tmp_path)["stats"])


def test_pressure_asks_again_and_again_until_the_time_is_up(tmp_path: Path) -> None:
    with simulated("--ttft", "20ms", "--tokens", "2") as url:
        given = (
            "--pressure", "--pressure-time", "2", "--request-rate", "8", "--concurrency", "6",
            "--num-prompts", "5",
        )  # fmt: skip
        began = time.monotonic()
        done = steelyard(*perf(url, tmp_path, *given), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert 2 <= time.monotonic() - began < 8
    found = lines(load_files(tmp_path, "_details.json"))
    assert len({line["key"] for line in found}) == len(found) > 50
    first_ns = min(line["timing"]["sent_ns"] for line in found)
    early = [line for line in found if line["timing"]["sent_ns"] - first_ns < 100e6]
    assert len(early) <= 8  # one client asks about five times in the first 100 ms


def test_sender_processes_share_one_load(tmp_path: Path) -> None:
    with simulated(*SLOW) as url:
        given = ("--concurrency", "10", "--num-prompts", "50", "--senders", "2")
        done = steelyard(*perf(url, tmp_path, *given), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert asked_of(url) == 51
    parts = [load_files(tmp_path, "_details.json"), load_files(tmp_path, "_details.2.json")]
    keys = [{line["key"] for line in lines(part)} for part in parts]
    assert [len(found) for found in keys] == [25, 25]
    assert not keys[0] & keys[1]
    assert common(figures(tmp_path), "Success Requests") == 50
    assert not list(tmp_path.rglob("*.spool"))


def test_a_killed_run_is_readable_and_called_incomplete(tmp_path: Path) -> None:
    with simulated(*SLOW) as url:
        given = ("--concurrency", "4", "--num-prompts", "400", "--num-warmups", "0")
        with started(*perf(url, tmp_path, *given), cwd=tmp_path) as process:
            kept = _wait_for_lines(tmp_path, 20)
            process.send_signal(signal.SIGKILL)
    kept = lines(load_files(tmp_path, "_details.json"))
    done = steelyard(
        "run", "--models", "vllm_api_stream_chat", "--datasets", "synthetic_gen",
        "--mode", "perf_viz", "--reuse", "-w", str(tmp_path), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "INCOMPLETE RUN: the process was killed or is still sending" in done.stdout
    assert common(figures(tmp_path), "Total Requests") == len(kept)


def test_an_interrupted_run_says_how_to_see_what_there_is(tmp_path: Path) -> None:
    with simulated(*SLOW) as url:
        given = ("--concurrency", "4", "--num-prompts", "400", "--num-warmups", "0")
        with started(*perf(url, tmp_path, *given), cwd=tmp_path) as process:
            _wait_for_lines(tmp_path, 10)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "figures of what had ended" in out
    note = json.loads(load_files(tmp_path, "_run.json").read_text())
    assert note["status"] == "interrupted"


def test_a_dead_service_is_one_clear_error(tmp_path: Path) -> None:
    given = ("--concurrency", "4", "--num-prompts", "40")
    done = steelyard(*perf("http://127.0.0.1:9", tmp_path, *given), cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing listens on 127.0.0.1:9" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def _wait_for_lines(work: Path, count: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        runs = [path for path in work.iterdir() if path.is_dir()] if work.is_dir() else []
        found = [
            line
            for run in runs
            for line in lines(run / "performance" / MODEL / f"{DATA}_details.json")
        ]
        if len(found) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the run did not get under way")
