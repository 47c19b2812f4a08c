"""Humanity's Last Exam: 2,500 questions at the frontier of many subjects, with short answers.

Source:  arXiv:2501.14249, https://huggingface.co/datasets/cais/hle (MIT, gated: its authors ask
         that no example is published in plain text)
Data:    hle/data/test-00000-of-00001.parquet
Row:     {"id": "668...", "question": "Made up: what is 6 * 7?", "image": "", "answer": "42",
         "category": "Math"}; ``image`` is empty or ``data:image/jpeg;base64,...``
Prompt:  AISBench's asks for explanation, answer and confidence, as the authors do; the other, that
         of OpenCompass's two-stage guide, for the final answer in a box. Questions with a picture
         are left out, unless ``images=true`` says that the model can see
Marking: judged: yes or no in a JSON object, or CompassVerifier. Beside it a rule that takes few
         answers as right: the line ``Answer:`` to the letter, or the box as mathematical text
Figures: AISBench's: the calibration error of the stated confidences (``scoring/confidence``)
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import answer_line, compass_verifier_judge, json_verifier, math_v2
from steelyard.scoring.confidence import confidence_figures, with_confidence
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import samples

SOURCE = "https://huggingface.co/datasets/cais/hle"
FILE = "hle/data/test-00000-of-00001.parquet"

WITH_CONFIDENCE = Prompt(
    style="chat",
    system="Reply in this form:\nExplanation: (why this is the answer)\nAnswer: (the answer itself)"
    "\nConfidence: (how sure you are of it, from 0% to 100%)",
    user="{question}",
)
IN_A_BOX = Prompt(style="chat", user="{question}\nPut your final answer in \\boxed{}.")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said about the questions."""

    images: bool = False
    """Ask those with a picture too."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    id: str
    question: str
    answer: str
    image: str = ""
    category: str = ""


def to_sample(_: int, row: Row) -> Sample:
    """One question under its own id, its picture behind the text."""
    picture = {"type": "image_url", "image_url": {"url": row.image}}
    return Sample(
        id=row.id,
        question=[{"type": "text", "text": row.question}, picture] if row.image else row.question,
        target=row.answer,
        meta={"category": row.category},
    )


def read(data: Data) -> Iterator[Sample]:
    """The questions, in their order."""
    images = data.options(Options).images
    found = samples(data.find(FILE, SOURCE), Row, to_sample)
    return (one for one in found if images or isinstance(one.question, str))


@task("hle_llmjudge", options=Options)
def yes_or_no(data: Data) -> Task:
    """The authors' way, which is AISBench's."""
    return Task(
        name="hle",
        version=1,
        samples=partial(read, data),
        prompt=WITH_CONFIDENCE,
        scorer=answer_line,
        judges=(with_confidence(json_verifier()),),
        figures=confidence_figures,
        gold="Explanation: I know it.\nAnswer: {target}\nConfidence: 100%",
    )


@task("hle_judge_gen", options=Options)
def verified(data: Data) -> Task:
    """The way of OpenCompass's two-stage guide."""
    return Task(
        name="hle",
        version=1,
        samples=partial(read, data),
        prompt=IN_A_BOX,
        scorer=math_v2,
        judges=(compass_verifier_judge(),),
        gold="The final answer is \\boxed{{target}}.",
    )
