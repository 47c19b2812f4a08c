"""Marking rules that belong to one data set: MMLU-Pro, GPQA, HLE, CMMLU, users' own questions.

Each is AISBench's unless its name says otherwise. The repaired rule for exam letters is
``stated_option``.
"""

import re

from steelyard.core import ConfigError, Sample, Verdict
from steelyard.scoring.distance import levenshtein
from steelyard.scoring.option_patterns import first_option
from steelyard.scoring.options import match_answer, match_last_answer, matched
from steelyard.scoring.registry import scorer
from steelyard.scoring.stated import stated_letter

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

mmlu_pro_0_shot = match_answer(r"(?i)ANSWER\s*:\s*([A-P])", name="mmlu_pro_0_shot")
"""The first letter behind ``Answer:`` is the target; a lower-case one is read and is wrong."""

mmlu_pro_official = match_answer(r"answer is \(?([A-J])\)?", name="mmlu_pro_official")
"""The authors' first expression alone: nothing where it does not match, no random guess."""

answer_line = match_last_answer(r"(?im)^[*\s]*Answer[*\s]*:[*\s]*(.+?)[*\s]*$", name="answer_line")
"""What stands behind ``Answer:`` on the last such line is the target, to the letter."""

_GPQA = r"(?i)ANSWER\s*:\s*([A-D])"

gpqa_first = match_answer(_GPQA, name="gpqa_first")
"""OpenCompass's: the first letter behind ``Answer:`` is the target; a small one is wrong."""

gpqa_last = match_last_answer(_GPQA, name="gpqa_last")
"""The last letter behind ``Answer:`` instead."""

cmmlu = match_answer(r"(?i)答案\s*:\W*([A-D])", name="cmmlu")
"""The first letter behind ``答案:`` is the target; behind a full-width colon nothing is read."""


@scorer(version=1)
def mmlu_pro_5_shot(text: str, sample: Sample) -> Verdict:
    """The first line of the text is the target letter or the target option's text.

    An option with ``". "`` in its text is never matched, not even by its letter.
    """
    answer = text.partition("\n")[0].strip()
    if not answer:
        return Verdict(0.0, why="the first line is empty")
    option = _option(sample)
    right = option is not None and ". " not in option and answer in (sample.target, option.strip())
    return Verdict(float(right), answer)


@scorer(version=1)
def custom_choice(text: str, sample: Sample) -> Verdict:
    """The option that the text is, names, contains or, failing all, resembles most is the target.

    The rule for users' own multiple-choice rows. It always finds some option: an answer about
    something else counts for the nearest one.
    """
    own = text.strip()
    options = _letters_of(sample)
    if len(own) == 1 and own in options:
        return matched(own, sample, "the letter alone")
    if found := first_option(own, options, cushion=False):
        return matched(found.letter, sample, f"pattern {found.way}")
    inside = [option.lower() in own.lower() for option in sample.choices]
    if inside.count(True) == 1:
        return matched(options[inside.index(True)], sample, "the only option contained")
    return matched(_nearest(own, options, sample.choices), sample, "the nearest option, a guess")


@scorer(version=1)
def custom_choice_fixed(text: str, sample: Sample) -> Verdict:
    """The option whose letter the text states, or the only one that it contains, is the target.

    Unlike ``custom_choice`` it does not guess: other answers are unparsed.
    """
    options = _letters_of(sample)
    if stated := stated_letter(text, options):
        return matched(stated, sample, "the letter stated")
    inside = [_mentions(text, option) for option in sample.choices]
    if inside.count(True) == 1:
        return matched(options[inside.index(True)], sample, "the only option contained")
    return matched("", sample)


@scorer(version=1)
def nearest_option(text: str, sample: Sample) -> Verdict:
    """The option that the whole text resembles most is the target: the rule of SIQA.

    Compared are letter, option text and both (``A. text``) by edit distance; the first of equally
    near options counts. It always finds some option, in an empty answer too.
    """
    letter = _nearest(text, _letters_of(sample), sample.choices)
    return matched(letter, sample, "the nearest option")


@scorer(version=1)
def exact_match(text: str, sample: Sample) -> Verdict:
    """The whole text is the target, character by character: the rule for users' own questions."""
    return Verdict(float(text == sample.target), text or None)


def _letters_of(sample: Sample) -> str:
    if not 1 < len(sample.choices) <= len(_LETTERS):
        raise ConfigError(
            f"sample {sample.id!r} has {len(sample.choices)} options, but is marked by its option "
            "letters. Give it 2 to 26 options, or mark it as a free answer."
        )
    return _LETTERS[: len(sample.choices)]


def _option(sample: Sample) -> str | None:
    """The text of the target's option."""
    position = _LETTERS.find(sample.target or "?")
    return sample.choices[position] if 0 <= position < len(sample.choices) else None


def _nearest(text: str, options: str, choices: tuple[str, ...]) -> str:
    """The first of the options to one of whose spellings ``text`` has the smallest distance."""
    spellings = [
        (letter, spelling)
        for letter, option in zip(options, choices, strict=True)
        for spelling in (letter, option, f"{letter}. {option}")
    ]
    distances = levenshtein(text, [spelling for _, spelling in spellings])
    return spellings[distances.index(min(distances))][0]


def _mentions(text: str, option: str) -> bool:
    """Whether the option's text stands in ``text``, not as part of a longer word or number."""
    wanted = re.escape(option.strip())
    return bool(wanted) and bool(
        re.search(rf"(?<![A-Za-z0-9]){wanted}(?![A-Za-z0-9])", text, re.IGNORECASE)
    )
