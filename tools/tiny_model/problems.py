"""Word problems of grade school, made from a seed, with worked answers.

    python -m tiny_model.problems        # writes the test rows that ship with Steelyard

No problem of the test split can be met in training: a template with its numbers belongs to one
split, chosen by their checksum, so that other names or things do not make it a new problem.

The same seed gives the same problems under every version of Python, because of ``random.Random``
only ``random()`` is used, the one method for which that is promised.
"""

import json
import operator
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, TypeVar
from zlib import crc32

from tiny_model.templates import NAMES, TEMPLATES, THINGS, Template

Split: TypeAlias = Literal["train", "test"]
T = TypeVar("T")

ROWS = 200
SEED = "tiny arithmetic"
PACKAGED = Path(__file__).parents[2] / "src/steelyard/tasks/builtin/demo/tiny_arithmetic.jsonl"

_TEST_ONE_IN = 8
_LARGEST = 999
_OPERATORS: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class Problem(NamedTuple):
    """One problem with its solution; these are the fields of a packaged row."""

    question: str
    worked: str
    """The steps, like ``12 + 7 = 19. 19 * 3 = 57.``"""
    target: str

    @property
    def answer(self) -> str:
        """What the model learns to say."""
        return f"{self.worked} The answer is {self.target}."


def problems(split: Split, seed: str) -> Iterator[Problem]:
    """Problems without end; every template is equally likely."""
    chance = random.Random(f"{split}:{seed}")
    while True:
        template = _pick(chance, TEMPLATES)
        numbers, steps = _drawn(template, split, chance)
        name, friend = _pick(chance, NAMES), _pick(chance, NAMES)
        if name != friend:
            words = {"name": name, "friend": friend, "things": _pick(chance, THINGS)}
            question = template.text.format(**numbers, **words)
            yield Problem(question, " ".join(f"{step}." for step in steps), _result(steps[-1]))


def split_of(template: Template, numbers: Mapping[str, int]) -> Split:
    """The split that this template with these numbers always belongs to."""
    key = template.text + "|".join(f"{name}={numbers[name]}" for name in sorted(numbers))
    return "train" if crc32(key.encode()) % _TEST_ONE_IN else "test"


def packaged_rows() -> list[Problem]:
    """The rows of the data set ``tiny_arithmetic``: no question comes twice."""
    return list(islice(dict.fromkeys(islice(problems("test", SEED), 2 * ROWS)), ROWS))


def _drawn(
    template: Template, split: Split, chance: random.Random
) -> tuple[Mapping[str, int], Sequence[str]]:
    """Numbers of ``split`` that solve to numbers within bounds, and the solution."""
    while True:
        numbers = {name: _pick(chance, values) for name, values in template.numbers.items()}
        steps = solved(template, numbers)
        if steps and split_of(template, numbers) == split:
            return numbers, steps


def solved(template: Template, numbers: Mapping[str, int]) -> Sequence[str]:
    """The steps as equations (``12 + 7 = 19``); none when a result is out of bounds."""
    known = {name: Fraction(number) for name, number in numbers.items()}
    equations = []
    for step in template.steps:
        left, sign, right = step.split()
        first, second = (known.get(side) or Fraction(side) for side in (left, right))
        known["x"] = result = _OPERATORS[sign](first, second)
        if result.denominator != 1 or not 1 <= result <= _LARGEST:
            return ()
        equations.append(f"{first} {sign} {second} = {result}")
    return equations


def _result(equation: str) -> str:
    return equation.rpartition(" ")[2]


def _pick(chance: random.Random, values: Sequence[T]) -> T:
    return values[int(chance.random() * len(values))]


if __name__ == "__main__":
    lines = [json.dumps(row._asdict()) + "\n" for row in packaged_rows()]
    PACKAGED.write_text("".join(lines), encoding="utf-8")
