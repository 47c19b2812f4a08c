"""What the simulated endpoint knows and how it recognises what it is asked.

- The question that is asked is the last known one in the prompt, whatever stands around it.
- The share of right answers is exact, chosen by the seed, or drawn anew for every request.
- Nothing depends on the order of requests; the counts show what was asked how often.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_client import CHAT, TEXT, chat, content, get, post, stats
from sim_process import serving
from steelyard.core import ConfigError
from steelyard.sim import Answer, Answers, SimOptions, choose_right
from steelyard.sim.matching import QuestionIndex

SHORT = st.text(alphabet="ab ?", min_size=1, max_size=4)
LONG = st.text(alphabet="abcde ?", min_size=15, max_size=30)


def last_known(prompt: str, questions: list[str]) -> str | None:
    """By the definition: begins last, but the longest one of those that it is a part of."""
    places = [
        (start, start + len(question), question)
        for question in {question.strip() for question in questions} - {""}
        for start in range(len(prompt))
        if prompt.startswith(question, start)
    ]
    if not places:
        return None
    start, end, _ = max(places, key=lambda place: (place[0], place[1]))
    around = [place for place in places if place[0] <= start and place[1] >= end]
    return max(around, key=lambda place: place[1] - place[0])[2]


@given(
    questions=st.lists(st.one_of(SHORT, LONG), max_size=8),
    around=st.lists(st.one_of(SHORT, LONG), max_size=6),
    picks=st.lists(st.integers(0, 20), max_size=4),
)
@settings(deadline=None)
def test_the_index_finds_what_the_definition_finds(
    questions: list[str], around: list[str], picks: list[int]
) -> None:
    parts = [questions[pick % len(questions)] for pick in picks] if questions else []
    prompt = "".join(part for pair in zip(around, [*parts, *around], strict=False) for part in pair)
    found = QuestionIndex(questions).find(prompt)
    expected = last_known(prompt, questions)
    assert {questions[number].strip() for number in found} == ({expected} if expected else set())


def test_the_last_question_of_a_few_shot_prompt_is_asked() -> None:
    questions = [f"What is {n} plus {n}, says the teacher?" for n in range(100)]
    prompt = "".join(f"Q: {q}\nA: {n}\n" for n, q in enumerate(questions[:5]))
    found = QuestionIndex(questions).find(f"{prompt}Q: {questions[70]}\nThink, then answer.\nA:")
    assert found == (70,)


def test_a_question_inside_a_longer_one_is_not_asked() -> None:
    questions = ["Which one is true?", "Look at the list. Which one is true? Explain.", "Explain."]
    index = QuestionIndex(questions)
    assert index.find("Look at the list. Which one is true? Explain.\nAnswer:") == (1,)
    assert index.find("Which one is true?\nA. x") == (0,)
    assert index.find("Which one is true? Explain.") == (2,)


def test_questions_without_blanks_or_line_starts_are_found() -> None:
    questions = ["下列属于行政法的是", "下列属于行政法规的是哪一项", "光合作用发生在哪里？"]
    index = QuestionIndex(questions)
    assert index.find("以下是选择题：下列属于行政法规的是哪一项\nA. 甲") == (1,)
    assert index.find("题目光合作用发生在哪里？答案：") == (2,)
    assert index.find("没有题目") == ()


def test_a_question_without_its_options_behind_it_is_an_option_itself() -> None:
    index = QuestionIndex(
        ["The money supply", "What grows?"], [("is fixed", "is free"), ("The money supply", "Debt")]
    )
    assert index.find("What grows?\nA. Debt\nB. The money supply\nAnswer:") == (1,)
    assert index.find("The money supply\nA. is fixed\nB. is free\nAnswer:") == (0,)
    assert index.find("Tell me about The money supply") == (0,)


def test_every_gsm8k_question_is_found_behind_four_examples(shared: Path) -> None:
    rows = [
        json.loads(line)
        for line in (shared / "datasets/gsm8k/test.jsonl").read_text("utf-8").splitlines()
    ]
    shots = "".join(f"Question: {row['question']}\nAnswer: {row['answer']}\n" for row in rows[:4])
    index = QuestionIndex([row["question"] for row in rows])
    missed = [
        number
        for number, row in enumerate(rows)
        if index.find(f"{shots}Question: {row['question']}\nLet's think.\nAnswer:") != (number,)
    ]
    assert missed == []


@given(n=st.integers(0, 300), share=st.floats(0, 1), seed=st.integers(0, 5))
@settings(deadline=None)
def test_exactly_the_rounded_share_is_right(n: int, share: float, seed: int) -> None:
    assert sum(choose_right(n, share, seed)) == round(share * n)


def test_the_seed_decides_which_questions_are_right() -> None:
    assert choose_right(50, 0.5, 1) == choose_right(50, 0.5, 1)
    assert choose_right(50, 0.5, 1) != choose_right(50, 0.5, 2)
    lower, higher = choose_right(50, 0.3, 1), choose_right(50, 0.6, 1)
    assert all(b for a, b in zip(lower, higher, strict=True) if a)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_zero_to_one_is_an_error(share: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        choose_right(10, share, 0)


def known(n: int, share: float = 0.5) -> Answers:
    right = choose_right(n, share, 3)
    return Answers(
        tuple(
            Answer(
                id=f"q{number}",
                question=f"What does item number {number} weigh?",
                right=f"It weighs {number}.",
                wrong=f"It weighs {number + 1}.",
                is_right=is_right,
            )
            for number, is_right in enumerate(right)
        )
    )


def answers_given(url: str, n: int, order: list[int]) -> dict[int, str]:
    def ask(number: int) -> str:
        return content(post(url, CHAT, chat(f"What does item number {number} weigh?")).json)

    with ThreadPoolExecutor(8) as pool:
        return dict(sorted(zip(order, pool.map(ask, order), strict=True)))


def test_the_given_answers_are_the_chosen_ones_in_any_order() -> None:
    answers = known(60)
    expected = {n: e.right if e.is_right else e.wrong for n, e in enumerate(answers.entries)}
    with serving(SimOptions(), answers) as url:
        assert answers_given(url, 60, list(range(60))) == expected
        assert answers_given(url, 60, list(range(59, -1, -1))) == expected
        matches = stats(url)["matches"]
    assert matches["known"] == 60
    assert matches["known_right"] == 30
    assert matches["given_right"] == 60
    assert matches["given_wrong"] == 60


def right_counts(seed: int, order: list[int]) -> tuple[int, ...]:
    options = SimOptions(seed=seed, repeat_accuracy="independent", accuracy=0.7)
    answers = known(20)
    with serving(options, answers) as url:
        given = [0] * 20
        for number in order:
            text = content(post(url, CHAT, chat(answers.entries[number].question)).json)
            given[number] += text == answers.entries[number].right
    return tuple(given)


def test_independent_repeats_are_drawn_for_every_question_and_occurrence() -> None:
    order = [number for number in range(20) for _ in range(10)]
    shuffled = Random(5).sample(order, len(order))
    first = right_counts(1, order)
    assert first == right_counts(1, shuffled)
    assert first != right_counts(2, order)
    assert 110 < sum(first) < 165
    assert any(0 < right < 10 for right in first)


def test_the_counts_say_what_was_asked_and_answered_again() -> None:
    with serving(SimOptions(), known(5)) as url:
        for number in (1, 1, 2):
            post(url, TEXT, {"prompt": f"What does item number {number} weigh?", "stream": True})
        post(url, CHAT, chat("Who are you?"))
        got = stats(url)
    assert got["questions"] == {
        "q1": {"asked": 2, "answered": 2},
        "q2": {"asked": 1, "answered": 1},
    }
    assert got["requests"] == {TEXT: 3, CHAT: 1}
    matches = got["matches"]
    assert (matches["asked"], matches["asked_again"], matches["answered_again"]) == (2, 1, 1)
    assert matches["unknown"] == 1


def test_a_reset_zeroes_the_counts_and_the_draws() -> None:
    options = SimOptions(repeat_accuracy="independent", accuracy=0.5)
    with serving(options, known(5)) as url:
        order = [number for number in range(5) for _ in range(4)]
        first = answers_given(url, 5, order)
        before = post(url, "/sim/reset", b"").json
        assert before["outcomes"] == {"answered": 20}
        assert stats(url)["outcomes"] == {}
        assert stats(url)["questions"] == {}
        assert answers_given(url, 5, order).keys() == first.keys()
        assert stats(url)["matches"]["given_right"] == before["matches"]["given_right"]


def test_the_last_turn_of_a_dialogue_is_the_question() -> None:
    turns = [
        {"role": "system", "content": "You weigh things."},
        {"role": "user", "content": "What does item number 1 weigh?"},
        {"role": "assistant", "content": "It weighs 1."},
        {"role": "user", "content": "What does item number 2 weigh?"},
    ]
    with serving(SimOptions(), known(5, 1.0)) as url:
        assert content(post(url, CHAT, {"messages": turns}).json) == "It weighs 2."


def test_questions_of_one_wording_are_told_apart_by_their_options() -> None:
    wording = "Which of these is true?"
    entries = tuple(
        Answer(id=f"q{n}", question=wording, right=f"right {n}", wrong="", context=options)
        for n, options in enumerate([("red sky", "blue sea"), ("cold fire", "warm ice")])
    )
    with serving(SimOptions(), Answers(entries)) as url:
        second = content(post(url, CHAT, chat(f"{wording}\nA. cold fire\nB. warm ice")).json)
        first = content(post(url, CHAT, chat(f"{wording}\nA. red sky\nB. blue sea")).json)
    assert (first, second) == ("right 0", "right 1")


def test_questions_that_nothing_tells_apart_take_turns() -> None:
    twins = tuple(
        Answer(id=f"q{n}", question="Are you my twin?", right="yes", wrong="no") for n in range(2)
    )
    with serving(SimOptions(), Answers(twins)) as url:
        for _ in range(4):
            post(url, CHAT, chat("Are you my twin?"))
        assert {name: n["asked"] for name, n in stats(url)["questions"].items()} == {
            "q0": 2,
            "q1": 2,
        }


def test_an_unknown_question_gets_the_same_filler_every_time() -> None:
    with serving(SimOptions(), known(5)) as url:
        texts = {content(post(url, CHAT, chat("Who are you?")).json) for _ in range(3)}
        assert len(texts) == 1
        assert len(texts.pop().split()) == 64
        assert get(url, "/sim/stats").json["matches"]["unknown"] == 3
