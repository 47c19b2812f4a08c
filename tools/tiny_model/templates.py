"""What the word problems say: texts with numbers left out, and the steps that solve them.

A step names numbers of the text (``a``, ``b``, ``c``), the result of the step before (``x``) or a
constant that the text says in words (``2`` for "twice"). A division must come out even and every
result must be a number from 1 to 999; numbers for which that fails are drawn again.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Template(NamedTuple):
    """A kind of problem; ``{name}``, ``{friend}`` and ``{things}`` do not change the answer."""

    text: str
    steps: tuple[str, ...]
    numbers: Mapping[str, range]


FEW = range(2, 13)
MANY = range(5, 100)
LOTS = range(20, 300)


def _template(text: str, *steps: str, **numbers: range) -> Template:
    return Template(text, steps, numbers)


ONE_STEP = (
    _template(
        "{name} has {a} {things}. {friend} gives {name} {b} more. "
        "How many {things} does {name} have now?",
        "a + b",
        a=MANY,
        b=MANY,
    ),
    _template(
        "There are {a} {things} in the box and {b} {things} on the table. "
        "How many {things} are there in all?",
        "a + b",
        a=LOTS,
        b=LOTS,
    ),
    _template(
        "{name} read {a} pages on Monday and {b} pages on Tuesday. "
        "How many pages did {name} read in the two days?",
        "a + b",
        a=MANY,
        b=MANY,
    ),
    _template(
        "{name} has {a} {things}. {friend} has {b} more {things} than {name}. "
        "How many {things} does {friend} have?",
        "a + b",
        a=LOTS,
        b=MANY,
    ),
    _template(
        "{name} had {a} {things} and gave {b} of them to {friend}. "
        "How many {things} does {name} have left?",
        "a - b",
        a=MANY,
        b=MANY,
    ),
    _template(
        "A shop had {a} {things} in the morning and sold {b} of them during the day. "
        "How many {things} were left in the evening?",
        "a - b",
        a=LOTS,
        b=MANY,
    ),
    _template(
        "{name} has {a} {things} and {friend} has {b} {things}. "
        "How many more {things} does {name} have than {friend}?",
        "a - b",
        a=LOTS,
        b=LOTS,
    ),
    _template(
        "{name} wants to save ${a} and has saved ${b} so far. How many dollars are missing?",
        "a - b",
        a=LOTS,
        b=LOTS,
    ),
    _template(
        "{name} buys {a} bags with {b} {things} in each bag. How many {things} does {name} buy?",
        "a * b",
        a=FEW,
        b=FEW,
    ),
    _template(
        "One ticket costs ${b}. How many dollars does {name} pay for {a} tickets?",
        "a * b",
        a=FEW,
        b=MANY,
    ),
    _template(
        "There are {a} rows of chairs with {b} chairs in each row. How many chairs are there?",
        "a * b",
        a=FEW,
        b=FEW,
    ),
    _template(
        "{name} runs {a} miles every day. How many miles does {name} run in {b} days?",
        "a * b",
        a=FEW,
        b=MANY,
    ),
    _template(
        "{name} has {a} {things}. {friend} has twice as many. "
        "How many {things} does {friend} have?",
        "a * 2",
        a=LOTS,
    ),
    _template(
        "{name} shares {a} {things} equally among {b} friends. "
        "How many {things} does each friend get?",
        "a / b",
        a=LOTS,
        b=FEW,
    ),
    _template(
        "{name} packs {a} {things} into boxes of {b}. How many boxes does {name} fill?",
        "a / b",
        a=LOTS,
        b=FEW,
    ),
    _template(
        "{a} children are put into teams of {b}. How many teams are there?",
        "a / b",
        a=MANY,
        b=FEW,
    ),
    _template(
        "{name} has {a} {things}. {friend} has half as many. How many {things} does {friend} have?",
        "a / 2",
        a=LOTS,
    ),
)

TWO_STEPS = (
    _template(
        "{name} has {a} {things}. {name} buys {b} more and then gives {c} to {friend}. "
        "How many {things} does {name} have left?",
        "a + b",
        "x - c",
        a=MANY,
        b=MANY,
        c=MANY,
    ),
    _template(
        "A bus has {a} people on it. At the first stop {b} people get off, and at the second stop "
        "{c} people get on. How many people are on the bus now?",
        "a - b",
        "x + c",
        a=MANY,
        b=FEW,
        c=MANY,
    ),
    _template(
        "{name} picked {a} {things} on Monday, {b} on Tuesday and {c} on Wednesday. "
        "How many {things} did {name} pick in all?",
        "a + b",
        "x + c",
        a=MANY,
        b=MANY,
        c=MANY,
    ),
    _template(
        "{name} has ${a}. {name} buys a book for ${b} and a game for ${c}. "
        "How many dollars does {name} have left?",
        "a - b",
        "x - c",
        a=LOTS,
        b=MANY,
        c=MANY,
    ),
    _template(
        "{name} buys {a} boxes with {b} {things} in each box and gives {c} of them to {friend}. "
        "How many {things} does {name} have left?",
        "a * b",
        "x - c",
        a=FEW,
        b=FEW,
        c=MANY,
    ),
    _template(
        "{name} has {c} {things} and buys {a} packs with {b} {things} in each pack. "
        "How many {things} does {name} have now?",
        "a * b",
        "x + c",
        a=FEW,
        b=FEW,
        c=MANY,
    ),
    _template(
        "{name} works {a} hours a day for {b} days and earns ${c} an hour. "
        "How many dollars does {name} earn?",
        "a * b",
        "x * c",
        a=FEW,
        b=FEW,
        c=FEW,
    ),
    _template(
        "{name} pays with ${c} for {a} notebooks that cost ${b} each. "
        "How many dollars does {name} get back?",
        "a * b",
        "c - x",
        a=FEW,
        b=FEW,
        c=LOTS,
    ),
    _template(
        "{name} has {a} {things} and {friend} has {b}. They put them together and share them "
        "equally among {c} children. How many {things} does each child get?",
        "a + b",
        "x / c",
        a=MANY,
        b=MANY,
        c=FEW,
    ),
    _template(
        "{name} had {a} {things}, lost {b} of them and put the rest into {c} equal piles. "
        "How many {things} are in each pile?",
        "a - b",
        "x / c",
        a=LOTS,
        b=FEW,
        c=FEW,
    ),
    _template(
        "There are {a} boys and {b} girls in a class. Every child brings {c} {things}. "
        "How many {things} do they bring in all?",
        "a + b",
        "x * c",
        a=MANY,
        b=FEW,
        c=FEW,
    ),
    _template(
        "A farmer has {a} hens and sells {b} of them. Every hen that is left lays {c} eggs a week. "
        "How many eggs does the farmer get in a week?",
        "a - b",
        "x * c",
        a=MANY,
        b=MANY,
        c=FEW,
    ),
    _template(
        "{name} puts {a} {things} into {b} equal bags and then adds {c} more {things} to one bag. "
        "How many {things} are in that bag?",
        "a / b",
        "x + c",
        a=LOTS,
        b=FEW,
        c=FEW,
    ),
    _template(
        "{b} friends share {a} {things} equally. {name} is one of them and eats {c}. "
        "How many {things} does {name} have left?",
        "a / b",
        "x - c",
        a=LOTS,
        b=FEW,
        c=FEW,
    ),
    _template(
        "{b} tickets cost ${a} together. How many dollars do {c} tickets cost?",
        "a / b",
        "x * c",
        a=LOTS,
        b=FEW,
        c=FEW,
    ),
    _template(
        "{name} has {a} {things}. {friend} has {b} more than {name}. "
        "How many {things} do they have together?",
        "a + b",
        "a + x",
        a=MANY,
        b=MANY,
    ),
    _template(
        "{name} has {a} {things}. {friend} has twice as many. "
        "How many {things} do they have together?",
        "a * 2",
        "a + x",
        a=MANY,
    ),
)

TEMPLATES = (*ONE_STEP, *TWO_STEPS)

NAMES = (
    "Amir", "Anna", "Ben", "Carla", "Chen", "David", "Elena", "Emma", "Finn", "Grace",
    "Hana", "Ivan", "Jack", "Julia", "Kofi", "Lena", "Lucas", "Maria", "Mei", "Nina",
    "Omar", "Paul", "Rosa", "Sam", "Sofia", "Tom", "Wei", "Yusuf",
)  # fmt: skip

THINGS = (
    "apples", "balls", "books", "buttons", "cards", "coins", "cookies", "eggs", "flowers",
    "marbles", "nuts", "oranges", "pencils", "pens", "plums", "shells", "stamps", "stars",
    "stickers", "stones",
)  # fmt: skip
