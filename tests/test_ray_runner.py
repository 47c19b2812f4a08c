"""Local models on a Ray cluster: real nodes on this machine, real files.

- Every job runs on a node that has its devices; jobs run side by side, each in its record file.
- A node that dies takes its job down and no other; ``--reuse`` asks what is missing, nothing twice.
- Ctrl-C ends the tasks and keeps what is finished; the room they took is free again.
- What can never fit, a cluster that is not there, storage that is not shared: one sentence each.
- Without the package the sentence is how to install it; a served model is asked from here.
"""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import random_model
import steelyard as package
from running import PROGRAM, environment, lines, only_run, steelyard
from sim_process import simulated
from steelyard.core import ConfigError, ModelSpec
from steelyard.pipeline.ray_runner import Home, device_kind, refuse_unplaceable

ADDRESS_OF_NOBODY = "127.0.0.1:9"
MODELS = """
from steelyard.core import ModelSpec, Sampling

def model(abbr, devices):
    return ModelSpec(
        abbr=abbr,
        backend="hf_base_model",
        options={{
            "path": {path!r},
            "dtype": "float32",
            "batch_size": 4,
            "device": "" if devices else "cpu",
            "run_cfg": {{"num_gpus": devices}},
        }},
        sampling=Sampling(max_tokens=40),
    )

models = [model("on-cpu", 0), model("on-gpu", 1)]
"""


