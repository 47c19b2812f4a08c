"""IFEval: answers are checked instruction by instruction.

- Verdicts on real answers are the published ones, but for four of 5,004 that chance decides there.
- So are the figures: over prompts and over instructions, strict and loose. Another tool's marks on
  twenty answers are the same.
- Every kind of instruction reads what its name says.
- No answer takes long to check, whatever a model repeats.
- A run reports all four figures.
"""

import gzip
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from running import lines, only_run, results, steelyard
from sim_process import simulated
from steelyard.core import DataError, MissingExtra, Sample, Score
from steelyard.scoring import ifeval_figures, ifeval_strict, instructions_target
from steelyard.scoring import ifeval_language as language
from steelyard.scoring.folding import fold
from steelyard.scoring.ifeval import followed, instructions, kind_of
from steelyard.scoring.ifeval_text import sentences, tokens, words
from steelyard.tasks import catalogue
from steelyard.tasks.data import Data

pytest.importorskip("langdetect", reason="it is part of the extra text")

RUNS = {
    "gpt-4o-2024-08-06": (84.1, 88.61, 87.8, 91.25),
    "Meta-Llama-3.1-8B-Instruct-AWQ-INT4": (72.09, 80.1, 75.79, 82.97),
    "Mistral-7B-Instruct-v0.3": (47.13, 58.99, 51.39, 63.43),
}
"""Published: strict over prompts and over instructions, loose likewise."""

CHANCE = {
    ("gpt-4o-2024-08-06", 1122, "keywords:letter_frequency", "strict"),
    ("Mistral-7B-Instruct-v0.3", 1122, "keywords:letter_frequency", "loose"),
    ("Meta-Llama-3.1-8B-Instruct-AWQ-INT4", 3617, "change_case:english_capital", "loose"),
    ("Mistral-7B-Instruct-v0.3", 3112, "language:response_language", "loose"),
}
"""Where the published checkers draw a letter in place of ``#``, and detect languages unseeded."""


@cache
def samples(shared: Path) -> dict[str, Sample]:
    """By their prompt."""
    (entry,) = catalogue.find("ifeval_gen")
    (task,) = entry.make(Data((shared / "datasets",)))
    return {str(sample.question).strip(): sample for sample in task.samples()}


