"""Replayed traces.

- The real traces have the numbers of requests, times and lengths that their publishers state.
- A text has exactly the tokens of the trace; equal block numbers are equal text, at any place.
- Offsets, time scale and seeds do what they say; requests come in order of time.
- A wrong row is named with file, line and field.
- Without a tokenizer a replay is refused, or says in its name that it is approximate.
"""

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import small_tokenizer
from steelyard.core import ConfigError, DataError, MissingData, Sample, Sampling, Task
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.builtin.traces import MooncakeRow, from_mooncake, read
from steelyard.tasks.data import Data
from steelyard.tasks.tokenizer import open_tokenizer
from steelyard.tasks.traces import BLOCK_TOKENS, blocks_fit


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer.put("byte_level", tmp_path_factory.getbasetemp() / "byte_level")


def task(name: str, data: Data) -> Task:
    (entry,) = catalogue.find(name)
    (made,) = entry.make(data)
    return made


def replay(tmp_path: Path, rows: list[Any], tokens: Path | None, **settings: Any) -> list[Sample]:
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    data = Data(tokenizer=tokens, settings={"path": str(path), **settings})
    return list(task("mooncake_trace_gen", data).samples())


def row(at_ms: float = 0, tokens: int = 10, **more: Any) -> dict[str, Any]:
    return {"timestamp": at_ms, "input_length": tokens, "output_length": 5, **more}


def words(sample: Sample) -> list[str]:
    assert isinstance(sample.question, str)
    return sample.question.split(" ")


@pytest.mark.parametrize(
    ("name", "count", "last_ms", "mean_input", "mean_output"),
    [
        ("conversation_trace", 12_031, 3_536_999, 12_035, 342),
        ("synthetic_trace", 3_993, 1_022_025, 15_325, 149),
    ],
)
def test_the_mooncake_traces_are_those_that_were_published(
    shared: Path, name: str, count: int, last_ms: int, mean_input: int, mean_output: int
) -> None:
    path = shared / f"datasets/mooncake_trace/{name}.jsonl"
    found = list(read(path, MooncakeRow, from_mooncake))
    assert (len(found), found[-1].at_ms) == (count, last_ms)
    assert int(fmean(event.input_tokens for event in found)) == mean_input
    assert int(fmean(event.max_tokens or 0 for event in found)) == mean_output
    assert all(blocks_fit(event.input_tokens, len(event.blocks)) for event in found)


def test_the_azure_trace_is_the_one_that_was_published(shared: Path) -> None:
    data = Data((shared / "datasets",), settings={"approximate": "true"})
    made = task("azure_trace_gen", data)
    found = list(made.samples())
    assert made.name == "azure-trace-approximate"
    assert len(found) == 8819
    assert (found[0].due_ms, found[0].max_tokens, len(words(found[0]))) == (0, 10, 4808)
    assert (found[1].due_ms, found[1].max_tokens, len(words(found[1]))) == (52, 8, 3180)
    assert (found[-1].due_ms, found[-1].max_tokens) == (3_435_948.056, 173)


def test_a_minute_of_a_real_trace_has_exactly_its_tokens(shared: Path, tokens: Path) -> None:
    data = Data(
        (shared / "datasets",), tokenizer=tokens, settings={"fixed_schedule_end_offset": "9000"}
    )
    found = list(task("mooncake_trace_gen", data).samples())
    path = shared / "datasets/mooncake_trace/conversation_trace.jsonl"
    events = [one for one in read(path, MooncakeRow, from_mooncake) if one.at_ms <= 9000]
    texts = [str(sample.question) for sample in found]
    assert open_tokenizer(tokens).counts(texts) == [event.input_tokens for event in events]
    assert [(one.due_ms, one.max_tokens) for one in found] == [
        (event.at_ms, event.max_tokens) for event in events
    ]
    ids = open_tokenizer(tokens).encode_batch(texts)
    beginnings = {}
    for event, one in zip(events, ids, strict=True):
        first = tuple(one[:BLOCK_TOKENS])
        assert beginnings.setdefault(event.blocks[0], first) == first
    assert len(set(beginnings.values())) == len(beginnings)


