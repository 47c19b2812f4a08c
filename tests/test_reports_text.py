"""How text is laid out in columns.

- Widths are those of a screen: Chinese characters and emoji take two columns, accents none.
- Padded text is exactly as wide as asked; cut text never wider.
- Tables line up, and nothing in a cell breaks out of it: no line ends, no terminal escapes.
- Counts, rates and durations read as people write them.
"""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.reports import (
    clock,
    count,
    kinds,
    one_line,
    pad,
    progress_line,
    rate,
    table,
    truncate,
    width,
)

TEXT = st.text(max_size=20)
CELL = st.text(st.sampled_from("ab1 |\\数學é\u0301\n\x1b漢🎉-"), max_size=8)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("gsm8k", 5),
        ("语文", 4),
        ("ｆｕｌｌ", 8),
        ("ﾊﾝｶｸ", 5 - 1),
        ("한글", 4),
        ("\u1112\u1161\u11ab", 2),
        ("café", 4),
        ("cafe\u0301", 4),
        ("🎉", 2),
        ("a\u200bb", 2),
        ("±…│", 3),
    ],
)
def test_width_is_that_of_a_screen(text: str, columns: int) -> None:
    assert width(text) == columns


@given(TEXT, TEXT)
def test_width_adds_up(one: str, other: str) -> None:
    assert width(one + other) == width(one) + width(other)


@given(TEXT, st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_padding_makes_text_exactly_as_wide_as_asked(text: str, columns: int, align) -> None:
    padded = pad(text, columns, align)
    assert width(padded) == max(columns, width(text))
    assert padded.startswith(text) if align == "left" else padded.endswith(text)
    assert padded.replace(text, "", 1).strip(" ") == ""


@given(TEXT, st.integers(1, 40))
def test_cut_text_fits_and_says_that_it_was_cut(text: str, columns: int) -> None:
    cut = truncate(text, columns)
    assert width(cut) <= columns
    if width(text) <= columns:
        assert cut == text
    else:
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])
        assert columns - width(cut) <= 1


@given(TEXT)
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line
    assert [c for c in line if c.isprintable() and c != " "] == [
        c for c in text if c.isprintable() and c != " "
    ]


def test_the_simple_style_is_the_screen_table_of_the_manual() -> None:
    assert table(
        "simple",
        ("dataset", "version", "metric", "mode", "vllm-api-general-chat", "vllm-api-stream-chat"),
        [
            ("gsm8k", "84f965", "accuracy", "gen", "56.70", "55.97"),
            ("aime2024", "604a78", "accuracy", "gen", "50.00", "50.00"),
        ],
    ) == (
        "dataset    version    metric    mode      vllm-api-general-chat    vllm-api-stream-chat\n"
        "---------  ---------  --------  ------  -----------------------  ----------------------\n"
        "gsm8k      84f965     accuracy  gen                       56.70                   55.97\n"
        "aime2024   604a78     accuracy  gen                       50.00                   50.00"
    )


def test_the_pipe_style_is_markdown_and_keeps_bars_inside_their_cells() -> None:
    assert table("pipe", ("name", "n"), [("a|b", "1"), ("c\\|d", "1,200"), ("e\nf", "-")]) == (
        "| name   |     n |\n"
        "| ------ | ----: |\n"
        "| a\\|b   |     1 |\n"
        "| c\\\\\\|d | 1,200 |\n"
        "| e f    |     - |"
    )


def test_the_grid_style_is_the_framed_table_of_search() -> None:
    assert table(
        "grid",
        ("Task Type", "Task Name"),
        [("--models", "vllm_api_general_chat"), ("--datasets", "语文_gen")],
    ) == (
        "╒═════════════╤═══════════════════════╕\n"
        "│ Task Type   │ Task Name             │\n"
        "╞═════════════╪═══════════════════════╡\n"
        "│ --models    │ vllm_api_general_chat │\n"
        "├─────────────┼───────────────────────┤\n"
        "│ --datasets  │ 语文_gen              │\n"
        "╘═════════════╧═══════════════════════╛"
    )


