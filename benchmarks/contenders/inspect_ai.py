"""Inspect: GSM8K as its documentation builds it, from local files."""

from __future__ import annotations

from string import Template

from account import Command
from endpoint import HOST, MODEL

from contenders.contract import MAX_TOKENS, Contender, Job, Score, printed

TASK_NAME = "gsm8k_task.py"
TASK_FILE = Template('''\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample, json_dataset
from inspect_ai.scorer import match
from inspect_ai.solver import generate, prompt_template, system_message

PROMPT = """
Solve this mathematics problem step by step. End with a line of the form "ANSWER: $$ANSWER",
where $$ANSWER is the answer to the problem.

{prompt}
"""


def sample(record):
    reasoning, target = record["answer"].split("####")
    return Sample(
        input=record["question"],
        target=target.strip().replace(",", ""),
        metadata={"reasoning": reasoning.strip()},
    )


@task
def gsm8k():
    shots = json_dataset("$data/train.jsonl", sample, limit=4)
    examples = "\\n\\n".join(
        f"{shot.input}\\n\\nReasoning:\\n{shot.metadata['reasoning']}\\n\\nANSWER: {shot.target}"
        for shot in shots
    )
    return Task(
        dataset=json_dataset("$data/test.jsonl", sample),
        solver=[system_message(examples), prompt_template(PROMPT), generate()],
        scorer=match(numeric=True),
    )
''')


def prepare(job: Job) -> Command:
    """The task file and the command line that runs it."""
    text = TASK_FILE.substitute(data=job.data / "gsm8k")
    (job.folder / TASK_NAME).write_text(text, encoding="utf-8")
    options = {
        "--model": f"openai-api/local/{MODEL}",
        "--model-base-url": f"http://{HOST}:{job.port}/v1",
        "--max-connections": str(job.concurrency),
        "--max-samples": str(job.concurrency),
        "--max-tokens": str(MAX_TOKENS),
        "--display": "plain",
        "--log-dir": str(job.folder / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    return Command(
        (str(job.programs / "inspect"), "eval", TASK_NAME, *words), {"LOCAL_API_KEY": "none"}
    )


def score(text: str) -> Score | None:
    """The accuracy line of the closing summary, a share with three decimals."""
    return printed(r"^accuracy\s+(\d\.\d+)\s*$", text, unit=100.0)


CONTENDER = Contender(
    name="inspect_ai",
    distribution="inspect_ai",
    steps=(("inspect-ai==0.3.285", "openai==3.52.0"),),
    pinned=True,
    setup="four worked examples in the system message; match(numeric=True) at the answer's end",
    prepare=prepare,
    score=score,
)
