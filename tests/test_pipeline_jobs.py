"""Jobs beside each other and after each other: what one that fails, or was done before, changes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from running import lines, only_run, results, started, stats, steelyard
from sim_process import simulated
from steelyard.core import ConfigError, Job, ModelSpec
from steelyard.pipeline.prepare import prepare
from steelyard.tasks import Data, catalogue

DEMO = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
CHAT, MODEL = "vllm_api_general_chat", "vllm-api-general-chat"
DEAD = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with simulated("--dataset", DEMO, "--accuracy", "0.75") as address:
        yield address


def config(cwd: Path, **models: tuple[str, str]) -> str:
    """A config file with models by name: address and served name."""
    specs = ", ".join(
        f"ModelSpec(abbr={abbr!r}, backend='openai_chat', options="
        f"{{'base_url': {url!r}, 'model': {served!r}}})"
        for abbr, (url, served) in models.items()
    )
    text = f"from steelyard.core import ModelSpec\nmodels = [{specs}]\ndatasets = ['{DEMO}']\n"
    (cwd / "mine.py").write_text(text, encoding="utf-8")
    return "mine.py"


def folder(cwd: Path) -> Path:
    return only_run(cwd / "outputs/default")


@pytest.mark.parametrize("served", ["", "named"])
@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_dead_service_takes_down_only_its_own_jobs(
    served: str, workers: str, url: str, tmp_path: Path
) -> None:
    file = config(tmp_path, one=(url, ""), dead=(DEAD, served), two=(url, ""))
    done = steelyard("run", file, "--max-num-workers", workers, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "nothing listens" in done.stdout
    for abbr in ("one", "two"):
        assert results(folder(tmp_path), abbr, "demo_gsm8k")["accuracy"] == 75


def test_a_complete_run_needs_no_service_to_be_reported_again(url: str, tmp_path: Path) -> None:
    steelyard("run", config(tmp_path, m=(url, "")), cwd=tmp_path)
    done = steelyard("run", config(tmp_path, m=(DEAD, "")), "--reuse", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "nothing to ask" in done.stdout


def test_answers_to_another_prompt_are_not_marked_because_the_service_is_dead(
    url: str, tmp_path: Path
) -> None:
    steelyard("run", config(tmp_path, m=(url, "")), "--num-prompts", "4", cwd=tmp_path)
    file = config(tmp_path, m=(DEAD, ""))
    done = steelyard("run", file, "--temperature", "0.9", "--reuse", cwd=tmp_path)
    assert done.returncode == 2
    assert "sampling" in done.stderr


def test_infer_alone_says_when_answers_are_missing(tmp_path: Path) -> None:
    with simulated("--dataset", DEMO, "--fault", "500:0.5:sticky") as url:
        more = ("--mode", "infer", "--retries", "0")
        done = steelyard("run", config(tmp_path, m=(url, "m")), *more, cwd=tmp_path)
    assert done.returncode == 1
    assert "have no answer" in done.stdout


def test_names_that_would_share_a_file_are_refused() -> None:
    model = ModelSpec(abbr="m", backend="openai_chat")
    (entry,) = catalogue.find(DEMO, ())
    (task,) = entry.make(Data(()))
    jobs = [
        Job(model=model, task=replace(task, name=name), dataset=name) for name in ("a/b", "a_b")
    ]
    with pytest.raises(ConfigError, match="a/b by m and a_b by m"):
        prepare(jobs, marked=True)


def test_a_running_folder_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with simulated("--dataset", DEMO, "--ttft", "1500ms") as url:
        usual = ("run", config(tmp_path, m=(url, "m")), "--concurrency", "1")
        first = started(*usual, cwd=tmp_path)
        while not list(tmp_path.glob("outputs/default/*/logs")):
            assert first.poll() is None
        asked = sum(stats(url)["requests"].values())
        second = steelyard(*usual, "--reuse", cwd=tmp_path)
        first.kill()
        first.communicate()
        now = stats(url)["requests"].get("/v1/chat/completions", 0)
    assert second.returncode == 2
    assert "another steelyard run" in second.stderr
    assert now <= asked + 4


def test_more_repeats_ask_only_the_new_ones_and_fewer_count_only_theirs(
    url: str, tmp_path: Path
) -> None:
    file = config(tmp_path, m=(url, "m"))
    steelyard("run", file, "--repeats", "2", cwd=tmp_path)
    more = steelyard("run", file, "--repeats", "4", "--reuse", cwd=tmp_path)
    assert "found 16 finished" in more.stdout
    assert len(lines(folder(tmp_path) / "predictions/m/demo_gsm8k.jsonl")) == 32
    fewer = steelyard("run", file, "--num-prompts", "3", "--reuse", cwd=tmp_path)
    assert fewer.returncode == 0
    found = results(folder(tmp_path), "m", "demo_gsm8k")
    assert (found["total"], found["answered"], found["unasked"]) == (3, 3, 0)
    assert "accuracy" in found


def test_the_rows_of_a_config_file_are_not_shortened_silently(url: str, tmp_path: Path) -> None:
    file = Path(tmp_path / config(tmp_path, m=(url, "m")))
    text = file.read_text(encoding="utf-8").replace(f"['{DEMO}']", "[demo]")
    ref = (
        f"from steelyard.config import DatasetRef\ndemo = DatasetRef(name='{DEMO}', rows='[:5]')\n"
    )
    file.write_text(ref + text, encoding="utf-8")
    done = steelyard("run", str(file), "--num-prompts", "2", "--json", cwd=tmp_path)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert any("test_range" in event.get("text", "") for event in told), done.stderr
    assert results(folder(tmp_path), "m", "demo_gsm8k")["total"] == 5
