"""The eval stage of a judged job: from answers and stored judgements to scores and an account."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import fsum
from pathlib import Path
from typing import Any

import msgspec

from steelyard import store
from steelyard.core import Job, Judgement, Metric, Reply, Sample, Score
from steelyard.pipeline.cases import Case, Docket
from steelyard.pipeline.judgements import Judgements, Used
from steelyard.pipeline.prepare import Prepared
from steelyard.reports import JudgeAccount, Results
from steelyard.scoring import in_points, judged_score
from steelyard.store import RunFolder

_NO_VERDICT = ("unparsed", "judge_failed", "unjudged")


class Judged(msgspec.Struct, frozen=True):
    """All scores of one job, in the order of its answers, and how they came about."""

    scores: list[Score]
    account: JudgeAccount
    scale: tuple[float, float] | None

    def told(self, results: Results) -> Results:
        """``results`` with who judged, and the figures that only judged answers have."""
        replaced = msgspec.structs.replace
        return replaced(
            results,
            judge=self.account,
            unparsed=self.account.unjudged,
            metrics=(
                *results.metrics[:1],
                *self._points(results),
                *results.metrics[1:],
                *self._of_all(results),
            ),
        )

    def _points(self, results: Results) -> Iterator[Metric]:
        """The first metric in the points that the judge gave."""
        if self.scale is not None and results.metrics:
            low, high = self.scale
            yield in_points(results.metrics[0], f"points ({low:g}-{high:g})", low, high)

    def _of_all(self, results: Results) -> Iterator[Metric]:
        """The least the first metric can be: with answers that have no verdict as wrong."""
        if not self.account.unjudged or not results.metrics:
            return
        answered = [score for score in self.scores if score.outcome != "failed"]
        value = 100 * fsum(score.value or 0.0 for score in answered) / len(answered)
        name = f"{results.metrics[0].name} (unjudged as wrong)"
        yield Metric(name=name, value=value, n=len(answered))


def judgement_files(folder: RunFolder, job: Job) -> list[Path]:
    """The files that hold the judge's replies; none for a job without a judge."""
    return store.parts(folder.judgements(job.model.abbr, job.marked_name)) if job.judging else []


def judged_by(
    prepared: Prepared, folder: RunFolder, answers: Sequence[tuple[Sample, Reply]]
) -> Judged | None:
    """The scores of ``answers`` by the job's judge; ``None`` for a job without one."""
    job = prepared.job
    if job.judging is None:
        return None
    docket = Docket(prepared, folder.predictions(job.model.abbr, job.task.name))
    path = folder.judgements(job.model.abbr, job.marked_name)
    judgements = Judgements(docket, path, str(job.judging.model.options.get("model", "")))
    cases = [docket.case(reply) for _, reply in answers]
    said = [judgements.of(case) for case in cases]
    features = job.task.features or (lambda text, sample: {})
    scores = [
        judged_score(
            case.reply, case.sample, found, docket.judge_id, features(case.text, case.sample)
        )
        for case, (found, _) in zip(cases, said, strict=True)
    ]
    account = _account(docket, judgements, cases, said, scores)
    return Judged(scores, account, job.judging.judges[0].scale)


def _account(
    docket: Docket,
    judgements: Judgements,
    cases: Sequence[Case],
    said: Sequence[tuple[Judgement, Judgement | None]],
    scores: Iterable[Score],
) -> JudgeAccount:
    reasons: dict[str, str] = {}
    outcomes: Counter[str] = Counter()
    for score in scores:
        outcomes[score.outcome] += 1
        if score.outcome in _NO_VERDICT:
            reasons.setdefault(score.outcome, score.why)
    asked = [case for case in cases if case.is_asked]
    audits = [found for _, found in said if found is not None and found.value is not None]
    stale, current, served = _stored(docket, judgements, asked)
    compares = len(docket.judging.judges) > 1 and docket.judging.together is None
    orders = _orders(docket, judgements, cases) if compares else []
    used = judgements.used
    return JudgeAccount(
        judge=docket.judge_id,
        abbr=docket.judging.model.abbr,
        served=", ".join(name for name, _ in served.most_common()),
        outcomes=dict(outcomes),
        reasons=reasons,
        stale=stale,
        by_rule=sum(case.settled is not None and case.settled.value == 1 for case in cases),
        without_judge=sum(case.settled is not None and case.settled.value == 0 for case in cases),
        audited=len(audits),
        audit_agreed=sum(found.value == 1 for found in audits),
        both_orders=len(orders),
        same_in_both=sum(orders),
        asked=len(asked),
        replies=used.replies,
        earlier=used.replies - current,
        prompt_tokens=used.prompt_tokens,
        output_tokens=used.output_tokens,
        **_cost(docket, used),
    )


def _stored(
    docket: Docket, judgements: Judgements, asked: Iterable[Case]
) -> tuple[int, int, Counter[str]]:
    """About how many cases there are only stale replies, how many replies are to what is asked
    now, and the names in those that count."""
    stale = current = 0
    served: Counter[str] = Counter()
    for case in asked:
        found = [judgements.stored(question) for question in docket.questions(case)]
        stale += any(one.is_stale for one in found)
        current += sum(one.asked for one in found)
        served.update(one.model for one in found if one.model)
    return stale, current, served


def _cost(docket: Docket, used: Used) -> dict[str, Any]:
    price = docket.judging.model.price
    if price is None or used.prompt_tokens is None or used.output_tokens is None:
        return {}
    cost = price.of(used.prompt_tokens, used.output_tokens)
    return {"cost": cost, "currency": price.currency}


def _orders(docket: Docket, judgements: Judgements, cases: Iterable[Case]) -> list[bool]:
    """For every comparison with a verdict in both orders, whether they are the same."""
    found = []
    for case in cases:
        values = [judgements.verdict(question).value for question in docket.questions(case)]
        if len(values) > 1 and None not in values:
            found.append(len(set(values)) == 1)
    return found
