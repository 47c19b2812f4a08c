"""The report stage: from results files to the summary. Needs no data set and no model."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from steelyard import reports, store
from steelyard.core import DataError, Job
from steelyard.pipeline.compare import comparisons
from steelyard.pipeline.continuity import mixtures
from steelyard.pipeline.events import Event, Notice, ReportReady, ScoreLine
from steelyard.pipeline.group_rows import Table, group_rows
from steelyard.pipeline.judge_words import judge_notes
from steelyard.pipeline.judged import judgement_files
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.records import sources
from steelyard.reports import Cell, Comparison, Note, Results, Row, Summary
from steelyard.store import RunFolder


def report(
    folder: RunFolder,
    prepared: Sequence[Prepared],
    *,
    old: Collection[str],
    tell: Callable[[Event], None],
) -> dict[str, str]:
    """Write the summary of the jobs and show it; returns which have no results, and why.

    ``old`` names jobs whose results, if there are any, are those of an earlier marking. Without any
    results there is no table either.
    """
    jobs = [item.job for item in prepared]
    table: dict[tuple[str, str], Results] = {}
    missing: dict[str, str] = {}
    for item in prepared:
        try:
            table[item.job.model.abbr, item.job.marked_name] = _read(folder, item.job)
        except DataError as error:
            missing[item.name] = str(error)
    if not table:
        return missing
    moment = _free_moment(folder)
    summary = Summary(
        stamp=store.stamp(moment),
        labels=tuple(_labels(jobs).values()),
        rows=(*_job_rows(jobs, table), *group_rows(jobs, table, tuple(_labels(jobs)))),
        comparisons=_comparisons(folder, jobs, tell),
        notes=tuple(_notes(folder, prepared, table, old)),
    )
    files: dict[Path, str] = {
        folder.summary(moment, "txt"): reports.text_file(summary),
        folder.summary(moment, "md"): reports.markdown_file(summary),
        folder.summary(moment, "csv"): reports.csv_file(summary),
    }
    for path, text in files.items():
        store.write_atomic(path, text.encode())
    tell(
        ReportReady(
            screen=reports.screen(summary),
            files=tuple(map(str, files)),
            scores=tuple(_lines(summary)),
        )
    )
    return missing


def _lines(summary: Summary) -> Iterator[ScoreLine]:
    """The table as values, for programs."""
    for row in summary.rows:
        for label, cell in zip(summary.labels, row.cells, strict=True):
            if cell is not None:
                yield ScoreLine(
                    dataset=row.dataset,
                    metric=row.metric,
                    model=label,
                    value=cell.value,
                    low=cell.low,
                    high=cell.high,
                    answered=cell.answered,
                    failed=cell.failed,
                    unparsed=cell.unparsed,
                )


def _read(folder: RunFolder, job: Job) -> Results:
    path = folder.results(job.model.abbr, job.marked_name)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("no results; make them with --mode eval --reuse") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    return reports.read_results(data, str(path))


def _comparisons(
    folder: RunFolder, jobs: Sequence[Job], tell: Callable[[Event], None]
) -> tuple[Comparison, ...]:
    """None, and a notice, when the marks cannot be read: the scores do not depend on them."""
    try:
        return comparisons(folder, jobs)
    except DataError as error:
        text = f"models are not compared; mark again with --mode eval --reuse. {error}"
        tell(Notice(text=text, level="error"))
        return ()


def _free_moment(folder: RunFolder) -> datetime:
    """Now, or the next second that no earlier summary of this run has."""
    moment = datetime.now().astimezone()
    while folder.summary(moment, "txt").exists():
        moment += timedelta(seconds=1)
    return moment


def _labels(jobs: Sequence[Job]) -> dict[str, str]:
    """Column header by model, in the order of the plan."""
    return {job.model.abbr: job.model.label or job.model.abbr for job in jobs}


def _modes(jobs: Sequence[Job]) -> dict[str, str]:
    """How every data set was asked: ``gen``, ``ppl``, or ``mixed``."""
    modes: dict[str, str] = {}
    for job in jobs:
        name, mode = job.marked_name, job.task.mode
        modes[name] = mode if modes.setdefault(name, mode) == mode else "mixed"
    return modes


def _job_rows(jobs: Sequence[Job], table: Table) -> Iterator[Row]:
    models = _labels(jobs)
    modes = _modes(jobs)
    for dataset in dict.fromkeys(job.marked_name for job in jobs):
        asked = {job.model.abbr for job in jobs if job.marked_name == dataset}
        found = {model: table.get((model, dataset)) for model in models}
        known = [results for results in found.values() if results is not None]
        names = dict.fromkeys(
            metric.name for results in known for metric in results.metrics if not metric.subset
        ) or dict.fromkeys(["accuracy"])
        version = known[0].version if known else "-"
        for name in names:
            cells = tuple(_cell(found[model], name, asked=model in asked) for model in models)
            yield Row(dataset, version, name, modes[dataset], cells)


def _cell(results: Results | None, name: str, *, asked: bool) -> Cell | None:
    if not asked or results is None:
        return None
    metric = next((metric for metric in results.metrics if metric.name == name), None)
    return reports.cell(results, metric)


def _notes(
    folder: RunFolder, prepared: Sequence[Prepared], table: Table, old: Collection[str]
) -> Iterator[Note]:
    mixed = mixtures(folder)
    for item in prepared:
        job, pair = item.job, (item.job.model.abbr, item.job.marked_name)
        results = table.get(pair)
        if pair in mixed:
            text = f"answers of before and after a change of {', '.join(mixed[pair])} are mixed"
            yield Note(text, job.marked_name, job.model.abbr)
        if results is None:
            continue
        if item.name in old:
            text = "these marks are old: marking again failed"
            yield Note(text, job.marked_name, job.model.abbr)
        elif _is_stale(folder, job, results):
            text = "the stored answers changed since; mark them again with --mode eval --reuse"
            yield Note(text, job.marked_name, job.model.abbr)
        if results.truncated:
            text = (
                f"{results.truncated} of {results.answered} answers were cut at the token limit; "
                "raise it with --max-tokens"
            )
            yield Note(text, job.marked_name, job.model.abbr)
        yield from _coverage_notes(job, results)
        yield from _variant_notes(job, results)
    yield from judge_notes(table.values())


def _coverage_notes(job: Job, results: Results) -> Iterator[Note]:
    """What the score does not rest on: rows nobody asked for, requests that failed, and why."""
    if results.rows < results.rows_in_data:
        text = f"only {results.rows:,} of {results.rows_in_data:,} rows are in this run"
        yield Note(text, job.marked_name, job.model.abbr)
    if results.prompts_cut:
        text = (
            f"{results.prompts_cut} of {results.answered} prompts were longer than the model takes "
            "and were cut (--max-seq-len)"
        )
        yield Note(text, job.marked_name, job.model.abbr)
    for kind, words in results.reasons.items():
        yield Note(f"{kind}, for example: {words[:200]}", job.marked_name, job.model.abbr)


def _variant_notes(job: Job, results: Results) -> Iterator[Note]:
    for name, metric in results.variants.items():
        own = results.metrics[0].value if results.metrics else None
        if own is not None and abs(metric.value - own) >= 0.005:
            text = f"the rule {name!r} gives {metric.value:.2f} (--scorer {name})"
            yield Note(text, job.marked_name, job.model.abbr)


def _is_stale(folder: RunFolder, job: Job, results: Results) -> bool:
    files = sources(folder.predictions(job.model.abbr, job.task.name))
    files += judgement_files(folder, job)
    return bool(files) and store.digest_files(files) != results.source_digest
