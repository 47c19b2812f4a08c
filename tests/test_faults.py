"""The fault matrix: what is retried, what stops a run, what people read, how the command exits.

Every row is a real run of the command against the simulated endpoint with that fault. 60 GSM8K
questions, of which the endpoint answers a known share rightly.
"""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from running import lines, only_run, results, run_arguments, stats, steelyard
from sim_process import simulated

MODEL, DATASET, ROWS = "vllm-api-general-chat", "gsm8k", 60
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def data(shared: Path) -> Path:
    return shared / "datasets"


def run(url: str, work: Path, data: Path, *more: str) -> Done:
    usual = ("--num-prompts", str(ROWS), "--concurrency", "16")
    work.mkdir(exist_ok=True)
    return steelyard(*run_arguments(url, work / "out", data, *usual, *more), cwd=work)


def requests_seen(url: str) -> int:
    """How many completions the endpoint was asked for."""
    return sum(n for path, n in stats(url)["requests"].items() if "completions" in path)


def figures(work: Path) -> dict[str, Any]:
    return results(only_run(work / "out"), MODEL, DATASET)


def serving(data: Path, *faults: str, share: str = "0.6") -> Iterator[str]:
    flags = ("--dataset", "gsm8k_gen", "--accuracy", share, "--data-dir", str(data))
    return simulated(*flags, *faults)  # type: ignore[return-value]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


# What makes asking hopeless: the run stops with one message, exit code 1.