def test_the_same_block_is_the_same_text_wherever_it_stands(tmp_path: Path, tokens: Path) -> None:
    rows = [
        row(0, 1100, hash_ids=[7, 8, 9]),
        row(1, 1124, hash_ids=[9, 7, 8]),
        row(2, 600, hash_ids=[7, 9]),
    ]
    first, second, third = map(words, replay(tmp_path, rows, tokens))
    assert first[:512] == second[512:1024] == third[:512]
    assert first[512:1024][:100] == second[1024:]
    assert first[1024:] == second[:76] == third[512:588]
    assert (len(first), len(second), len(third)) == (1100, 1124, 600)


def test_a_row_without_blocks_shares_nothing(tmp_path: Path, tokens: Path) -> None:
    first, second = map(words, replay(tmp_path, [row(0, 50), row(1, 50, hash_ids=[])], tokens))
    assert first[0:8] != second[0:8]
    assert len(first) == len(second) == 50


def test_a_text_of_the_trace_itself_goes_before_lengths_and_needs_no_tokenizer(
    tmp_path: Path,
) -> None:
    rows = [row(0, 99, hash_ids=[1], input_text="Why?"), {"timestamp": 1, "input_text": "How?"}]
    found = replay(tmp_path, rows, None)
    assert [(one.question, one.max_tokens) for one in found] == [("Why?", 5), ("How?", None)]


def test_requests_come_in_order_of_time_and_keep_their_names(tmp_path: Path, tokens: Path) -> None:
    found = replay(tmp_path, [row(30), row(10), row(30), row(0)], tokens)
    assert [(one.id, one.due_ms) for one in found] == [("3", 0), ("1", 10), ("0", 30), ("2", 30)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0, 100, 250, 400]),
        ({"fixed_schedule_start_offset": "100"}, [100, 250, 400]),
        ({"fixed_schedule_start_offset": 100, "fixed_schedule_end_offset": 250}, [100, 250]),
        ({"fixed_schedule_start_offset": 50, "fixed_schedule_auto_offset": "true"}, [0, 150, 300]),
        ({"time_scale": "0.5", "fixed_schedule_end_offset": 399}, [0, 50, 125]),
        (
            {
                "time_scale": 2,
                "fixed_schedule_auto_offset": True,
                "fixed_schedule_start_offset": 250,
            },
            [0, 300],
        ),
    ],
)
def test_a_part_of_a_trace_is_sent_at_its_times(
    tmp_path: Path, tokens: Path, settings: dict[str, Any], expected: list[float]
) -> None:
    rows = [row(at_ms) for at_ms in (0, 100, 250, 400)]
    assert [one.due_ms for one in replay(tmp_path, rows, tokens, **settings)] == expected


def test_a_part_of_a_trace_has_the_texts_of_the_whole(tmp_path: Path, tokens: Path) -> None:
    rows = [row(at_ms) for at_ms in range(5)]
    whole = replay(tmp_path, rows, tokens)
    assert replay(tmp_path, rows, tokens, fixed_schedule_start_offset=3) == whole[3:]


def test_a_seed_repeats_the_texts_and_another_gives_others(tmp_path: Path, tokens: Path) -> None:
    rows = [row(0, 600, hash_ids=[1, 2]), row(1, 20)]
    assert replay(tmp_path, rows, tokens) == replay(tmp_path, rows, tokens, random_seed="0")
    other = replay(tmp_path, rows, tokens, random_seed=1)
    assert not {one.question for one in other} & {
        one.question for one in replay(tmp_path, rows, tokens)
    }


def test_due_times_reach_the_requests(tmp_path: Path, tokens: Path) -> None:
    data = Data(tokenizer=tokens, settings={"path": str(tmp_path / "trace.jsonl")})
    replay(tmp_path, [row(5), row(7)], tokens)
    made = task("mooncake_trace_gen", data)
    asked = list(requests(made, made.samples(), sampling=Sampling(max_tokens=99)))
    assert [(one.due_ms, one.sampling.max_tokens) for one in asked] == [(5, 5), (7, 5)]