class Nodes:
    """A cluster of two nodes with one CPU each; the second says that it has an accelerator."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        store = {"object_store_memory": 80_000_000, "include_dashboard": False}
        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0, **store}
        )
        self.address = self._cluster.address
        self._second = None
        self.add_second()

    def add_second(self) -> None:
        self._second = self._cluster.add_node(
            num_cpus=1, num_gpus=1, object_store_memory=80_000_000
        )

    def kill_second(self) -> None:
        self._cluster.remove_node(self._second, allow_graceful=False)

    def shutdown(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        found = Nodes()
        yield found
        found.shutdown()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="the extra hf is not installed")
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    return random_model.put("llama", tmp_path_factory.mktemp("model"))


def chosen(folder: Path, model: Path, rows: int) -> tuple[str, ...]:
    """Both models and a data file, as words of a command."""
    words = [f"word{number}" for number in range(40)]
    data = [{"question": " ".join(words[: 3 + k % 30]), "answer": "x"} for k in range(rows)]
    text = "".join(json.dumps(row) + "\n" for row in data)
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")
    (folder / "own/models").mkdir(parents=True, exist_ok=True)
    preset = MODELS.format(path=str(model))
    (folder / "own/models/both.py").write_text(preset, encoding="utf-8")
    what = ("--models", "both", "--config-dir", "own", "--custom-dataset-path", "rows.jsonl")
    return ("run", *what, "--mode", "infer", "-w", "out", "--runner", "ray")


def arguments(nodes: Nodes, what: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return (*what, "--ray-address", nodes.address, "--max-num-workers", "2", *more)


def answers(folder: Path, model: str) -> list[str]:
    paths = (folder / "out").glob(f"*/predictions/{model}/*.jsonl")
    return [str(line["key"]) for path in paths for line in lines(path)]


def until(number: int, folder: Path, *models: str) -> None:
    end = time.monotonic() + 120
    while min(len(answers(folder, model)) for model in models) < number:
        assert time.monotonic() < end, "no answers"
        time.sleep(0.05)


@pytest.mark.slow  # starts a cluster, loads torch in four processes
@pytest.mark.timeout(400)
def test_a_node_that_dies_takes_its_job_down_and_no_other(
    nodes: Nodes, model: Path, tmp_path: Path
) -> None:
    command = arguments(nodes, chosen(tmp_path, model, 120))
    process = subprocess.Popen(
        [*PROGRAM, *command],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(4, tmp_path, "on-cpu", "on-gpu")
    nodes.kill_second()
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 1, said
    assert "on-gpu/rows: its task on the cluster broke off" in said
    assert "Traceback" not in said
    assert len(answers(tmp_path, "on-cpu")) == 120
    before = answers(tmp_path, "on-gpu")
    assert 4 <= len(before) < 120
    nodes.add_second()
    again = steelyard(*command, "--reuse", cwd=tmp_path, timeout_s=300)
    assert again.returncode == 0, again.stdout + again.stderr
    for name in ("on-cpu", "on-gpu"):
        assert sorted(answers(tmp_path, name)) == sorted(f"{k}#0" for k in range(120))
    assert answers(tmp_path, "on-gpu")[: len(before)] == before
    assert not list(only_run(tmp_path / "out").glob(".*")), "the marker is removed"


@pytest.mark.slow  # starts a cluster, loads torch in two processes
@pytest.mark.timeout(400)
def test_an_interrupt_ends_the_task_and_keeps_what_is_finished(
    nodes: Nodes, model: Path, tmp_path: Path
) -> None:
    command = arguments(nodes, chosen(tmp_path, model, 200), "--num-prompts", "150")
    process = subprocess.Popen(
        [*PROGRAM, *command],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(1, tmp_path, "on-cpu", "on-gpu")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "What was finished is kept" in said
    kept = {name: answers(tmp_path, name) for name in ("on-cpu", "on-gpu")}
    time.sleep(3.0)
    assert kept == {name: answers(tmp_path, name) for name in kept}, "nobody goes on"
    assert all(1 <= len(keys) < 150 for keys in kept.values())


@pytest.mark.slow  # starts a cluster
def test_a_task_that_fits_no_node_is_refused_with_the_sum(
    nodes: Nodes, model: Path, tmp_path: Path
) -> None:
    command = arguments(nodes, chosen(tmp_path, model, 3), "--set", "run_cfg.num_gpus=2")
    done = steelyard(*command, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "model on-gpu takes 1 CPU (--ray-cpus) and 2 GPU (run_cfg.num_gpus)" in done.stderr
    assert "1 CPU and 0 GPU; 1 CPU and 1 GPU" in done.stderr
    assert answers(tmp_path, "on-cpu") == []


def test_a_cluster_that_is_not_there_is_one_sentence(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    for address in (ADDRESS_OF_NOBODY, "nonsense", "ray://h:1"):
        done = steelyard(*chosen(tmp_path, model, 3), "--ray-address", address, cwd=tmp_path)
        assert done.returncode == 2, done.stdout + done.stderr
        assert f"no Ray cluster at {address}" in done.stderr
        assert "ray start --head" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed")
def test_without_the_package_the_sentence_says_how_to_install_it(
    model: Path, tmp_path: Path
) -> None:
    done = steelyard(*chosen(tmp_path, model, 3), cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'steelyard[ray]'" in done.stderr


def test_a_node_without_the_run_folder_says_so(tmp_path: Path) -> None:
    marker = tmp_path / ".marker"
    home = Home(package.__version__, str(tmp_path), str(marker), "token", patience_s=0.3)
    assert f"does not see the run folder {tmp_path}" in home.trouble()
    marker.write_text("of another run", encoding="utf-8")
    assert "does not see" in home.trouble()
    marker.write_text("token", encoding="utf-8")
    assert home.trouble() == ""
    other = Home("0.0.1", str(tmp_path), str(marker), "token")
    assert f"has steelyard {package.__version__}, this run 0.0.1" in other.trouble()


def spec(devices: int) -> ModelSpec:
    return ModelSpec(abbr="m", backend="hf_base_model", options={"run_cfg": {"num_gpus": devices}})


def test_devices_must_be_on_one_node_and_may_be_npus() -> None:
    four = {"CPU": 8.0, "GPU": 4.0}
    refuse_unplaceable([spec(4), spec(4), spec(0)], 8, [four, four])
    with pytest.raises(ConfigError, match=r"takes 1 CPU .* and 8 GPU .*8 CPU and 4 GPU; 8 CPU"):
        refuse_unplaceable([spec(8)], 1, [four, four])
    with pytest.raises(ConfigError, match="takes 9 CPU"):
        refuse_unplaceable([spec(1)], 9, [four])
    with pytest.raises(ConfigError, match=r"and 1 GPU .* 2 CPU and 0 GPU"):
        refuse_unplaceable([spec(1)], 1, [{"CPU": 2.0}])
    assert device_kind([{"CPU": 2.0}, {"CPU": 2.0, "NPU": 8.0}]) == "NPU"
    refuse_unplaceable([spec(8)], 1, [{"CPU": 2.0, "NPU": 8.0}])


def test_a_served_model_is_asked_from_here_and_needs_no_cluster(tmp_path: Path) -> None:
    data = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
    with simulated("--dataset", data, "--accuracy", "1") as url:
        done = steelyard(
            *("run", "--models", "vllm_api_general_chat", "--datasets", data, "--base-url", url),
            *("--runner", "ray"),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    assert "--runner ray is for local models" in done.stdout + done.stderr
