"""From a reply to a score.

- The text that is marked is reasoning and answer together, cleaned as the model asks.
- A failed request has no value; an unreadable answer is worth nothing and counted apart.
- A scorer is a named, versioned function; users write theirs the same way.
- Importing the room is cheap, and every public name is where the room says.
"""

import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import scoring
from steelyard.core import (
    ConfigError,
    Failure,
    MissingExtra,
    NoSuchName,
    Reply,
    Sample,
    Score,
    Scorer,
    Timing,
    Verdict,
)
from steelyard.scoring import check, cleaner, first_option, gsm8k, mark, prediction, scorer

NOW = Timing(queued_ns=0, sent_ns=0, done_ns=1)
SAMPLE = Sample(id="7", question="9 + 9?", target="18", subset="sums")


def reply(text: str = "", reasoning: str = "", finish: str = "stop") -> Reply:
    return Reply(key="7#0", timing=NOW, text=text, reasoning=reasoning, finish=finish)


def marked(answer: Reply, clean: str = "", rule: Scorer = gsm8k) -> Score:
    return mark(answer, SAMPLE, rule, cleaner(clean))


@scorer(version=3)
def half_for_trying(text: str, sample: Sample) -> Verdict:
    """A user's own rule."""
    return Verdict(1.0 if text == sample.target else 0.5, answer=text)


@scorer(version=1)
def right_without_an_answer(text: str, sample: Sample) -> Verdict:
    """Forgets to say what it read."""
    return Verdict(float(sample.target in text))


def bare(text: str, sample: Sample) -> Verdict:
    """Marks everything right; not decorated."""
    return Verdict(1.0, answer=text)


@pytest.mark.parametrize(
    ("text", "reasoning", "combined"),
    [
        ("18", "", "18"),
        ("18", "9 and 9", "9 and 9</think>18"),
        ("", "9 and 9", "9 and 9"),
        ("", "", ""),
    ],
)
def test_a_prediction_is_reasoning_and_answer_together(text, reasoning, combined) -> None:
    assert prediction(reply(text, reasoning)) == combined


def test_the_score_names_key_scorer_subset_and_what_was_read() -> None:
    score = marked(reply("It is 18."))
    assert score == Score(
        key="7#0", scorer="gsm8k@1", outcome="right", value=1.0, answer="18", subset="sums"
    )


def test_cleaning_comes_before_marking() -> None:
    answer = reply("no number", reasoning="it must be 18")
    assert marked(answer).outcome == "right"
    assert marked(answer, clean="strip_reasoning").outcome == "unparsed"


def test_a_failed_request_has_no_value_and_says_why() -> None:
    lost = Reply(key="7#0", timing=NOW, failure=Failure(kind="timeout", detail="no byte for 60 s"))
    score = marked(lost)
    assert (score.outcome, score.value) == ("failed", None)
    assert "no byte for 60 s" in score.why


def test_a_sample_without_target_cannot_be_judged() -> None:
    score = mark(reply("18"), Sample(id="7", question="?"), gsm8k, cleaner(""))
    assert (score.outcome, score.value) == ("unjudged", None)


def test_outcomes_follow_the_value_and_the_answer() -> None:
    assert marked(reply("17")).outcome == "wrong"
    unparsed = marked(reply("I do not know"))
    assert (unparsed.outcome, unparsed.value) == ("unparsed", 0.0)
    assert marked(reply("17"), rule=half_for_trying).outcome == "partial"
    assert marked(reply("18"), rule=right_without_an_answer).outcome == "right"


@pytest.mark.parametrize("finish", ["length", "max_tokens", "MAX_TOKENS", "max_output_tokens"])
def test_an_answer_cut_at_the_token_limit_is_marked_as_truncated(finish: str) -> None:
    assert marked(reply("18", finish=finish)).truncated


@pytest.mark.parametrize("finish", ["stop", "", "eos_token", "tool_calls"])
def test_a_complete_answer_is_not_truncated(finish: str) -> None:
    assert not marked(reply("18", finish=finish)).truncated


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("so it is 18</think> 18", "18"),
        ("a</think>b</think> c ", "c"),
        ("<think>9+9</think> 18 ", "18"),
        ("x <think>1</think> y <think>2</think> z", "x  y  z"),
        ("<think>one\ntwo</think>18", "18"),
        ("18 <think>cut off", "18 <think>cut off"),
        ("<think>a</think>b<think>c", "b<think>c"),
        ("</think>18<think>", "</think>18<think>"),
        (" 18 ", "18"),
        ("", ""),
    ],
)
def test_reasoning_is_removed(text: str, left: str) -> None:
    assert cleaner("strip_reasoning")(text) == left


