"""Data sets whose answers a model judges: what is asked, what the judge is asked, with what rule.

- A judged variant asks the model exactly what the data set's own variant asks.
- Its judge is the one that its users know: letters in AISBench's manner, CompassVerifier's form in
  OpenCompass's guide.
- The judge sees the question, the right answer and the answer, and options where there are any.
"""

from functools import cache
from pathlib import Path

import pytest

import made_up
from steelyard.core import Json, Message, Sample, Sampling, Task
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.data import Data

FENCE = "k3v9q0zt71mx"


@cache
def tasks(root: Path, name: str) -> tuple[Task, ...]:
    return told(root, name)


def told(root: Path, name: str, **settings: Json) -> tuple[Task, ...]:
    """The tasks called ``name``, with options."""
    (entry,) = catalogue.find(name)
    return entry.make(Data((root,), settings=settings))


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
        ("mmlu_pro_judge_gen", "mmlu_pro_gen", "letter_verifier"),
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


def test_the_judge_of_mmlu_pro_decides_between_right_and_wrong(shared: Path) -> None:
    made = tasks(shared / "datasets", "mmlu_pro_judge_gen")
    assert len(made) == 14
    verdicts = {made[0].judges[0].verdict(reply).outcome for reply in ("A", "B", "C")}
    assert verdicts == {"right", "wrong", "unparsed"}


def test_gpqa_turns_its_options_by_one_place_more_from_row_to_row() -> None:
    (task,) = tasks(made_up.folder(), "gpqa_judge_gen")
    rows = list(task.samples())
    assert [row.target for row in rows] == list("DCBADCBA")
    assert [row.choices for row in rows[:4]] == [
        ("107", "710", "17", "70"),
        ("711", "18", "77", "117"),
        ("19", "84", "127", "712"),
        ("91", "137", "713", "20"),
    ]


@pytest.mark.parametrize(
    ("reply", "first", "last"),
    [
        ("It is ...\nANSWER: D", "D", "D"),
        ("Answer :D", "D", "D"),
        ("ANSWER: A\nWait.\nANSWER: D", "A", "D"),
        ("answer: d", "d", "d"),
        ("The answer is D.", None, None),
    ],
)
def test_the_rules_of_gpqa_read_the_first_or_the_last_letter(
    reply: str, first: str | None, last: str | None
) -> None:
    (guide,), (aisbench,) = (
        tasks(made_up.folder(), name)
        for name in ("gpqa_judge_gen", "gpqa_gen_0_shot_cot_chat_prompt")
    )
    sample = first_row(guide)
    verdicts = [task.scorer(reply, sample) for task in (guide, aisbench)]
    assert [one.answer for one in verdicts] == [first, last]
    assert [one.value for one in verdicts] == [float(first == "D"), float(last == "D")]


def test_the_judge_of_a_multiple_choice_question_sees_the_options() -> None:
    (task,) = tasks(made_up.folder(), "gpqa_judge_gen")
    text = asked(task, first_row(task), "It is seventy.")
    assert "What is 10 * 7?\nA. 107\nB. 710\nC. 17\nD. 70\n" in text


@pytest.mark.parametrize("name", ["hle_llmjudge", "hle_judge_gen"])
def test_hle_asks_what_can_be_asked_in_text_unless_told_that_the_model_sees(name: str) -> None:
    (in_text,), (all_of_it,) = (
        told(made_up.folder(), name, **settings) for settings in ({}, {"images": "true"})
    )
    assert [row.id for row in in_text.samples()] == [f"made_up_{n}" for n in range(10, 18) if n % 4]
    asked_with_picture = list(requests(all_of_it, all_of_it.samples(), sampling=Sampling()))[2]
    parts = asked_with_picture.messages[-1].content
    assert isinstance(parts, list)
    assert [part["type"] for part in parts][:2] == ["text", "image_url"]
    assert parts[1]["image_url"] == {"url": made_up.PICTURE}


AGREES = """{"extracted_final_answer": "70", "reasoning": "Both are seventy.",
    "correct": "yes", "confidence": 90, "strict": true}"""
DIFFERS = """```json
{"extracted_final_answer": "None", "reasoning": "There is none, so it is not correct.",
 "correct": "no", "confidence": 100}
```"""


@pytest.mark.parametrize(
    ("reply", "outcome", "value"),
    [
        (AGREES, "right", 1.0),
        (DIFFERS, "wrong", 0.0),
        ('{"extracted_final_answer": "70", "confidence": 90}', "unparsed", None),
        ('{"extracted_final_answer": "70", "reasoning": "They', "unparsed", None),
    ],
)
def test_the_judge_of_hle_replies_in_json(reply: str, outcome: str, value: float | None) -> None:
    (task,) = tasks(made_up.folder(), "hle_llmjudge")
    judgement = task.judges[0].verdict(reply)
    assert (judgement.outcome, judgement.value) == (outcome, value)


def test_the_judge_of_hle_is_asked_for_the_fields_that_its_users_know() -> None:
    (task,) = tasks(made_up.folder(), "hle_llmjudge")
    text = asked(task, first_row(task), "Answer: 70\nConfidence: 90%")
    for field in ("extracted_final_answer", "reasoning", "correct", "confidence"):
        assert f'"{field}": ' in text
