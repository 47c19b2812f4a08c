"""The Language Model Evaluation Harness: its GSM8K task pointed at local files."""

from __future__ import annotations

from string import Template

from account import Command
from endpoint import HOST, MODEL

from contenders.contract import Contender, Job, Score, printed

TASK_FILE = Template("""\
include: $shipped
task: gsm8k_local
dataset_path: json
dataset_name: null
dataset_kwargs:
  data_files:
    train: $data/train.jsonl
    test: $data/test.jsonl
""")


def prepare(job: Job) -> Command:
    """A task file that includes the shipped one and names the local files."""
    shipped = next(job.programs.parent.glob("lib/python*/site-packages/lm_eval/tasks/gsm8k"))
    text = TASK_FILE.substitute(shipped=shipped / "gsm8k.yaml", data=job.data / "gsm8k")
    tasks = job.folder / "tasks"
    tasks.mkdir()
    (tasks / "gsm8k_local.yaml").write_text(text, encoding="utf-8")
    model = {
        "model": MODEL,
        "base_url": f"http://{HOST}:{job.port}/v1/chat/completions",
        "num_concurrent": job.concurrency,
        "tokenized_requests": False,
        "tokenizer_backend": None,
    }
    options = {
        "--model": "local-chat-completions",
        "--model_args": ",".join(f"{name}={value}" for name, value in model.items()),
        "--tasks": "gsm8k_local",
        "--include_path": str(tasks),
        "--output_path": str(job.folder / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    return Command((str(job.programs / "lm_eval"), "run", "--apply_chat_template", *words))


def score(text: str) -> Score | None:
    """The value of the flexible-extract row, a share with four decimals."""
    return printed(r"flexible-extract\|.*exact_match\|\D*\|\s*(\d\.\d+)\|", text, unit=100.0)


CONTENDER = Contender(
    name="lm_eval",
    distribution="lm_eval",
    steps=(("lm_eval[api]==0.4.13",),),
    pinned=True,
    setup="five worked examples as chat turns; flexible-extract: the last number counts; "
    "answers are not stored",
    prepare=prepare,
    score=score,
)