def stopped(done: Done, *words: str) -> None:
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    for word in words:
        assert word in done.stdout, done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_dead_endpoint_is_reported_within_seconds(data: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    done = run(f"http://127.0.0.1:{free_port()}", tmp_path, data)
    stopped(done, "nothing listens", "--base-url")
    assert time.monotonic() - began < 10


def test_a_dead_endpoint_is_reported_when_the_model_name_is_asked_for(
    data: Path, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    more = ("--num-prompts", "5", "--set", "model=")
    done = steelyard(*run_arguments(url, tmp_path / "out", data, *more), cwd=tmp_path)
    stopped(done, "nothing listens")


def test_an_unknown_host_is_named(data: Path, tmp_path: Path) -> None:
    done = run("http://no-such-host.invalid:8000", tmp_path, data)
    stopped(done, "no-such-host.invalid", "--base-url")


def test_a_wrong_key_stops_the_run_and_names_the_flag(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIM_KEY", "right-key")
    with serving(data, "--require-key", "SIM_KEY") as url:
        done = run(url, tmp_path, data)
        asked = requests_seen(url)
    stopped(done, "401", "--api-key-env")
    assert asked <= 8 + 16


def test_a_key_is_sent_and_never_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIM_KEY", "sk-very-secret")
    with serving(data, "--require-key", "SIM_KEY") as url:
        asked = f"{url}/v1?api_key=sk-very-secret&version=2"
        done = run(asked, tmp_path, data, "--api-key-env", "SIM_KEY")
    assert done.returncode == 0, done.stdout
    written = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert b"sk-very-secret" not in written
    assert "sk-very-secret" not in done.stdout + done.stderr


def test_a_wrong_model_name_stops_the_run(data: Path, tmp_path: Path) -> None:
    with serving(data, "--strict-model") as url:
        done = run(url, tmp_path, data, "--model", "nobody")
    stopped(done, "404", "--model")


def test_a_request_that_is_always_refused_stops_the_run(data: Path, tmp_path: Path) -> None:
    with serving(data, "--fault", "400:1:sticky") as url:
        done = run(url, tmp_path, data)
        asked = requests_seen(url)
    stopped(done, "400")
    assert asked <= 8 + 16


def test_a_certificate_nobody_vouches_for_is_explained(data: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key, ca = (tmp_path / name for name in ("chain.pem", "key.pem", "ca.pem"))
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca)
    with serving(data, "--tls-cert", str(chain), "--tls-key", str(key)) as url:
        assert url.startswith("https://")
        refused = run(url, tmp_path, data)
        stopped(refused, "certificate", "ca_file")
        trusted = run(url, tmp_path / "trusted", data, "--set", f"ca_file={ca}")
        careless = run(url, tmp_path / "careless", data, "--set", "verify_tls=false")
    assert trusted.returncode == careless.returncode == 0, trusted.stdout


# What may pass is tried again: everything is answered, exit code 0.


@pytest.mark.parametrize(
    "fault",
    ["429:0.3", "500:0.3", "503:0.3", "408:0.3", "reset:0.3", "truncate:0.3", "garbage:0.3",
     "empty:0.3"],
)  # fmt: skip
def test_a_passing_fault_is_retried(fault: str, data: Path, tmp_path: Path) -> None:
    with serving(data, "--fault", fault) as url:
        done = run(url, tmp_path, data)
    assert done.returncode == 0, done.stdout
    found = figures(tmp_path)
    assert (found["answered"], found["failed"]) == (ROWS, 0)
    stored = lines(only_run(tmp_path / "out") / "predictions" / MODEL / f"{DATASET}.jsonl")
    assert any(line.get("attempts", 1) > 1 for line in stored)


def test_a_request_that_hangs_is_given_up_and_retried(data: Path, tmp_path: Path) -> None:
    with serving(data, "--fault", "hang:0.1") as url:
        done = run(url, tmp_path, data, "--timeout", "1")
    assert done.returncode == 0, done.stdout
    assert figures(tmp_path)["answered"] == ROWS


def test_retry_after_is_honoured(data: Path, tmp_path: Path) -> None:
    with serving(data, "--fault", "429:0.2:retry-after=2") as url:
        began = time.monotonic()
        done = run(url, tmp_path, data)
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - began > 2


def test_slow_bytes_are_no_failure(data: Path, tmp_path: Path) -> None:
    with serving(data, "--fault", "slow:0.1:bytes-per-s=2000") as url:
        done = run(url, tmp_path, data)
    assert done.returncode == 0, done.stdout


# What never passes is reported as failed, left out of the score, and asked again by --reuse.


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("500:0.2:sticky", "status 500"),
        ("429:0.2:sticky", "status 429"),
        ("400:0.2:sticky", "status 400"),
        ("reset:0.2:sticky", "broken_stream"),
        ("truncate:0.2:sticky", "broken_stream"),
        ("garbage:0.2:sticky", "protocol"),
        ("empty:0.2:sticky", "protocol"),
        ("hang:0.2:sticky", "timeout"),
    ],
)
def test_a_lasting_fault_is_reported_and_not_scored(
    fault: str, kind: str, data: Path, tmp_path: Path
) -> None:
    quick = ("--retries", "1", "--timeout", "1")
    with serving(data, "--fault", fault, share="1") as url:
        done = run(url, tmp_path, data, *quick)
    found = figures(tmp_path)
    assert done.returncode == 1, done.stdout
    assert found["failed"] == found["failures"][kind] > 0
    assert found["answered"] + found["failed"] == ROWS
    assert found["accuracy"] == 100
    assert found["aisbench_accuracy"] == pytest.approx(100 * found["answered"] / ROWS)
    assert f"{kind}, for example: " in done.stdout
    assert "*" in done.stdout
    with serving(data, share="1") as url:
        again = run(url, tmp_path, data, "--reuse")
        asked = requests_seen(url)
    assert again.returncode == 0, again.stdout
    assert asked == found["failed"]
    assert figures(tmp_path)["failed"] == 0
    assert figures(tmp_path)["answered"] == ROWS


def test_one_failure_in_a_hundred_or_less_does_not_change_the_exit_code(
    data: Path, tmp_path: Path
) -> None:
    with serving(data, "--fault", "500:0.005:sticky", share="1") as url:
        done = steelyard(
            *run_arguments(url, tmp_path / "out", data, "--num-prompts", "500", "--retries", "0"),
            "--concurrency", "64", cwd=tmp_path,
        )  # fmt: skip
    found = figures(tmp_path)
    assert 0 < found["failed"] <= 5
    assert done.returncode == 0, done.stdout
    assert "*" in done.stdout


def test_a_service_that_goes_away_and_comes_back_loses_nothing(data: Path, tmp_path: Path) -> None:
    port = free_port()
    flags = ("--dataset", "gsm8k_gen", "--data-dir", str(data), "--ttft", "300ms")
    url = f"http://127.0.0.1:{port}"
    with simulated(*flags, "--port", str(port)):
        process = subprocess.Popen(
            [*_program(), *run_arguments(url, tmp_path / "out", data, "--num-prompts", "200"),
             "--concurrency", "16"], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_for(lambda: stored_lines(tmp_path / "out") > 0)
    time.sleep(4)
    with simulated(*flags, "--port", str(port)):
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert figures(tmp_path)["answered"] == 200


def stored_lines(work: Path) -> int:
    return sum(len(lines(path)) for path in work.glob("*/predictions/*/*.jsonl"))


def wait_for(condition: Callable[[], bool], limit_s: float = 60) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not begin"
        time.sleep(0.05)


def _program() -> tuple[str, ...]:
    from running import PROGRAM

    return PROGRAM
