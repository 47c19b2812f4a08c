r"""Reading option letters.

- ``first_option`` tries AISBench's fifty ways in their order and says which one decided, the fused
  way 14 and the digit rule 49 included.
- The other shared rules read exactly what they say, flaws included.
- ``stated_option`` reads what a text states and guesses nothing.
- Users' own multiple-choice rows are marked by letter, text or, only in AISBench's rule, likeness.
"""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import ConfigError, Sample, Scorer
from steelyard.scoring import (
    cmmlu,
    custom_choice,
    custom_choice_fixed,
    exact_match,
    extract,
    first_capital,
    first_capital_multi,
    first_option,
    last_capital,
    last_option,
    match_answer,
    mmlu_pro_0_shot,
    mmlu_pro_5_shot,
    mmlu_pro_official,
    stated_option,
)
from steelyard.scoring.distance import levenshtein
from steelyard.scoring.option_patterns import Found
from steelyard.scoring.option_patterns import first_option as read_option
from steelyard.scoring.stated import stated_letter

WAYS = [
    ("正确答案是 B", 1),
    ("答案：B", 2),
    ("答案是：B", 2),
    ("答案 : B", 3),
    ("答案选项应该是B", 4),
    ("答案选项为B", 5),
    ("答案应该是 B", 6),
    ("答案应选B", 7),
    ("答案选项：B", 8),
    ("答案选项  (**B**)", 9),
    ("答案选项是: B", 10),
    ("答案为B", 11),
    ("答案选B", 12),
    ("我选择 B", 13),
    ("故B只有C对", 14),
    ("只有B是错的", 15),
    ("只有选项B不正确", 16),
    ("只有B错误", 15),
    ("说法不对的是B", 18),
    ("说法正确的是 B", 19),
    ("说法错误选项是B", 20),
    ("B 是正确的", 21),
    ("B是正确答案", 22),
    ("选项B正确", 23),
    ("所以答B", 24),
    ("所以B。", 25),
    ("所有B", 26),
    ("巴黎，B.", 27),
    ("巴黎，故B。", 28),
    ("巴黎：因此B", 29),
    ("首都。B", 30),
    ("因此B", 31),
    ("显然B。", 32),
    ("答案是选项B。对吗", 33),
    ("答案应该是选项B。对吗", 34),
    ("答案为选项B。对吗", 35),
    ("answer : B or so", 36),
    ("The answer is: (B) or so", 37),
    ("the answer is **B** or so", 38),
    ("the answer is option B or so", 39),
    ("The correct answer is B or so", 40),
    ("The correct answer is option: B or so", 41),
    ("The correct answer is $\\boxed{B}$ or so", 42),
    ("The correct option is\n$\\boxed{B}$ or so", 43),
    ("The correct answer option is \\boxed{B} or so", 44),
    ("The answer to the question is: (B) or so", 45),
    ("选项B和别的", 46),
    ("B 选项", 47),
    ("B. Paris", 48),
    ("In 1 of them, B", 27),
    ("In 1 of them xBx", 49),
    ("1.B", 49),
    ("xB: Paris", 51),
    ("xBx", 52),
    ("none", 0),
    ("", 0),
]
"""A text and the number of the way that reads its B; 0 where none does.

No text is left for 17 and 50: what they match, 15 and 49 match before them.
"""

LETTERS = [
    ("B", "B"),
    ("(B)", "B"),
    ("**B.**", "B"),
    ("b", "B"),
    ("B\n\nQuestion: what next?\nAnswer: C", "B"),
    ("B. Paris", "B"),
    ("(B) Paris", "B"),
    ("The answer is B", "B"),
    ("A: Let's see. The answer is (B).", "B"),
    ("Answer: B", "B"),
    ("answer:b", "B"),
    ("Answer: **(b)**", "B"),
    ("**Answer: (B)**", "B"),
    ("**Answer:** B", "B"),
    ("The answer is: \n\nB", "B"),
    ("The correct answer to the question is $\\boxed{B}$.", "B"),
    ("So $\\boxed{\\text{(B)}}$", "B"),
    ("\\boxed{5}, so the answer is B", "B"),
    ("The answer is \\(B\\)", "B"),
    ("<answer>B</answer>", "B"),
    ("Answer: B because it is larger", "B"),
    ("The answer is A. Wait, no: the answer is B.", "B"),
    ("The correct answer is option B: Paris", "B"),
    ("答案：B", "B"),
    ("答案是 B 选项", "B"),
    ("正确答案应该选 B", "B"),
    ("答案：**B**，因为", "B"),
    ("选项A错误，选项C错误，故选B。", "B"),
    ("应选 B", "B"),
    ("Option A is tempting, but B is correct.", "B"),
    ("I choose (B).", "B"),
    ("Not listed, but the closest is (B).", "B"),
    ("A person who lives there", ""),
    ("Answer: A person who lives there", ""),
    ("The answer is a matter of taste", ""),
    ("The answer is C reactive protein", ""),
    ("The answer is A or B", ""),
    ("Answer: A, B", ""),
    ("答案：A和B", ""),
    ("答案：A、B", ""),
    ("答案：B，A错误", "B"),
    ("The answer is not A", ""),
    ("答案不是A", ""),
    ("我不选A", ""),
    ("I think so", ""),
    ("P(A) = 3 V", ""),
    ("Either (A) or (B).", ""),
    ("", ""),
]
"""A text and the letter among A to D that it states."""


