"""Synthetic load: prompts and answers of chosen lengths, for measuring speed.

Source:  made while it is read, from a seed; nothing to download
Data:    synthetic/synthetic_config.py or .json in a data folder, where there is one
Row:     {"question": "river orange music ...", "max_tokens": 128}
Prompt:  the text alone
Marking: none, there is no right answer
"""

from collections.abc import Iterator
from functools import partial

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import exact_match
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.synthetic import Kind, samples
from steelyard.tasks.synthetic_file import Options, settings_of
from steelyard.tasks.tokenizer import tokenizer_of
from steelyard.tasks.words import common_words, words_of


def rows(data: Data, kind: Kind | None) -> Iterator[Sample]:
    """The rows that settings and options ask for."""
    settings = settings_of(data, kind)
    exact = settings.type == "tokenid"
    words = words_of(tokenizer_of(data, "synthetic tokenid")) if exact else common_words()
    return samples(settings, words)


def synthetic(data: Data, kind: Kind | None = None) -> Task:
    """The task; ``kind`` stands above the type that the settings name."""
    data.options(Options)
    return Task(
        name="synthetic",
        version=1,
        samples=partial(rows, data, kind),
        prompt=Prompt(user="{question}"),
        scorer=exact_match,
    )


@task("synthetic_gen", options=Options)
def as_set(data: Data) -> Task:
    """Rows of the type in the settings: random common words when there are none."""
    return synthetic(data)


@task("synthetic_gen_string", options=Options)
def letters(data: Data) -> Task:
    """The letter A, again and again."""
    return synthetic(data, "string")


@task("synthetic_gen_tokenid", options=Options)
def tokens(data: Data) -> Task:
    """Random words of the model's vocabulary, an exact number of tokens."""
    return synthetic(data, "tokenid")
