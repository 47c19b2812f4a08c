"""Dialogues: how samples of several turns become first requests, and the sets that hold them.

- Every mode puts into the history what it says, and nothing else; keys and limits stay.
- Every turn has its own output limit; none inherits that of another.
- A mode that needs reference answers refuses a dialogue without them.
- ShareGPT keeps the dialogues that can be asked; MT-Bench keeps all.
- Requests are made while they are asked for.
"""

import json
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace

import small_tokenizer
from steelyard.core import (
    ConfigError,
    DataError,
    Message,
    MissingData,
    Prompt,
    Request,
    Sample,
    Sampling,
    Task,
    Turn,
)
from steelyard.scoring import exact_match
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.data import Data
from steelyard.tasks.merge import merged
from steelyard.tasks.tokenizer import open_tokenizer

TALK = Sample(
    id="a",
    question="one",
    given="first",
    max_tokens=5,
    turns=(
        Turn(question="two", given="second", pause_s=1.5),
        Turn(question="three", given="third", max_tokens=7),
    ),
    due_ms=12.5,
)


def asked(
    mode: Literal["every", "every_with_gt", "last"],
    samples: list[Sample],
    sampling: Sampling | None = None,
    repeats: int = 1,
) -> list[Request]:
    task = Task(
        name="talk",
        version=1,
        samples=lambda: samples,
        prompt=Prompt(style="chat", system="Be kind.", user="Q: {question}"),
        scorer=exact_match,
        dialogue=mode,
    )
    return list(requests(task, task.samples(), sampling=sampling or Sampling(), repeats=repeats))


BEGIN = (Message("system", "Be kind."), Message("user", "Q: one"))


def test_the_models_own_answers_are_the_history_unless_something_else_is_said() -> None:
    (request,) = asked("every", [TALK], Sampling(max_tokens=99, extra={"top_p": 0.5}))
    assert request == Request(
        key="a#0",
        messages=BEGIN,
        sampling=Sampling(max_tokens=5, extra={"top_p": 0.5}),
        then=(
            Turn(question="two", max_tokens=99, pause_s=1.5),
            Turn(question="three", max_tokens=7),
        ),
        due_ms=12.5,
    )


def test_reference_answers_travel_with_their_turns() -> None:
    (request,) = asked("every_with_gt", [TALK])
    assert (request.messages, request.given) == (BEGIN, "first")
    assert request.then == TALK.turns
    assert (request.sampling.max_tokens, request.due_ms) == (5, 12.5)


def test_only_the_last_turn_is_asked_after_a_history_of_references() -> None:
    (request,) = asked("last", [TALK], Sampling(max_tokens=99))
    assert request == Request(
        key="a#0",
        messages=(
            *BEGIN,
            Message("assistant", "first"),
            Message("user", "two"),
            Message("assistant", "second"),
            Message("user", "three"),
        ),
        sampling=Sampling(max_tokens=7),
        due_ms=12.5,
    )


def test_the_last_turn_without_a_limit_of_its_own_has_that_of_the_run() -> None:
    short = replace(TALK, turns=TALK.turns[:1])
    (request,) = asked("last", [short], Sampling(max_tokens=99))
    assert request.sampling.max_tokens == 99


@pytest.mark.parametrize("mode", ["every", "every_with_gt", "last"])
def test_a_question_without_further_turns_is_the_same_in_every_mode(mode: Any) -> None:
    single = Sample(id="b", question="one", given="first")
    assert asked(mode, [single], repeats=2) == [
        Request(key=f"b#{repeat}", messages=BEGIN, sampling=Sampling()) for repeat in range(2)
    ]


def test_repeats_of_a_dialogue_differ_only_in_their_key() -> None:
    first, second = asked("every", [TALK], repeats=2)
    assert (first.key, second.key) == ("a#0", "a#1")
    assert replace(second, key="a#0") == first


@pytest.mark.parametrize("mode", ["every_with_gt", "last"])
def test_a_history_of_references_needs_them_up_to_the_last_turn(mode: Any) -> None:
    asked(mode, [replace(TALK, turns=(*TALK.turns[:-1], Turn(question="three")))])
    with pytest.raises(DataError, match=f"sample a has no reference answer to turn 1, .* {mode} "):
        asked(mode, [replace(TALK, given=None)])
    with pytest.raises(DataError, match="no reference answer to turn 2"):
        asked(mode, [replace(TALK, turns=(Turn(question="two"), TALK.turns[1]))])


def test_requests_are_made_only_when_they_are_asked_for() -> None:
    read = 0

    def endless() -> Iterator[Sample]:
        nonlocal read
        for number in count():
            read += 1
            yield Sample(id=str(number), question="?")

    task = Task(
        name="t", version=1, samples=endless, prompt=Prompt(user="{question}"), scorer=exact_match
    )
    made = requests(task, task.samples(), sampling=Sampling(), repeats=2)
    assert [request.key for request in islice(made, 5)] == ["0#0", "0#1", "1#0", "1#1", "2#0"]
    assert read == 3


def test_tasks_of_different_modes_are_not_merged() -> None:
    one = Task(
        name="t",
        version=1,
        samples=list,
        prompt=Prompt(user="{question}"),
        scorer=exact_match,
        merged_name="both",
    )
    with pytest.raises(ConfigError, match="cannot be merged"):
        merged([one, replace(one, name="u", dialogue="last")])


def samples(name: str, data: Data) -> list[Sample]:
    (entry,) = catalogue.find(name)
    (task,) = entry.make(data)
    return list(task.samples())


