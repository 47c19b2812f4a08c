"""How sure answers say they are, and whether they are as often right: Humanity's Last Exam.

The judge reads the confidence out of the answer; its form has it say 100 % where the answer states
none, as the authors' does. The calibration error is the authors': answers in the order of their
confidence (those as sure as one another in the order of the data) in bins of 100, what is left over
in the last bin; the root of the sum over the bins of n_bin / n * (mean confidence - share right)^2.
Source: centerforaisafety/hle, ``hle_eval/run_judge_results.py``, ``calib_err``.

The authors' program leaves the last bin out of the sum (its loop ends one bin early), though not
out of n, and so the 100 to 199 surest answers: their published figures are a little too small. So
``calibration_error`` is as theirs, for comparisons, but for their rounding to whole percent;
``calibration_error (every bin)`` is what the name says. The first needs two bins, the second one;
with one theirs is 0 and with none it fails.

Left out are answers without a confidence: where the judge's reply states a verdict and no (or more
than one) number, and where no judge was asked because there was no answer. A cascade, whose rule
accepts answers without asking how sure they are, has no such figures.
"""

from collections.abc import Iterator, Sequence
from math import fsum, sqrt
from typing import NamedTuple

from msgspec.structs import replace

from steelyard.core import Json, Judgement, Metric, Score
from steelyard.scoring.judge_readings import Correctness
from steelyard.scoring.judge_text import after_reasoning, out_of_its_block, plain
from steelyard.scoring.judging import FormJudge
from steelyard.scoring.verdict_json import objects

BIN = 100
"""Answers in a bin."""
_FIELD = "confidence"
_JUDGE = "json_verifier@"


class Sure(NamedTuple):
    """How sure an answer says it is, and how right it is; both from 0 to 1."""

    confidence: float
    right: float


class Confident(Correctness, frozen=True, kw_only=True, tag=True):
    """Correct or not, and in ``parts`` the confidence, a share."""

    def judgement(self, reply: str) -> Judgement:
        """See ``Correctness``."""
        found = super().judgement(reply)
        share = stated_confidence(reply)
        if found.value is None or share is None:
            return found
        return replace(found, parts={_FIELD: share})


def with_confidence(judge: FormJudge) -> FormJudge:
    """``judge``, whose form asks for a confidence in a JSON object, reading that as well."""
    if not isinstance(judge.reading, Correctness):
        raise TypeError(f"{judge.id} does not judge whether an answer is correct")
    return replace(judge, reading=Confident(invalid=judge.reading.invalid))


def stated_confidence(reply: str) -> float | None:
    """The share that the JSON object of a judge's reply states, if it states one alone.

    A number of percent, or a text of one with or without its sign. Between 0 and 1 it is not read:
    0.9 may be a share.
    """
    text = after_reasoning(plain(reply))
    if text is None:
        return None
    said = {
        _percent(value)
        for found in objects(out_of_its_block(text))
        for name, value in found.fields.items()
        if name.strip().lower() == _FIELD
    }
    percent = said.pop() if len(said) == 1 else None
    return None if percent is None else percent / 100


def confidence_figures(scores: Sequence[Score]) -> tuple[Metric, ...]:
    """Both calibration errors; none where another judge marked, or a rule before it."""
    if not all(score.scorer.startswith(_JUDGE) for score in scores):
        return ()
    sure = [
        Sure(score.parts[_FIELD], score.value)
        for score in scores
        if score.value is not None and _FIELD in score.parts
    ]
    return tuple(_rows(sure))


def calibration_error(sure: Sequence[Sure], *, every_bin: bool) -> float | None:
    """See above, from 0 to 1; ``None`` for less than one bin, or two without ``every_bin``."""
    ordered = sorted(sure, key=lambda one: one.confidence)
    whole = len(ordered) // BIN
    if whole < (1 if every_bin else 2):
        return None
    bins = [ordered[BIN * at : BIN * (at + 1)] for at in range(whole - 1)]
    if every_bin:
        bins.append(ordered[BIN * (whole - 1) :])
    return sqrt(fsum(len(one) / len(ordered) * _gap(one) ** 2 for one in bins))


def _gap(sure: Sequence[Sure]) -> float:
    return fsum(one.confidence - one.right for one in sure) / len(sure)


def _rows(sure: Sequence[Sure]) -> Iterator[Metric]:
    for name, every_bin in (("calibration_error", False), ("calibration_error (every bin)", True)):
        error = calibration_error(sure, every_bin=every_bin)
        if error is not None:
            yield Metric(name=name, value=100 * error, n=len(sure), better="lower")


def _percent(value: Json) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%"))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value == 0 or 1 <= value <= 100 else None
