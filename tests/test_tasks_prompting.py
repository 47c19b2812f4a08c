"""From sample to request: what a model is shown, and what it is never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from steelyard.core import ConfigError, DataError, Message, Prompt, Sample, Sampling, Task
from steelyard.scoring import gsm8k, gsm8k_fixed
from steelyard.tasks.asking import requests
from steelyard.tasks.merge import merged
from steelyard.tasks.prompting import asker, fill, gold_text, messages, wrong_text

CAPITAL = Sample(
    id="7",
    question="Capital of France?",
    target="B",
    worked="It is not Rome.",
    choices=("Rome", "Paris"),
    meta={"subject": "cities"},
)
SUM = Sample(id="8", question="1+1?", target="2", worked="One and one.", meta={"subject": "sums"})


def task(prompt: Prompt, *shots: Sample, gold: str = "{target}", name: str = "t") -> Task:
    return Task(
        name=name,
        version=1,
        samples=lambda: (SUM,),
        prompt=prompt,
        scorer=gsm8k,
        shots=lambda: shots,
        gold=gold,
        merged_name="tdataset",
    )


def texts(asked: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(turn.role, str(turn.content)) for turn in asked]


def test_braces_around_anything_but_a_field_stay() -> None:
    template = "\\boxed{} {a} \\frac{1}{2} {b} {{a}} {unknown} { a }"
    assert (
        fill(template, {"a": "{b}", "b": "x"})
        == "\\boxed{} {b} \\frac{1}{2} x {{b}} {unknown} { a }"
    )


@given(st.text())
def test_a_template_without_fields_is_itself(template: str) -> None:
    assert fill(template, {}) == template


def test_a_prompt_may_name_question_options_and_further_fields() -> None:
    prompt = Prompt(user="{subject}: {question}\n{choices}\n({A} or {B})")
    assert texts(messages(task(prompt), CAPITAL, ())) == [
        ("user", "cities: Capital of France?\nA. Rome\nB. Paris\n(Rome or Paris)")
    ]


def test_the_answer_never_reaches_the_model() -> None:
    prompt = Prompt(user="{question} {target}{worked}", intro="{target}{worked}", style="text")
    assert texts(asker(prompt)(CAPITAL)) == [("user", "\nCapital of France? ")]


def test_a_further_field_cannot_take_the_place_of_a_standard_one() -> None:
    sample = Sample(id="1", question="q", target="t", meta={"target": "t", "question": "other"})
    assert texts(asker(Prompt(user="{question}{target}"))(sample)) == [("user", "q")]


def test_text_style_puts_intro_examples_and_question_into_one_message() -> None:
    prompt = Prompt(
        system="Be brief.",
        intro="About {subject}.",
        user="Q: {question}\nA:",
        shot_answer=" {worked} {target}",
        separator="\n--\n",
    )
    assert texts(asker(prompt, [SUM, SUM])(CAPITAL)) == [
        ("system", "Be brief."),
        (
            "user",
            "\n--\n".join(
                [
                    "About cities.",
                    "Q: 1+1?\nA: One and one. 2",
                    "Q: 1+1?\nA: One and one. 2",
                    "Q: Capital of France?\nA:",
                ]
            ),
        ),
    ]


def test_chat_style_makes_every_example_a_turn() -> None:
    prompt = Prompt(style="chat", system="Be brief.", user="{question}", shot="Example: {question}")
    assert texts(asker(prompt, [SUM])(CAPITAL)) == [
        ("system", "Be brief."),
        ("user", "Example: 1+1?"),
        ("assistant", "2"),
        ("user", "Capital of France?"),
    ]


def test_an_example_of_a_subset_is_shown_to_that_subset_only() -> None:
    prompt = Prompt(style="chat", user="{question}")
    shots = [
        Sample(id="1", question="for all", target="a"),
        Sample(id="2", question="for s", target="b", subset="s"),
    ]
    asked = asker(prompt, shots)
    for subset, shown in (("s", ["for all", "for s", "q"]), ("t", ["for all", "q"])):
        turns = texts(asked(Sample(id="3", question="q", subset=subset)))
        assert [text for role, text in turns if role == "user"] == shown


def test_content_parts_of_a_question_stand_where_its_text_would() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    sample = Sample(id="1", question=[picture])
    (turn,) = asker(Prompt(user="Look: {question} What is it?"))(sample)
    assert turn.content == [
        {"type": "text", "text": "Look: "},
        picture,
        {"type": "text", "text": " What is it?"},
    ]
    (turn,) = asker(Prompt(user="{question}"))(sample)
    assert turn.content == [picture]


@pytest.mark.parametrize(
    ("target", "choices", "wrong"),
    [
        ("A", ("x", "y", "z"), "B"),
        ("C", ("x", "y", "z"), "A"),
        ("41", (), "42"),
        ("-1", (), "0"),
        ("\\frac{1}{2}", (), "-987654321"),
    ],
)
def test_the_wrong_answer_is_the_next_option_or_number_or_a_far_off_one(
    target: str, choices: tuple[str, ...], wrong: str
) -> None:
    sample = Sample(id="1", question="q", target=target, choices=choices)
    asked = task(Prompt(user="{question}"), gold="It is \\boxed{{target}}.")
    assert gold_text(asked, sample) == f"It is \\boxed{{{target}}}."
    assert wrong_text(asked, sample) == f"It is \\boxed{{{wrong}}}."


def test_a_sample_without_answer_has_neither_a_right_nor_a_wrong_text() -> None:
    asked, sample = task(Prompt(user="")), Sample(id="9", question="q")
    for text in (gold_text, wrong_text):
        with pytest.raises(DataError, match="t: sample 9 has no right answer"):
            text(asked, sample)


def test_every_repeat_of_a_sample_is_a_request_of_its_own_beside_the_others() -> None:
    sampling = Sampling(max_tokens=100, extra={"temperature": 0})
    made = list(
        requests(task(Prompt(user="{question}")), [SUM, CAPITAL], sampling=sampling, repeats=2)
    )
    assert [request.key for request in made] == ["8#0", "8#1", "7#0", "7#1"]
    assert all(request.sampling == sampling for request in made)
    assert made[0].messages == (Message("user", "1+1?"),)


def test_the_output_limit_of_a_row_replaces_that_of_the_model_and_nothing_else() -> None:
    long = Sample(id="1", question="q", max_tokens=9)
    sampling = Sampling(max_tokens=100, extra={"temperature": 0})
    (made,) = requests(task(Prompt(user="")), [long], sampling=sampling)
    assert made.sampling == Sampling(max_tokens=9, extra={"temperature": 0})


def test_the_sampling_of_a_row_goes_before_the_models_and_leaves_the_rest_of_it() -> None:
    cold = Sample(id="1", question="q", sampling={"temperature": 0.0})
    sampling = Sampling(max_tokens=100, extra={"temperature": 0.7, "top_p": 0.9})
    made = list(requests(task(Prompt(user="")), [cold, SUM], sampling=sampling))
    assert made[0].sampling == Sampling(max_tokens=100, extra={"temperature": 0.0, "top_p": 0.9})
    assert made[1].sampling == sampling


def named(name: str, *shots: Sample) -> Task:
    return task(Prompt(style="chat", user="{subject}: {question}"), *shots, name=name)


def test_merged_tasks_are_one_task_whose_samples_keep_their_own_examples() -> None:
    whole = merged([named("sums", SUM), named("other", CAPITAL)])
    assert whole.name == "tdataset"
    rows = list(whole.samples())
    assert [(row.id, row.subset) for row in rows] == [("sums/8", "sums"), ("other/8", "other")]
    asked = list(requests(whole, rows, sampling=Sampling()))
    assert [texts(request.messages)[0][1] for request in asked] == [
        "sums: 1+1?",
        "cities: Capital of France?",
    ]
    assert all(len(request.messages) == 3 for request in asked)


def test_tasks_that_are_asked_or_marked_differently_cannot_be_merged() -> None:
    first = named("first")
    asked = task(Prompt(user="other"), name="asked")
    marked = replace(first, scorer=gsm8k_fixed)
    for other in (asked, marked):
        with pytest.raises(ConfigError, match=f"first cannot be merged with {other.name}"):
            merged([first, other])


def test_a_task_without_siblings_cannot_be_merged() -> None:
    alone = Task(name="alone", version=1, samples=tuple, prompt=Prompt(user=""), scorer=gsm8k)
    with pytest.raises(ConfigError, match="alone cannot be merged"):
        merged([alone])