@pytest.mark.parametrize("style", ["simple", "pipe", "grid"])
def test_a_table_without_rows_is_its_head(style) -> None:
    assert "name" in table(style, ("name", "n"), [])
    assert "├" not in table(style, ("name", "n"), [])


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=5))
def test_columns_line_up_whatever_the_cells_hold(rows) -> None:
    lines = table("grid", ("a", "语文", "c"), rows).split("\n")
    assert len(lines) == (2 * len(rows) + 3 if rows else 4)
    crossings = [
        [width(line[:place]) for place, letter in enumerate(line) if letter in "│╒╤╕╞╪╡├┼┤╘╧╛"]
        for line in lines
    ]
    assert crossings == [crossings[0]] * len(lines)
    assert len(crossings[0]) == 4


def test_right_alignment_can_be_told() -> None:
    head, rows = ("version", "x"), [("604578", "1 *")]
    assert table("simple", head, rows, right=(1,)).split("\n")[2] == "604578     1 *"


def test_a_row_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="zip"):
        table("simple", ("a", "b"), [("1",)])


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1234567, "1,234,567")])
def test_counts_have_thousands_separators(number: int, text: str) -> None:
    assert count(number) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [(0.04, "0.0/s"), (3.4, "3.4/s"), (99.94, "99.9/s"), (99.96, "100/s"), (12345.6, "12,346/s")],
)
def test_rates_keep_what_can_be_told_apart(per_second: float, text: str) -> None:
    assert rate(per_second) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (4.24, "4.2s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m 00s"),
        (65, "1m 05s"),
        (3599.4, "59m 59s"),
        (3599.6, "1h 00m"),
        (7380, "2h 03m"),
        (3600 * 1234, "1,234h 00m"),
    ],
)
def test_durations_show_their_two_largest_units(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_failures_are_listed_by_how_often_they_happened() -> None:
    assert kinds({"timeout": 5, "connect": 5, "status 500": 1200}) == (
        "status 500: 1,200, connect: 5, timeout: 5"
    )


class Speed(msgspec.Struct, frozen=True):
    tokens_per_s: float | None = None
    ttft_p50_ms: float | None = None
    ttft_p99_ms: float | None = None
    itl_p50_ms: float | None = None
    itl_p99_ms: float | None = None


class Standing(msgspec.Struct, frozen=True):
    job: str
    total: int | None
    done: int
    in_flight: int = 0
    rate: float | None = None
    eta_s: float | None = None
    failed: dict[str, int] = {}
    retried: int = 0
    accuracy: float | None = None
    speed: Speed | None = None


def test_a_load_test_shows_its_speed_and_needs_no_total() -> None:
    speed = Speed(1024.4, 210.04, 1830.0, 20.13, None)
    assert progress_line(Standing("vllm/synthetic", None, 512, in_flight=9, speed=speed)) == (
        "vllm/synthetic: 512, 9 in flight, 1,024 tok/s, TTFT 210/1,830 ms"
    )


def test_a_progress_line_says_what_is_known_and_no_more() -> None:
    assert progress_line(Standing("vllm/gsm8k", 1319, 0)) == "vllm/gsm8k: 0/1,319 (0 %)"
    assert progress_line(Standing("vllm/none", 0, 0)) == "vllm/none: 0/0 (100 %)"
    assert progress_line(
        Standing(
            "vllm/gsm8k",
            1319,
            1318,
            in_flight=1,
            rate=85.34,
            eta_s=65,
            failed={"timeout": 2, "status 500": 3},
            retried=7,
            accuracy=56.72,
        )
    ) == (
        "vllm/gsm8k: 1,318/1,319 (99 %), 85.3/s, 1 in flight, failed status 500: 3, timeout: 2, "
        "7 tried again, accuracy so far 56.7, about 1m 05s left"
    )
