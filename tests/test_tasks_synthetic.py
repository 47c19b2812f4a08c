"""Synthetic load.

- Rows have exactly the lengths, limits and shared prefixes that settings and options ask for.
- The same seed gives the same rows, another seed others; rows are made while they are read.
- AISBench's settings are understood as they are; what is wrong is named with file and field.
- A Python settings file is read and never run.
- Token rows without a tokenizer are refused with what to do.
"""

import json
import time
import tracemalloc
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import small_tokenizer
from steelyard.core import ConfigError, Sample, Sampling
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.data import Data
from steelyard.tasks.tokenizer import open_tokenizer


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer.put("byte_level", tmp_path_factory.getbasetemp() / "byte_level")


def rows(name: str, data: Data) -> list[Sample]:
    (entry,) = catalogue.find(name)
    (task,) = entry.make(data)
    return list(task.samples())


def texts(found: list[Sample]) -> list[str]:
    return [str(sample.question) for sample in found]


def settings_file(root: Path, content: Any) -> Data:
    (root / "synthetic").mkdir(exist_ok=True)
    path = root / "synthetic/synthetic_config"
    if isinstance(content, str):
        path.with_suffix(".py").write_text(content, encoding="utf-8")
    else:
        path.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")
    return Data((root,))


def test_without_settings_there_are_a_hundred_rows_of_common_words() -> None:
    found = rows("synthetic_gen", Data())
    assert [sample.id for sample in found] == [str(row) for row in range(100)]
    assert {len(text.split(" ")) for text in texts(found)} == {256}
    assert {(sample.max_tokens, sample.target) for sample in found} == {(None, None)}
    assert len({text[:40] for text in texts(found)}) == 100


def test_string_rows_are_the_letter_a() -> None:
    found = rows("synthetic_gen_string", Data(settings={"RequestCount": "3", "Input": "2-5"}))
    assert len(found) == 3
    assert {len(text.split(" ")) for text in texts(found)} <= {2, 3, 4, 5}
    assert set("".join(texts(found))) == {"A", " "}


def test_token_rows_have_exactly_the_tokens_asked_for(tokens: Path) -> None:
    data = Data(tokenizer=tokens, settings={"RequestCount": 300, "Input": "1-99", "Output": 7})
    found = rows("synthetic_gen_tokenid", data)
    counts = open_tokenizer(tokens).counts(texts(found))
    wanted = rows("synthetic_gen_string", Data(settings={**data.settings}))
    assert counts == [len(text.split()) for text in texts(wanted)]
    assert {sample.max_tokens for sample in found} == {7}


@pytest.mark.parametrize("name", ["synthetic_gen", "synthetic_gen_tokenid"])
def test_a_seed_repeats_the_rows_and_another_gives_others(name: str, tokens: Path) -> None:
    asked = {"Input": "10-20", "Output": "1-100", "RequestCount": 50}

    def with_seed(seed: int) -> list[Sample]:
        return rows(name, Data(tokenizer=tokens, settings={**asked, "seed": seed}))

    assert with_seed(1) == with_seed(1)
    assert not set(texts(with_seed(1))) & set(texts(with_seed(2)))
    limits = [[sample.max_tokens for sample in with_seed(seed)] for seed in (1, 2)]
    assert limits[0] != limits[1]


def test_more_rows_begin_with_the_same_rows() -> None:
    few, many = ({"RequestCount": count, "Input": "5-50"} for count in (10, 30))
    first = rows("synthetic_gen", Data(settings=few))
    assert rows("synthetic_gen", Data(settings=many))[:10] == first


@pytest.mark.parametrize("kind", ["text", "tokenid"])
def test_rows_share_as_many_prefixes_as_asked_in_the_share_asked(kind: str, tokens: Path) -> None:
    asked = {"type": kind, "RequestCount": 200, "Input": "20-30", "PrefixLen": 16}
    shared = {**asked, "Prefixes": 4, "PrefixShare": "0.6"}
    found = texts(rows("synthetic_gen", Data(tokenizer=tokens, settings=shared)))
    beginnings = Counter(tuple(text.split(" ")[:16]) for text in found)
    assert sorted(beginnings.values()) == [1] * 80 + [30] * 4
    assert len(set(found)) == 200
    everyone = texts(rows("synthetic_gen", Data(tokenizer=tokens, settings=asked)))
    assert len({tuple(text.split(" ")[:16]) for text in everyone}) == 1


