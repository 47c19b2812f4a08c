"""Made-up tables in the layout of AlpacaEval's ``df_gamed.csv``; plain Python, the same anywhere.

The difficulties follow the preferences of the run that they are made for, as AlpacaEval's follow
those of many models; the sizes of all effects are about those of AlpacaEval's published weights.
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

HEADER = "model,index,preference,std_delta_len,instruction_difficulty,not_gamed_baseline"


class Pair(NamedTuple):
    """A preference for the second of two answers, and the characters of both."""

    preference: float
    length_1: int
    length_2: int


def sides(pairs: Sequence[Pair], which: str) -> list[Pair]:
    """The run as it is, with all sides changed, or with those of every second pair."""
    step = {"as it is": 0, "swapped": 1, "mixed": 2}[which]
    return [
        Pair(1 - pair.preference, pair.length_2, pair.length_1)
        if step and number % step == 0
        else pair
        for number, pair in enumerate(pairs)
    ]


def table(pairs: Sequence[Pair], seed: int) -> Iterator[str]:
    """The lines of a table for ``pairs``."""
    draw = random.Random(seed)
    length, spread, whole = draw.uniform(0.3, 2.5), draw.uniform(0.3, 1.2), draw.random() < 0.4
    hard = [round(2 * pair.preference + draw.gauss(-0.3, spread), 6) for pair in pairs]
    yield HEADER
    for model, shift in (("verbose", -1.2), ("concise", 1.2)):
        for index, difficulty in enumerate(hard):
            shorter = round(draw.gauss(shift, 0.8), 6)
            odds = 0.8 * difficulty - length * math.tanh(shorter)
            chance = 1 / (1 + math.exp(-3 * (odds + draw.gauss(0, 1))))
            value = float(draw.random() < chance) if whole else round(chance, 6)
            yield f"gpt4_1106_preview_{model},{index},{value},{shorter},{difficulty},False"
