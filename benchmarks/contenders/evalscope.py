"""EvalScope: its own command line and GSM8K benchmark, the data from a local folder."""

from __future__ import annotations

import json

from account import Command
from endpoint import HOST, MODEL

from contenders.contract import MAX_TOKENS, Contender, Job, Score, printed


def prepare(job: Job) -> Command:
    """The whole evaluation in one command line."""
    data = {"gsm8k": {"local_path": str(job.data / "gsm8k"), "subset_list": ["default"]}}
    options = {
        "--model": MODEL,
        "--api-url": f"http://{HOST}:{job.port}/v1",
        "--api-key": "none",
        "--eval-type": "openai_api",
        "--datasets": "gsm8k",
        "--dataset-args": json.dumps(data),
        "--eval-batch-size": str(job.concurrency),
        "--generation-config": json.dumps({"max_tokens": MAX_TOKENS, "temperature": 0.0}),
        "--work-dir": str(job.folder / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    return Command((str(job.programs / "evalscope"), "eval", *words))


def score(text: str) -> Score | None:
    """The Score column of the report table, in percent with one decimal."""
    return printed(r"│\s*GSM8K\s*│\s*Accuracy.*│\s*(\d+(?:\.\d+)?)%\s*│", text)


CONTENDER = Contender(
    name="evalscope",
    distribution="evalscope",
    steps=(("evalscope==1.14.1",),),
    pinned=True,
    setup="four worked examples in the prompt; math-verify, one forked process a question, "
    "decides equality",
    prepare=prepare,
    score=score,
)
