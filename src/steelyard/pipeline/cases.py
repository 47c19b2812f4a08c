"""What is to be judged of one job: its stored answers, and the questions about each.

A question's digest covers all that decides the judge's reply: the judge's words, the sample, the
answer, and how the judge is asked. A judgement counts as long as the digest of its question is the
one that would be asked today; so another answer, judge, prompt or setting makes it stale, and
nothing else does. How replies are read is not in it: stored ones are read anew every time.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from steelyard import store
from steelyard.core import (
    ConfigError,
    Judge,
    Judgement,
    Judging,
    LikelihoodScorer,
    Picture,
    Reply,
    Request,
    Sample,
    Scorer,
    messages_by_content,
)
from steelyard.pipeline.marks import marked
from steelyard.pipeline.pictures import looked_at
from steelyard.pipeline.prepare import Prepared, dialogue_keys, model_parts
from steelyard.scoring import by_rule, cleaner, insisting, text_to_judge, without_judge

_SAME_FENCE = "00000000"
"""Stands in digests where a question has its own random fence."""
_FENCE_BYTES = 8
_DIGEST = 16


class Case(msgspec.Struct, frozen=True):
    """One answer to be marked."""

    key: str
    sample: Sample
    reply: Reply
    text: str
    """What of the reply is judged."""
    settled: Judgement | None
    """Set where no judge is needed."""
    audited: bool = False
    """Whether the judge is asked although the matter is settled."""
    picture: Picture | None = None
    """Of a task whose answers are pictures: the one that is judged, as it is now."""

    @property
    def is_asked(self) -> bool:
        """Whether a judge is asked about it."""
        return self.reply.failure is None and (self.settled is None or self.audited)

    @property
    def judged(self) -> str | Picture:
        """What a judge is shown."""
        return self.picture or self.text


class Question(NamedTuple):
    """One question about one answer."""

    key: str
    digest: str
    judge: Judge
    case: Case

    def request(self, judging: Judging, served: str, *, again: bool) -> Request:
        """What is sent, with a fence of its own; ``again``: a reply stated no verdict."""
        fence = secrets.token_hex(_FENCE_BYTES)
        messages = self.judge.question(self.case.sample, self.case.judged, fence)
        return Request(
            key=self.key,
            messages=insisting(messages) if again else messages,
            sampling=judging.model.sampling,
            judged=f"{self.digest}@{served}",
        )


class Docket:
    """The cases of one job, and what is asked about them."""

    def __init__(self, prepared: Prepared, answers: Path = Path()) -> None:
        """``answers``: their record file, which pictures are looked for beside.

        Raises ``ConfigError`` when the job is not for a judge.
        """
        job = prepared.job
        if job.judging is None:
            raise ConfigError(f"{job.task.name} is not judged.")
        self.judging = job.judging
        self.samples = {key: sample for sample, key in _turns(prepared)}
        """The sample of every answer that the job wants, in the order of the data."""
        self._clean = cleaner(job.model.clean)
        self._pictures = answers.parent if job.task.draws else None
        self._rule = _rule(prepared) if job.judging.cascade else None
        self._asker = store.digest(_asking(job.judging))
        self._first: dict[str, str] = {}
        """Of dialogues: the answer to the first turn."""

    @property
    def judge_id(self) -> str:
        """What scores name as their rule."""
        ids = " + ".join(judge.id for judge in self.judging.judges)
        return f"{self._rule.id} | {ids}" if self._rule else ids

    def case(self, reply: Reply) -> Case:
        """The case that a stored reply makes; the turns of a dialogue come in their order."""
        if self._pictures is not None:
            reply, picture = looked_at(reply, self._pictures)
            sample = self.samples[reply.key]
            return Case(reply.key, sample, reply, reply.text, None, picture=picture)
        text = text_to_judge(reply, self._clean)
        sample = self._in_its_place(reply.key, text)
        if reply.failure is not None:
            return Case(reply.key, sample, reply, text, None)
        settled = without_judge(reply, text)
        if settled is None and self._rule is not None:
            settled = by_rule(marked(reply, sample, self._rule, self._clean))
            if settled is not None and _share(reply.key) < self.judging.audit:
                return Case(reply.key, sample, reply, text, settled, audited=True)
        return Case(reply.key, sample, reply, text, settled)

    def questions(self, case: Case) -> Iterator[Question]:
        """What is asked about a case: one question for each judge."""
        if not case.is_asked:
            return
        for number, judge in enumerate(self.judging.judges, start=1):
            same = messages_by_content(judge.question(case.sample, case.judged, _SAME_FENCE))
            digest = store.digest([self._asker, same])[:_DIGEST]
            key = case.key if number == 1 else f"{case.key}/{number}"
            yield Question(key, digest, judge, case)

    def _in_its_place(self, key: str, text: str) -> Sample:
        """The sample as the judge sees it: of a later turn with the dialogue's first turn."""
        sample = self.samples[key]
        dialogue, _, turn = key.rpartition("#")[2].partition(".")
        first = f"{key.rpartition('#')[0]}#{dialogue}"
        if not turn:
            self._first[first] = text
            return sample
        opening = self.samples[first]
        told = {
            "first_question": str(opening.question),
            "first_answer": self._first.get(first, ""),
            **({"first_reference": opening.target} if opening.target else {}),
        }
        return msgspec.structs.replace(sample, meta={**sample.meta, **told})


def _turns(prepared: Prepared) -> Iterator[tuple[Sample, str]]:
    for sample in prepared.samples:
        for repeat in range(prepared.job.model.repeats):
            first = f"{sample.id}#{repeat}"
            if not sample.turns or prepared.job.task.dialogue == "last":
                yield sample, first
            else:
                keys = dialogue_keys(first, len(sample.turns))
                yield from zip(_views(sample), keys, strict=True)


def _views(sample: Sample) -> Iterator[Sample]:
    """``sample`` turn by turn; the reference of a turn is its right answer."""
    replaced = msgspec.structs.replace
    yield replaced(sample, target=sample.target or sample.given, turns=())
    for turn in sample.turns:
        yield replaced(sample, question=turn.question, target=turn.given, turns=())


def _rule(prepared: Prepared) -> Scorer:
    scorer = prepared.job.task.scorer
    if isinstance(scorer, LikelihoodScorer):
        raise ConfigError(f"{prepared.job.task.name} asks for likelihoods; nothing can be judged.")
    return scorer


def _asking(judging: Judging) -> dict[str, str]:
    """How the judge is asked, without the name of the served model (see ``judgements``)."""
    return {name: part for name, part in model_parts(judging.model).items() if name != "model"}


def _share(key: str) -> float:
    """A number below 1 that is the key's own, in every run."""
    return int(store.digest(key)[:8], 16) / 2**32
