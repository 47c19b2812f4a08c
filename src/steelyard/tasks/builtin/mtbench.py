"""MT-Bench: 80 questions of two turns each, in eight categories; judged, and as load.

Source:  arXiv:2306.05685, https://huggingface.co/datasets/HuggingFaceH4/mt_bench_prompts
         https://github.com/lm-sys/FastChat, folder fastchat/llm_judge/data (Apache-2.0)
Data:    mtbench/question.jsonl; judged also mtbench/reference_answer/gpt-4.jsonl (or
         mtbench/reference_answer_gpt-4.jsonl), compared also mtbench/baseline.jsonl
Row:     {"question_id": 81, "category": "writing", "prompt": ["Compose ...", "Rewrite ..."],
         "reference": ["...", "..."]}; the reference answers only where the field has right ones
         {"question_id": 81, "choices": [{"turns": ["...", "..."]}]}
Prompt:  the questions alone
Marking: a judge, in MT-Bench's words: it rates each answer from 1 to 10, or says which of two is
         better, in both orders. In math, reasoning and coding it is shown a reference answer
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from steelyard.core import DataError, Prompt, Sample, Task
from steelyard.scoring import (
    exact_match,
    mt_bench_category,
    mt_bench_comparison,
    mt_bench_rating,
    mt_bench_ratings,
    mt_bench_wins,
)
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.dialogues import Options, dialogue, thinking
from steelyard.tasks.files import BadField, samples
from steelyard.tasks.model_answers import answers, baseline_file, named_file

SOURCE = "https://huggingface.co/datasets/HuggingFaceH4/mt_bench_prompts"
ANSWERS = "https://github.com/lm-sys/FastChat (mt_bench/model_answer of any model)"
REFERENCES = ("mtbench/reference_answer/gpt-4.jsonl", "mtbench/reference_answer_gpt-4.jsonl")
BASELINES = ("mtbench/baseline.jsonl",)
REFERRED = ("math", "reasoning", "coding")
"""The categories whose judge is shown a reference."""
TEMPERATURES = {
    **{"writing": 0.7, "roleplay": 0.7, "extraction": 0.0, "math": 0.0, "coding": 0.0},
    **{"reasoning": 0.0, "stem": 0.1, "humanities": 0.1, "arena-hard-200": 0.0},
}
"""FastChat's, by category (``fastchat/llm_judge/common.py``, ``temperature_config``)."""
OTHER_TEMPERATURE = 0.7
"""FastChat's for any other category."""


class Rated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said about judging."""

    reference: str = ""
    """A file with the reference answers."""
    published: bool = False
    """Whether the judge's forms are sent to the letter, without our marker in their lines."""
    temperatures: Literal["model", "published"] = "model"
    """Whether questions are asked as the model is told to draw, or with FastChat's temperature for
    their category."""


class Compared(Rated, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said about comparing."""

    baseline: str = ""
    """A file with the answers to compare with."""


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


def to_judge(
    options: Rated, references: Mapping[str, tuple[str, ...]], index: int, row: Row
) -> Sample:
    """The turns; references only where the judge is to see them, the given ones before the data's.

    Every turn is judged, so there have to be the two that MT-Bench's forms are made for.
    """
    if len(row.prompt) != 2:
        raise BadField("prompt", row.prompt, "two questions")
    shown: tuple[str, ...] = ()
    if row.category in REFERRED:
        shown = references.get(str(row.question_id), tuple(row.reference or ()))
        if len(shown) not in (0, 2):
            raise BadField("reference", list(shown), "an answer to each of 2 questions")
    made = to_sample(Options(), index, replace(row, reference=list(shown)))
    if options.temperatures == "model":
        return made
    temperature = TEMPERATURES.get(row.category, OTHER_TEMPERATURE)
    return replace(made, sampling={"temperature": temperature})


def read_to_judge(data: Data, options: Rated) -> Iterator[Sample]:
    """The 80 dialogues with what their judge is to see."""
    path = data.find("mtbench/question.jsonl", SOURCE)
    named = options.reference
    place = named_file("reference", named) if named else data.find_any(REFERENCES)
    return samples(path, Row, partial(to_judge, options, answers(place) if place else {}))


def read_to_compare(data: Data, options: Compared) -> Iterator[Sample]:
    """The same with another model's answers, in the fields where their judge looks for them."""
    path = baseline_file(data, options.baseline, BASELINES, ANSWERS)
    baseline = answers(path)
    for sample in read_to_judge(data, options):
        yield replace(sample, meta={**sample.meta, **_other(baseline, path, sample.id)})


def _other(baseline: Mapping[str, tuple[str, ...]], path: Path, id: str) -> dict[str, str]:
    found = baseline.get(id, ())
    if len(found) != 2:
        raise DataError(
            f"{path}: {len(found)} answers to question {id}; expected one to each of its two "
            "turns. Compare with a model that answered all of them."
        )
    return {"baseline": found[0], "baseline_2": found[1], "baseline_2_first_answer": found[0]}


@task("mtbench_judge_gen", options=Rated)
def mtbench_rated(data: Data) -> Task:
    """Every answer is rated."""
    options = data.options(Rated)
    return Task(
        name="mtbench",
        version=1,
        samples=partial(read_to_judge, data, options),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        metric="rating_percent",
        judges=(mt_bench_rating(published=options.published),),
        features=mt_bench_category,
        figures=mt_bench_ratings,
    )


@task("mtbench_pairwise_judge_gen", options=Compared)
def mtbench_compared(data: Data) -> Task:
    """Every answer is compared with the baseline's."""
    options = data.options(Compared)
    return Task(
        name="mtbench_pairwise",
        version=1,
        samples=partial(read_to_compare, data, options),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        metric="win_rate",
        judges=tuple(
            mt_bench_comparison(swapped=swapped, published=options.published)
            for swapped in (False, True)
        ),
        features=mt_bench_category,
        figures=mt_bench_wins,
    )
