"""Traces of real services, to be sent again at the times they came (``--use-timestamp``).

Source:  Mooncake (Apache-2.0), https://github.com/kvcache-ai/Mooncake, FAST25-release/traces
         Azure (CC BY 4.0), https://github.com/Azure/AzurePublicDataset
Data:    mooncake_trace/conversation_trace.jsonl; azure_llm_trace_2023/
         AzureLLMInferenceTrace_code.csv; the option ``path`` names another trace
Row:     {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, ...]}
         {"timestamp": 27482, "input_text": "Why is ...", "output_length": 52}
         2023-11-16 18:17:03.9799600,4808,10
Prompt:  words of the model's vocabulary, of the length in the trace (``traces``)
Marking: none, there is no right answer
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import msgspec

from steelyard.core import DataError, Prompt, Sample, Task
from steelyard.scoring import exact_match
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, RowT, rows
from steelyard.tasks.traces import (
    BLOCK_TOKENS,
    Event,
    Options,
    blocks_fit,
    options_of,
    replayed,
    trace_file,
)

MOONCAKE = "https://github.com/kvcache-ai/Mooncake (folder FAST25-release/traces)"
AZURE = "https://github.com/Azure/AzurePublicDataset (folder data)"
TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00:00|Z)?")

BuiltT = TypeVar("BuiltT")
Tokens: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class MooncakeRow(msgspec.Struct, frozen=True):
    """One request: its time in ms, and its own text, or a length with or without blocks."""

    timestamp: Annotated[float, msgspec.Meta(ge=0)]
    output_length: Tokens | None = None
    input_length: Tokens | None = None
    hash_ids: tuple[int, ...] | None = None
    input_text: str | None = None


class AzureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One request: its time of day, and lengths in tokens."""

    timestamp: str = msgspec.field(name="TIMESTAMP")
    context_tokens: Tokens = msgspec.field(name="ContextTokens")
    generated_tokens: Tokens = msgspec.field(name="GeneratedTokens")


def from_mooncake(index: int, row: MooncakeRow) -> Event:
    """The request of one row; ``BadField`` where length and blocks contradict each other."""
    if row.input_text:
        return Event(str(index), row.timestamp, 0, row.output_length, text=row.input_text)
    if row.input_length is None:
        raise BadField("input_length", None, "a number of tokens, or `input_text`")
    blocks = row.hash_ids or ()
    if blocks and not blocks_fit(row.input_length, len(blocks)):
        least = (len(blocks) - 1) * BLOCK_TOKENS + 1
        raise BadField(
            "input_length",
            row.input_length,
            f"{least} to {len(blocks) * BLOCK_TOKENS} for the {len(blocks)} blocks of `hash_ids`",
        )
    return Event(str(index), row.timestamp, row.input_length, row.output_length, blocks)


def from_azure(index: int, row: AzureRow) -> Event:
    """The request of one row, without its time."""
    return Event(str(index), 0, row.context_tokens, row.generated_tokens)


def nanoseconds(row: AzureRow) -> int:
    """The time of one row, exactly, since 1970."""
    found = TIME.fullmatch(row.timestamp.strip())
    if not found:
        raise BadField("TIMESTAMP", row.timestamp, "a time like 2023-11-16 18:17:03.9799600")
    try:
        second = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise BadField("TIMESTAMP", row.timestamp, "a day and time that exist") from error
    return int(second) * 10**9 + int((found[2] or "").ljust(9, "0")[:9])


def read(
    path: Path, row_type: type[RowT], build: Callable[[int, RowT], BuiltT]
) -> Iterator[BuiltT]:
    """What ``build`` makes of every row; ``DataError`` names file, line and field."""
    for index, (line, row) in enumerate(rows(path, row_type)):
        try:
            yield build(index, row)
        except BadField as error:
            raise DataError(f"{path}, line {line}: {error}") from error


def mooncake_rows(data: Data) -> Iterator[Sample]:
    """The requests of a Mooncake trace."""
    path = trace_file(data, "mooncake_trace/conversation_trace.jsonl", MOONCAKE)
    return replayed(data, read(path, MooncakeRow, from_mooncake), path)


def azure_rows(data: Data) -> Iterator[Sample]:
    """The requests of an Azure trace, timed from its first."""
    path = trace_file(data, "azure_llm_trace_2023/AzureLLMInferenceTrace_code.csv", AZURE)
    found = list(read(path, AzureRow, lambda i, row: (nanoseconds(row), from_azure(i, row))))
    first_ns = min(at_ns for at_ns, _ in found)
    timed = (event._replace(at_ms=(at_ns - first_ns) / 1e6) for at_ns, event in found)
    return replayed(data, timed, path)


def trace(name: str, samples: Callable[[Data], Iterator[Sample]], data: Data) -> Task:
    """What both kinds share; the name says when lengths are only words."""
    suffix = "-approximate" if options_of(data).approximate else ""
    return Task(
        name=name + suffix,
        version=1,
        samples=partial(samples, data),
        prompt=Prompt(user="{question}"),
        scorer=exact_match,
    )


@task("mooncake_trace_gen", options=Options)
def mooncake(data: Data) -> Task:
    """Requests with the blocks that they share."""
    return trace("mooncake-trace", mooncake_rows, data)


@task("azure_trace_gen", options=Options)
def azure(data: Data) -> Task:
    """Requests that share nothing."""
    return trace("azure-trace", azure_rows, data)