def test_the_raw_cleaner_keeps_white_space_and_keep_keeps_everything() -> None:
    assert cleaner("strip_reasoning_raw")("<think>a</think>\n b \n") == "\n b \n"
    assert cleaner("strip_reasoning_raw")("a</think>\n b \n") == "\n b \n"
    assert cleaner("keep")("<think>a</think> b") == "<think>a</think> b"
    assert cleaner("")(" <think>a</think> b") == " <think>a</think> b"


@given(st.text(alphabet="ab \n"), st.text(alphabet="ab \n"))
def test_reasoning_that_came_apart_never_reaches_the_scorer(reasoning: str, text: str) -> None:
    answer = reply(text + "x", reasoning)
    assert cleaner("strip_reasoning")(prediction(answer)) == (text + "x").strip()


def test_an_unknown_cleaner_is_named_with_its_neighbours() -> None:
    with pytest.raises(NoSuchName, match=r"strip_reasonin'.*Did you mean strip_reasoning"):
        cleaner("strip_reasonin")


def test_a_scorer_is_named_with_its_version_and_stays_a_function() -> None:
    assert half_for_trying.id == "half_for_trying@3"
    assert half_for_trying.live
    assert half_for_trying("17", SAMPLE) == Verdict(0.5, "17")


@pytest.mark.parametrize("rule", [gsm8k, first_option("ABCD"), half_for_trying])
def test_a_scorer_survives_the_way_to_another_process(rule: Scorer) -> None:
    copy = pickle.loads(pickle.dumps(rule))
    assert copy == rule
    assert hash(copy) == hash(rule)
    assert copy("B: 18", SAMPLE) == rule("B: 18", SAMPLE)


def test_a_rule_beside_its_bare_function_survives_too() -> None:
    rule = scorer(version=2, live=False)(bare)
    copy = pickle.loads(pickle.dumps(rule))
    assert (copy, copy.live) == (rule, False)
    assert copy("x", SAMPLE) == Verdict(1.0, "x")


def test_scorers_with_other_options_are_other_scorers() -> None:
    assert first_option("ABCD") == first_option("ABCD")
    assert first_option("ABCD") != first_option("ABCDE")
    assert first_option("ABCD") != "first_option(ABCD)@1"


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan")])
def test_a_value_outside_0_to_1_is_refused_by_name(value: float) -> None:
    @scorer(version=1, name="mine")
    def too_much(text: str, sample: Sample) -> Verdict:
        return Verdict(value, text)

    with pytest.raises(ConfigError, match=r"mine@1 returned .* for sample '7'"):
        too_much("18", SAMPLE)


def test_a_scorer_of_a_users_own_file_works(tmp_path: Path) -> None:
    file = tmp_path / "my_rules.py"
    file.write_text(
        "from steelyard.core import Sample, Verdict\n"
        "from steelyard.scoring import scorer\n"
        "@scorer(version=2)\n"
        "def contains(text: str, sample: Sample) -> Verdict:\n"
        "    return Verdict(float(sample.target in text), answer=text)\n",
        encoding="utf-8",
    )
    spec = importlib.util.spec_from_file_location("my_rules", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert marked(reply("about 18"), rule=module.contains).outcome == "right"


def test_what_a_scorer_needs_is_checked_before_anything_is_asked() -> None:
    def missing() -> None:
        raise MissingExtra("marking by telepathy", "mind")

    @scorer(version=1, needs=missing)
    def telepathy(text: str, sample: Sample) -> Verdict:
        return Verdict(1.0, text)

    check(gsm8k)
    with pytest.raises(MissingExtra, match=r"pip install 'steelyard\[mind\]'"):
        check(telepathy)


def test_every_public_name_is_found_where_the_room_says() -> None:
    listed = sorted(name for names in scoring._FILES.values() for name in names)
    assert listed == sorted(scoring.__all__)
    for name in scoring.__all__:
        assert getattr(scoring, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = scoring.nothing


def test_marking_numbers_loads_no_rule_for_letters_and_no_process_machinery() -> None:
    program = (
        "import sys; from steelyard.scoring import cleaner, fold, gsm8k, mark; "
        "print(*(m for m in sys.modules if m.startswith('steelyard.scoring.')),"
        " 'random' in sys.modules, 'subprocess' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    *modules, random, processes, numpy = done.stdout.split()
    assert "steelyard.scoring.numbers" in modules
    assert "steelyard.scoring.stated" not in modules
    assert (random, processes, numpy) == ("False", "False", "False")