def share(tmp_path: Path, *dialogues: str) -> Data:
    """A file of dialogues, each a row of speakers: ``hg`` is human, then gpt."""
    speakers = {"h": "human", "g": "gpt", "s": "system", "u": "user", "c": "chatgpt"}
    rows = [
        {
            "id": f"x{number}",
            "conversations": [
                {"from": speakers[letter.lower()], "value": "" if letter.isupper() else f"{place}"}
                for place, letter in enumerate(dialogue)
            ],
        }
        for number, dialogue in enumerate(dialogues)
    ]
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return Data(settings={"path": str(path)})


def test_dialogues_that_can_be_asked_are_kept(tmp_path: Path) -> None:
    data = share(tmp_path, "hg", "hgh", "ghgh", "h", "", "shg", "hghg", "uc", "hhgg", "hG", "Hg")
    found = samples("sharegpt_gen", data)
    assert [sample.id for sample in found] == ["0", "6", "7"]
    assert found[1] == Sample(
        id="6", question="0", given="1", turns=(Turn(question="2", given="3"),)
    )


def test_a_file_without_such_dialogues_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"talk\.json: no dialogue is questions and answers"):
        samples("sharegpt_gen", share(tmp_path, "hgh"))


def test_a_broken_dialogue_is_named_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text('[{"conversations": []}, {"conversations": [{"from": "human"}]}]', "utf-8")
    with pytest.raises(DataError, match=r"talk\.json, row 2: .*`value` - at `\$\.conversations"):
        samples("sharegpt_gen", Data(settings={"path": str(path)}))


def test_dialogues_are_mixed_only_when_asked_for_and_the_same_way_each_time(tmp_path: Path) -> None:
    data = share(tmp_path, *["hg"] * 50)
    mixing = Data(settings={**data.settings, "disable_shuffle": "false"})
    in_order = samples("sharegpt_gen", data)
    assert [sample.id for sample in in_order] == [str(number) for number in range(50)]
    assert samples("sharegpt_gen", mixing) == samples("sharegpt_gen", mixing) != in_order
    other = Data(settings={**mixing.settings, "random_seed": 1})
    assert samples("sharegpt_gen", other) != samples("sharegpt_gen", mixing)
    assert sorted(samples("sharegpt_gen", other), key=lambda one: int(one.id)) == in_order


def test_every_turn_may_answer_as_long_as_its_reference(shared: Path, tmp_path: Path) -> None:
    tokens = small_tokenizer.put("byte_level", tmp_path)
    roots = (shared / "datasets",)
    without = samples("sharegpt_gen", Data(roots))
    found = samples("sharegpt_gen", Data(roots, tokenizer=tokens))
    assert (len(found), sum(len(one.turns) for one in found)) == (1030, 530)
    tokenizer = open_tokenizer(tokens)
    for sample in found[::50]:
        assert sample.max_tokens == tokenizer.count(sample.given or "")
        for turn in sample.turns:
            assert turn.max_tokens == tokenizer.count(turn.given or "")
    assert [replace(one, max_tokens=None) for one in found if not one.turns] == [
        one for one in without if not one.turns
    ]
    assert {turn.max_tokens for one in without for turn in one.turns} == {None}


def test_mt_bench_is_eighty_dialogues_of_two_turns(shared: Path) -> None:
    found = samples("mtbench_gen", Data((shared / "datasets",)))
    assert len(found) == 80
    assert {len(sample.turns) for sample in found} == {1}
    assert (found[0].id, found[0].meta) == ("81", {"category": "writing"})
    assert sum(sample.given is not None for sample in found) == 39


def test_mt_bench_without_references_is_asked_only_with_own_answers(shared: Path) -> None:
    data = Data((shared / "datasets",), settings={"infer_mode": "last"})
    with pytest.raises(DataError, match=r"question\.jsonl, line 1: field `reference` is missing"):
        samples("mtbench_gen", data)


@pytest.mark.parametrize("name", ["mtbench_gen", "sharegpt_gen"])
def test_the_mode_is_an_option(name: str) -> None:
    (entry,) = catalogue.find(name)
    assert entry.make(Data())[0].dialogue == "every"
    assert entry.make(Data(settings={"infer_mode": "last"}))[0].dialogue == "last"
    with pytest.raises(
        ConfigError, match=r"infer_mode='first': Invalid enum value 'first'; expected every or"
    ):
        entry.make(Data(settings={"infer_mode": "first"}))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"question_id": 1, "prompt": []}, "field `prompt` is []"),
        ({"question_id": 1, "prompt": ["a", "b"], "reference": ["x"]}, "an answer to each of 2"),
        ({"prompt": ["a"]}, "missing required field `question_id`"),
    ],
)
def test_a_wrong_mt_bench_row_is_named(tmp_path: Path, row: Any, expected: str) -> None:
    (tmp_path / "mtbench").mkdir()
    (tmp_path / "mtbench/question.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        samples("mtbench_gen", Data((tmp_path,)))
    assert "question.jsonl, line 1: " in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("name", ["mtbench_gen", "sharegpt_gen"])
def test_a_set_that_is_nowhere_says_where_to_get_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"huggingface\.co/datasets"):
        samples(name, Data((tmp_path,)))


def test_think_time_comes_before_every_later_turn(shared: Path) -> None:
    data = Data((shared / "datasets",), settings={"think_s": "1.5"})
    (entry,) = catalogue.find("mtbench_gen")
    (task,) = entry.make(data)
    sample = next(iter(task.samples()))
    assert [turn.pause_s for turn in sample.turns] == [1.5]
