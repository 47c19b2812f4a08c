"""What the report of a run shows.

- Each score stands with its interval; a missing one is ``-``.
- A score that does not rest on all requests is marked, and a note says what happened.
- The counts behind the scores stand once per data set and model.
- The CSV holds bare numbers under the names that scripts know, then what belongs to them.
"""

import csv

import pytest

from steelyard.core import Metric
from steelyard.reports import (
    Cell,
    Comparison,
    Note,
    Results,
    Row,
    Summary,
    cell,
    csv_file,
    markdown_file,
    screen,
    text_file,
)

FULL = Cell(value=55.97, low=53.3, high=58.6, total=1319, answered=1319, unparsed=5)
LOSSY = Cell(
    value=56.7,
    low=54.0,
    high=59.3,
    total=1319,
    answered=1305,
    failed=14,
    failures={"timeout": 5, "status 500": 9},
    unparsed=3,
    truncated=2,
)
NOTHING = Cell(value=None, total=30, answered=0, failed=20, unasked=10, failures={"refused": 20})
SUMMARY = Summary(
    stamp="20250628_172032",
    labels=("qwen", "llama"),
    rows=(
        Row("gsm8k", "84f965", "accuracy", "gen", (LOSSY, FULL)),
        Row("aime2024", "604578", "accuracy", "gen", (NOTHING, None)),
        Row("mmlu", "-", "naive_average", "gen", (Cell(value=5.0, total=9, answered=9), None)),
    ),
    comparisons=(
        Comparison(
            dataset="gsm8k",
            a="qwen",
            b="llama",
            diff=0.73,
            low=-2.1,
            high=3.5,
            p=0.6123,
            verdict="no clear difference",
        ),
    ),
    notes=(Note("continued although sampling changed", "gsm8k", "llama"),),
)

SCREEN = """\
dataset    version    metric         mode                    qwen               llama
---------  ---------  -------------  ------  --------------------  ------------------
gsm8k      84f965     accuracy       gen     56.70 [54.0, 59.3] *  55.97 [53.3, 58.6]
aime2024   604578     accuracy       gen         - *                   -
mmlu       -          naive_average  gen      5.00                     -

[low, high]: 95 % interval of the score.
* Not every request was answered; the score is that of the answered ones:
* gsm8k, qwen: answered 1,305 of 1,319, failed 14 (status 500: 9, timeout: 5), \
unparsed 3, truncated at max_tokens 2
* aime2024, qwen: answered 0 of 30, failed 20 (refused: 20), not asked 10
gsm8k, llama: continued although sampling changed

dataset    model      answered    failed    unparsed    truncated
---------  -------  ----------  --------  ----------  -----------
gsm8k      qwen          1,305        14           3            2
gsm8k      llama         1,319         0           5            0
aime2024   qwen              0        20           0            0
mmlu       qwen              9         0           0            0

gsm8k: qwen minus llama = +0.73 [-2.1, +3.5], p = 0.61: no clear difference"""


def test_the_screen_shows_scores_notes_counts_and_comparisons() -> None:
    assert screen(SUMMARY) == SCREEN


def small(**fields) -> Summary:
    given = {"value": 50.0, "total": 10, "answered": 10} | fields
    row = Row("gsm8k", "84f965", "accuracy", "gen", (Cell(**given),))
    return Summary(stamp="20250628_172032", labels=("m",), rows=(row,))


def test_a_clean_run_has_no_mark_and_no_notes() -> None:
    shown = screen(small())
    assert "*" not in shown
    assert "95 %" not in shown
    assert screen(small(low=21.6, high=78.4)).count("95 %") == 1


@pytest.mark.parametrize(
    ("fields", "account"),
    [
        (
            {"answered": 9, "failed": 1, "failures": {"timeout": 1}},
            "answered 9 of 10, failed 1 (timeout: 1)",
        ),
        ({"answered": 7, "unasked": 3}, "answered 7 of 10, not asked 3"),
        (
            {"answered": 1, "failed": 9, "unparsed": 1, "truncated": 1},
            "answered 1 of 10, failed 9, unparsed 1, truncated at max_tokens 1",
        ),
        (
            {"total": 20_000, "answered": 18_999, "failed": 1_001},
            "answered 18,999 of 20,000, failed 1,001",
        ),
    ],
)
def test_a_marked_score_is_explained_in_words(fields, account: str) -> None:
    lines = screen(small(**fields)).split("\n")
    assert lines[2].endswith("50.00 *")
    assert f"* gsm8k, m: {account}" in lines


def test_unparsed_and_cut_answers_alone_are_counted_but_not_marked() -> None:
    shown = screen(small(unparsed=4, truncated=3))
    assert "*" not in shown
    assert shown.split("\n")[-1].split() == ["gsm8k", "m", "10", "0", "4", "3"]


def test_several_metrics_of_one_job_are_explained_and_counted_once() -> None:
    names = ("accuracy (5 runs average)", "avg@5", "pass@5", "cons@5")
    rows = tuple(Row("aime2024", "604a78", name, "gen", (LOSSY,)) for name in names)
    shown = screen(Summary(stamp="", labels=("m",), rows=rows))
    assert shown.count("answered 1,305 of 1,319") == 1
    assert shown.count("56.70 [54.0, 59.3] *") == 4
    assert len([line for line in shown.split("\n") if line.startswith("aime2024   m")]) == 1


