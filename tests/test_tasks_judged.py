"""Data sets whose answers a model judges: what is asked, what the judge is asked, with what rule.

- A judged variant asks the model exactly what the data set's own variant asks.
- Its judge is the one that its users know: letters in AISBench's manner, CompassVerifier's form in
  OpenCompass's guide.
- The judge sees the question, the right answer and the answer, and options where there are any.
- Where nothing is right, the judge compares the answer with another one, in both orders.
"""

import json
import shutil
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unicodedata import normalize

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


def mt_bench_rows(shared: Path, folder: Path, *ids: int, references: bool) -> Path:
    """MT-Bench's questions with these ids, in a data folder of their own."""
    (folder / "mtbench").mkdir()
    for name in ("question.jsonl", *(["reference_answer_gpt-4.jsonl"] if references else [])):
        rows = (shared / "datasets/mtbench" / name).read_text(encoding="utf-8").splitlines()
        kept = [row for row in rows if json.loads(row)["question_id"] in ids]
        (folder / "mtbench" / name).write_text("".join(f"{row}\n" for row in kept), "utf-8")
    return folder


@pytest.mark.parametrize("references", [False, True])
def test_mt_bench_is_judged_beside_a_reference_in_three_categories(
    shared: Path, tmp_path: Path, references: bool
) -> None:
    root = mt_bench_rows(shared, tmp_path, 95, 111, 123, 133, references=references)
    (task,), (load,) = told(root, "mtbench_judge_gen"), told(root, "mtbench_gen")
    judged, plain = list(task.samples()), list(load.samples())
    given = {row.id: [row.given, *(turn.given for turn in row.turns)] for row in judged}
    assert given["95"] == given["133"] == [None, None], "roleplay and extraction have none"
    assert all(row.given is not None for row in plain if row.id in ("95", "133"))
    assert given["123"] == [None, None] or references, "one question has none of its own"
    (own,) = [[row.given, *(turn.given for turn in row.turns)] for row in plain if row.id == "111"]
    assert (given["111"] == own) is not references
    sent, asked = (
        [one.messages for one in requests(made, rows, sampling=Sampling())]
        for made, rows in ((task, judged), (load, plain))
    )
    assert sent == asked


def test_mt_bench_says_what_there_is_to_compare_with(shared: Path, tmp_path: Path) -> None:
    root = mt_bench_rows(shared, tmp_path, 81, references=False)
    (task,) = told(root, "mtbench_pairwise_judge_gen")
    with pytest.raises(MissingData, match=r"mtbench/baseline\.jsonl was not found"):
        list(task.samples())
    answers = tmp_path / "mtbench/baseline.jsonl"
    for turns, said in ((["One."], "1 answers"), (["One.", "Two.", "Three."], "3 answers")):
        answers.write_text(json.dumps({"question_id": 81, "choices": [{"turns": turns}]}) + "\n")
        with pytest.raises(DataError, match=f"{said} to question 81; expected one to each"):
            list(task.samples())
    (task,) = told(root, "mtbench_judge_gen", reference=f"{answers}.gone")
    with pytest.raises(DataError, match=r"reference=.*no such file"):
        list(task.samples())


def lcr_prompt(root: Path, row: int) -> str:
    (task,) = told(root, "aa_lcr_llmjudge")
    (request,) = list(requests(task, list(task.samples())[row : row + 1], sampling=Sampling()))
    return str(request.messages[-1].content)


def test_aa_lcr_asks_with_the_documents_in_the_order_of_the_row() -> None:
    assert lcr_prompt(made_up.folder(), 1) == (
        "BEGIN INPUT DOCUMENTS\n\n"
        "BEGIN DOCUMENT 1:\nVerkäufe: 15 €.\n成本: 6\n\nEND DOCUMENT 1\n\n"
        "BEGIN DOCUMENT 2:\nMade up. Sales: 12 {target}.\nCosts: 5.\n\nEND DOCUMENT 2\n\n"
        "END INPUT DOCUMENTS\n\n"
        "Use the input documents above to answer this question.\n\n"
        "START QUESTION\n\nQuestion 1?\n\n\nEND QUESTION"
    )


def pack(home: Path, respelt: Callable[[str], str]) -> None:
    """The unpacked documents as the archive that is published."""
    (home / "extracted_text").mkdir()
    with zipfile.ZipFile(home / "extracted_text/AA-LCR_extracted-text.zip", "w") as archive:
        for path in sorted((home / "lcr").rglob("*.txt")):
            archive.writestr(respelt(path.relative_to(home).as_posix()), path.read_bytes())
    shutil.rmtree(home / "lcr")


