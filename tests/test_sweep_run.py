"""A sweep from command line to files, against a service whose limit is known.

- A series has one load test for each load, with files of its own, and a summary of all.
- A search finds the number of places that the service has, and confirms it.
- A load that the client could not offer is marked, and is no limit of the service.
- A load at which nothing is answered ends a series; a search goes on below it.
- Ctrl-C keeps the finished loads; a dead service is one error; nonsense is refused before sending.
"""

import csv
import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from running import lines, only_run, started, stats, steelyard
from sim_process import simulated
from steelyard.cli.options import option_table, parse
from steelyard.cli.sweep_options import NOT_HERE, SweepOptions, sweep_plan
from steelyard.core import ConfigError
from steelyard.pipeline.sweep_report import SweepReport

MODEL = "vllm-api-stream-chat"
DATA = "syntheticdataset"
PLACES = 3
SERVICE = ("--ttft", "150ms", "--tokens", "1", "--max-concurrency", str(PLACES))
SLO = "ttft=240ms"
"""Whoever finds a place gets a token after 150 ms, whoever waits for one after 300 ms."""


def sweep(
    url: str, work: Path, *more: str, preset: str = "vllm_api_stream_chat", rows: int = 2000
) -> Sequence[str]:
    return (
        "sweep", "--models", preset, "--datasets", "synthetic_gen", "--base-url", url,
        "--model", "steelyard-sim", "--set-data", f"RequestCount={rows}", "Input=5",
        "-w", str(work), *more,
    )  # fmt: skip


def made(work: Path, ending: str) -> Path:
    return only_run(work) / "performance" / MODEL / f"{DATA}{ending}"


def report(work: Path) -> SweepReport:
    return msgspec.json.decode(made(work, "_sweep.json").read_bytes(), type=SweepReport)


def asked_of(url: str) -> int:
    return sum(stats(url)["requests"].values())


def keys(work: Path, name: str) -> set[str]:
    return {line["key"] for line in lines(made(work, f"-{name}_details.json"))}


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with simulated(*SERVICE) as url:
        yield url


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory, service: str) -> Path:
    work = tmp_path_factory.mktemp("series")
    given = ("--concurrencies", "6", "2", "3", "--slo", SLO, "--num-prompts", "24")
    before = asked_of(service)
    done = steelyard(*sweep(service, work, *given), cwd=work)
    assert done.returncode == 0, done.stdout + done.stderr
    assert asked_of(service) - before == 3 * (24 + 1)  # one warm-up request each
    (work / "screen.txt").write_text(done.stdout)
    return work


def test_a_series_goes_from_the_lowest_load_to_the_highest(series: Path) -> None:
    found = report(series)
    assert found.status == "finished"
    assert found.found is None
    assert [point.load for point in found.points] == [2, 3, 6]
    assert [point.verdict for point in found.points] == ["met", "met", "missed"]
    for point, rate in zip(found.points, (2 / 0.15, 3 / 0.15, 3 / 0.15), strict=True):
        assert (point.requests, point.failed) == (24, 0)
        assert point.requests_per_s is not None
        assert point.requests_per_s.value == pytest.approx(rate, rel=0.2)
        assert point.ttft_p50_ms is not None
        assert point.ttft_p50_ms.value >= 150
    assert found.points[2].ttft_p99_ms.value > 290


def test_every_load_test_has_its_own_files_and_rows(series: Path) -> None:
    asked = [keys(series, name) for name in ("c2", "c3", "c6")]
    assert [len(one) for one in asked] == [24, 24, 24]
    assert not asked[0] & asked[1]
    assert not asked[1] & asked[2]
    for ending in (".csv", "_figures.json", "_plot.html", "_run.json"):
        assert made(series, f"-c6{ending}").is_file()


