"""How far a judge is to be trusted: labelled answers before the judge stage, and what comes of it.

The labelled answers are written as the predictions of a model that never was; then they are judged
like any others, each as often as there are repeats, with the same files and the same resume.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from steelyard import store
from steelyard.core import Job, Judging, ModelSpec, Prompt, Task
from steelyard.pipeline.calibration_report import CalibrationReport
from steelyard.pipeline.calibration_words import markdown, screen
from steelyard.pipeline.cases import Case, Docket
from steelyard.pipeline.events import CalibrationReady, Listener, Planned
from steelyard.pipeline.judge_all import judge_all
from steelyard.pipeline.judged import judged_by
from steelyard.pipeline.judgements import Judgements
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.records import Line, origins, replies
from steelyard.pipeline.run import RunResult
from steelyard.pipeline.state import INCOMPLETE_SHARE, RunState, Settings
from steelyard.scoring import exact_match
from steelyard.scoring.calibration import calibration
from steelyard.scoring.calibration_figures import Held
from steelyard.store import RunFolder
from steelyard.tasks.labelled_answers import LabelKind, Labelled

_PEOPLE = "labelled"
"""Stands where runs have the model's name."""


class CalibrationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one command asks for."""

    path: Path
    """The file with the labelled answers."""
    rows: Sequence[Labelled]
    """Those that are to be judged."""
    left_out: int = 0
    """Rows without one, since the annotators have no majority."""
    kind: LabelKind
    judging: Judging
    repeats: int = 1
    command: str = ""
    """The command line, without secrets."""


def calibrate(
    plan: CalibrationPlan, folder: RunFolder, settings: Settings, listener: Listener
) -> RunResult:
    """Have the labelled answers judged, as far as they are not yet, and write the figures.

    Raises ``ConfigError`` before anything is sent, ``DiskError`` when records cannot be written.
    ``KeyboardInterrupt`` abandons what is in flight and keeps what is finished.
    """
    replaced = msgspec.structs.replace
    run = RunState(folder, replaced(settings, running_accuracy=False), listener)
    item = _prepared(plan)
    run.tell(Planned(folder=str(folder.root), mode="calibrate", jobs=(item.name,)))
    store.write_atomic(run.predictions(item), b"".join(_lines(plan, item)))
    judge_all(run, [item])
    report = _report(plan, run.with_judge(item), folder)
    _note_missing(run, item, report)
    files = _written(report, folder)
    run.tell(
        CalibrationReady(job=item.name, screen=screen(report), files=files, figures=report.figures)
    )
    unfinished = tuple(f"{job}: {why}" for job, why in run.trouble.items())
    return RunResult(complete=not unfinished, unfinished=unfinished)


def _prepared(plan: CalibrationPlan) -> Prepared:
    """The labelled answers as a job that was asked already."""
    samples = [row.sample for row in _judged(plan)]
    task = Task(
        name=plan.path.name.partition(".")[0] or "labels",
        version=1,
        samples=lambda: samples,
        prompt=Prompt(user="{question}"),
        scorer=exact_match,
    )
    model = ModelSpec(abbr=_PEOPLE, backend="", repeats=plan.repeats)
    job = Job(model=model, task=task, dataset=str(plan.path), judging=plan.judging)
    return Prepared(job=job, samples=samples, parts={}, prompt_version="")


def _judged(plan: CalibrationPlan) -> list[Labelled]:
    """The rows without pairs whose second answer is empty; of an empty first one no judge is asked
    anyway."""
    return [row for row in plan.rows if plan.kind != "pairwise" or row.other]


def _lines(plan: CalibrationPlan, item: Prepared) -> list[bytes]:
    """The predictions file: every answer once for every repeat."""
    named = origins(item.job.task.name, item.samples)
    return [
        msgspec.json.encode(
            Line(
                key=f"{row.sample.id}#{repeat}",
                data_abbr=named[row.sample.id].data_abbr,
                id=named[row.sample.id].id,
                success=True,
                origin_prompt=str(row.sample.question),
                prediction=row.answer,
                gold=row.sample.target,
            )
        )
        + b"\n"
        for row in _judged(plan)
        for repeat in range(plan.repeats)
    ]


def _report(plan: CalibrationPlan, item: Prepared, folder: RunFolder) -> CalibrationReport:
    docket = Docket(item)
    served = str(docket.judging.model.options.get("model", ""))
    path = folder.judgements(_PEOPLE, item.job.marked_name)
    judgements = Judgements(docket, path, served)
    answers = replies(folder.predictions(_PEOPLE, item.job.task.name), item.samples)
    cases = [docket.case(answers[key]) for key in docket.samples]
    asked = [case for case in cases if case.is_asked]
    row_of = {row.sample.id: row for row in _judged(plan)}
    held = [_held(case, row_of[case.sample.id], docket, judgements) for case in asked]
    judged = judged_by(item, folder, [(case.sample, case.reply) for case in asked])
    return CalibrationReport(
        file=str(plan.path),
        kind=plan.kind,
        rows=len(plan.rows),
        repeats=plan.repeats,
        left_out=plan.left_out,
        not_asked=len(plan.rows) - len({case.sample.id for case in asked}),
        figures=calibration(held, plan.judging.judges[0].scale),
        judge=judged.account if judged else None,
        command=plan.command,
    )


def _held(case: Case, row: Labelled, docket: Docket, judgements: Judgements) -> Held:
    said, _ = judgements.of(case)
    verdicts = tuple(judgements.verdict(question) for question in docket.questions(case))
    return Held(
        question=row.sample.id,
        label=row.label,
        said=said,
        orders=verdicts if len(verdicts) > 1 else (),
        lengths=(len(case.text), len(row.other)),
    )


def _note_missing(run: RunState, item: Prepared, report: CalibrationReport) -> None:
    """Keep that verdicts are missing, when they are many and nothing worse is known."""
    missing, asked = report.without_verdict, report.figures.asked
    if missing <= INCOMPLETE_SHARE * asked or item.name in run.trouble:
        return
    again = "--reuse"
    if missing == report.figures.outcomes.get("unparsed", 0):
        again = "--reuse --judge-again"
    run.trouble[item.name] = (
        f"{missing:,} of {asked:,} questions have no verdict; ask them again with {again}"
    )


def _written(report: CalibrationReport, folder: RunFolder) -> tuple[str, ...]:
    files = (
        (folder.root / "calibration.md", markdown(report).encode()),
        (folder.root / "calibration.json", report.json()),
    )
    for path, data in files:
        store.write_atomic(path, data)
    return tuple(str(path) for path, _ in files)
