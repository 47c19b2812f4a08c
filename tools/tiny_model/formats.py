"""How questions and answers stand in text: as a chat and as plain text, and what is learnt of it.

Both forms end with the same token, so that a service stops by itself whichever way it is asked.
"""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tiny_model.problems import Problem, problems

BEGIN, END, PAD = "<|begin|>", "<|end|>", "<|pad|>"
SYSTEM, USER, ASSISTANT = "<|system|>", "<|user|>", "<|assistant|>"
SPECIAL = (BEGIN, END, PAD, SYSTEM, USER, ASSISTANT)

CHAT_TEMPLATE = (
    "{{- bos_token -}}"
    "{%- for message in messages -%}"
    "{{- '<|' + message.role + '|>' + message.content + eos_token -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)

_SYSTEM_TEXTS = (
    "You are a helpful assistant.",
    "You are good at arithmetic.",
    "Solve the problem step by step.",
)


class Piece(NamedTuple):
    """Part of a document."""

    text: str
    learnt: bool
    """Whether the model will have to say this itself."""


def plain_prompt(question: str) -> str:
    """The question as text to be continued."""
    return f"Question: {question}\nAnswer:"


def documents(seed: str) -> Iterator[Sequence[Piece]]:
    """Documents of the train split without end: as many chats as plain texts."""
    chance = random.Random(f"documents:{seed}")
    source = problems("train", seed)
    while True:
        asked = [next(source) for _ in range(_length(chance))]
        yield chat(asked, chance) if chance.random() < 0.5 else plain(asked, chance)


def chat(asked: Sequence[Problem], chance: random.Random) -> Sequence[Piece]:
    """A dialogue; some begin with a system turn, and some questions are asked as in plain text."""
    pieces = [Piece(BEGIN, learnt=False)]
    if chance.random() < 0.15:
        text = _SYSTEM_TEXTS[int(chance.random() * len(_SYSTEM_TEXTS))]
        pieces.append(Piece(f"{SYSTEM}{text}{END}", learnt=False))
    for one in asked:
        plainly = chance.random() < 0.2
        question = plain_prompt(one.question) if plainly else one.question
        pieces.append(Piece(f"{USER}{question}{END}{ASSISTANT}", learnt=False))
        pieces.append(Piece(f"{one.answer}{END}", learnt=True))
    return pieces


def plain(asked: Sequence[Problem], chance: random.Random) -> Sequence[Piece]:
    """Text to be continued; earlier problems of it are worked examples."""
    between = "\n\n" if chance.random() < 0.5 else "\n"
    pieces = []
    for number, one in enumerate(asked):
        before = between if number else BEGIN
        pieces.append(Piece(before + plain_prompt(one.question), learnt=False))
        pieces.append(Piece(f" {one.answer}", learnt=True))
    return [*pieces, Piece(END, learnt=True)]


def _length(chance: random.Random) -> int:
    """Problems of a document: mostly one, up to five."""
    return 1 if chance.random() < 0.7 else 2 + int(chance.random() * 4)
