r"""Answers that are one number.

``gsm8k`` is AISBench's rule, on which the scores that people quote rest: the last number of the
text. A comma ends a number there, so that ``1,234`` is read as 234, ``\boxed{18} in 2 days`` as 2,
the range ``3-4`` as -4; and what follows the word ``Question:``, wherever it stands, is not read.
``gsm8k_fixed`` reads 1234, 18 and 4, and stops only where a new line begins with ``Question:``.
"""

import re
from decimal import Decimal

from steelyard.core import Sample, Verdict
from steelyard.scoring.extract import boxed
from steelyard.scoring.registry import scorer

_DIGITS = re.compile(r"-?\d+(?:\.\d+)?")
_WRITTEN = re.compile(
    r"""
    ( (?<![\w)\]}.,%-]) [-−] )?     # a minus sign, but no dash behind a word or a number
    (?: \\?[$€£¥] )?
    ( \d{1,3} (?: (?:,|\{,\}|\\,) \d{3} )+ (?!\d)   # with thousands separators
    | \d+
    | (?<![\w.]) (?=\.\d) )         # nothing before the point: .5
    ( \.\d+ )?
    """,
    re.VERBOSE,
)


@scorer(version=1)
def gsm8k(text: str, sample: Sample) -> Verdict:
    """AISBench's rule: the last number before any further ``Question:`` equals the target.

    Equal is the same text, or within a millionth of a whole-number target.
    """
    found = _DIGITS.findall(text.partition("Question:")[0])
    if not found:
        return Verdict(0.0, why="no number in the answer")
    answer, target = found[-1], sample.target or ""
    return Verdict(float(answer == target or _close(answer, target)), answer)


@scorer(version=1)
def gsm8k_fixed(text: str, sample: Sample) -> Verdict:
    """The last number, or that of the last box where there is one, has the value of the target.

    Thousands separators (``1,234``, ``1{,}234``), currency signs and trailing zeros make no
    difference. What a model writes after asking itself a next question does not count.
    """
    own = text.strip().partition("\nQuestion:")[0]
    answer = number(boxed(own))
    if answer is None:
        answer = number(own)
    if answer is None:
        return Verdict(0.0, why="no number in the answer")
    return Verdict(float(answer == number(sample.target or "")), str(answer))


def number(text: str) -> Decimal | None:
    """The last number in ``text``, as people write numbers; ``None`` when there is none."""
    for word in reversed(text.split()):
        if found := _WRITTEN.findall(word):
            minus, digits, decimals = found[-1]
            whole = re.sub(r"\D", "", digits) or "0"
            return Decimal(f"{'-' if minus else ''}{whole}{decimals}")
    return None


def _close(answer: str, target: str) -> bool:
    try:
        return abs(float(answer) - int(target)) < 1e-6
    except (ValueError, OverflowError):
        return False
