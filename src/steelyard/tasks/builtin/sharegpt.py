"""ShareGPT: what people and a chat model said to each other, as load of many turns.

Source:  https://huggingface.co/datasets/anon8231489123/ShareGPT_Vicuna_unfiltered
Data:    sharegpt/ShareGPT_V3_unfiltered_cleaned_split.json, or a file of the same form
Row:     {"id": "QWJhYvA_0", "conversations": [{"from": "human", "value": "Summarize ..."},
         {"from": "gpt", "value": "Here is ..."}, ...]}
Kept:    dialogues that a person begins, in which both take turns and the model has the last word;
         others, and those with an empty message, are left out
Prompt:  the person's words; a turn may answer as long as the reference did (needs a tokenizer)
Marking: none, there is no right answer
"""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from steelyard.core import DataError, MissingData, Prompt, Sample, Task
from steelyard.scoring import exact_match
from steelyard.tasks import dialogues
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.dialogues import dialogue, limited_like_references, thinking
from steelyard.tasks.files import rows
from steelyard.tasks.tokenizer import open_tokenizer

SOURCE = "https://huggingface.co/datasets/anon8231489123/ShareGPT_Vicuna_unfiltered"
FILE = "sharegpt/ShareGPT_V3_unfiltered_cleaned_split.json"
SAMPLE_FILE = "sharegpt/ShareGPT_format_sample.json"
PEOPLE = ("human", "user")
MODELS = ("gpt", "chatgpt", "assistant", "bing", "bard")


class Options(dialogues.Options, frozen=True, kw_only=True):
    """What may be said about ShareGPT."""

    path: str = ""
    """Another file of the same form."""
    disable_shuffle: bool = True
    """The order of the file; ``false`` mixes the dialogues."""
    random_seed: int = 0
    """Of the mixing."""


class Said(msgspec.Struct, frozen=True):
    """One message."""

    speaker: str = msgspec.field(name="from")
    value: str


class Row(msgspec.Struct, frozen=True):
    """One dialogue."""

    conversations: tuple[Said, ...]


def usable(row: Row) -> bool:
    """Whether the dialogue is questions and answers in turn, none of them empty."""
    said = row.conversations
    in_turn = all(
        one.speaker in (MODELS if number % 2 else PEOPLE) and one.value.strip()
        for number, one in enumerate(said)
    )
    return in_turn and len(said) >= 2 and len(said) % 2 == 0


def to_sample(index: int, row: Row) -> Sample:
    """The questions, and the answers as references."""
    texts = [one.value for one in row.conversations]
    return dialogue(str(index), texts[0::2], texts[1::2])


def find(data: Data) -> Path:
    """The file asked for, else the data set, else the sample of its form."""
    named = data.options(Options).path
    if named:
        return Path(named) if Path(named).is_file() else data.find(named, SOURCE)
    found = data.find_any((FILE, SAMPLE_FILE))
    if found is None:
        raise MissingData(FILE, tuple(map(str, data.roots)), SOURCE)
    return found


def mixed(samples: list[Sample], seed: int) -> list[Sample]:
    """The samples in an order of chance."""
    random.Random(seed).shuffle(samples)
    return samples


def read(data: Data) -> Iterator[Sample]:
    """The dialogues that can be asked; ids are row numbers of the file, from 0."""
    options, path = data.options(Options), find(data)
    numbered = enumerate(row for _, row in rows(path, Row))
    kept: Iterator[Sample] = (to_sample(index, row) for index, row in numbered if usable(row))
    if not options.disable_shuffle:
        kept = iter(mixed(list(kept), options.random_seed))
    if data.tokenizer is not None:
        kept = limited_like_references(kept, open_tokenizer(data.tokenizer))
    empty = True
    for sample in thinking(kept, options.think_s):
        empty = False
        yield sample
    if empty:
        raise DataError(f"{path}: no dialogue is questions and answers in turn")


@task("sharegpt_gen", options=Options)
def sharegpt(data: Data) -> Task:
    """Dialogues of any number of turns."""
    return Task(
        name="sharegpt",
        version=1,
        samples=partial(read, data),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        dialogue=data.options(Options).infer_mode,
    )
