"""Judges: what a model is asked about another model's answer, and what its reply is worth.

A judge is a form (the words of the question) and a reading (what the reply means). ``question`` and
``verdict`` are pure; sending, retries and files are somebody else's. Its id is
``name@version#hash``, the hash over the form, the settings and the version of the parser.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from string import ascii_uppercase

import msgspec

from steelyard.core import DataError, Judge, Judgement, Message, Picture, Reply, Sample
from steelyard.scoring import compass_verifier as compass
from steelyard.scoring import judge_forms as forms
from steelyard.scoring.judge_fence import Form, ask
from steelyard.scoring.judge_readings import (
    Correctness,
    Criterion,
    Graded,
    Points,
    Preferred,
    Reading,
    Rubric,
)
from steelyard.scoring.marking import is_cut
from steelyard.scoring.preferences import decided
from steelyard.scoring.verdict_kinds import Scale

PARSER_VERSION = 3
"""Raised when the parser may read a reply differently."""
NO_REFERENCE = "(there is no reference answer)"


class FormJudge(msgspec.Struct, frozen=True, kw_only=True):
    """A judge made of a form and a reading."""

    name: str
    version: int
    form: Form
    reading: Reading
    settings: Mapping[str, str] = {}
    """Further fields of the form, not taken from any data."""
    data_fields: tuple[str, ...] = ()
    """Those of the data that a form of one's own names."""

    @property
    def id(self) -> str:
        """See ``core.Judge``."""
        return judge_id(self.name, self.version, self.form, self.reading, self.settings)

    @property
    def needs_reference(self) -> bool:
        """See ``core.Judge``."""
        return self.reading.needs_reference

    @property
    def scale(self) -> tuple[float, float] | None:
        """See ``core.Judge``."""
        scale = self.reading.scale
        return None if scale is None else (scale.low, scale.high)

    @property
    def against(self) -> str | None:
        """Of a comparison: the sample's field that holds the other answer."""
        return self.reading.against if isinstance(self.reading, Preferred | Graded) else None

    @property
    def says_invalid(self) -> bool:
        """Whether it may say that there is no answer to judge."""
        return isinstance(self.reading, Correctness) and self.reading.invalid

    def question(self, sample: Sample, answer: str | Picture, fence: str) -> tuple[Message, ...]:
        """See ``core.Judge``; ``DataError`` when the sample lacks what the form asks for."""
        if isinstance(answer, Picture):
            raise DataError(f"judge {self.id} judges texts, and this answer is a picture.")
        if self.reading.needs_reference and sample.target is None:
            raise DataError(
                f"sample {sample.id!r} has no target, so judge {self.id} has nothing to compare "
                "an answer with. Use a judge without a reference, such as a score."
            )
        texts = {
            **sample.meta,
            "question": _text(sample),
            "reference": sample.target or NO_REFERENCE,
            **self.reading.answers(sample, answer),
        }
        return ask(self.form, texts, self.settings, fence)

    def verdict(self, reply: str) -> Judgement:
        """See ``core.Judge``."""
        return self.reading.judgement(reply)


def judge_id(name: str, version: int, *decides: object) -> str:
    """``name@version#hash``, the hash over all that decides what is asked and how it is read."""
    whole = (name, version, PARSER_VERSION, *decides)
    digest = sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()
    return f"{name}@{version}#{digest[:8]}"


def judged(judge: Judge, reply: Reply) -> Judgement:
    """The judgement that a judge's reply holds: a failed request and a cut reply hold none.

    A reply that was cut at its token limit is not read: ``Score: 1`` may have been going to be 10.
    Reasoning that the service sent apart is not part of the reply.
    """
    if reply.failure is not None:
        why = f"{reply.failure.kind}: {reply.failure.detail}"
        return Judgement(outcome="judge_failed", why=why)
    if is_cut(reply):
        why = "the judge's reply was cut at its token limit"
        return Judgement(outcome="unparsed", why=why)
    return judge.verdict(reply.text)


def insisting(question: tuple[Message, ...]) -> tuple[Message, ...]:
    """``question``, asked once more because the first reply stated no verdict."""
    *before, last = question
    if isinstance(last.content, str):
        return (*before, Message(last.role, f"{last.content}\n\n{forms.ONCE_MORE}"))
    again = {"type": "text", "text": forms.ONCE_MORE}
    return (*before, Message(last.role, [*last.content, again]))


def verifier() -> FormJudge:
    """Correct, incorrect or invalid, after a short analysis."""
    return FormJudge(name="verifier", version=1, form=forms.VERIFIER, reading=Correctness())


def letter_verifier() -> FormJudge:
    """A (correct) or B (incorrect) and nothing else, in the manner of GenericLLMEvaluator."""
    reading = Correctness(invalid=False)
    return FormJudge(name="letter_verifier", version=1, form=forms.LETTERS, reading=reading)


def word_verifier() -> FormJudge:
    """CORRECT or INCORRECT and nothing else, in the manner of AA-LCR's equality checker."""
    reading = Correctness(invalid=False)
    return FormJudge(name="word_verifier", version=1, form=forms.WORDS, reading=reading)