@cache
def answers(shared: Path, run: str) -> list[tuple[Sample, dict[str, Any]]]:
    """Every sample with a model's answer and the published verdicts on it."""
    with gzip.open(shared / f"outputs/ifeval_outputs/{run}.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    return [(samples(shared)[row["prompt"].strip()], row) for row in rows]


def score(sample: Sample, text: str, key: str = "") -> Score:
    verdict = ifeval_strict(text, sample)
    return Score(
        key=key or f"{sample.id}#0",
        scorer=ifeval_strict.id,
        outcome="right" if verdict.value else "wrong",
        value=verdict.value,
        answer=verdict.answer,
        why=verdict.why,
        parts=verdict.parts,
    )


def given(kind: str, **settings: object) -> Sample:
    """A sample with one instruction."""
    return Sample(id="1", question="?", target=instructions_target([kind], [settings]))


def test_there_are_541_prompts_with_834_instructions_of_25_kinds(shared: Path) -> None:
    listed = [json.loads(sample.target or "") for sample in samples(shared).values()]
    kinds = [one["id"] for instructions in listed for one in instructions]
    assert (len(listed), len(kinds), len(set(kinds))) == (541, 834, 25)


@pytest.mark.parametrize("run", RUNS)
def test_verdicts_on_real_answers_are_the_published_ones(shared: Path, run: str) -> None:
    different = set()
    for sample, row in answers(shared, run):
        asked = instructions(str(sample.target))
        ours = zip(("strict", "loose"), followed(row["response"], asked), strict=True)
        for manner, verdicts in ours:
            for one, mine, theirs in zip(asked, verdicts, row[f"{manner}_list"], strict=True):
                if mine != theirs:
                    different.add((run, int(sample.id), kind_of(one), manner))
    assert different == {one for one in CHANCE if one[0] == run}


@pytest.mark.parametrize(("run", "published"), RUNS.items())
def test_figures_of_real_answers_are_the_published_ones(
    shared: Path, run: str, published: tuple[float, ...]
) -> None:
    scores = [score(sample, row["response"]) for sample, row in answers(shared, run)]
    (first,) = fold(scores, repeats=1)
    figures = (first, *ifeval_figures(scores))
    assert [one.n for one in figures] == [541, 834, 541, 834]
    for ours, theirs in zip(figures, published, strict=True):
        assert abs(ours.value - theirs) < 0.19  # one prompt more or less, by chance
        assert ours.low is not None
        assert ours.high is not None
        assert ours.low < ours.value < ours.high


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3-max"])
def test_another_tool_gives_the_same_marks(shared: Path, model: str) -> None:
    path = shared / f"outputs/evalscope_runs/{model}/reviews/{model}/ifeval_default.jsonl"
    reviews = [one["sample_score"] for one in lines(path)]
    assert len(reviews) == 10
    for review in reviews:
        sample = samples(shared)[review["sample_metadata"]["prompt"].strip()]
        ours = score(sample, review["score"]["prediction"])
        asked = ours.parts["instructions"]
        assert review["score"]["value"] == pytest.approx(
            {
                "prompt_level_strict": ours.value,
                "inst_level_strict": ours.parts["strict"] / asked,
                "prompt_level_loose": ours.parts["loose_prompt"],
                "inst_level_loose": ours.parts["loose"] / asked,
            },
            abs=1e-3,
        )


FOLLOWED = [
    ("keywords:existence", {"keywords": ["dog", "day"]}, "Today: Dogs.", "Dogs."),
    ("keywords:frequency", {"keyword": "ha", "frequency": 2, "relation": "at least"}, "Haha", "Ha"),
    ("keywords:frequency", {"keyword": "ha", "frequency": 2, "relation": "less than"}, "H", "Haha"),
    ("keywords:forbidden_words", {"forbidden_words": ["damn"]}, "damnation", "Damn!"),
    (
        "keywords:letter_frequency",
        {"letter": "A", "let_frequency": 2, "let_relation": "at least"},
        "aA",
        "ab",
    ),
    (
        "keywords:letter_frequency",
        {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
        "##",
        "#",
    ),
    ("language:response_language", {"language": "de"}, "Das ist ein deutscher Satz.", "It is not."),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "less than"},
        "A man.",
        "He ran. I sat.",
    ),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "at least"},
        "It's so",
        "So so",
    ),
    (
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 2},
        "***\na\n***\nb",
        "a\n***\n***\nb",
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "It"},
        'So.\n\n"It\'s" so.',
        "So.\n\nIts own.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] [b]", "[a [b]"),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.S."},
        "Yes.\np. s. No.",
        "Yes. PS: No.",
    ),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.P.S No.", "P.S. No."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n  - b", "* a\n- b\n- c"),
    ("detectable_format:constrained_response", {}, "Well. My answer is no.", "My answer is no"),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        "*a* and **b**",
        "*a* and ** **",
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Part", "num_sections": 2},
        "Part 1 a\nPart 2 b",
        "Part 1 a\nPart two",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{a: 1}"),
    ("detectable_format:title", {}, "<<A title>>\nText.", "<< >>\nText."),
    ("combination:two_responses", {}, "One.\n******\nTwo.", "One.\n******\nOne."),
    (
        "combination:repeat_prompt",
        {"prompt_to_repeat": "Do it. "},
        "do it. Done.",
        "I do it. Done.",
    ),
    ("startend:end_checker", {"end_phrase": "The end."}, 'So. "the END."', "The end. So."),
    ("startend:quotation", {}, ' "Yes." ', '"Yes." No'),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "DON'T go",
        "NASA/ESA go",
    ),
    ("change_case:english_capital", {}, "THIS IS ALL IN CAPITALS.", "THIS IS ALl IN CAPITALS."),
    (
        "change_case:english_lowercase",
        {},
        "this is all in small letters.",
        "this is not All small.",
    ),
    ("punctuation:no_comma", {}, "No; none.", "No, one."),
]


@pytest.mark.parametrize(("kind", "settings", "right", "wrong"), FOLLOWED)
def test_every_kind_of_instruction_reads_what_its_name_says(
    kind: str, settings: dict[str, object], right: str, wrong: str
) -> None:
    sample = given(kind, **settings)
    assert ifeval_strict(right, sample).value == 1.0
    missed = ifeval_strict(wrong, sample)
    assert (missed.value, missed.why) == (0.0, f"not followed: {kind}")


def test_the_examples_above_show_every_kind(shared: Path) -> None:
    targets = [str(sample.target) for sample in samples(shared).values()]
    asked = {kind_of(one) for target in targets for one in instructions(target)}
    assert {kind for kind, *_ in FOLLOWED} == asked


def test_settings_that_a_file_pads_with_null_say_nothing() -> None:
    padded = given("startend:quotation", keywords=None, num_words=None)
    assert padded.target == '[{"id":"startend:quotation"}]'