def many(odd: int) -> Summary:
    cells = [Cell(value=1.0, total=5, answered=5, unparsed=int(n < odd)) for n in range(57)]
    rows = tuple(Row(f"mmlu-{n}", "v", "accuracy", "gen", (c,)) for n, c in enumerate(cells))
    return Summary(stamp="", labels=("m",), rows=rows)


def test_a_long_table_of_counts_shows_only_jobs_with_something_to_see_on_screen() -> None:
    shown = screen(many(odd=2))
    assert [line.split()[0] for line in shown.split("\n") if line.endswith("1            0")] == [
        "mmlu-0",
        "mmlu-1",
    ]
    assert shown.endswith("Not listed: 55 with every reply whole and readable.")
    assert "answered" not in screen(many(odd=0))
    assert markdown_file(many(odd=2)).count("| mmlu-") == 2 * 57


def test_two_models_with_one_label_stay_apart() -> None:
    row = Row("gsm8k", "v", "accuracy", "gen", (LOSSY, FULL))
    shown = screen(Summary(stamp="", labels=("m", "m"), rows=(row,)))
    assert len([line for line in shown.split("\n") if line.split()[:2] == ["gsm8k", "m"]]) == 2


def test_a_run_without_any_result_still_has_a_table() -> None:
    shown = screen(Summary(stamp="", labels=("m",), rows=()))
    assert shown.split("\n")[0].split() == ["dataset", "version", "metric", "mode", "m"]


def test_markdown_has_the_same_scores_and_no_bullet_inside_a_bullet() -> None:
    text = markdown_file(SUMMARY)
    assert "56.70 [54.0, 59.3] * " in text
    assert "- \\* gsm8k, qwen: answered 1,305 of 1,319, failed 14" in text
    assert text.endswith("no clear difference\n")
    tables = [line for line in text.split("\n") if line.startswith("|")]
    assert {line.count("|") for line in tables} == {7}


def test_csv_holds_bare_numbers_and_what_belongs_to_them() -> None:
    head, *rows = csv.reader(csv_file(SUMMARY).splitlines())
    labels = ("qwen", "llama")
    extra = ("low", "high", "answered", "failed", "unparsed")
    assert head == [
        *("dataset", "version", "metric", "mode"),
        *labels,
        *(f"{label} {name}" for label in labels for name in extra),
    ]
    first = dict(zip(head, rows[0], strict=True))
    assert first["qwen"] == "56.70"
    assert first["llama high"] == "58.60"
    assert first["qwen answered"] == "1305"
    assert first["qwen failed"] == "14"
    assert first["llama unparsed"] == "5"
    second = dict(zip(head, rows[1], strict=True))
    assert [second[name] for name in head[4:]] == [
        *("-", "-"),
        *("", "", "0", "20", "0"),
        *("", "", "", "", ""),
    ]


def test_csv_quotes_what_would_break_it() -> None:
    name = 'a,"b"'
    row = Row(name, "v", "accuracy", "gen", (FULL,))
    head, line = csv.reader(csv_file(Summary(stamp="", labels=(name,), rows=(row,))).splitlines())
    assert (line[0], head[4], head[5]) == (name, name, f"{name} low")


def test_the_text_file_holds_the_time_and_all_three_forms_between_rules() -> None:
    text = text_file(SUMMARY)
    assert text.startswith("20250628_172032\n")
    assert text.split("\n").count("^" * 128) == 3
    assert text.split("\n").count("$" * 128) == 3
    for form in (screen(SUMMARY), markdown_file(SUMMARY), csv_file(SUMMARY)):
        assert form.strip() in text


@pytest.mark.parametrize(
    ("p", "shown"), [(0.6123, "p = 0.61"), (0.0314, "p = 0.031"), (0.0004, "p < 0.001")]
)
def test_p_values_are_short(p: float, shown: str) -> None:
    pair = Comparison(dataset="d", a="a", b="b", diff=-3.0, low=-5.0, high=-1.0, p=p, verdict="b")
    line = screen(Summary(stamp="", labels=("a", "b"), rows=(), comparisons=(pair,))).split("\n")[
        -1
    ]
    assert line == f"d: a minus b = -3.00 [-5.0, -1.0], {shown}: b"


def test_text_from_outside_cannot_break_a_line_or_reach_the_terminal() -> None:
    note = Note("line one\nline two\x1b[31m red")
    shown = screen(Summary(stamp="", labels=("m",), rows=(), notes=(note,)))
    assert "line one line two [31m red" in shown
    assert "\x1b" not in shown


def test_a_cell_takes_its_counts_from_the_job_and_its_value_from_the_metric() -> None:
    metric = Metric(name="accuracy", value=56.7, n=1305, low=54.0, high=59.3)
    results = Results(
        model="m",
        dataset="gsm8k",
        version="v",
        total=1319,
        answered=1305,
        failed=14,
        unparsed=3,
        truncated=2,
        failures={"timeout": 5, "status 500": 9},
        scorer="gsm8k@1",
        metrics=(metric,),
        source_digest="",
    )
    assert cell(results, metric) == LOSSY
    assert cell(results).value is None
    assert cell(results).failed == 14
