"""Log-likelihoods are those of lm-evaluation-harness, on the tiny model of this repository.

Its figures stand in ``lm_eval_likelihoods.json`` and were made by
``benchmarks/local_drivers/lm_eval_pairs.py``: plain pairs, blanks between prompt and option, no
prompt, a prompt with the first mark, prompts that are too long, tokens of single bytes.
"""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from steelyard import backends
from steelyard.core import Candidate, Message, ModelSpec, Reply, Request, Sampling

pytest.importorskip("torch", reason="the extra hf is not installed")
pytest.importorskip("transformers", reason="the extra hf is not installed")

MODEL = Path(__file__).parents[1] / "tools" / "tiny_model" / "model"
KNOWN = json.loads(Path(__file__).with_name("lm_eval_likelihoods.json").read_text(encoding="utf-8"))
PAIRS = KNOWN["pairs"]


@pytest.fixture(scope="module")
def replies() -> list[Reply]:
    """Every pair asked for by itself, all at once."""
    if not (MODEL / "model.safetensors").is_file():
        pytest.skip("the tiny model is not there")
    model = ModelSpec(
        abbr="tiny",
        backend="hf_base_model",
        options={
            "path": str(MODEL),
            "dtype": "float32",
            "device": "cpu",
            "max_seq_len": KNOWN["max_length"],
        },
        sampling=Sampling(),
    )
    requests = [
        Request(
            key=f"{number}#0",
            messages=(Message("user", pair["context"]),),
            sampling=Sampling(),
            candidates=(Candidate(text=pair["continuation"]),),
        )
        for number, pair in enumerate(PAIRS)
    ]

    async def all_at_once() -> list[Reply]:
        backend: Any = backends.open_backend(model)
        try:
            return list(await asyncio.gather(*map(backend.ask, requests)))
        finally:
            await backend.close()

    return asyncio.run(all_at_once())


def test_the_figures_were_made_with_these_weights(replies: list[Reply]) -> None:
    weights = (MODEL / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == KNOWN["weights_sha256"], "make them anew"
    assert len(replies) == len(PAIRS)


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_a_sum_is_that_of_lm_evaluation_harness(number: int, replies: list[Reply]) -> None:
    (told,) = replies[number].likelihoods
    assert abs(told.total - PAIRS[number]["total"]) / told.tokens <= 1e-4
    assert told.greedy == PAIRS[number]["greedy"]


def test_some_prompts_were_too_long(replies: list[Reply]) -> None:
    assert sum(bool(reply.prompt_cut) for reply in replies) == 2