@given(st.integers(1, 40), st.integers(-600, 600))
def test_only_the_last_block_may_be_short(blocks: int, off: int) -> None:
    tokens = blocks * BLOCK_TOKENS + off
    assert blocks_fit(tokens, blocks) == (-BLOCK_TOKENS < off <= 0)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (row(0, 512, hash_ids=[1, 2]), "`input_length` is 512; expected 513 to 1024 for the 2 bl"),
        (row(0, 1025, hash_ids=[1, 2]), "`input_length` is 1025; expected 513 to 1024"),
        (row(-1), "Expected `float` >= 0.0 - at `$.timestamp`"),
        (row(0, 0), "Expected `int` >= 1 - at `$.input_length`"),
        ({**row(), "output_length": 0}, "Expected `int` >= 1 - at `$.output_length`"),
        ({"timestamp": 0}, "field `input_length` is missing; expected a number of tokens, or"),
        ({"input_length": 5}, "missing required field `timestamp`"),
        (row(0, 5, hash_ids=["a"]), "got `str` - at `$.hash_ids[0]`"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, tokens: Path, bad: Any, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        replay(tmp_path, [row(), bad], tokens)
    assert f"{tmp_path / 'trace.jsonl'}, line 2: " in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("2023-11-16T18:17:03,5,5", "field `TIMESTAMP` is '2023-11-16T18:17:03'; expected a time"),
        ("2023-02-30 18:17:03.1,5,5", "expected a day and time that exist"),
        ("2023-11-16 18:17:03,0,5", "Expected `int` >= 1 - at `$.ContextTokens`"),
        ("2023-11-16 18:17:03,5,-1", "Expected `int` >= 1 - at `$.GeneratedTokens`"),
        ("2023-11-16 18:17:03,5", "2 columns; expected 3"),
    ],
)
def test_a_wrong_azure_row_is_named(tmp_path: Path, cells: str, expected: str) -> None:
    path = tmp_path / "azure.csv"
    path.write_text(f"TIMESTAMP,ContextTokens,GeneratedTokens\n{cells}\n", encoding="utf-8")
    data = Data(settings={"path": str(path), "approximate": True})
    with pytest.raises(DataError) as caught:
        list(task("azure_trace_gen", data).samples())
    assert f"{path}, line 2: " in str(caught.value)
    assert expected in str(caught.value)


def test_azure_times_are_exact_to_a_tenth_of_a_microsecond(tmp_path: Path) -> None:
    path = tmp_path / "azure.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2024-05-12 23:59:59.9999999+00:00,5,5\n2024-05-13 00:00:00.0000001,6,6\n"
        "2024-05-13 00:00:01,7,7\n",
        encoding="utf-8",
    )
    data = Data(settings={"path": str(path), "approximate": True})
    found = list(task("azure_trace_gen", data).samples())
    assert [one.due_ms for one in found] == [0, 0.0002, 1000.0001]
    assert [len(words(one)) for one in found] == [5, 6, 7]


def test_without_a_tokenizer_a_replay_is_refused_or_called_approximate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"approximate=true counts words.*--tokenizer PATH"):
        replay(tmp_path, [row()], None)
    (found,) = replay(tmp_path, [row(0, 600, hash_ids=[1, 2])], None, approximate="true")
    assert len(words(found)) == 600
    data = Data(settings={"approximate": "true"})
    assert task("mooncake_trace_gen", data).name == "mooncake-trace-approximate"
    assert task("mooncake_trace_gen", Data()).name == "mooncake-trace"


def test_a_part_without_requests_is_refused_with_the_times_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="from 50 to the end ms; the trace has 2 requests from 1 to 9"
    ):
        replay(tmp_path, [row(9), row(1)], None, fixed_schedule_start_offset=50)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"fixed_schedule_start_offset": 9, "fixed_schedule_end_offset": 8},
            "fixed_schedule_end_offset=8 is before fixed_schedule_start_offset=9",
        ),
        ({"time_scale": 0}, "time_scale=0: Expected `float` > 0.0"),
        ({"fixed_schedule_start_offset": -1}, "fixed_schedule_start_offset=-1: Expected"),
        ({"generated_prompts_path": "p.jsonl"}, "generated_prompts_path is not needed"),
        ({"seed": 1}, "'seed' is not known here; known: path, random_seed"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replay(tmp_path, [row()], None, **settings)
    assert expected in str(caught.value)


def test_a_trace_that_is_nowhere_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        MissingData, match=r"mooncake_trace/conversation_trace.jsonl was not found(?s:.*)Mooncake"
    ):
        list(task("mooncake_trace_gen", Data((tmp_path,))).samples())
    with pytest.raises(MissingData, match=r"data file own.jsonl was not found"):
        list(
            task("mooncake_trace_gen", Data((tmp_path,), settings={"path": "own.jsonl"})).samples()
        )
