"""The stored replies of a judge: ``predictions/<model>/<dataset>-<judge>.jsonl``.

A line is a reply like any other, with the digest of its question and the name of the model that was
asked (``judged``). Nothing is deleted: lines whose question would not be asked today are stale and
count for nothing.
"""

from pathlib import Path

import msgspec

from steelyard import store
from steelyard.core import Judgement, Reply
from steelyard.pipeline.cases import Case, Docket, Question
from steelyard.pipeline.records import Line, reply
from steelyard.scoring import judged, judgement

MOST_ASKED = 2
"""A reply without a verdict is asked for once more, then left."""


class Stored(msgspec.Struct, kw_only=True):
    """What the file holds about one question."""

    said: Judgement | None = None
    """By the reply that counts: one with a verdict before one without, a reply before a failure."""
    model: str = ""
    """The model name that this reply carries."""
    asked: int = 0
    """Replies to this question."""
    is_stale: bool = False
    """There are only replies to another question."""
    parsed: bool = False


class Used(msgspec.Struct, kw_only=True):
    """What judging one job took: all replies of the file, those that count for nothing too."""

    replies: int = 0
    prompt_tokens: int | None = None
    output_tokens: int | None = None


class Judgements:
    """What the judge has said so far about the cases of one job."""

    def __init__(self, docket: Docket, path: Path, served: str = "") -> None:
        """``served``: the judge that is asked now; empty: the one that was asked last."""
        self.docket = docket
        self.used = Used()
        self._served = served
        self._lines: dict[str, list[Line]] = {}
        self._known: dict[str, tuple[str, Stored]] = {}
        for part in store.parts(path):
            for line in store.read(part, Line):
                self._lines.setdefault(line.key, []).append(line)
                self._use(line)
                if not served:
                    self._served = line.judged.partition("@")[2]

    def stored(self, question: Question) -> Stored:
        """What is known about ``question``."""
        known = self._known.get(question.key)
        if known is not None and known[0] == question.digest:
            return known[1]
        found = Stored()
        for line in self._lines.get(question.key, ()):
            if self._is_current(line.judged, question.digest):
                _take(found, reply(line), question)
            else:
                found.is_stale = True
        found.is_stale = found.is_stale and found.said is None
        self._known[question.key] = (question.digest, found)
        return found

    def take(self, question: Question, found: Reply) -> Stored:
        """Add a reply that has just come."""
        stored = self.stored(question)
        _take(stored, found, question)
        return stored

    def verdict(self, question: Question) -> Judgement:
        """What is said of one question."""
        return judgement([self.stored(question).said])

    def of(self, case: Case) -> tuple[Judgement, Judgement | None]:
        """The judgement of a case, and of an audited one what the judge says."""
        each = [self.stored(question).said for question in self.docket.questions(case)]
        said = judgement(each, self.docket.judging.together) if each else None
        if case.settled is not None:
            return case.settled, said
        return said or Judgement(outcome="unjudged"), None

    def _is_current(self, told: str, digest: str) -> bool:
        known, _, served = told.partition("@")
        return known == digest and (not self._served or served == self._served)

    def _use(self, line: Line) -> None:
        used = self.used
        if line.success is False:
            return
        used.replies += 1
        if line.prompt_tokens is not None:
            used.prompt_tokens = (used.prompt_tokens or 0) + line.prompt_tokens
        if line.output_tokens is not None:
            used.output_tokens = (used.output_tokens or 0) + line.output_tokens


def _take(stored: Stored, found: Reply, question: Question) -> None:
    said = judged(question.judge, found)
    if found.failure is not None:
        stored.said = stored.said or said
        return
    stored.asked += 1
    parsed = said.outcome != "unparsed"
    if parsed or not stored.parsed:
        stored.said, stored.parsed, stored.model = said, parsed, found.model
