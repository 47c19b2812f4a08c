"""One model, two ways: in this process and behind a real server give the same answers.

The server is ``transformers serve``; greedy, float32, so that nothing is left to chance.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import lines, only_run, steelyard

pytest.importorskip("torch", reason="the extra hf is not installed")
pytest.importorskip("transformers", reason="the extra hf is not installed")
pytest.importorskip("fastapi", reason="transformers serve needs transformers[serving]")
pytest.importorskip("uvicorn", reason="transformers serve needs transformers[serving]")

MODEL = Path(__file__).parents[1] / "tools" / "tiny_model" / "model"
UP_WITHIN_S = 180


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    command = [Path(sys.executable).with_name("transformers"), "serve", str(MODEL)]
    settings = ["--port", str(port), "--dtype", "float32", "--device", "cpu"]
    calm = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    with (
        (home / "log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [*command, *settings],
            env={**os.environ, **calm},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            until = time.monotonic() + UP_WITHIN_S
            while not healthy(port):
                assert process.poll() is None, (home / "log").read_text(encoding="utf-8")
                assert time.monotonic() < until, "transformers serve did not come up"
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def answers(work: Path) -> dict[str, str]:
    (path,) = (
        path
        for path in only_run(work).glob("predictions/*/*.jsonl")
        if not path.name.endswith(".scores.jsonl")
    )
    told = lines(path)
    assert all(one["success"] for one in told)
    return {one["key"]: one["prediction"] for one in told}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_a_served_model_and_a_local_one_say_the_same(
    server: str, tmp_path: Path, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow: it starts a server that loads PyTorch."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    common = ("--datasets", "tiny_arithmetic_gen", "--num-prompts", "40", "--temperature", "0")
    local = steelyard(
        *("run", "--models", "hf_chat_model", "--model-path", str(MODEL), *common),
        *("--dtype", "float32", "--device", "cpu", "--batch-size", str(batch_size)),
        *("--set", "generation_kwargs.repetition_penalty=1.0", "-w", str(tmp_path / "local")),
        cwd=tmp_path,
    )
    assert local.returncode == 0, local.stderr + local.stdout
    served = steelyard(
        *("run", "--models", "vllm_api_general_chat", "--base-url", server, *common),
        *("--model", str(MODEL), "-w", str(tmp_path / "served")),
        cwd=tmp_path,
        timeout_s=300,
    )
    assert served.returncode == 0, served.stderr + served.stdout
    assert answers(tmp_path / "local") == answers(tmp_path / "served")
