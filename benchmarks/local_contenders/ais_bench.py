"""AISBench (`ais_bench_benchmark`): its completing HuggingFace model on questions as GSM8K's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from string import Template

from account import Command

from local_contenders.contract import DRIVERS, Contender, Job, Told

MODEL_FILE = Template("""\
from ais_bench_timed import Timed

models = [
    dict(
        attr="local",
        type=Timed,
        abbr="local",
        path="$model",
        tokenizer_path="$tokenizer",
        model_kwargs=dict(device_map="$device", torch_dtype="torch.float"),
        tokenizer_kwargs=dict(padding_side="left"),
        generation_kwargs=dict(do_sample=False),
        run_cfg=dict(num_gpus=$gpus, num_procs=1),
        max_out_len=$max_tokens,
        batch_size=$batch_size,
        max_seq_len=$longest,
        batch_padding=True,
    )
]
""")
DATA_FILE = Template("""\
from ais_bench.benchmark.datasets import GSM8KDataset, Gsm8kEvaluator
from ais_bench.benchmark.openicl.icl_inferencer import GenInferencer
from ais_bench.benchmark.openicl.icl_prompt_template import PromptTemplate
from ais_bench.benchmark.openicl.icl_retriever import ZeroRetriever

questions_datasets = [
    dict(
        abbr="questions",
        type=GSM8KDataset,
        path="$questions",
        reader_cfg=dict(input_columns=["question"], output_column="number"),
        infer_cfg=dict(
            prompt_template=dict(type=PromptTemplate, template="{question}"),
            retriever=dict(type=ZeroRetriever),
            inferencer=dict(type=GenInferencer),
        ),
        eval_cfg=dict(evaluator=dict(type=Gsm8kEvaluator)),
    )
]
""")


def prepare(job: Job) -> Command:
    """A model file and a data file, and the whole command up to the answers."""
    configs = job.folder / "configs"
    model_text = MODEL_FILE.substitute(
        model=job.model,
        tokenizer=_tokenizer(job),
        device=job.device,
        gpus=0 if job.device == "cpu" else 1,
        max_tokens=job.max_tokens,
        batch_size=job.batch_size,
        longest=job.longest,
    )
    data_text = DATA_FILE.substitute(questions=job.questions)
    for kind, name, text in (
        ("models", "timed", model_text),
        ("datasets", "questions", data_text),
    ):
        (configs / kind).mkdir(parents=True)
        (configs / kind / f"{name}.py").write_text(text, encoding="utf-8")
    options = {
        "--models": "timed",
        "--datasets": "questions",
        "--mode": "infer",
        "--config-dir": str(configs),
        "--work-dir": str(job.folder / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    times = {"PYTHONPATH": str(DRIVERS), "TIMES_FILE": str(job.folder / "times.jsonl")}
    return Command((str(job.programs / "ais_bench"), *words), times)


def _tokenizer(job: Job) -> Path:
    """A copy of the model's tokenizer as Transformers 4 wants it.

    Its class has another name there; and a Llama takes no token types, which the class makes unless
    told not to.
    """
    folder = job.folder / "tokenizer"
    folder.mkdir()
    for path in job.model.glob("*token*.json"):
        shutil.copyfile(path, folder / path.name)
    config = folder / "tokenizer_config.json"
    said = json.loads(config.read_text(encoding="utf-8"))
    if said.get("tokenizer_class") == "TokenizersBackend":
        said["tokenizer_class"] = "PreTrainedTokenizerFast"
    said.setdefault("model_input_names", ["input_ids", "attention_mask"])
    config.write_text(json.dumps(said), encoding="utf-8")
    return folder


def told(job: Job) -> Told:
    """Its stored answers, and the times that its model was timed with."""
    (path,) = (job.folder / "outputs").glob("*/predictions/*/questions.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    times = (job.folder / "times.jsonl").read_text(encoding="utf-8").splitlines()
    calls = [json.loads(line) for line in times]
    return Told(
        busy_s=calls[-1]["end_s"] - calls[0]["begin_s"],
        answers={int(line["id"]): line["prediction"] for line in lines},
    )


CONTENDER = Contender(
    name="ais_bench_local",
    distribution="ais_bench_benchmark",
    # Transformers 5 has no `batch_encode_plus`, which its local models call.
    steps=(
        ("torch==2.13.0",),
        ("ais_bench_benchmark==3.1.20260630", "pyarrow<22", "transformers==4.57.6"),
    ),
    pinned=True,
    setup="its `HuggingFaceBaseModel`, mode `infer`; batches in the order of the file, each runs "
    "until its longest answer is over",
    prepare=prepare,
    told=told,
)
