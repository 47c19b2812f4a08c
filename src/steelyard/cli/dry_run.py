"""``--dry-run``: the plan on the screen. Nothing is sent and no folder is made."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from steelyard.core import Plan
from steelyard.pipeline import JobPreview, preview
from steelyard.reports import count, table

if TYPE_CHECKING:
    from steelyard.pipeline.prepare import Prepared


def print_plan(plan: Plan, prepared: "Sequence[Prepared]", *, json: bool) -> int:
    """Show what a run would ask; with ``json`` one object per task."""
    if json:
        for item in prepared:
            print(msgspec.json.encode(preview(item)).decode())
        return 0
    for notice in plan.notices:
        print(f"note: {notice}")
    jobs = [preview(item) for item in prepared]
    head = ("task", "rows", "repeats", "requests", "prompt tokens ~", "max tokens", "marked by")
    print(table("simple", head, [_row(job) for job in jobs]))
    requests = sum(job.requests for job in jobs)
    tokens = sum(job.prompt_tokens for job in jobs)
    limits = [job.output_tokens for job in jobs if job.output_tokens is not None]
    limit = f"at most {count(sum(limits))}" if len(limits) == len(jobs) else "no limit of"
    print(
        f"\nmode {plan.mode}: {count(requests)} requests, about {count(tokens)} prompt tokens "
        f"(estimated without a tokenizer), {limit} output tokens. Nothing was sent."
    )
    if plan.mode != "viz" and (judges := dict.fromkeys(job.judge for job in jobs if job.judge)):
        questions = count(sum(job.judge_questions for job in jobs))
        print(f"The judge ({', '.join(judges)}): at most {questions} questions.")
    shown: set[str] = set()
    for item, job in zip(prepared, jobs, strict=True):
        if item.job.dataset in shown:
            continue
        shown.add(item.job.dataset)
        print(f"\n── first request of {job.name}")
        for message in job.first:
            print(f"[{message.role}]\n{message.content}")
    return 0


def _row(job: JobPreview) -> tuple[str, ...]:
    return (
        job.name,
        count(job.rows),
        str(job.repeats),
        count(job.requests),
        count(job.prompt_tokens),
        count(job.max_tokens) if job.max_tokens is not None else "-",
        job.scorer,
    )
