"""Data sets whose answers a model judges: what is asked, what the judge is asked, with what rule.

- A judged variant asks the model exactly what the data set's own variant asks.
- Its judge is the one that its users know: letters in AISBench's manner, CompassVerifier's form in
  OpenCompass's guide.
- The judge sees the question, the right answer and the answer, and options where there are any.
"""

from functools import cache
from pathlib import Path

import pytest

from steelyard.core import Message, Sample, Task
from steelyard.tasks import catalogue
from steelyard.tasks.data import Data

FENCE = "k3v9q0zt71mx"


@cache
def tasks(root: Path, name: str) -> tuple[Task, ...]:
    (entry,) = catalogue.find(name)
    return entry.make(Data((root,)))


def first_row(task: Task) -> Sample:
    return next(iter(task.samples()))


def asked(task: Task, sample: Sample, answer: str) -> str:
    """What the task's first judge is told, as one text."""
    messages: tuple[Message, ...] = task.judges[0].question(sample, answer, FENCE)
    return "\n".join(str(message.content) for message in messages)


@pytest.mark.parametrize(
    ("judged", "plain", "judge"),
    [
        ("aime2025_gen_0_shot_llmjudge", "aime2025_gen", "letter_verifier"),
        ("aime2025_judge_gen", "aime2025_gen", "compass_verifier"),
    ],
)
def test_a_judged_variant_differs_in_its_judge_alone(
    shared: Path, judged: str, plain: str, judge: str
) -> None:
    pairs = zip(tasks(shared / "datasets", judged), tasks(shared / "datasets", plain), strict=True)
    for one, other in pairs:
        assert [found.id.partition("@")[0] for found in one.judges] == [judge]
        assert other.judges == ()
        assert (one.name, one.prompt, one.scorer) == (other.name, other.prompt, other.scorer)


def test_the_judge_of_aime_sees_question_answer_and_right_answer(shared: Path) -> None:
    (task,) = tasks(shared / "datasets", "aime2025_judge_gen")
    sample = first_row(task)
    text = asked(task, sample, "I make it \\boxed{70}.")
    assert str(sample.question) in text
    assert f"<Standard Answer Begin {FENCE}>:\n70\n" in text
    assert "I make it \\boxed{70}." in text
