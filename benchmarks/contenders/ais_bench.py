"""AISBench (`ais_bench_benchmark`): a model file of our own, its GSM8K task as shipped."""

from __future__ import annotations

from string import Template

from account import Command
from endpoint import HOST, MODEL

from contenders.contract import MAX_TOKENS, Contender, Job, Score, printed

MODEL_FILE = Template("""\
from ais_bench.benchmark.models import VLLMCustomAPIChat
from ais_bench.benchmark.utils.postprocess.model_postprocessors import extract_non_reasoning_content

models = [
    dict(
        attr="service",
        type=VLLMCustomAPIChat,
        abbr="vllm-api-general-chat",
        path="",
        model="$model",
        stream=False,
        request_rate=0,
        retry=2,
        host_ip="$host",
        host_port=$port,
        max_out_len=$max_tokens,
        batch_size=$concurrency,
        generation_kwargs=dict(temperature=0.01, ignore_eos=False),
        pred_postprocessor=dict(type=extract_non_reasoning_content),
    )
]
""")


def prepare(job: Job) -> Command:
    """Its shipped model file with our address; the data where it looks for it."""
    text = MODEL_FILE.substitute(
        model=MODEL,
        host=HOST,
        port=job.port,
        max_tokens=MAX_TOKENS,
        concurrency=job.concurrency,
    )
    models = job.folder / "configs" / "models"
    models.mkdir(parents=True)
    (models / "gsm8k_endpoint.py").write_text(text, encoding="utf-8")
    datasets = job.folder / "ais_bench" / "datasets"
    datasets.mkdir(parents=True)
    (datasets / "gsm8k").symlink_to(job.data / "gsm8k")
    options = {
        "--models": "gsm8k_endpoint",
        "--datasets": "gsm8k_gen_4_shot_cot_str",
        "--config-dir": str(job.folder / "configs"),
        "--work-dir": str(job.folder / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    return Command(
        (str(job.programs / "ais_bench"), *words), {"AIS_BENCH_DATASETS_CACHE": str(job.folder)}
    )


def score(text: str) -> Score | None:
    """The last column of the score table."""
    return printed(r"^gsm8k\b.*\baccuracy\b.*\s(\d+(?:\.\d+)?)\s*$", text)


CONTENDER = Contender(
    name="ais_bench",
    distribution="ais_bench_benchmark",
    # Its pins admit a pyarrow that refuses the NumPy they demand; releases below 22 take both.
    steps=(("torch==2.13.0",), ("ais_bench_benchmark==3.1.20260630", "pyarrow<22")),
    pinned=True,
    setup="vllm_api_general_chat, gsm8k_gen_4_shot_cot_str: four worked examples in the prompt, "
    "the last number counts; it sends one warm-up request",
    prepare=prepare,
    score=score,
)
