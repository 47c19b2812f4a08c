"""MT-Bench: 80 questions of two turns each, in eight fields, as load.

Source:  arXiv:2306.05685, https://huggingface.co/datasets/HuggingFaceH4/mt_bench_prompts
Data:    mtbench/question.jsonl
Row:     {"question_id": 81, "category": "writing", "prompt": ["Compose ...", "Rewrite ..."],
         "reference": ["...", "..."]}; the reference answers only where the field has right ones
Prompt:  the questions alone
Marking: none here: answers of this kind are judged, not compared
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import exact_match
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.dialogues import Options, dialogue, thinking
from steelyard.tasks.files import BadField, samples

SOURCE = "https://huggingface.co/datasets/HuggingFaceH4/mt_bench_prompts"


class Row(msgspec.Struct, frozen=True):
    """One dialogue's questions, and their reference answers where there are any."""

    question_id: int
    prompt: list[str]
    category: str = ""
    reference: list[str] | None = None


def to_sample(options: Options, index: int, row: Row) -> Sample:
    """The turns; references must be there for all of them where the history is made of them."""
    references = row.reference or []
    if not row.prompt:
        raise BadField("prompt", row.prompt, "one question or more")
    if len(references) not in (0, len(row.prompt)):
        raise BadField("reference", references, f"an answer to each of {len(row.prompt)} questions")
    if not references and options.infer_mode != "every":
        raise BadField(
            "reference",
            row.reference,
            f"answers, which the history of infer_mode={options.infer_mode} is made of (or every)",
        )
    return dialogue(str(row.question_id), row.prompt, references, {"category": row.category})


def read(data: Data) -> Iterator[Sample]:
    """The 80 dialogues."""
    path = data.find("mtbench/question.jsonl", SOURCE)
    options = data.options(Options)
    return thinking(samples(path, Row, partial(to_sample, options)), options.think_s)


@task("mtbench_gen", options=Options)
def mtbench(data: Data) -> Task:
    """Dialogues of two turns."""
    return Task(
        name="mtbench",
        version=1,
        samples=partial(read, data),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        dialogue=data.options(Options).infer_mode,
    )
