"""The tiny model, which really answers, through the whole command.

- Greedy in float32 it says the same whatever the batch size, and gets what its card says.
- As stored (bfloat16) padding may change a close call: in a few rows at most.
"""

from pathlib import Path
from typing import Any

import pytest

from running import lines, only_run, results, steelyard

pytest.importorskip("torch", reason="the extra hf is not installed")
pytest.importorskip("transformers", reason="the extra hf is not installed")

MODEL = Path(__file__).parents[1] / "tools" / "tiny_model" / "model"
GREEDY = ("--temperature", "0", "--set", "generation_kwargs.repetition_penalty=1.0")


def answers(work: Path, *more: str, batch_size: int) -> tuple[dict[str, str], dict[str, Any]]:
    done = steelyard(
        *("run", "--models", "hf_chat_model", "--model-path", str(MODEL), "--device", "cpu"),
        *("--datasets", "tiny_arithmetic_gen", "--max-tokens", "80", "-w", str(work), *GREEDY),
        *("--batch-size", str(batch_size), *more),
        cwd=work.parent,
        timeout_s=280,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    run = only_run(work)
    told = lines(run / "predictions" / "hf-chat-model" / "tiny_arithmetic.jsonl")
    return (
        {one["key"]: one["prediction"] for one in told},
        results(run, "hf-chat-model", "tiny_arithmetic"),
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_answers_do_not_depend_on_the_batch_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow: it answers 200 questions three times."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    exact = ("--dtype", "float32")
    alone, marks = answers(tmp_path / "1", *exact, batch_size=1)
    assert marks["accuracy"] == pytest.approx(88.5, abs=1.0)
    assert len(alone) == 200
    for batch_size in (8, 32):
        together, _ = answers(tmp_path / str(batch_size), *exact, batch_size=batch_size)
        assert together == alone


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_as_stored_a_few_answers_may_change_with_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow: it answers 200 questions twice."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone, first = answers(tmp_path / "1", batch_size=1)
    together, second = answers(tmp_path / "32", batch_size=32)
    changed = sum(alone[key] != together[key] for key in alone)
    assert changed <= 20
    assert abs(first["accuracy"] - second["accuracy"]) <= 5