def sample(target: str, *choices: str) -> Sample:
    return Sample(id="1", question="?", target=target, choices=choices)


def value(rule: Scorer, text: str, target: str = "B", choices: tuple[str, ...] = ()) -> float:
    return rule(text, sample(target, *choices)).value


@pytest.mark.parametrize(("text", "way"), WAYS)
def test_first_option_reads_a_letter_by_the_first_way_that_finds_one(text: str, way: int) -> None:
    assert read_option(text, "ABCD") == (Found("B", way) if way else None)


def test_without_the_cushion_a_letter_must_be_named_as_the_answer() -> None:
    assert read_option("xB: Paris", "ABCD", cushion=False) is None
    assert read_option("xBx", "ABCD", cushion=False) is None
    assert read_option("答案：B", "ABCD", cushion=False) == Found("B", 2)


def test_what_was_captured_is_searched_in_the_order_of_the_options() -> None:
    assert read_option("1. C beats A!", "ABCD") == Found("A", 49)
    assert read_option("1. C beats A!", "DCBA") == Found("C", 49)


def test_a_way_that_captures_no_option_passes_the_decision_on() -> None:
    assert read_option("Answer: b. 1. So it is D!", "ABCD") == Found("D", 49)


def test_only_the_given_options_are_letters() -> None:
    assert read_option("The answer is E", "ABCD") is None
    assert read_option("The answer is E", "ABCDE") == Found("E", 27)


def test_the_verdict_of_first_option_names_the_way() -> None:
    verdict = first_option("ABCD")("答案：B", sample("B"))
    assert (verdict.value, verdict.answer, verdict.why) == (1.0, "B", "pattern 2")
    assert first_option("ABCD")("", sample("B")).answer is None


def test_a_model_that_repeats_itself_for_100_kb_is_read_at_once() -> None:
    begun_s = time.process_time()
    for text in ("The correct answer is " * 20_000, "答案" * 50_000, "( " * 50_000, "A " * 50_000):
        read_option(text, "BCD")
        stated_letter(text, "ABCD")
    assert time.process_time() - begun_s < 5


@pytest.mark.parametrize(
    ("rule", "text", "answer"),
    [
        (first_capital, "B. Paris", "B"),
        (first_capital, "The answer is B", "T"),
        (first_capital, "é is small, É is not", "É"),
        (first_capital, "none", None),
        (last_capital, "B or C", "C"),
        (last_capital, "", None),
        (first_capital_multi, "so ABD, then C", "ABD"),
        (first_capital_multi, "E", None),
        (last_option("ABCD"), "ANSWER: B", "B"),
        (last_option("ABCD"), "B, not E", "B"),
        (last_option("ABCD"), "B is better than A", "A"),
        (last_option("AB"), "c", None),
        (match_answer(r"(?i)ANSWER\s*:\s*([A-D])", name="m"), "Answer : b, ANSWER: C", "b"),
        (match_answer(r"(x)?y", name="m"), "y", None),
    ],
)
def test_the_shared_rules_read_exactly_this(rule: Scorer, text: str, answer: str | None) -> None:
    assert rule(text, sample("B")).answer == answer
    assert value(rule, text) == (answer == "B")


def test_general_cuts_tidies_and_drops_articles() -> None:
    assert extract.general("The big-dog  ran, then slept. A cat") == "bigdog ran"
    assert extract.general("an\tapple a day\nkeeps") == "apple day"
    assert extract.general("theory") == "theory"


@pytest.mark.parametrize("options", ["", "abcd", "A,B", "AAB", "А"])
def test_option_letters_that_cannot_be_meant_are_refused(options: str) -> None:
    with pytest.raises(ConfigError, match="different capital letters"):
        last_option(options)


@pytest.mark.parametrize(("text", "letter"), LETTERS)
def test_a_stated_letter_is_read_and_nothing_is_guessed(text: str, letter: str) -> None:
    assert stated_letter(text, "ABCD") == letter


