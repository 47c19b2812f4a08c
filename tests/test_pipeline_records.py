"""What stored lines mean: which reply counts for a key, and files that other tools wrote."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import (
    Candidate,
    DataError,
    Likelihood,
    Message,
    Reply,
    Request,
    Sample,
    Sampling,
    Timing,
)
from steelyard.pipeline.records import Origin, finished, line, replies, reply, sound
from steelyard.store import Writer

SAMPLES = tuple(Sample(id=name, question="?", target="1") for name in ("a", "b"))
CLOCK = Timing(queued_ns=0, sent_ns=0, done_ns=1)
TEXT = st.text(alphabet=st.sampled_from("ab</think>\n"), max_size=30)


def stored(path: Path, *rows: dict[str, object], part: str = "") -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.with_name(f"data{part}.jsonl").write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.jsonl"


def failed(key: str) -> dict[str, object]:
    return {"key": key, "success": False, "failure": {"kind": "timeout", "detail": "late"}}


def test_an_answer_beats_a_failure_wherever_the_two_stand(path: Path) -> None:
    stored(path, {"key": "a#0", "success": True, "prediction": "yes"}, failed("b#0"))
    stored(path, failed("a#0"), {"key": "b#0", "success": True, "prediction": "no"}, part=".2")
    found = replies(path, SAMPLES)
    assert {key: one.text for key, one in found.items()} == {"a#0": "yes", "b#0": "no"}
    assert finished(path, SAMPLES) == ({"a#0", "b#0"}, set())


def test_a_failure_of_another_tool_does_not_take_the_place_of_an_answer(path: Path) -> None:
    stored(
        path,
        {"id": 0, "success": False, "prediction": ""},
        {"id": 0, "success": True, "prediction": "first"},
        {"id": 0, "success": True, "prediction": "second"},
        {"id": 0, "success": False, "prediction": ""},
    )
    found = replies(path, SAMPLES)
    assert [found[f"a#{repeat}"].text for repeat in (0, 1)] == ["first", "second"]
    assert finished(path, SAMPLES) == ({"a#0", "a#1"}, {"a#2"})


@pytest.mark.parametrize("prediction", [["one", "two"], {"a": 1}, 5])
def test_an_answer_that_is_not_text_is_refused_not_marked_as_empty(
    prediction: object, path: Path
) -> None:
    stored(path, {"id": 1, "success": True, "prediction": prediction})
    with pytest.raises(DataError, match="row 1 is not text"):
        replies(path, SAMPLES)


def test_predictions_of_a_bigger_data_set_are_named(path: Path) -> None:
    stored(path, {"id": 7, "success": True, "prediction": "x"})
    with pytest.raises(DataError, match=r"row 7, but the data set has 2 rows"):
        replies(path, SAMPLES)


@pytest.mark.parametrize(
    "data", [b'{"0": {"prediction": "\xff"}}', b"[]", b'{"x": {}}', b"[" * 100_000]
)
def test_a_broken_file_of_the_older_layout_is_an_error_that_names_it(
    data: bytes, path: Path
) -> None:
    path.with_suffix(".json").write_bytes(data)
    with pytest.raises(DataError, match=r"data\.json"):
        replies(path, SAMPLES)


@given(reasoning=TEXT, text=TEXT)
def test_a_line_gives_back_answer_and_reasoning(reasoning: str, text: str) -> None:
    asked = Request(key="a#0", messages=(Message("user", "?"),), sampling=Sampling())
    before = Reply(key="a#0", timing=CLOCK, text=text, reasoning=reasoning)
    after = reply(line(before, asked, Origin(data_abbr="d", id=0, gold="1")))
    assert (after.text, after.reasoning) == (text, reasoning)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
LIKELIHOOD = st.builds(
    Likelihood,
    total=FINITE,
    tokens=st.integers(0, 1000),
    whole_total=FINITE,
    whole_tokens=st.integers(1, 1000),
    greedy=st.none() | st.booleans(),
)


@given(found=st.lists(LIKELIHOOD, min_size=2, max_size=6))
def test_likelihoods_come_back_from_the_file_as_they_were(found: list[Likelihood]) -> None:
    asked = Request(
        key="a#0",
        messages=(Message("user", "?"),),
        sampling=Sampling(),
        candidates=tuple(Candidate(text=" x") for _ in found),
    )
    before = Reply(key="a#0", timing=CLOCK, likelihoods=tuple(found), prompt_tokens=7)
    made = line(before, asked, Origin(data_abbr="d", id=0, gold="B"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        with Writer(path) as writer:
            writer.append(made)
        assert replies(path, SAMPLES) == {"a#0": before}
    ppls = [-one.whole_total / one.whole_tokens for one in found]
    assert [one.ppl for one in made.ppl_list] == ppls
    assert made.prediction == "ABCDEF"[ppls.index(min(ppls))]


@pytest.mark.parametrize(
    "bad",
    [
        Likelihood(total=float("-inf"), tokens=1, whole_total=-1.0, whole_tokens=2),
        Likelihood(total=-1.0, tokens=1, whole_total=float("nan"), whole_tokens=2),
        Likelihood(total=-1.0, tokens=1, whole_total=0.0, whole_tokens=0),
    ],
)
def test_figures_that_no_file_can_hold_are_a_failure(bad: Likelihood) -> None:
    good = Likelihood(total=-1.0, tokens=1, whole_total=-1.0, whole_tokens=1)
    kept = sound(Reply(key="a#0", timing=CLOCK, likelihoods=(good, bad)))
    assert kept.likelihoods == ()
    assert kept.failure is not None
    assert "no usable log-probability" in kept.failure.detail


def test_labels_with_figures_of_another_tool_can_be_marked_by_the_whole_text(path: Path) -> None:
    row = {"label": "A", "ppl": 2.5}, {"label": "B", "ppl": 1.5}
    stored(path, {"id": 0, "success": True, "prediction": "B", "ppl_list": row})
    found = replies(path, SAMPLES)["a#0"]
    assert [one.whole_total / one.whole_tokens for one in found.likelihoods] == [-2.5, -1.5]
    assert [one.tokens for one in found.likelihoods] == [0, 0]
    assert found.text == ""
