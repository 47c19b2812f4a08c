"""Scorers for multiple choice: read a letter, compare it with the target.

``first_capital``, ``last_capital``, ``first_option(...)``, ``last_option(...)`` and
``match_answer(...)`` are the rules that AISBench's tasks are built from; ``stated_option(...)`` is
the repaired rule that stands beside them as ``fixed``. Rules of single data sets are in
``exams.py``.
"""

from functools import partial

from steelyard.core import ConfigError, Sample, Verdict
from steelyard.scoring import extract
from steelyard.scoring.option_patterns import first_option as _first_option
from steelyard.scoring.registry import Rule, scorer
from steelyard.scoring.stated import stated_letter


@scorer(version=1)
def first_capital(text: str, sample: Sample) -> Verdict:
    """The first upper-case letter is the target. "The answer is B" is read as ``T``."""
    return matched(extract.first_capital(text), sample)


@scorer(version=1)
def last_capital(text: str, sample: Sample) -> Verdict:
    """The last upper-case letter is the target."""
    return matched(extract.last_capital(text), sample)


@scorer(version=1)
def first_capital_multi(text: str, sample: Sample) -> Verdict:
    """The first run of the letters A to D is the target (several right options)."""
    return matched(extract.first_capital_multi(text), sample)


def first_option(options: str) -> Rule:
    """The letter that AISBench's fifty patterns read, cushion included, is the target."""
    return Rule(partial(_by_first_option, options=_checked(options)), f"first_option({options})@1")


def last_option(options: str) -> Rule:
    """The last character of the text that is one of ``options`` is the target."""
    return Rule(partial(_by_last_option, options=_checked(options)), f"last_option({options})@1")


def match_answer(pattern: str, *, name: str, version: int = 1) -> Rule:
    """Group 1 of the first match of ``pattern`` is the target; ``name`` is for result files."""
    return Rule(partial(_by_pattern, pattern=pattern), f"{name}@{version}")


def match_last_answer(pattern: str, *, name: str, version: int = 1) -> Rule:
    """Like ``match_answer``, with the last match."""
    return Rule(partial(_by_last_match, pattern=pattern), f"{name}@{version}")


def stated_option(options: str) -> Rule:
    """The letter that the text states as its answer is the target: the repaired letter rule.

    Only letters that the sample has an option for count.
    """
    return Rule(partial(_by_statement, options=_checked(options)), f"stated_option({options})@1")


def matched(answer: str, sample: Sample, why: str = "") -> Verdict:
    """The verdict on an answer that was read: equal to the target or not; ``""`` is unparsed."""
    if not answer:
        return Verdict(0.0, why=why or "no option in the answer")
    return Verdict(float(answer == sample.target), answer, why)


def _by_first_option(text: str, sample: Sample, *, options: str) -> Verdict:
    found = _first_option(text, options)
    return matched(found.letter, sample, f"pattern {found.way}") if found else matched("", sample)


def _by_last_option(text: str, sample: Sample, *, options: str) -> Verdict:
    return matched(extract.last_option(text, options), sample)


def _by_pattern(text: str, sample: Sample, *, pattern: str) -> Verdict:
    return matched(extract.match_answer(text, pattern), sample)


def _by_last_match(text: str, sample: Sample, *, pattern: str) -> Verdict:
    return matched(extract.match_last_answer(text, pattern), sample)


def _by_statement(text: str, sample: Sample, *, options: str) -> Verdict:
    offered = options[: len(sample.choices)] if sample.choices else options
    return matched(stated_letter(text, offered), sample)


def _checked(options: str) -> str:
    """``options`` unchanged; ``ConfigError`` unless they are different capital letters."""
    if not options or len(set(options)) < len(options) or not all("A" <= x <= "Z" for x in options):
        raise ConfigError(
            f"option letters {options!r} were given to a scorer. "
            "Expected different capital letters without separators, such as 'ABCD'."
        )
    return options
