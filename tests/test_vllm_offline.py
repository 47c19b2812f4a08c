"""Models in vLLM's own engine: what it is asked for, what is refused, what it says.

- Options become engine arguments and sampling parameters; what contradicts itself is refused.
- Repeats of a row draw differently with one seed, and each the same in every run.
- A model takes as many devices as it is split over.
- OpenCompass's classes are these backends; without the package the sentence says how to install it.
- The engine gives the answers and likelihoods of the same weights in HuggingFace Transformers.
"""

import asyncio
import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import random_model
from running import lines, only_run, steelyard
from steelyard import backends
from steelyard.backends._options import read_options
from steelyard.backends._vllm_engine import likelihood
from steelyard.backends._vllm_options import VllmOptions, drawing, engine_arguments
from steelyard.config.translate import old_style, translated
from steelyard.core import (
    Candidate,
    ConfigError,
    Message,
    MissingExtra,
    ModelSpec,
    Reply,
    Request,
    Sampling,
)


def spec(extra: dict[str, Any] | None = None, **options: Any) -> ModelSpec:
    return ModelSpec(
        abbr="m",
        backend="vllm_offline_base",
        options={"path": "weights", **options},
        sampling=Sampling(max_tokens=8, extra=extra or {}),
    )


def parameters(spec: ModelSpec, key: str = "0#0") -> dict[str, Any]:
    return drawing(spec, read_options(spec, VllmOptions)).parameters(key, 8)


def test_options_become_engine_arguments() -> None:
    plain = engine_arguments(read_options(spec(), VllmOptions))
    assert plain == {"model": "weights", "tokenizer": "weights", "disable_log_stats": True}
    more = spec(
        tokenizer_path="tokens",
        max_seq_len=4096,
        batch_size=5,
        dtype="bfloat16",
        model_kwargs={"gpu_memory_utilization": 0.8, "disable_log_stats": False},
    )
    assert engine_arguments(read_options(more, VllmOptions)) == {
        "model": "weights",
        "tokenizer": "tokens",
        "disable_log_stats": False,
        "max_model_len": 4096,
        "max_num_seqs": 5,
        "dtype": "bfloat16",
        "gpu_memory_utilization": 0.8,
    }


def test_sampling_is_greedy_unless_asked_for() -> None:
    assert parameters(spec())["temperature"] == 0
    assert parameters(spec({"temperature": 0.7}))["temperature"] == 0.7
    assert parameters(spec({"do_sample": False, "temperature": 0.7}))["temperature"] == 0
    assert parameters(spec(sample_kwargs={"temperature": 0.7}))["temperature"] == 0.7
    both = spec({"temperature": 0.2}, sample_kwargs={"temperature": 0.7, "top_k": -1})
    assert (parameters(both)["temperature"], parameters(both)["top_k"]) == (0.2, 0)
    stops = spec(sample_kwargs={"stop": "\n", "stop_token_ids": [7]}, stop_words=["END"])
    assert parameters(stops)["stop"] == ["\n", "END"]
    assert parameters(stops)["stop_token_ids"] == [7]
    assert parameters(stops)["max_tokens"] == 8