@pytest.mark.parametrize(
    ("kinds", "settings"),
    [
        (["startend:unheard_of"], [{}]),
        (["startend:end_checker"], [{}]),
        (["length_constraints:number_words"], [{"num_words": "many", "relation": "at least"}]),
        (["startend:quotation"], []),
    ],
)
def test_instructions_that_nobody_knows_are_an_error_of_the_file(
    tmp_path: Path, kinds: list[str], settings: list[object]
) -> None:
    (tmp_path / "ifeval").mkdir()
    row = {"key": 1, "prompt": "?", "instruction_id_list": kinds, "kwargs": settings}
    (tmp_path / "ifeval/input_data.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (entry,) = catalogue.find("ifeval_gen")
    (task,) = entry.make(Data((tmp_path,)))
    with pytest.raises(DataError, match=r"line 1: field `kwargs` is .* instructions of IFEval"):
        list(task.samples())


@pytest.mark.parametrize(
    "text",
    ["Sure!\nno commas here", "no commas here\nRight, done.", "Sure,\nno commas\nbye,", "*a*"],
)
def test_loosely_a_first_line_a_last_line_and_stars_do_not_count(text: str) -> None:
    kinds = ["punctuation:no_comma", "change_case:english_lowercase"]
    sample = Sample(id="1", question="?", target=instructions_target(kinds, [{}, {}]))
    assert ifeval_strict(text, sample).parts["loose"] >= 1


def test_an_empty_answer_follows_nothing_and_is_unparsed() -> None:
    verdict = ifeval_strict(" \n", given("punctuation:no_comma"))
    assert (verdict.value, verdict.answer, verdict.parts["loose"]) == (0.0, None, 0)


def test_over_instructions_every_instruction_counts_once_and_failures_do_not() -> None:
    three = Sample(
        id="3",
        question="?",
        target=instructions_target(
            ["punctuation:no_comma", "startend:quotation", "detectable_format:title"], [{}, {}, {}]
        ),
    )
    scores = [
        score(three, "a, b"),
        score(given("punctuation:no_comma"), "a b"),
        Score(key="2#0", scorer=ifeval_strict.id, outcome="failed"),
    ]
    (prompts,) = fold(scores, repeats=1)
    strict, loose_prompts, loose = ifeval_figures(scores)
    assert (prompts.value, prompts.n) == (50.0, 2)
    assert (strict.value, strict.n, strict.n_failed) == (25.0, 4, 1)
    assert (loose_prompts.value, loose.value) == (50.0, 25.0)


def test_answers_to_one_prompt_are_one_cluster() -> None:
    sample = given("punctuation:no_comma")
    once = [score(sample, text, f"{text}#0") for text in ("a", "a,", "b", "b,")]
    again = [score(sample, one.key[:-2], f"{one.key[:-1]}{n}") for one in once for n in range(5)]
    widths = [
        found.high - found.low
        for scores in (once, again)
        for found in ifeval_figures(scores)[:1]
        if found.high is not None and found.low is not None
    ]
    assert widths[1] == pytest.approx(widths[0], rel=0.2)


def test_under_another_rule_there_are_no_further_figures() -> None:
    for parts in ({}, {"own": 1.0}):
        other = Score(key="1#0", scorer="other@1", outcome="right", value=1.0, parts=parts)
        assert ifeval_figures([other]) == ()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("He ran. She sat! Who? I", 4),
        ("A title\n\nand no stop", 1),
        ("Mr. Smith met Dr. Who at 3 p.m. yesterday.", 1),
        ("Roe v. Wade was in 1973. J. Doe was not.", 2),
        ("It cost 3.50 dollars. 2. place is free.", 2),
        ("1. Begin.\n2. End.", 4),
        ("Wait... what? Wait... Now.", 3),
        ('She said "No." He left.', 2),
        ("**Bold.** Plain.", 2),
        ("", 0),
    ],
)
def test_sentences_are_counted_as_punkt_counts_them(text: str, count: int) -> None:
    assert len(sentences(text)) == count


def test_words_and_tokens() -> None:
    assert words("It's 3.5 a_b") == ["It", "s", "3", "5", "a_b"]
    assert tokens("I'M (OK), A/B at 10:30.") == [
        *("I", "'M", "(", "OK", ")", ",", "A/B", "at", "10:30", "."),
    ]


@pytest.mark.parametrize("unit", ["a", ".", "[", "<<", "*", "\n", "\n ", "- ", "A. ", "[x] ", '"'])
def test_no_answer_takes_long_to_check(shared: Path, unit: str) -> None:
    every = {}
    for sample in samples(shared).values():
        every |= {one["id"]: one for one in json.loads(str(sample.target))}
    sample = Sample(id="1", question="?", target=json.dumps(list(every.values())))
    text = unit * (50_000 // len(unit))
    before = time.process_time()
    ifeval_strict(text, sample)
    assert time.process_time() - before < 5


def test_without_langdetect_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'steelyard\[text\]'"):
        language.needs_langdetect()


def test_a_run_reports_all_four_figures(shared: Path, tmp_path: Path) -> None:
    with simulated() as url:
        usual = ("--models", "vllm_api_general_chat", "--datasets", "ifeval_gen")
        where = ("--base-url", url, "--data-dir", str(shared / "datasets"), "--num-prompts", "20")
        done = steelyard("run", *usual, *where, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = only_run(tmp_path / "outputs/default")
    found = results(folder, "vllm-api-general-chat", "ifeval")
    stored = lines(folder / "predictions/vllm-api-general-chat/ifeval.scores.jsonl")
    for manner in ("strict", "loose"):
        right = sum(one["parts"][manner] for one in stored)
        asked = sum(one["parts"]["instructions"] for one in stored)
        assert found[f"Inst-level-{manner}-accuracy"] == pytest.approx(100 * right / asked)
        assert f"Prompt-level-{manner}-accuracy" in found
        assert f"Inst-level-{manner}-accuracy" in done.stdout
