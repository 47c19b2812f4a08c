"""AISBench (`ais_bench_benchmark`): mode perf with synthetic strings."""

from __future__ import annotations

import csv
from string import Template

import contenders.ais_bench
from account import Command
from endpoint import HOST, MODEL
from spread import Spread

from generators.contract import PROMPT_TOKENS, Generator, Job, Reported, joined, read_json

NAME = "load"
MODEL_FILE = Template("""\
from ais_bench.benchmark.models import VLLMCustomAPIChat

models = [
    dict(
        attr="service",
        type=VLLMCustomAPIChat,
        abbr="$name",
        path="$tokenizer",
        model="$model",
        stream=True,
        request_rate=$rate,
        traffic_cfg=dict($traffic),
        retry=2,
        host_ip="$host",
        host_port=$port,
        max_out_len=$tokens,
        batch_size=$in_flight,
        generation_kwargs=dict(temperature=0.01, ignore_eos=True),
    )
]
""")
DATA_FILE = Template("""\
from ais_bench.benchmark.datasets import MATHEvaluator, SyntheticDataset, math_postprocess_v2
from ais_bench.benchmark.openicl.icl_inferencer import GenInferencer
from ais_bench.benchmark.openicl.icl_prompt_template import PromptTemplate
from ais_bench.benchmark.openicl.icl_retriever import ZeroRetriever

${name}_datasets = [
    dict(
        abbr="$name",
        type=SyntheticDataset,
        config={
            "Type": "string",
            "RequestCount": $requests,
            "TrustRemoteCode": False,
            "StringConfig": {
                "Input": {
                    "Method": "uniform", "Params": {"MinValue": $prompt, "MaxValue": $prompt},
                },
                "Output": {
                    "Method": "uniform", "Params": {"MinValue": $tokens, "MaxValue": $tokens},
                },
            },
        },
        reader_cfg=dict(input_columns=["question", "max_out_len"], output_column="answer"),
        infer_cfg=dict(
            prompt_template=dict(type=PromptTemplate, template="{question}"),
            retriever=dict(type=ZeroRetriever),
            inferencer=dict(type=GenInferencer),
        ),
        eval_cfg=dict(
            evaluator=dict(type=MATHEvaluator, version="v2"),
            pred_postprocessor=dict(type=math_postprocess_v2),
        ),
    )
]
""")


def prepare(job: Job) -> Command:
    """Its shipped files for a streaming chat service and synthetic strings, with our figures."""
    load = job.load
    values = {
        "name": NAME,
        "tokenizer": job.tokenizer,
        "model": MODEL,
        "host": HOST,
        "port": job.port,
        "rate": load.rate or 0,
        "traffic": "burstiness=1.0" if load.rate else "",
        "in_flight": load.room,
        "tokens": load.tokens,
        "prompt": PROMPT_TOKENS,
        "requests": load.requests,
    }
    configs = job.folder / "configs"
    for kind, template in (("models", MODEL_FILE), ("datasets", DATA_FILE)):
        (configs / kind).mkdir(parents=True)
        text = template.substitute(values)
        (configs / kind / f"{NAME}_{kind}.py").write_text(text, encoding="utf-8")
    options = {
        "--mode": "perf",
        "--models": f"{NAME}_models",
        "--datasets": f"{NAME}_datasets",
        "--config-dir": str(configs),
        "--work-dir": str(job.folder / "outputs"),
    }
    return Command((str(job.programs / "ais_bench"), *joined(options)))


def reported(job: Job, _: str) -> Reported:
    """The table of statistics and the common metrics; it rounds times to 0.1 ms."""
    outputs = job.folder / "outputs"
    with next(outputs.rglob(f"performances/{NAME}/{NAME}.csv")).open(encoding="utf-8") as table:
        rows = {row["Performance Parameters"]: row for row in csv.DictReader(table)}
    common = read_json(outputs, f"performances/{NAME}/{NAME}.json")

    def spread(name: str) -> Spread:
        return Spread(*(_figure(rows[name][column]) for column in ("Average", "Median", "P99")))

    return Reported(
        ttft=spread("TTFT"),
        itl=spread("ITL"),
        requests_per_s=_figure(common["Request Throughput"]["total"]),
        tokens_per_s=_figure(common["Output Token Throughput"]["total"]),
    )


def _figure(text: str) -> float:
    return float(text.split()[0])


GENERATOR = Generator(
    name="ais_bench",
    distribution="ais_bench_benchmark",
    steps=contenders.ais_bench.CONTENDER.steps,
    pinned=True,
    setup="mode perf, vllm_api_stream_chat, synthetic strings; one request beforehand; ITL: all "
    "gaps together, those to role-only and usage events among them",
    prepare=prepare,
    reported=reported,
    probes=1,
)
