"""The eval stage: mark the stored replies of one job and fold the marks to metrics.

Gold answers come from the data set, not from the stored lines, so marking again with another rule,
or after the data's answers were mended, needs no model.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from steelyard import sandbox, store
from steelyard.core import (
    DataError,
    Job,
    Marking,
    Metric,
    Reply,
    Sample,
    Score,
)
from steelyard.pipeline.cases import Docket
from steelyard.pipeline.judged import judged_by, judgement_files
from steelyard.pipeline.marks import marked
from steelyard.pipeline.pictures import looked_at
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.records import answer, label_ppls, replies, sources
from steelyard.pipeline.tally import failure_kind
from steelyard.reports import Detail, Results, results_json
from steelyard.scoring import aisbench_value, cleaner, fold, is_sandboxed
from steelyard.store import RunFolder


class ScoreOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a results file holds beyond the usual."""

    details: bool = False
    extract_rate: bool = False


def score(prepared: Prepared, folder: RunFolder, options: ScoreOptions) -> Results:
    """Mark all stored replies of a job; writes the scores and the results file.

    Raises ``DataError`` when nothing is stored, or the stored lines do not fit the data, and
    ``ConfigError`` when the rule fails.
    """
    job = prepared.job
    path = folder.predictions(job.model.abbr, job.task.name)
    files = sources(path)
    if not files:
        raise DataError(f"{path}: no stored answers. Ask the model first (--mode infer or all).")
    stored = replies(path, prepared.samples)
    if job.task.draws:
        stored = {key: looked_at(one, path.parent)[0] for key, one in stored.items()}
    answers = [(sample, stored[key]) for sample, key in _asked(prepared) if key in stored]
    judged = judged_by(prepared, folder, answers)
    scores = judged.scores if judged else _marks(prepared, answers, job.task.scorer)
    lines = b"".join(msgspec.json.encode(one) + b"\n" for one in scores)
    store.write_atomic(folder.scores(job.model.abbr, job.marked_name), lines)
    unasked = prepared.total - len(answers)
    digest = store.digest_files((*files, *judgement_files(folder, job)))
    results = _results(prepared, answers, scores, unasked, digest)
    if judged is not None:
        results = judged.told(results)
    if options.extract_rate:
        results = _with_extract_rate(results)
    details = _details(prepared, answers, scores) if options.details else None
    store.write_atomic(
        folder.results(job.model.abbr, job.marked_name), results_json(results, details)
    )
    return results


def _asked(prepared: Prepared) -> Iterator[tuple[Sample, str]]:
    if prepared.job.judging is not None:  # also every turn of a dialogue
        yield from ((sample, key) for key, sample in Docket(prepared).samples.items())
        return
    for sample in prepared.samples:
        for repeat in range(prepared.job.model.repeats):
            yield sample, f"{sample.id}#{repeat}"


def _marks(
    prepared: Prepared, answers: Sequence[tuple[Sample, Reply]], scorer: Marking
) -> list[Score]:
    clean = cleaner(prepared.job.model.clean)
    if not is_sandboxed(scorer):
        return [marked(reply, sample, scorer, clean) for sample, reply in answers]
    sandbox.require()
    threads = ThreadPoolExecutor(sandbox.at_once())
    try:
        return list(threads.map(lambda one: marked(one[1], one[0], scorer, clean), answers))
    finally:
        threads.shutdown(cancel_futures=True)


def _results(
    prepared: Prepared,
    answers: Sequence[tuple[Sample, Reply]],
    scores: Sequence[Score],
    unasked: int,
    source: str,
) -> Results:
    job = prepared.job
    failures = Counter(
        failure_kind(reply.failure) for _, reply in answers if reply.failure is not None
    )
    answered = len(answers) - failures.total()
    reasons: dict[str, str] = {}
    for _, reply in answers:
        if reply.failure is not None:
            reasons.setdefault(failure_kind(reply.failure), reply.failure.detail)
    unparsed = sum(one.outcome == "unparsed" for one in scores)
    return Results(
        model=job.model.abbr,
        dataset=job.marked_name,
        version=prepared.prompt_version,
        mode=job.task.mode,
        total=prepared.total,
        answered=answered,
        failed=failures.total(),
        unasked=unasked,
        unparsed=unparsed,
        truncated=sum(one.truncated for one in scores),
        prompts_cut=sum(reply.prompt_cut > 0 for _, reply in answers),
        failures=dict(failures),
        reasons=reasons,
        rows=len(prepared.samples),
        rows_in_data=prepared.rows_in_data,
        scorer=scores[0].scorer if job.judging and scores else job.task.scorer.id,
        metrics=_metrics(prepared, scores),
        variants={} if job.judging else dict(_variants(prepared, answers)),
        aisbench_accuracy=_with_failures(prepared, scores),
        sandbox=_walls(job),
        source_digest=source,
    )


