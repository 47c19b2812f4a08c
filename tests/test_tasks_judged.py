"""Data sets whose answers a model judges: what is asked, what the judge is asked, with what rule.

- A judged variant asks the model exactly what the data set's own variant asks.
- Its judge is the one that its users know: letters in AISBench's manner, CompassVerifier's form in
  OpenCompass's guide.
- The judge sees the question, the right answer and the answer, and options where there are any.
- Where nothing is right, the judge compares the answer with another one, in both orders.
"""

import json
from functools import cache
from pathlib import Path

import pytest

import made_up
from steelyard.core import DataError, Json, Message, MissingData, Sample, Sampling, Task
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


@pytest.fixture
def arena(shared: Path, tmp_path: Path) -> Path:
    """Arena-Hard's questions, still without answers of a baseline."""
    (tmp_path / "arena_hard").mkdir()
    questions = tmp_path / "arena_hard/question.jsonl"
    questions.symlink_to(shared / "datasets/arena_hard/question.jsonl")
    return tmp_path


def put_baseline(arena: Path, place: str, *, first: int = 0, plain: bool = False) -> None:
    """Made-up answers to all questions from ``first`` on, in the layout of the authors."""
    lines = (arena / "arena_hard/question.jsonl").read_text(encoding="utf-8").split("\n")
    ids = [json.loads(line)["question_id"] for line in lines if line]
    path = arena / place
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for one in ids[first:]:
            said = f"My answer to {one}."
            turns = [said] if plain else [{"content": said, "token_len": 9}]
            choices = [{"index": 0, "turns": turns}]
            file.write(json.dumps({"question_id": one, "model_id": "m", "choices": choices}) + "\n")


def compared(task: Task, sample: Sample) -> None:
    """The judge is shown both answers, once in each order."""
    baseline = sample.meta["baseline"]
    one_way, other_way = (
        str(judge.question(sample, "My own words.", FENCE)[-1].content) for judge in task.judges
    )
    assert one_way.index("My own words.") < one_way.index(baseline)
    assert other_way.index(baseline) < other_way.index("My own words.")
    verdict = "[[A>>B]]" if task.name == "arena_hard" else "[[A]]"
    assert {judge.verdict(f"Verdict: {verdict}").value for judge in task.judges} == {1.0, 0.0}


def test_alpaca_eval_compares_with_the_answers_in_its_data(shared: Path) -> None:
    (task,) = tasks(shared / "datasets", "alpaca_eval_judge_gen")
    rows = list(task.samples())
    assert len(rows) == len({row.id for row in rows}) == 805
    assert {row.target for row in rows} == {None}
    assert task.metric == "win_rate"
    (request, *_) = requests(task, rows[:1], sampling=Sampling())
    assert [message.content for message in request.messages] == [rows[0].question]
    compared(task, rows[0])


@pytest.mark.parametrize("place", ["baseline.jsonl", "model_answer/gpt-4-0314.jsonl"])
@pytest.mark.parametrize("plain", [False, True])
def test_arena_hard_compares_with_the_answers_of_a_baseline(
    arena: Path, place: str, plain: bool
) -> None:
    put_baseline(arena, f"arena_hard/{place}", plain=plain)
    (task,) = told(arena, "arena_hard_judge_gen")
    rows = list(task.samples())
    assert len(rows) == 500
    assert rows[0].meta["baseline"] == f"My answer to {rows[0].id}."
    compared(task, rows[0])


def test_arena_hard_says_that_there_are_no_answers_to_compare_with(arena: Path) -> None:
    (task,) = told(arena, "arena_hard_judge_gen")
    with pytest.raises(MissingData, match=r"arena_hard/baseline\.jsonl was not found"):
        list(task.samples())


def test_arena_hard_says_which_question_has_no_answer_to_compare_with(arena: Path) -> None:
    put_baseline(arena, "answers.jsonl", first=1)
    named = str(arena / "answers.jsonl")
    (task,) = told(arena, "arena_hard_judge_gen", baseline=named)
    with pytest.raises(DataError, match=r"line 1: field `question_id`.* an answer to"):
        list(task.samples())
    (task,) = told(arena, "arena_hard_judge_gen", baseline=f"{named}.gone")
    with pytest.raises(DataError, match="no such file"):
        list(task.samples())
