"""vLLM's `bench serve`: the Python client, and the one in Rust that comes in the same package.

The package proper wants a GPU build of PyTorch and compiled kernels; the benchmark's client needs
neither, so it is installed without its requirements, beside what its command imports.
"""

from __future__ import annotations

from functools import partial

from account import Command
from endpoint import MODEL
from spread import Spread

from generators.contract import PROMPT_TOKENS, Generator, Job, Reported, joined, read_json

RESULT = "result.json"
# What `vllm bench` imports, without what only serves.
IMPORTED = (
    "aiohttp anthropic blake3 cachetools cbor2 cloudpickle compressed-tensors==0.17.0 datasets "
    "depyf==0.20.0 einops fastapi[standard] filelock ijson jsonschema lark==1.2.2 "
    "llguidance<1.8.0,>=1.7.0 mcp mistral_common model-hosting-container-standards msgspec ninja "
    "numba==0.65.0 numpy openai opencv-python-headless orjson oss-harmony outlines_core==0.2.14 "
    "pandas partial-json-parser pillow prometheus-fastapi-instrumentator prometheus_client "
    "protobuf psutil py-cpuinfo pybase64 pydantic python-json-logger pyyaml pyzmq regex requests "
    "sentencepiece setproctitle tiktoken tokenizers>=0.23.2 tqdm transformers<5.21.0,>=5.16.1 "
    "watchfiles"
)
STEPS = (
    ("torch==2.13.0",),
    ("--no-deps", "vllm==0.33.0", "xgrammar==0.2.8", "apache-tvm-ffi==0.1.11"),
    tuple(IMPORTED.split()),
)


def prepare(job: Job, *, rust: bool) -> Command:
    """The whole load test in one command line; the same options for both clients."""
    load = job.load
    options = {
        "--backend": "openai-chat",
        "--base-url": job.address,
        "--endpoint": "/v1/chat/completions",
        "--model": MODEL,
        "--tokenizer": str(job.tokenizer),
        "--dataset-name": "random",
        "--random-input-len": str(PROMPT_TOKENS),
        "--random-output-len": str(load.tokens),
        "--num-prompts": str(load.requests),
        "--percentile-metrics": "ttft,tpot,itl,e2el",
        "--metric-percentiles": "50,99",
        "--result-dir": str(job.folder),
        "--result-filename": RESULT,
    }
    if load.in_flight is not None:
        options["--max-concurrency"] = str(load.in_flight)
    if load.rate is not None:
        options["--request-rate"] = str(load.rate)
    program = job.programs / "vllm"
    if rust:
        program = next(job.programs.parent.glob("lib/python*/site-packages/vllm/vllm-rs"))
    flags = ("--save-result", "--ignore-eos", "--disable-tqdm")
    return Command((str(program), "bench", "serve", *flags, *joined(options)))


def reported(job: Job, _: str) -> Reported:
    """The saved result."""
    figures = read_json(job.folder, RESULT)

    def spread(name: str) -> Spread:
        return Spread(
            figures[f"mean_{name}_ms"], figures[f"median_{name}_ms"], figures[f"p99_{name}_ms"]
        )

    return Reported(
        ttft=spread("ttft"),
        itl=spread("itl"),
        requests_per_s=figures["request_throughput"],
        tokens_per_s=figures["output_throughput"],
    )


PYTHON = Generator(
    name="vllm",
    distribution="vllm",
    steps=STEPS,
    pinned=True,
    setup="vllm bench serve, random prompts; no ready check; ITL: all gaps together",
    prepare=partial(prepare, rust=False),
    reported=reported,
)
RUST = Generator(
    name="vllm-rs",
    distribution="vllm",
    steps=STEPS,
    pinned=True,
    setup="the client behind VLLM_USE_RUST_BENCH=1, started directly, without the Python command "
    "that hands over to it; ITL: all gaps together, the one to the usage event among them",
    prepare=partial(prepare, rust=True),
    reported=reported,
)