def test_repeats_draw_differently_with_one_seed_and_alike_in_every_run() -> None:
    drawn = spec({"temperature": 1.0, "seed": 3})
    seeds = {
        parameters(drawn, f"{row}#{repeat}")["seed"] for row in range(9) for repeat in range(9)
    }
    assert len(seeds) == 81
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert parameters(drawn, "0#0") == parameters(drawn, "0#0")
    assert parameters(spec({"temperature": 1.0}))["seed"] is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (spec({"num_beams": 4}), "num_beams is not supported"),
        (spec({"n": 4}), "parameter n is not supported"),
        (spec({"logprobs": 1}), "parameter logprobs is not supported"),
        (spec(sample_kwargs={"max_tokens": 9}), "max_out_len"),
        (spec({"top_p": 2}), "top_p is 2"),
        (spec(model_kwargs={"model": "other"}), "model_kwargs.model cannot be set"),
        (spec(model_kwargs={"max_model_len": 9}, max_seq_len=9), "say the same"),
        (spec(model_kwargs={"tensor_parallel_size": 2}, run_cfg={"num_gpus": 1}), "over 2"),
        (spec(model_kwargs={"tensor_parallel_size": "2"}), "whole numbers"),
        (spec(gpu_memory_utilization=0.5), "no option 'gpu_memory_utilization'"),
    ],
)
def test_what_cannot_be_is_refused(given: ModelSpec, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parameters(given)


def test_a_model_takes_as_many_devices_as_it_is_split_over() -> None:
    assert backends.devices(spec()) == 1
    split = {"tensor_parallel_size": 4, "pipeline_parallel_size": 2}
    assert backends.devices(spec(model_kwargs=split)) == 8
    assert backends.devices(spec(run_cfg={"num_gpus": 0})) == 0


def test_old_style_classes_are_these_backends() -> None:
    entry = {
        "type": "VLLMwithChatTemplate",
        "abbr": "qwen",
        "path": "/models/qwen",
        "model_kwargs": {"tensor_parallel_size": 2, "gpu_memory_utilization": 0.9},
        "generation_kwargs": {"temperature": 0.5},
        "max_seq_len": 32768,
        "max_out_len": 1024,
        "batch_size": 16,
        "run_cfg": {"num_gpus": 2},
    }
    found = translated(entry, "models[0]").spec
    assert (found.backend, backends.devices(found)) == ("vllm_offline", 2)
    assert found.sampling.max_tokens == 1024
    assert engine_arguments(read_options(found, VllmOptions))["max_num_seqs"] == 16
    assert translated(old_style(found), "again").spec == found
    base = translated({**entry, "type": "VLLM", "end_str": "Q:"}, "models[0]").spec
    assert (base.backend, base.options["stop_words"]) == ("vllm_offline_base", ["Q:"])
    with pytest.raises(ConfigError, match="adapters are not supported"):
        translated({**entry, "lora_path": "/a"}, "models[0]")


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed")
def test_without_the_package_the_sentence_says_how_to_install_it() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'steelyard\[vllm\]'"):
        backends.open_backend(spec())


def test_likelihoods_are_read_from_the_tokens_that_were_asked() -> None:
    class At(NamedTuple):
        logprob: float
        rank: int

    told = [None, {4: At(-1.0, 2)}, {5: At(-0.5, 1), 9: At(-0.7, 2)}, {6: At(-0.25, 1)}]
    found = likelihood([3, 4, 5, 6], 2, told)
    assert (found.total, found.tokens, found.greedy) == (-0.75, 2, True)
    assert (found.whole_total, found.whole_tokens) == (-1.75, 3)
    assert likelihood([3, 4, 5, 6], 3, told).greedy is False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("vllm", reason="the extra vllm is not installed")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB; else half of the machine's memory
    return random_model.put("llama_wide", tmp_path_factory.mktemp("model"))


def asked(spec: ModelSpec, requests: list[Request]) -> list[Reply]:
    async def all_of_them() -> list[Reply]:
        backend = backends.open_backend(spec)
        try:
            return list(await asyncio.gather(*map(backend.ask, requests)))
        finally:
            await backend.close()

    return asyncio.run(all_of_them())


def questions(number: int) -> list[Request]:
    words = Path(__file__).read_text(encoding="utf-8").split()
    return [
        Request(
            key=f"{k}#0",
            messages=(Message("user", " ".join(words[3 * k : 3 * k + 5 + 7 * k * (k % 2)])),),
            sampling=Sampling(max_tokens=12),
            candidates=() if k % 2 else (Candidate(text=" yes it"), Candidate(text=" no")),
        )
        for k in range(number)
    ]


@pytest.mark.slow  # starts an engine
@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore")  # of the engine's own libraries
@pytest.mark.parametrize("kind", ["chat", "base"])
def test_the_engine_says_what_the_same_weights_say_in_transformers(folder: Path, kind: str) -> None:
    shared = {"path": str(folder), "dtype": "float32", "max_seq_len": 96}
    engine = {"enforce_eager": True}
    here = ModelSpec(
        abbr="m",
        backend={"chat": "vllm_offline", "base": "vllm_offline_base"}[kind],
        options={**shared, "model_kwargs": engine},
    )
    there = ModelSpec(abbr="m", backend=f"hf_{kind}_model", options={**shared, "device": "cpu"})
    requests = questions(12)
    pairs = list(zip(asked(here, requests), asked(there, requests), strict=True))
    for mine, theirs in pairs:
        assert mine.failure is None
        assert mine.prompt_cut == theirs.prompt_cut
        # half a character at the end of a cut answer: vLLM leaves it out
        assert mine.text == theirs.text.rstrip("\N{REPLACEMENT CHARACTER}")
        assert (mine.finish, mine.output_tokens) == (theirs.finish, theirs.output_tokens)
        for one, other in zip(mine.likelihoods, theirs.likelihoods, strict=True):
            assert (one.tokens, one.whole_tokens) == (other.tokens, other.whole_tokens)
            assert math.isclose(one.total, other.total, rel_tol=1e-4)
            assert math.isclose(one.whole_total, other.whole_total, rel_tol=1e-4)
            assert one.greedy == other.greedy
    assert any(mine.prompt_cut for mine, _ in pairs)
    assert any(mine.likelihoods for mine, _ in pairs)


@pytest.mark.slow  # starts an engine in the command's own process
@pytest.mark.timeout(400)
def test_one_command_asks_the_engine_and_keeps_its_answers(folder: Path, tmp_path: Path) -> None:
    rows = [f'{{"question": "word {k}", "answer": "x"}}' for k in range(6)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = steelyard(
        *("run", "--models", "vllm_offline", "--model-path", str(folder), "--mode", "infer"),
        *("--custom-dataset-path", "rows.jsonl", "-w", "out", "--max-tokens", "6"),
        *("--temperature", "1", "--set", "generation_kwargs.seed=1", "--repeats", "2"),
        *("--max-seq-len", "96", "--dtype", "float32"),
        *("--set", "model_kwargs.enforce_eager=true"),
        cwd=tmp_path,
        timeout_s=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (only_run(tmp_path / "out") / "predictions/vllm-offline").glob("*.jsonl")
    told = {line["key"]: line["prediction"] for line in lines(path)}
    assert len(told) == 12
    assert told["0#0"] != told["0#1"]


@pytest.mark.slow  # imports the engine
@pytest.mark.filterwarnings("ignore")
def test_an_unknown_engine_argument_is_named_before_anything_loads(folder: Path) -> None:
    from steelyard.core import RunStopped

    wrong = spec(path=str(folder), model_kwargs={"gpu_memory_use": 0.5})
    with pytest.raises(RunStopped, match="no argument gpu_memory_use"):
        asked(wrong, questions(2))