def test_the_shared_prefix_is_as_many_tokens_as_asked(tokens: Path) -> None:
    asked = {"RequestCount": 5, "Input": "40", "PrefixLen": 24}
    found = texts(rows("synthetic_gen_tokenid", Data(tokenizer=tokens, settings=asked)))
    ids = open_tokenizer(tokens).encode_batch(found)
    assert {tuple(one[:24]) for one in ids} == {tuple(ids[0][:24])}
    assert len({one[24] for one in ids}) > 1
    assert {len(one) for one in ids} == {40}


AISBENCH = """
from pathlib import Path
synthetic_config = {
    "Type": "String",
    "RequestCount": 12,
    "TrustRemoteCode": False,
    "StringConfig": dict(
        Input={"Method": "Uniform", "Params": {"MinValue": 1, "MaxValue": 200}},
        Output={"Method": "gaussian", "Params": dict(Mean=100, Var=200, MinValue=1, MaxValue=100)},
    ),
    "TokenIdConfig": {"RequestSize": 10, "PrefixLen": 4, "VocabSize": 3000},
}
raise SystemExit("this file must not be run")
"""


def test_the_settings_of_aisbench_are_read_and_not_run(tmp_path: Path, tokens: Path) -> None:
    data = settings_file(tmp_path, AISBENCH)
    found = rows("synthetic_gen", data)
    assert len(found) == 12
    assert texts(found)[0].startswith("A A")
    assert all(sample.max_tokens is not None and sample.max_tokens <= 100 for sample in found)
    exact = rows("synthetic_gen_tokenid", Data(data.roots, tokenizer=tokens))
    assert open_tokenizer(tokens).counts(texts(exact)) == [10] * 12
    assert {sample.max_tokens for sample in exact} == {None}


def test_a_file_named_by_option_goes_before_the_one_in_the_data_folder(tmp_path: Path) -> None:
    data = settings_file(tmp_path, AISBENCH)
    own = tmp_path / "own.json"
    fixed = {"Method": "fixed", "Params": {"Value": 3}}
    own.write_text(
        json.dumps({"Type": "text", "RequestCount": 2, "StringConfig": {"Input": fixed}}),
        encoding="utf-8",
    )
    found = rows("synthetic_gen", Data(data.roots, settings={"config": str(own), "Output": "9"}))
    assert [
        (len(text.split()), row.max_tokens) for text, row in zip(texts(found), found, strict=True)
    ] == [(3, 9)] * 2


