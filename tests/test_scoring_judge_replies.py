"""Reading verdicts out of judges' replies.

- The corpus, both languages: every verdict that is stated is found, nothing else is read.
- A clear last line counts whatever stands before it; what a judge quotes does not count.
- Replies of any kind and length are read without errors and in little time.
"""

import json
import time
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.scoring.verdict_grades import SIDES, read_grade
from steelyard.scoring.verdict_kinds import Kind, Scale, correctness, preference
from steelyard.scoring.verdicts import read

CORPUS = [
    json.loads(line)
    for line in (Path(__file__).parent / "corpus" / "judge_replies.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
KINDS: dict[str, Kind] = {
    "verifier": correctness(),
    "verifier_two_way": correctness(invalid=False),
    "score_1_10": Scale(1, 10),
    "score_1_5": Scale(1, 5, whole=True),
    "score_0_2": Scale(0, 2),
    "pairwise": preference(),
    "rubric_accuracy": Scale(1, 5, name="accuracy"),
    "rubric_准确性": Scale(1, 5, name="准确性"),
}
LAST_LINES = [
    ("verifier", "Verdict: INCORRECT", "incorrect"),
    ("verifier", "Final judgment: \\boxed{A}", "correct"),
    ("verifier", "**Verdict: INVALID**", "invalid"),
    ("verifier", "判定：错误", "incorrect"),
    ("score_1_10", "Rating: [[7]]", "7"),
    ("score_1_10", "评分：7分", "7"),
    ("pairwise", "Winner: B", "second"),
    ("pairwise", "最终判定：[[A]]", "first"),
]
FRAGMENTS = [
    *('"', "“", "```\n", "`", "'", "> ", "{", "}", "[[A]]", "[[B]]", "\\boxed{B}", "Verdict: A\n"),
    *(
        "判定：正确\n",
        "Score: 3\n",
        "Winner: A\n",
        "The answer is correct. ",
        "not ",
        "A",
        "B",
        "\n",
    ),
    *(
        '{"verdict": "A"}\n',
        "回答错误。",
        "Response A is better. ",
        "</think>",
        " or ",
        "。",
        "7/10 ",
    ),
]
ANY_TEXT = st.text(max_size=200) | st.lists(
    st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=12
).map("".join)
QUOTING = [
    'The candidate wrote "{}".',
    "候选人写道：“{}”。",
    "It contains `{}`.",
    "Text:\n```\n{}\n```",
]


def verdict_of(reply: str, form: str) -> str | None:
    if form == "pairwise_graded":
        return read_grade(reply).verdict
    return read(reply, KINDS[form]).verdict


@pytest.mark.parametrize("row", CORPUS, ids=lambda row: f"{row['form']}: {row['reply'][:40]!r}")
def test_the_corpus_is_read_as_it_is_meant(row: dict[str, str | None]) -> None:
    assert verdict_of(row["reply"], row["form"]) == row["expected"]


def test_the_corpus_has_every_form_in_both_languages() -> None:
    forms = {(row["form"].partition("_")[0], row["language"]) for row in CORPUS}
    kinds = ("verifier", "score", "pairwise", "rubric")
    assert forms == {(kind, language) for kind in kinds for language in ("en", "zh")}
    assert len({(row["form"], row["reply"]) for row in CORPUS}) == len(CORPUS) > 500
    assert sum(row["expected"] is None for row in CORPUS) > 150


@pytest.mark.parametrize(("form", "line", "verdict"), LAST_LINES)
@given(before=ANY_TEXT)
def test_a_clear_last_line_counts_whatever_stands_before_it(
    form: str, line: str, verdict: str, before: str
) -> None:
    """Unless it announces a quotation: ``The candidate wrote:``."""
    assume("<think" not in before.lower())
    assume(not before.rstrip().rstrip("* ").endswith((":", "：")))
    assert read(f"{before}\n\n{line}", KINDS[form]).verdict == verdict


@pytest.mark.parametrize("quoting", QUOTING)
@pytest.mark.parametrize(("form", "line", "verdict"), LAST_LINES)
@given(
    quoted=st.sampled_from([line for _, line, _ in LAST_LINES]) | st.text("AB[]17 \\{}", max_size=9)
)
def test_what_a_judge_quotes_does_not_count(
    form: str, line: str, verdict: str, quoting: str, quoted: str
) -> None:
    quote = quoting.format(quoted)
    assert read(quote, KINDS[form]).verdict is None
    assert read(f"{quote}\n{line}", KINDS[form]).verdict == verdict
    assert read(f"{line}\n\n{quote}", KINDS[form]).verdict in (verdict, None)


@pytest.mark.parametrize(
    "quoting", ["It says “{}”.", "候选人写道：「{}」。", "Text:\n```\n{}\n```"]
)
@given(case=st.sampled_from(LAST_LINES), quoted=ANY_TEXT)
def test_no_quotation_of_any_text_is_a_verdict(
    quoting: str, case: tuple[str, str, str], quoted: str
) -> None:
    assume("think" not in quoted.lower())
    assume(not set(quoted) & set("“”「」`"))
    form, line, verdict = case
    quote = quoting.replace("{}", quoted)
    assert read(quote, KINDS[form]).verdict is None
    assert read(f"{line}\n\n{quote}", KINDS[form]).verdict in (verdict, None)


@pytest.mark.parametrize("form", KINDS)
@given(text=ANY_TEXT)
def test_any_text_is_read_or_left(form: str, text: str) -> None:
    verdict, why = read(text, KINDS[form])
    assert why
    assert (
        verdict is None
        or verdict
        in {
            *("correct", "incorrect", "invalid", "first", "second", "tie"),
            *map(str, range(11)),
            *(f"{whole}.{part}" for whole in range(10) for part in range(1000)),
        }
        or float(verdict) <= 10
    )


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "(",
            "A ",
            "the answer is ",
            '"',
            "`",
            "{",
            '{"a": ',
            "[[",
            "\\boxed{",
            "\n",
            "- ",
            "回答",
        ),
        *(
            "<a Begin>",
            "not ",
            "***",
            "Verdict: ",
            "Verdict:\n",
            "'a",
            "“",
            "1.",
            "，",
            "> a\n",
            "```\n",
        ),
    ],
)
@pytest.mark.parametrize("form", ["verifier", "score_1_10", "pairwise"])
def test_long_replies_are_read_quickly(form: str, piece: str) -> None:
    began = time.perf_counter()
    read(piece * (20_000 // len(piece)), KINDS[form])
    assert time.perf_counter() - began < 2


def test_reading_says_where_it_was_read_or_why_it_was_not() -> None:
    kind = KINDS["verifier"]
    assert read("A", kind).why == "the whole reply"
    assert read("Fine.\nVerdict: A", kind).why == "the line 'Verdict'"
    assert read("<think>A", kind).why == "the judge's reasoning never ends"
    assert read("Verdict: A or B", kind).why == (
        "the line 'Verdict' states no verdict, or more than one"
    )


@given(text=ANY_TEXT)
def test_a_grade_is_on_the_side_that_a_plain_preference_is_on(text: str) -> None:
    """``KINDS["pairwise"]`` knows one tie more, the letter C, which states no grade."""
    grade, why = read_grade(text)
    assert why
    if grade is not None:
        assert read(text, KINDS["pairwise"]).verdict in (SIDES[grade], None)


@given(before=ANY_TEXT, grade=st.sampled_from(["A>>B", "A>B", "A=B", "B>A", "B>>A"]))
def test_a_clear_last_grade_counts_whatever_stands_before_it(before: str, grade: str) -> None:
    assume("<think" not in before.lower())
    assume(not before.rstrip().rstrip("* ").endswith((":", "：")))
    expected = read_grade(f"[[{grade}]]").verdict
    assert expected is not None
    assert read_grade(f"{before}\n\nVerdict: [[{grade}]]").verdict == expected