def test_a_letter_counts_only_where_the_row_has_such_an_option() -> None:
    rule = stated_option("ABCDEFGHIJ")
    assert rule("The answer is (J).", sample("A")).answer == "J"
    assert rule("The answer is (J).", sample("A", "x", "y")).answer is None


@given(st.text(alphabet="ABab (){}*.:是答案选\n\\boxednswr"))
def test_reading_a_letter_finds_one_of_the_options_or_nothing(text: str) -> None:
    assert stated_letter(text, "AB") in ("", "A", "B")
    found = read_option(text, "AB")
    assert (found is None) == (not {"A", "B"} & set(text))


def test_mmlu_pro_0_shot_reads_the_first_letter_as_it_stands() -> None:
    assert value(mmlu_pro_0_shot, "answer: B\nANSWER: C") == 1
    assert value(mmlu_pro_0_shot, "ANSWER: P", "P") == 1
    assert value(mmlu_pro_0_shot, "ANSWER: (B)") == 0
    assert mmlu_pro_0_shot("ANSWER: b", sample("B")).answer == "b"
    assert value(mmlu_pro_0_shot, "ANSWER: b") == 0
    assert value(stated_option("ABCDEFGHIJ"), "ANSWER: b") == 1


def test_mmlu_pro_official_is_the_authors_first_expression() -> None:
    assert value(mmlu_pro_official, "the answer is (B). The answer is (C).") == 1
    assert value(mmlu_pro_official, "the answer is B") == 1
    assert mmlu_pro_official("ANSWER: B", sample("B")).answer is None


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("B", 1),
        ("  B \nmore", 1),
        ("Paris", 1),
        ("B. Paris", 0),
        ("\nB", 0),
        ("paris", 0),
        ("A", 0),
    ],
)
def test_mmlu_pro_5_shot_wants_the_letter_or_the_option_in_the_first_line(text, right) -> None:
    assert value(mmlu_pro_5_shot, text, "B", ("Rome", "Paris")) == right


def test_mmlu_pro_5_shot_never_matches_an_option_with_a_full_stop_inside() -> None:
    choices = ("Rome", "St. Paul")
    assert value(mmlu_pro_5_shot, "B", "B", choices) == 0
    assert value(mmlu_pro_5_shot, "St. Paul", "B", choices) == 0
    assert value(stated_option("ABCDEFGHIJ"), "B", "B", choices) == 1


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("答案: B", "B"),
        ("答案 : **B**", "B"),
        ("答案:b", "b"),
        ("答案：B", None),
        ("答案是B", None),
    ],
)
def test_cmmlu_reads_behind_a_half_width_colon_only(text: str, answer: str | None) -> None:
    assert cmmlu(text, sample("B")).answer == answer
    assert value(stated_option("ABCD"), text) == 1


CITIES = ("Rome", "Paris", "Greater London")


@pytest.mark.parametrize(
    ("text", "answer", "why"),
    [
        ("B", "B", "the letter alone"),
        (" The answer is (B) ", "B", "pattern 37"),
        ("it must be paris", "B", "the only option contained"),
        ("rome or paris", "B", "the nearest option, a guess"),
        ("Pariser", "B", "the only option contained"),
        ("Grater Lond", "C", "the nearest option, a guess"),
        ("", "A", "the nearest option, a guess"),
    ],
)
def test_users_rows_are_read_by_letter_text_or_likeness(text: str, answer: str, why: str) -> None:
    verdict = custom_choice(text, sample("B", *CITIES))
    assert (verdict.answer, verdict.why) == (answer, why)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("b)", "B"),
        ("The answer is (B).", "B"),
        ("It must be paris!", "B"),
        ("应该是Paris吧", "B"),
        ("Pariser", None),
        ("rome or paris", None),
        ("Grater Lond", None),
        ("", None),
    ],
)
def test_the_repaired_rule_for_users_rows_guesses_nothing(text: str, answer: str | None) -> None:
    assert custom_choice_fixed(text, sample("B", *CITIES)).answer == answer


def test_a_row_without_options_cannot_be_marked_as_a_choice() -> None:
    for rule in (custom_choice, custom_choice_fixed):
        with pytest.raises(ConfigError, match="sample '1' has 0 options"):
            rule("A", sample("A"))


def test_exact_match_compares_every_character() -> None:
    assert value(exact_match, "B") == 1
    assert value(exact_match, "B ") == 0
    assert exact_match("", sample("B")).answer is None


@given(st.text("abc", max_size=12), st.lists(st.text("abc", max_size=12), max_size=3))
def test_edit_distance_equals_the_textbook_matrix(text: str, others: list[str]) -> None:
    assert levenshtein(text, others) == [textbook(text, other) for other in others]


def textbook(text: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(text, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]