def test_the_summary_is_a_table_for_people_and_for_programs(series: Path) -> None:
    screen = (series / "screen.txt").read_text()
    assert "Sweep of vllm-api-stream-chat on syntheticdataset: requests in flight" in screen
    assert f"The highest of these loads that meets {SLO} for 99 % of the requests: 3 in" in screen
    assert "6 in flight did not" in screen
    assert screen.count("syntheticdataset-c6: ") == 2  # began and ended
    with made(series, "_sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["concurrency"] for row in rows] == ["2", "3", "6"]
    assert [row["verdict"] for row in rows] == ["met", "met", "missed"]
    assert float(rows[0]["ttft_p50_ms"]) == report(series).points[0].ttft_p50_ms.value
    assert rows[0]["tpot_p50_ms"] == ""  # one token has no time per further token
    assert rows[0]["name"] == f"{DATA}-c2"
    page = made(series, "_sweep.html").read_text(encoding="utf-8")
    assert "Steelyard load sweep" in page
    assert SLO in page


def test_a_search_finds_the_places_of_the_service_and_confirms_them(
    tmp_path: Path, service: str
) -> None:
    given = ("--find", "concurrency", "--from", "2", "--to", "64", "--slo", SLO)
    done = steelyard(
        *sweep(service, tmp_path, *given, "--num-prompts", "21", "--json", rows=100), cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = report(tmp_path)
    assert [point.load for point in found.points] == [2, 4, 3, 3, 3]
    assert found.found is not None
    assert found.found.best == PLACES
    assert found.found.confirmed
    assert found.found.failed == PLACES + 1
    assert found.found.limit == "service"
    assert made(tmp_path, "-c3-2_plot.html").is_file()
    assert len(keys(tmp_path, "c3-3")) == 21
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["type"] for event in events if event["type"] != "progress"]
    assert kinds[0] == "planned"
    assert kinds.count("point") == 5
    assert kinds[-2:] == ["sweep", "finished"]
    (told,) = [event for event in events if event["type"] == "sweep"]
    assert told["found"] == json.loads(made(tmp_path, "_sweep.json").read_text())["found"]
    assert f"{PLACES} in flight, in all of 3 runs. 4 in flight did not" in told["screen"]
    notices = [event["text"] for event in events if event["type"] == "notice"]
    assert any("100 rows, fewer than the sweep asks: from 3 in flight" in one for one in notices)


def test_a_rate_that_the_client_could_not_offer_is_no_limit_of_the_service(
    tmp_path: Path, service: str
) -> None:
    given = ("--rates", "5", "40", "--concurrency", "1", "--slo", "ttft=9s", "--num-prompts", "10")
    done = steelyard(*sweep(service, tmp_path, *given), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    slow, fast = report(tmp_path).points
    assert slow.verdict == "met"
    assert fast.verdict == "client"
    assert not fast.pareto
    assert "CLIENT-BOUND at 40 req/s" in done.stdout
    assert "At 40 req/s the client was the limit, so it is not known" in done.stdout
    assert made(tmp_path, "-r40_plot.html").is_file()


def test_a_load_at_which_nothing_is_answered_ends_a_series(tmp_path: Path) -> None:
    given = ("--concurrencies", "1", "2", "3", "--num-prompts", "8", "--num-warmups", "0")
    with simulated(
        "--ttft", "20ms", "--tokens", "1", "--fault", "503:1", "--fault-after", "8"
    ) as url:
        done = steelyard(*sweep(url, tmp_path, *given), cwd=tmp_path)
        assert asked_of(url) == 16
    assert done.returncode == 1
    found = report(tmp_path)
    assert [point.answered for point in found.points] == [8, 0]
    assert found.points[1].failures == {"status 503": 8}
    assert "no request was answered at 2; not tried: 3" in done.stdout


def test_a_search_goes_on_below_a_load_at_which_nothing_is_answered(tmp_path: Path) -> None:
    given = ("--find", "concurrency", "--slo", SLO, "--num-prompts", "8", "--num-warmups", "0")
    faults = ("--fault", "503:1", "--fault-after", "8", "--fault-first", "16")
    with simulated("--ttft", "100ms", "--tokens", "1", *faults) as url:
        done = steelyard(*sweep(url, tmp_path, *given, "--confirm", "1"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = report(tmp_path)
    assert [point.load for point in found.points] == [1, 2, 1]
    assert found.found is not None
    assert (found.found.best, found.found.failed) == (1, 2)
    assert "2 in flight did not (no request was answered)" in done.stdout


def test_a_search_without_an_answer_says_so(tmp_path: Path, service: str) -> None:
    given = ("--find", "rate", "--from", "20", "--slo", "ttft=1ms", "--num-prompts", "8")
    done = steelyard(*sweep(service, tmp_path, *given), cwd=tmp_path)
    assert done.returncode == 1
    assert "No load was found that meets ttft=1ms for 99 % of the requests." in done.stdout
    assert "20 req/s did not (only 0 %" in done.stdout


def test_ctrl_c_keeps_the_loads_that_were_finished(tmp_path: Path, service: str) -> None:
    given = ("--concurrencies", "2", "3", "--num-prompts", "12", "--json")
    with started(*sweep(service, tmp_path, *given), cwd=tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"job_started"' in line and "-c3" in line:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    found = report(tmp_path)
    assert found.status == "interrupted"
    assert [point.load for point in found.points] == [2]
    assert "INCOMPLETE SWEEP" in out
    assert json.loads(out.splitlines()[-1])["exit_code"] == 130


def test_a_dead_service_is_one_error(tmp_path: Path) -> None:
    given = ("--find", "concurrency", "--slo", SLO)
    done = steelyard(*sweep("http://127.0.0.1:9", tmp_path, *given), cwd=tmp_path)
    assert done.returncode == 1
    assert (done.stdout + done.stderr).count("nothing listens on 127.0.0.1:9") == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*_sweep.*"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--find", "concurrency"), "--find needs objectives"),
        (("--concurrencies", "2", "--slo", "ttft=1s"), "does not stream"),
        (("--concurrencies", "2", "--slo", "tft=1s"), "tft"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    tmp_path: Path, service: str, given: Sequence[str], said: str
) -> None:
    before = asked_of(service)
    preset = "vllm_api_general_chat"
    done = steelyard(*sweep(service, tmp_path, *given, preset=preset), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert asked_of(service) == before
    assert not list(tmp_path.iterdir())


def options(*given: str) -> SweepOptions:
    return parse(SweepOptions, given, program="steelyard sweep", about="", without=NOT_HERE)


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("--concurrencies", "1", "--rates", "1"),
        ("--rates", "1", "--find", "rate", "--slo", SLO),
        ("--concurrencies", "four"),
        ("--concurrencies", "2.5"),
        ("--rates", "0"),
        ("--rates", "1", "--attainment", "0.9"),
        ("--rates", "1", "--from", "2"),
        ("--rates", "1", "--confirm", "2"),
        ("--concurrencies", "1", "--seconds", "9"),
        ("--concurrencies", "1", "--concurrency", "9"),
        ("--find", "concurrency", "--slo", SLO, "--from", "9", "--to", "3"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given: Sequence[str]) -> None:
    with pytest.raises(ConfigError):
        sweep_plan(options(*given))


def test_options_that_a_sweep_does_not_have_are_unknown(capsys: pytest.CaptureFixture[Any]) -> None:
    for given in (("--mode", "all"), ("--reuse",), ("--request-rate", "3"), ("--pressure",)):
        with pytest.raises(SystemExit) as left:
            options(*given)
        assert left.value.code == 2
    assert "there is no option --pressure" in capsys.readouterr().err


def test_the_options_of_a_sweep_become_its_plan() -> None:
    plan = sweep_plan(options("--rates", "8", "0.5", "8", "--num-prompts", "90"))
    assert plan.series == (0.5, 8)
    assert plan.requests_at(8) == 90
    plan = sweep_plan(options("--find", "rate", "--slo", SLO, "--from", "2", "--seconds", "60"))
    assert plan.span is not None
    assert (plan.span.low, plan.span.high, plan.span.precision) == (2, 512, 0.05)
    assert plan.requests_at(4) == 240
    assert plan.attainment == 0.99


def test_every_option_of_its_own_stands_in_the_docs() -> None:
    text = (Path(__file__).parents[1] / "docs" / "sweep.md").read_text(encoding="utf-8")
    own = {"--" + name.rstrip("_").replace("_", "-") for name in SweepOptions.__annotations__}
    rows = [f"| `{flag}` | {said} |" for flag, said in option_table(SweepOptions) if flag in own]
    assert len(rows) == len(own)
    assert [row for row in rows if row not in " ".join(text.split())] == []