def decomposed(name: str) -> str:
    return normalize("NFD", name)


def as_cp437(name: str) -> str:
    """What is read of a name whose UTF-8 the archive does not announce."""
    return decomposed(name).encode().decode("cp437")


@pytest.mark.parametrize("respelt", [str, decomposed, as_cp437])
@pytest.mark.parametrize(
    "place", ["", "lcr", "extracted_text/lcr", "extracted_text/AA-LCR_extracted-text/lcr"]
)
def test_aa_lcr_finds_documents_packed_and_unpacked_however_their_names_are_spelt(
    tmp_path: Path, place: str, respelt: Callable[[str], str]
) -> None:
    home = made_up.put_lcr(tmp_path)
    pack(home, respelt)
    if place:
        with zipfile.ZipFile(home / "extracted_text/AA-LCR_extracted-text.zip") as archive:
            archive.extractall((home / place).parent)
        (home / "extracted_text/AA-LCR_extracted-text.zip").unlink()
    for row in range(len(made_up.LCR_ROWS)):
        assert lcr_prompt(tmp_path, row) == lcr_prompt(made_up.folder(), row)


def test_the_judge_of_aa_lcr_sees_no_documents_and_says_one_word() -> None:
    (task,) = tasks(made_up.folder(), "aa_lcr_llmjudge")
    row = list(task.samples())[2]
    text = asked(task, row, "It is three years.")
    assert all(part in text for part in ("Question 2?", row.target or "-", "It is three years."))
    assert "Article 1" not in text
    said = ("CORRECT", "INCORRECT", "It is not correct.", "I cannot say.")
    outcomes = [task.judges[0].verdict(reply).outcome for reply in said]
    assert outcomes == ["right", "wrong", "wrong", "unparsed"]


def spoil(home: Path, old: str, new: str) -> None:
    table = home / "AA-LCR_Dataset.csv"
    table.write_text(table.read_text("utf-8").replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Q1 report.txt", "Q9.txt", r"2: field `data_source_filenames` is 'Q9\.txt'; expected a f"),
        ("Başev.txt", "Gone é.txt", r"6: field `data_source_filenames` is 'Gone é\.txt'; expected"),
        ("co_made_up", "co_gone", r"2: field `document_set_id` is 'co_gone'; expected a folder in"),
        ("Legal,legal_made_up", "Legal,../Legal", r"6: field `document_set_id` is '\.\./Legal'"),
        ("Legal,", "..,", r"6: field `document_category` is '\.\.'; expected a folder in"),
        ("Q1 report.txt", " ; ", r"2: field `data_source_filenames` is ' ; '; expected names"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_aa_lcr_names_the_line_and_the_field_of_a_document_that_is_missing(
    tmp_path: Path, packed: bool, old: str, new: str, said: str
) -> None:
    home = made_up.put_lcr(tmp_path)
    spoil(home, old, new)
    if packed:
        pack(home, str)
    (task,) = told(tmp_path, "aa_lcr_llmjudge")
    with pytest.raises(DataError, match=rf"AA-LCR_Dataset\.csv, line {said}"):
        list(task.samples())


def test_aa_lcr_says_that_a_document_is_not_text_or_that_there_are_none(tmp_path: Path) -> None:
    home = made_up.put_lcr(tmp_path)
    (task,) = told(tmp_path, "aa_lcr_llmjudge")
    (home / "lcr/Legal/legal_made_up/Başev.txt").write_bytes("Süre".encode("latin-1"))
    with pytest.raises(DataError, match=r"line 6: field `data_source_filenames`.*UTF-8 text in"):
        list(task.samples())
    shutil.rmtree(home / "lcr")
    with pytest.raises(MissingData, match=r"aa_lcr/extracted_text/AA-LCR_.*zip was not found"):
        list(task.samples())
    (home / "extracted_text").mkdir()
    (home / "extracted_text/AA-LCR_extracted-text.zip").write_bytes(b"<html>")
    with pytest.raises(DataError, match="not a readable zip file"):
        list(task.samples())


def test_aa_lcr_says_which_document_of_the_archive_is_damaged(tmp_path: Path) -> None:
    home = made_up.put_lcr(tmp_path)
    pack(home, str)
    archive = home / "extracted_text/AA-LCR_extracted-text.zip"
    archive.write_bytes(archive.read_bytes().replace(b"Article 1", b"Article 9"))
    (task,) = told(tmp_path, "aa_lcr_llmjudge")
    with pytest.raises(DataError, match=r"line 6: .*act\.txt'; expected a readable file in .*CRC"):
        list(task.samples())
