r"""Answers that are one number.

- ``gsm8k`` reads what AISBench reads, and equals where AISBench finds equal.
- ``gsm8k_fixed`` reads numbers as people write them.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import Sample
from steelyard.scoring import gsm8k, gsm8k_fixed
from steelyard.scoring.numbers import number


def sample(target: str) -> Sample:
    return Sample(id="1", question="?", target=target)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("9 + 9 = 18", "18"),
        ("#### -5", "-5"),
        ("18.50 dollars", "18.50"),
        ("1,234", "234"),
        ("3-4", "-4"),
        ("\\boxed{18} in 2 days", "2"),
        ("18.", "18"),
        ("18\nQuestion: what of 20?", "18"),
        ("- Question: what of 20? 18", None),
        ("none", None),
    ],
)
def test_gsm8k_reads_the_last_number_as_aisbench_does(text: str, answer: str | None) -> None:
    assert gsm8k(text, sample("18")).answer == answer


@pytest.mark.parametrize(
    ("text", "target", "value"),
    [
        ("18", "18", 1),
        ("18.0", "18", 1),
        ("18.0000001", "18", 1),
        ("18.001", "18", 0),
        ("0.5", "0.5", 1),
        ("0.50", "0.5", 0),
        ("-18", "18", 0),
        ("9" * 400, "9" * 399, 0),
    ],
)
def test_gsm8k_compares_text_or_whole_number_targets_by_value(text, target, value) -> None:
    assert gsm8k(text, sample(target)).value == value


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1,234", "1234"),
        ("\\boxed{\\$9{,}500}", "9500"),
        ("1\\,000\\,000", "1000000"),
        ("$1,234.50.", "1234.50"),
        ("18.00", "18.00"),
        (".5", "0.5"),
        ("-5", "-5"),
        ("−5", "-5"),
        ("-$5", "-5"),
        ("3-4", "4"),
        ("16 - 3", "3"),
        ("x=-3", "-3"),
        ("- 18 apples", "18"),
        ("1,2,3", "3"),
        ("12,34", "34"),
        ("1234,567", "567"),
        ("50%", "50"),
        ("１８", "18"),
        ("v2.0 beta", "2.0"),
        ("none", None),
        ("...", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, read: str | None) -> None:
    assert number(text) == (None if read is None else Decimal(read))


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 1,800 dollars.",
        "\\boxed{1800} dollars in 2 days",
        "So 1.800e.g. or rather \\boxed{\\$1{,}800.00}",
        "1800\nQuestion: Tom has 3 cars",
        "Question: what did he earn?\nAnswer: 1800",
        "- Question: **How long?** 1800",
        "\\boxed{}. It is 1800",
    ],
)
def test_the_repaired_rule_finds_1800(text: str) -> None:
    assert gsm8k_fixed(text, sample("1800")).value == 1


def test_zero_in_a_box_is_an_answer() -> None:
    assert gsm8k_fixed("\\boxed{0} of 5", sample("0")).value == 1


def test_a_text_without_number_is_unparsed() -> None:
    assert gsm8k_fixed("I cannot tell", sample("1")).answer is None


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), st.sampled_from(["", "$"]))
def test_any_number_written_with_separators_is_read_back(value: Decimal, sign: str) -> None:
    minus = "-" if value < 0 else ""
    assert number(f"They had 7 and so {minus}{sign}{abs(value):,}.") == value
