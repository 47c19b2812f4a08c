"""MT-Bench asked with FastChat's temperatures, one for each category.

- Both turns of a dialogue have that of its category, where it is wanted; the rest is the model's.
- Other temperatures are other data, so stored answers are not continued with them.
- A model of this machine draws in one way for all rows, and is refused.
- The run says that the rows have temperatures of their own.
"""

import json
from pathlib import Path

import pytest

from running import steelyard
from sim_process import simulated
from steelyard.core import ConfigError, Job, Json, ModelSpec, Reply, Sampling, Task, Timing
from steelyard.engine.dialogue import next_turn
from steelyard.pipeline.prepare import Prepared, prepare
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.data import Data

WANTED = {
    **{"writing": 0.7, "roleplay": 0.7, "reasoning": 0.0, "math": 0.0, "coding": 0.0},
    **{"extraction": 0.0, "stem": 0.1, "humanities": 0.1, "gardening": 0.7},
}
"""Of FastChat; 0.7 where it knows no such category."""
RATED, COMPARED = "mtbench_judge_gen", "mtbench_pairwise_judge_gen"
MODEL = Sampling(max_tokens=9, extra={"temperature": 0.3, "top_p": 0.9})
NOW = Timing(queued_ns=0, sent_ns=0, done_ns=0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dialogue of each category, and answers to compare with."""
    home = tmp_path / "mtbench"
    home.mkdir()
    turns = ["One?", "Two?"]
    rows = [
        {"question_id": number, "category": category, "prompt": turns}
        for number, category in enumerate(WANTED)
    ]
    answers = [{"question_id": n, "choices": [{"turns": turns}]} for n in range(len(rows))]
    for name, lines in (("question.jsonl", rows), ("baseline.jsonl", answers)):
        (home / name).write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    return tmp_path


def made(root: Path, name: str, **settings: Json) -> Task:
    (entry,) = catalogue.find(name)
    (task,) = entry.make(Data((root,), settings=settings))
    return task


def temperatures(task: Task) -> list[tuple[float, float]]:
    """Those of both turns of every dialogue."""
    found = []
    for first in requests(task, task.samples(), sampling=MODEL):
        second = next_turn(first, Reply(key=first.key, timing=NOW, text="An answer."))
        assert second is not None
        for one in (first, second):
            assert one.sampling.max_tokens == 9
            assert one.sampling.extra["top_p"] == 0.9
        found.append((first.sampling.extra["temperature"], second.sampling.extra["temperature"]))
    return found


@pytest.mark.parametrize("name", [RATED, COMPARED])
def test_the_temperature_is_that_of_the_category_where_it_is_wanted(root: Path, name: str) -> None:
    published = made(root, name, temperatures="published")
    assert temperatures(published) == [(one, one) for one in WANTED.values()]
    for task in (made(root, name), made(root, name, temperatures="model")):
        assert temperatures(task) == [(0.3, 0.3)] * len(WANTED)


def test_any_other_word_and_the_data_set_for_load_know_no_temperatures(root: Path) -> None:
    for name, word in ((RATED, "mine"), ("mtbench_gen", "published")):
        with pytest.raises(ConfigError, match="temperatures"):
            made(root, name, temperatures=word)


def prepared(task: Task, backend: str = "openai_chat", **options: Json) -> Prepared:
    model = ModelSpec(abbr="m", backend=backend, options=options)
    (found,) = prepare([Job(model=model, task=task, dataset=RATED)], marked=False)
    return found


def test_other_temperatures_are_other_data(root: Path) -> None:
    plain = prepared(made(root, RATED)).parts
    other = prepared(made(root, RATED, temperatures="published")).parts
    assert {name for name in plain if plain[name] != other[name]} == {"data"}


def test_a_model_of_this_machine_has_one_temperature_for_all(root: Path) -> None:
    assert prepared(made(root, RATED), "hf_chat_model", path="m").samples
    with pytest.raises(ConfigError, match=r"a temperature of their own.* with one for all"):
        prepared(made(root, RATED, temperatures="published"), "hf_chat_model", path="m")


def test_the_run_says_that_rows_have_temperatures_of_their_own(root: Path, tmp_path: Path) -> None:
    told = "every row is asked with a temperature of its own"
    with simulated() as url:
        plain = ("run", "--models", "vllm_api_general_chat", "--datasets", RATED)
        where = ("--mode", "infer", "--base-url", url, "--data-dir", str(root))
        done = steelyard(*plain, *where, "-w", str(tmp_path / "a"), cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert told not in done.stderr
        wanted = (*where, "--set-data", "temperatures=published", "--temperature", "0.5")
        done = steelyard(*plain, *wanted, "-w", str(tmp_path / "b"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told in done.stderr