GOOD = {
    "Type": "tokenid",
    "RequestCount": 5,
    "StringConfig": {"Input": {"Method": "fixed", "Params": {"Value": 3}}},
    "TokenIdConfig": {"RequestSize": 10},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Type": "tokens"}, "field `Type`: Invalid enum value 'tokens'"),
        ({"RequestCount": 0}, "field `RequestCount`: Expected `int` >= 1"),
        ({"RequestCount": 2**20 + 1}, "field `RequestCount`: Expected `int` <= 1048576"),
        ({"RequestCount": "5"}, "field `RequestCount`: Expected `int`, got `str`"),
        ({"Requests": 5}, "unknown field `Requests`"),
        ({"TokenIdConfig": None}, "tokenid rows need TokenIdConfig.RequestSize (or Input)"),
        ({"TokenIdConfig": {"Size": 1}}, "field `TokenIdConfig`: Object contains unknown field"),
        ({"TokenIdConfig": {"RequestSize": 0}}, "field `TokenIdConfig.RequestSize`"),
        (
            {"TokenIdConfig": {"RequestSize": 4, "PrefixLen": 5}},
            "PrefixLen 5 is above the shortest length 4",
        ),
        (
            {"TokenIdConfig": {"RequestSize": 4, "PrefixShare": 1.5}},
            "field `TokenIdConfig`: PrefixShare is 1.5",
        ),
        ({"Type": "string", "StringConfig": {}}, "string rows need StringConfig.Input"),
        (
            {"StringConfig": {"Input": {"Method": "uniform", "Params": {"MinValue": 1}}}},
            "field `StringConfig.Input.Params`: Object missing required field `MaxValue`",
        ),
        (
            {"StringConfig": {"Output": {"Method": "zipf", "Params": {"Alpha": 1}}}},
            "field `StringConfig.Output.Params",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_file_and_field(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    data = settings_file(tmp_path, {**GOOD, **change})
    with pytest.raises(ConfigError) as caught:
        rows("synthetic_gen", data)
    assert expected in str(caught.value)
    assert str(tmp_path / "synthetic/synthetic_config.json") in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("synthetic_config = {", "cannot be read"),
        ("other = {}", "nothing is assigned to synthetic_config"),
        ("import os\nsynthetic_config = {'Type': os.name}", "line 2: the values"),
        ("synthetic_config = dict(**{})", "have to be written out"),
        ("synthetic_config = [1]", "synthetic_config is [1]; expected names and values"),
        ("synthetic_config = {'Type': 'text'}", "missing required field `RequestCount`"),
    ],
)
def test_a_python_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        rows("synthetic_gen", settings_file(tmp_path, content))
    assert expected in str(caught.value)
    assert "synthetic_config.py" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"requests": 1}, "'requests' is not known here; known: Config, Type, RequestCount"),
        ({"RequestCount": "many"}, "RequestCount='many': Expected `int | null`"),
        ({"RequestCount": 0}, "field `RequestCount`"),
        ({"Input": "-3"}, "Input='-3': expected a length"),
        ({"Output": "9-3"}, "MinValue 9 is above MaxValue 3"),
        ({"type": "strings"}, "Type='strings': Invalid enum value"),
        ({"config": "gone.json"}, "Config='gone.json': no such file"),
        ({"type": "string", "PrefixLen": 4}, "string rows are all alike"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rows("synthetic_gen", Data(settings=options))
    assert expected in str(caught.value)


def test_options_may_be_written_in_two_ways() -> None:
    found = rows("synthetic_gen", Data(settings={"request_count": 2, "PrefixLen": 3, "output": 9}))
    assert [sample.max_tokens for sample in found] == [9, 9]


def test_options_for_a_data_set_without_options_are_refused() -> None:
    with pytest.raises(
        ConfigError, match="demo_gsm8k_gen has no options, but was given RequestCount"
    ):
        rows("demo_gsm8k_gen", Data(settings={"RequestCount": 5}))


def test_token_rows_without_a_tokenizer_say_what_to_do() -> None:
    (entry,) = catalogue.find("synthetic_gen_tokenid")
    (task,) = entry.make(Data())  # planning needs no tokenizer yet
    assert task.name == "synthetic"
    with pytest.raises(ConfigError, match=r"--tokenizer PATH .* `path` of the model"):
        list(task.samples())


def test_token_rows_are_made_faster_than_any_service_answers(tokens: Path) -> None:
    asked = {"RequestCount": 20_000, "Input": 64}
    (entry,) = catalogue.find("synthetic_gen_tokenid")
    (task,) = entry.make(Data(tokenizer=tokens, settings=asked))
    began_s = time.process_time()
    assert sum(1 for _ in task.samples()) == 20_000
    assert 20_000 / (time.process_time() - began_s) > 5_000  # rows per second; usually 50,000


def test_a_quarter_of_a_million_rows_stream_through_little_memory(tokens: Path) -> None:
    (entry,) = catalogue.find("synthetic_gen_tokenid")
    (task,) = entry.make(Data(tokenizer=tokens, settings={"RequestCount": 250_000, "Input": "64"}))
    asked = requests(task, task.samples(), sampling=Sampling())
    next(asked)
    tracemalloc.start()
    try:
        seen = sum(1 for _ in islice(asked, 3000))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == 3000
    assert peak_bytes < 1_000_000