def _walls(job: Job) -> str | None:
    """What the answers were run in, where they are programs."""
    return sandbox.isolation() if job.by_rule and is_sandboxed(job.task.scorer) else None


def _with_extract_rate(results: Results) -> Results:
    """``results`` with the share of answers that could be read, as a row of its own."""
    if not results.answered:
        return results
    rate = 100 * (results.answered - results.unparsed) / results.answered
    row = Metric(name="extract_rate", value=rate, n=results.answered)
    metrics = (*results.metrics, row)
    return msgspec.structs.replace(results, metrics=metrics, extract_rate=rate)


def _with_failures(prepared: Prepared, scores: Sequence[Score]) -> float | None:
    """AISBench's figure: requests that failed or were not asked count as wrong."""
    value = aisbench_value(scores)
    return None if value is None else value * len(scores) / prepared.total


def _metrics(prepared: Prepared, scores: Sequence[Score]) -> tuple[Metric, ...]:
    """The metrics of all rows, then of every subset of a merged task."""
    repeats, task = prepared.job.model.repeats, prepared.job.task
    metric = _metric_name(prepared.job)
    whole = fold(scores, repeats=repeats, metric=metric)
    whole += task.figures(scores) if task.figures else ()
    subsets: dict[str, list[Score]] = {}
    for one in scores:
        subsets.setdefault(one.subset, []).append(one)
    if len(subsets) < 2 or repeats > 1:  # several runs: fold names the subsets itself
        return whole
    parts = (
        msgspec.structs.replace(found, name=f"{subset}/{found.name}", subset=subset)
        for subset, members in subsets.items()
        for found in fold(members, repeats=repeats, metric=metric)
    )
    return (*whole, *parts)


def _metric_name(job: Job) -> str:
    """The task's own; points of a judge that the task knows nothing of are no accuracy."""
    gives_points = job.judging is not None and job.judging.judges[0].scale is not None
    return "score" if gives_points and job.task.metric == "accuracy" else job.task.metric


def _variants(
    prepared: Prepared, answers: Sequence[tuple[Sample, Reply]]
) -> Iterator[tuple[str, Metric]]:
    """The first metric under every other quick rule that the data set names.

    Slow ones (``live`` is ``False``) are for whoever asks for them with ``--scorer``; one that
    cannot mark these replies is left out, and says why when it is asked for.
    """
    task, repeats = prepared.job.task, prepared.job.model.repeats
    for name, scorer in task.variants.items():
        if scorer.live and scorer.id != task.scorer.id:
            try:
                marks = _marks(prepared, answers, scorer)
            except DataError:  # this rule needs more of the replies than they hold
                continue
            folded = fold(marks, repeats=repeats, metric=task.metric)
            if folded:
                yield name, folded[0]


def _details(
    prepared: Prepared, answers: Sequence[tuple[Sample, Reply]], scores: Sequence[Score]
) -> Iterator[Detail]:
    prompts: Mapping[str, object] = {
        request.key: request.messages for request in prepared.requests(prepared.job.model)
    }
    for (sample, reply), one in zip(answers, scores, strict=True):
        yield Detail(
            key=one.key,
            prompt=None if reply.likelihoods else prompts.get(one.key),
            ppl_list=label_ppls(reply),
            origin_prediction=answer(reply),
            predictions=one.answer,
            references=sample.target,
            correct=None if one.value is None else one.value == 1,
            why=one.why,
        )
