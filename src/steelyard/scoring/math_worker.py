r"""The process in which math-verify runs: one JSON line in, one JSON line out, until input ends.

It runs apart because a comparison can hang or eat memory, and because math-verify keeps time with
a signal. This file is run by its path and imports nothing of Steelyard. The first line out is
``{"trouble": ""}``; it holds the reason when math-verify cannot be imported.

    in:   {"text": "so $x = \\boxed{0.5}$", "gold": "\\frac{1}{2}", "lenient": false}
    out:  {"right": true, "answer": "0.5", "why": ""}

``lenient: false`` is the rule of AISBench, ``true`` that of ``math_verify_fixed``; both are
described in ``math_check``. ``answer`` is null when nothing could be read.
"""

import contextlib
import json
import logging
import re
import resource
import sys
from collections.abc import Callable
from typing import NamedTuple, TextIO

_MEMORY_BYTES = 4 << 30
_MATHS = re.compile(r"(?<!\\)\$|\\boxed|\\\(|\\\[")
_TEXT = re.compile(r"\\text\{[^}]*\}")
_WORD = re.compile(r"(?<![\\{A-Za-z])[A-Za-z]{3,}")


class Outcome(NamedTuple):
    """What came of one comparison."""

    right: bool
    answer: str | None
    why: str = ""


def main() -> None:
    """Answer requests from standard input on standard output."""
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, sys.stderr
    _, most_bytes = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):  # not every system limits address space
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, most_bytes))
    try:
        strict, lenient = _strict(), _lenient()
    except ImportError as error:
        _write(out, {"trouble": str(error)})
        return
    _write(out, {"trouble": ""})
    for line in sys.stdin.buffer:
        question = json.loads(line)
        compare = lenient if question["lenient"] else strict
        _write(out, compare(question["text"], question["gold"])._asdict())


def in_maths(latex: str) -> str:
    r"""``latex`` in dollar signs, unless some of it is marked as maths or it contains prose.

    Outside of maths math-verify sees only plain numbers: it reads a bare ``\frac{1}{2}`` as 2.
    """
    prose = _WORD.search(_TEXT.sub("", latex))
    return latex if prose or _MATHS.search(latex) else f"${latex}$"


def _write(out: TextIO, message: dict[str, object]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _strict() -> Callable[[str, str], Outcome]:
    from math_verify import LatexExtractionConfig, LatexNormalizationConfig, parse, verify

    normalization = LatexNormalizationConfig(
        basic_latex=True,
        units=True,
        malformed_operators=False,
        nits=False,
        boxed="all",
        equations=True,
    )
    latex_only = LatexExtractionConfig(
        normalization_config=normalization,
        boxed_match_priority=0,
        try_extract_without_anchor=False,
    )

    def compare(text: str, gold: str) -> Outcome:
        expected = _gold(gold)
        found = parse(text, extraction_config=[latex_only], extraction_mode="first_match")
        if not expected:
            return _unreadable_gold(found)
        return Outcome(bool(verify(found, expected)), _read(found))

    return compare


def _lenient() -> Callable[[str, str], Outcome]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    either = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]

    def compare(text: str, gold: str) -> Outcome:
        expected = _gold(gold)
        found = parse(in_maths(text), extraction_config=either)
        if not expected:
            return _unreadable_gold(found)
        return Outcome(bool(verify(expected, found)), _read(found))

    return compare


def _gold(gold: str) -> list[object]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

    either = [LatexExtractionConfig(), ExprExtractionConfig()]
    for latex in (in_maths(gold), f"${gold}$"):
        parsed: list[object] = parse(latex, extraction_config=either, extraction_mode="first_match")
        if parsed:
            return parsed
    return []


def _read(found: list[object]) -> str | None:
    """math-verify returns values and, last, the text that they came from."""
    return str(found[-1]) if found else None


def _unreadable_gold(found: list[object]) -> Outcome:
    return Outcome(right=False, answer=_read(found), why="math-verify cannot read the gold answer")


if __name__ == "__main__":
    main()