def json_verifier() -> FormJudge:
    """Correct or not, as a JSON object with the answer that was read, in the manner of HLE."""
    reading = Correctness(invalid=False)
    return FormJudge(name="json_verifier", version=1, form=forms.JSON, reading=reading)


def compass_verifier_judge(*, steps: bool = False, published: bool = False) -> FormJudge:
    """CompassVerifier's own form; ``steps`` asks for its analysis first.

    ``published`` leaves our marker out of the form, to the letter, for figures that are to be
    compared with those of others; an answer that imitates a line of the form gets it all the same.
    """
    return FormJudge(
        name="compass_verifier_steps" if steps else "compass_verifier",
        version=1,
        form=compass.form(steps=steps, published=published),
        reading=Correctness(),
    )


def score(
    low: float = 1, high: float = 10, *, whole: bool = False, guide: str = forms.CORRECTNESS_GUIDE
) -> FormJudge:
    """A number from ``low`` to ``high``, after an analysis; ``guide`` says what is rated."""
    reading = Points(scale=Scale(low, high, whole))
    settings = {**_scale(low, high, whole=whole), "guide": guide}
    return FormJudge(name="score", version=1, form=forms.SCORE, reading=reading, settings=settings)


def pairwise(*, against: str = "baseline", swapped: bool = False) -> FormJudge:
    """Whether the answer is better than the one in the sample's field ``against``, or a tie.

    ``swapped`` shows the answer second. Ask both and fold them with ``in_both_orders``.
    """
    reading = Preferred(against=against)
    judge = FormJudge(name="pairwise", version=1, form=forms.PAIRWISE, reading=reading)
    return both_orders(judge)[swapped]


def both_orders(judge: FormJudge) -> tuple[FormJudge, FormJudge]:
    """A judge that compares, and the same with the answer shown second."""
    if not isinstance(judge.reading, Preferred | Graded):
        raise TypeError(f"{judge.id} compares nothing")
    replace = msgspec.structs.replace
    reading = replace(judge.reading, swapped=True)
    return judge, replace(judge, name=f"{judge.name}_swapped", reading=reading)


def graded_pairwise(*, against: str = "baseline", swapped: bool = False) -> FormJudge:
    """As ``pairwise``, with Arena-Hard's five verdicts, which also say by how much.

    The form is ours. For Arena-Hard's own words give ``own_judge`` a file that ``reads: graded``.
    """
    reading = Graded(against=against)
    judge = FormJudge(name="graded_pairwise", version=1, form=forms.GRADED, reading=reading)
    return both_orders(judge)[swapped]


def rubric(
    criteria: tuple[Criterion, ...], low: float = 1, high: float = 5, *, whole: bool = False
) -> FormJudge:
    """A number for each criterion; the value is their weighted mean."""
    reading = Rubric(criteria=criteria, scale=Scale(low, high, whole))
    settings = {**_scale(low, high, whole=whole), **described(criteria)}
    return FormJudge(
        name="rubric", version=1, form=forms.RUBRIC, reading=reading, settings=settings
    )


def described(criteria: Iterable[Criterion]) -> dict[str, str]:
    """The fields of a form that say what the criteria are, and how each is answered."""
    criteria = tuple(criteria)
    return {
        "criteria": "\n".join(f"- {one.name}: {one.about}" for one in criteria),
        "lines": "\n".join(f"{one.name}: <number>" for one in criteria),
    }


def in_both_orders(first: Judgement, second: Judgement) -> Judgement:
    """One judgement out of the two orders of a comparison.

    When both name the same answer it wins, by the mean of the two values; when they differ, or one
    is a tie, the position decided as much as the answers, and it is a tie. Without both there is no
    judgement. Its ``parts`` are those of the first order and, with ``_swapped``, of the second.
    """
    swapped = {f"{name}_swapped": value for name, value in second.parts.items()}
    parts = {**first.parts, **swapped}
    one, other = first.value, second.value
    if one is None or other is None:
        return msgspec.structs.replace(first if one is None else second, parts=parts)
    if one == other:
        return msgspec.structs.replace(first, parts=parts)
    why = f"{first.answer} when shown first, {second.answer} when shown second"
    if decided(one) != decided(other):
        return Judgement(outcome="partial", value=0.5, answer="tie", why=why, parts=parts)
    answer, value = "win" if one > 0.5 else "loss", (one + other) / 2
    return Judgement(outcome="partial", value=value, answer=answer, why=why, parts=parts)


def _scale(low: float, high: float, *, whole: bool) -> dict[str, str]:
    steps = " Use whole numbers only." if whole else ""
    return {"low": f"{low:g}", "high": f"{high:g}", "steps": steps}


def _text(sample: Sample) -> str:
    """The question as text, with its options under their letters.

    Of a picture and the like only what it is, in brackets.
    """
    if isinstance(sample.question, str):
        parts = [sample.question]
    else:
        parts = [
            str(part.get("text") or f"[{part.get('type', 'part')}]") for part in sample.question
        ]
    options = zip(ascii_uppercase, sample.choices, strict=False)
    return "\n".join([*parts, *(f"{letter}. {option}" for letter, option in options)])
