"""The whole command on a model in a folder: files, resume, devices, errors.

- ``--mode all`` writes the files of a served model, and says how many prompts were cut.
- Killed in the middle, nothing finished is lost or computed again; failed rows are tried again.
- Tasks have devices of their own; a plan that needs more than there are is refused with the sum.
- What cannot work is one sentence and exit code 2, before anything loads.
"""

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest

import random_model
from running import lines, only_run, started, steelyard
from steelyard.core import ConfigError, ModelSpec
from steelyard.pipeline.devices import Accelerators, Pool, found, refuse_too_few

MODEL = "hf-base-model"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="the extra hf is not installed")
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    return random_model.put("llama", tmp_path_factory.mktemp("model"))


def data(path: Path, rows: int) -> Path:
    words = Path(__file__).read_text(encoding="utf-8").split()
    text = [
        json.dumps({"question": " ".join(words[k : k + 5 + k % 40]), "answer": words[k % 50]})
        for k in range(rows)
    ]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def arguments(folder: Path, rows: Path, work: Path, *more: str) -> list[str]:
    greedy = ("--temperature", "0", "--set", "generation_kwargs.repetition_penalty=1.0")
    return [
        *("run", "--models", "hf_base_model", "--model-path", str(folder), "--device", "cpu"),
        *("--custom-dataset-path", str(rows), "-w", str(work), "--max-tokens", "40"),
        *("--dtype", "float32", *greedy, *more),
    ]


def predictions(work: Path) -> list[dict[str, object]]:
    (path,) = (only_run(work) / "predictions" / MODEL).glob("*.jsonl")
    return lines(path)


def stored(work: Path) -> list[dict[str, object]]:
    paths = [
        path
        for path in (only_run(work) / "predictions" / MODEL).glob("*.jsonl")
        if not path.name.endswith(".scores.jsonl")
    ]
    return [line for path in paths for line in lines(path)]


@pytest.mark.timeout(600)
def test_one_command_asks_marks_and_reports(folder: Path, tmp_path: Path) -> None:
    rows = data(tmp_path / "rows.jsonl", 60)
    done = steelyard(
        *arguments(folder, rows, tmp_path / "out", "--batch-size", "16", "--max-seq-len", "96"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "prompts were longer than the model takes and were cut" in done.stdout + done.stderr
    told = stored(tmp_path / "out")
    assert sorted(str(one["key"]) for one in told) == sorted(f"{k}#0" for k in range(60))
    cut = sum("prompt_cut" in one for one in told)
    assert 0 < cut < 60
    assert f"{cut} of 60 prompts were longer than the model takes and were cut" in done.stdout
    assert all(one["token_source"] == "tokenizer" for one in told)
    assert (only_run(tmp_path / "out") / "summary").is_dir()


@pytest.mark.timeout(600)
def test_killed_in_the_middle_it_goes_on_where_it_was(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rows = data(tmp_path / "rows.jsonl", 120)
    work = tmp_path / "out"
    process = started(*arguments(folder, rows, work, "--batch-size", "4"), cwd=tmp_path)
    until = time.monotonic() + 120
    while time.monotonic() < until and not (work.exists() and len(_safe(work)) >= 20):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(1.0)  # its model notices that it is alone
    safe = _safe(work)
    assert 20 <= len(safe) < 120, "the kill must fall into the run"
    again = steelyard(*arguments(folder, rows, work, "--batch-size", "8", "--reuse"), cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    told = stored(work)
    assert len(told) == len({str(one["key"]) for one in told}) == 120
    assert {key: text for key, text in _safe(work).items() if key in safe} == safe
    calm = tmp_path / "calm"
    whole = steelyard(*arguments(folder, rows, calm, "--batch-size", "4"), cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    one, other = _safe(calm), _safe(work)
    assert one.keys() == other.keys()
    # Batches of other sizes round differently, and random weights have near ties.
    assert sum(one[key] != other[key] for key in one) <= 2


def _safe(work: Path) -> dict[str, str]:
    found = {}
    for path in work.glob("*/predictions/*/*.jsonl"):
        if not path.name.endswith(".scores.jsonl"):
            text = path.read_text(encoding="utf-8")
            whole = text[: text.rfind("\n") + 1]
            for line in whole.splitlines():
                record = json.loads(line)
                found[record["key"]] = record["prediction"]
    return found


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--model-path", "/no/such/folder"), "/no/such/folder is not a folder"),
        (("--dtype", "float7"), "float7"),
        (("--set", "tokenizer_path=/no/such"), "has no tokenizer"),
        (("--mode", "perf"), "cannot be measured here"),
    ],
)
def test_what_cannot_work_is_one_sentence_and_exit_code_2(
    folder: Path, tmp_path: Path, more: tuple[str, ...], says: str
) -> None:
    rows = data(tmp_path / "rows.jsonl", 3)
    done = steelyard(*arguments(folder, rows, tmp_path / "out", *more), cwd=tmp_path)
    assert done.returncode == 2, done.stderr + done.stdout
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def model(devices: int, abbr: str = "m") -> ModelSpec:
    return ModelSpec(abbr=abbr, backend="hf_base_model", options={"run_cfg": {"num_gpus": devices}})


def test_devices_are_found_by_the_variable_or_by_the_driver(tmp_path: Path) -> None:
    assert found({"CUDA_VISIBLE_DEVICES": "2,5"}).names == ("2", "5")
    assert found({"CUDA_VISIBLE_DEVICES": ""}).names == ()
    for name in ("nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert found({}, tmp_path) == Accelerators("CUDA_VISIBLE_DEVICES", ("2", "10"))
    (tmp_path / "nvidia2").unlink()
    (tmp_path / "nvidia10").unlink()
    (tmp_path / "davinci0").touch()
    assert found({}, tmp_path) == Accelerators("ASCEND_RT_VISIBLE_DEVICES", ("0",))


def test_a_plan_that_needs_more_devices_is_refused_with_the_sum() -> None:
    four = Accelerators("CUDA_VISIBLE_DEVICES", ("0", "1", "2", "3"))
    models = [model(2, "a"), model(2, "b"), model(1, "c")]
    refuse_too_few(models, 2, four)
    with pytest.raises(ConfigError, match=r"2 \+ 2 \+ 1 = 5 devices, but 4"):
        refuse_too_few(models, 3, four)
    with pytest.raises(ConfigError, match="model a takes 8 devices"):
        refuse_too_few([model(8, "a")], 1, four)
    refuse_too_few(models, 3, Accelerators("", ()))  # everything on the CPU


def test_no_device_is_lent_twice() -> None:
    lent: list[set[str]] = []
    most = 0

    async def task(pool: Pool, number: int) -> None:
        nonlocal most
        async with pool.lease(number) as environ:
            mine = set(environ["CUDA_VISIBLE_DEVICES"].split(","))
            assert len(mine) == number
            assert not any(mine & other for other in lent)
            lent.append(mine)
            most = max(most, len(lent))
            await asyncio.sleep(0.01)
            lent.remove(mine)

    async def all_tasks() -> None:
        pool = Pool(Accelerators("CUDA_VISIBLE_DEVICES", ("0", "1", "2", "3")), 4)
        await asyncio.gather(*(task(pool, number) for number in (2, 1, 3, 1, 4, 2, 1, 1)))

    asyncio.run(all_tasks())
    assert most >= 2
