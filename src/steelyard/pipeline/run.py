"""Taking the jobs of a plan through its stages, in one folder.

A job that fails takes only itself down. The order is infer, judge, eval (all jobs each), report, so
that a table stands at the end of every run, however the jobs went. Only asking needs an event loop;
the other stages are plain functions, which Ctrl-C ends at once.
"""

import time
import traceback
from collections.abc import Sequence

import msgspec

from steelyard import sandbox
from steelyard.core import DiskError, Plan, SteelyardError
from steelyard.pipeline.continuity import as_asked
from steelyard.pipeline.events import JobEnded, Listener, Notice, Planned
from steelyard.pipeline.infer_all import infer_all
from steelyard.pipeline.judge_all import judge_all, note_unjudged
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.records import sources
from steelyard.pipeline.report import report
from steelyard.pipeline.score import ScoreOptions, score
from steelyard.pipeline.state import RunState, Settings
from steelyard.scoring import is_sandboxed
from steelyard.store import RunFolder

_ASKING = ("all", "infer", "infer_judge")


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    complete: bool
    unfinished: tuple[str, ...] = ()
    """What is missing, in words."""


def run_plan(
    plan: Plan,
    prepared: Sequence[Prepared],
    folder: RunFolder,
    settings: Settings,
    listener: Listener,
) -> RunResult:
    """Carry out ``plan`` in ``folder``. ``prepared`` holds the plan's jobs, with their rows.

    Raises ``PlanMismatch`` before any question is sent, ``DiskError`` when records cannot be
    written. ``KeyboardInterrupt`` abandons what is in flight and keeps what is finished.
    """
    run = RunState(folder, settings, listener)
    names = tuple(item.name for item in prepared)
    run.tell(Planned(folder=str(folder.root), mode=plan.mode, jobs=names))
    for text in plan.notices:
        run.tell(Notice(text=text))
    judges = plan.mode in ("judge", "eval") and any(job.judging for job in plan.jobs)
    if settings.cluster is not None and not judges and plan.mode not in _ASKING:
        run.tell(Notice(text=f"--runner ray has no effect with --mode {plan.mode}"))
    if plan.mode in ("perf", "perf_viz"):
        return _performance(run, prepared, send=plan.mode == "perf")
    if plan.mode in _ASKING:
        infer_all(run, prepared, judging=plan.mode != "infer")
    elif plan.mode in ("eval", "judge"):
        prepared = as_asked(folder, prepared, anyway=settings.reuse_anyway, tell=run.tell)
    if plan.mode in ("all", "eval", "judge", "infer_judge"):
        judge_all(run, prepared)
        take_stock = _score_all if plan.mode in ("all", "eval") else note_unjudged
        take_stock(run, prepared)
    if plan.mode in ("all", "eval", "viz"):
        for name, why in report(folder, prepared, old=run.unmarked, tell=run.tell).items():
            run.trouble.setdefault(name, why)
    return _result(run)


def _result(run: RunState) -> RunResult:
    unfinished = tuple(f"{job}: {why}" for job, why in run.trouble.items())
    return RunResult(complete=not unfinished, unfinished=unfinished)


def _performance(run: RunState, prepared: Sequence[Prepared], *, send: bool) -> RunResult:
    """Load tests, or what is stored of them measured again."""
    from steelyard.pipeline.load_all import load_all, measure_all

    (load_all if send else measure_all)(run, prepared)
    return _result(run)


def _score_all(run: RunState, prepared: Sequence[Prepared]) -> None:
    options = ScoreOptions(details=run.settings.details, extract_rate=run.settings.extract_rate)
    for item in prepared:
        if item.name in run.trouble and not sources(run.predictions(item)):
            continue
        with run.log("eval", item) as log:
            try:
                _score(run, item, options, log)
            except DiskError:
                raise
            except SteelyardError as error:
                _not_marked(run, item, error, log)


def _score(run: RunState, item: Prepared, options: ScoreOptions, log: JobLog) -> None:
    began = time.monotonic()
    if item.job.by_rule and is_sandboxed(item.job.task.scorer):
        run.tell(
            Notice(
                text=f"programs are being run in the sandbox, {sandbox.at_once()} at a time",
                level="info",
                job=item.name,
            )
        )
    results = score(run.with_judge(item), run.folder, options)
    log.line("INFO", f"{results.scorer}: {results.answered} marked, {results.failed} failed")
    run.note_missing(item, results.failed + results.unasked)
    if results.judge is not None:
        run.note_unjudged(item, results.judge.outcomes)
    run.tell(
        JobEnded(
            job=item.name,
            stage="eval",
            status="finished",
            answered=results.answered,
            elapsed_s=round(time.monotonic() - began, 3),
        )
    )


def _not_marked(run: RunState, item: Prepared, error: SteelyardError, log: JobLog) -> None:
    run.trouble[item.name] = str(error)
    run.unmarked.add(item.name)
    log.line("ERROR", str(error))
    if error.__cause__ is not None:
        log.line("ERROR", "".join(traceback.format_exception(error.__cause__)).rstrip())
    run.tell(Notice(text=str(error), level="error", job=item.name))
