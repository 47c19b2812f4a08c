"""Taking the jobs of a plan through its stages, in one folder.

A job that fails takes only itself down. The order is infer (all jobs), eval (all jobs), report, so
that a table stands at the end of every run, however the jobs went.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from steelyard import store
from steelyard.core import (
    ConfigError,
    DataError,
    DiskError,
    ModelSpec,
    Plan,
    RunStopped,
    ServiceError,
)
from steelyard.pipeline import discover
from steelyard.pipeline.continuity import check_data, continue_plan
from steelyard.pipeline.events import (
    Event,
    JobEnded,
    JobStarted,
    Listener,
    Notice,
    Planned,
)
from steelyard.pipeline.infer import Work, ask_all, sender_count, warm_up
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.report import report
from steelyard.pipeline.score import ScoreOptions, score
from steelyard.pipeline.sender import ask_apart
from steelyard.pipeline.tally import Tally
from steelyard.store import RunFolder

TICK_S = 0.5
INCOMPLETE_SHARE = 0.01
"""More failed requests than this share of a job make the run incomplete."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a plan is carried out; nothing in here changes an answer."""

    max_num_workers: int = 1
    warmups: int = 0
    debug: bool = False
    reuse_anyway: bool = False
    details: bool = False
    extract_rate: bool = False


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    complete: bool
    unfinished: tuple[str, ...] = ()
    """What is missing, in words."""


class _Run:
    """One run under way: what the stages share."""

    def __init__(self, folder: RunFolder, settings: Settings, listener: Listener) -> None:
        self.folder = folder
        self.settings = settings
        self.tallies: list[Tally] = []
        self.trouble: dict[str, str] = {}
        self._listener = listener
        self._began = time.monotonic()

    def tell(self, event: Event) -> None:
        """Pass an event on, stamped."""
        at_s = round(time.monotonic() - self._began, 3)
        self._listener(msgspec.structs.replace(event, at_s=at_s))

    def predictions(self, prepared: Prepared) -> Path:
        """The record file of a job's replies."""
        job = prepared.job
        return self.folder.predictions(job.model.abbr, job.task.name)

    def log(self, stage: Literal["infer", "eval"], prepared: Prepared) -> JobLog:
        """The log of one stage of one job."""
        job = prepared.job
        if not self.settings.debug:
            path = self.folder.log(stage, job.model.abbr, job.task.name)
            return JobLog(path, echo=None)

        def echo(level: str, text: str) -> None:
            known: Literal["info", "error"] = "error" if level == "ERROR" else "info"
            self.tell(Notice(text=text, level=known, job=prepared.name))

        return JobLog(None, echo=echo)

    async def tick(self) -> None:
        """Tell the progress of all running jobs twice a second."""
        while True:
            await asyncio.sleep(TICK_S)
            for tally in self.tallies:
                self.tell(tally.progress())


async def run_plan(
    plan: Plan,
    prepared: Sequence[Prepared],
    folder: RunFolder,
    settings: Settings,
    listener: Listener,
) -> RunResult:
    """Carry out ``plan`` in ``folder``. ``prepared`` holds the plan's jobs, with their rows.

    Raises ``PlanMismatch`` before anything is sent, ``DiskError`` when records cannot be written.
    Cancelling it (Ctrl-C) abandons what is in flight and keeps what is finished.
    """
    run = _Run(folder, settings, listener)
    names = tuple(item.name for item in prepared)
    run.tell(Planned(folder=str(folder.root), mode=plan.mode, jobs=names))
    for text in plan.notices:
        run.tell(Notice(text=text))
    if plan.mode in ("all", "infer"):
        await _infer_all(run, prepared)
    else:
        check_data(folder, prepared, anyway=settings.reuse_anyway)
    if plan.mode in ("all", "eval"):
        _score_all(run, prepared)
    if plan.mode != "infer":
        for name in report(folder, prepared, tell=run.tell):
            run.trouble.setdefault(name, "no results; make them with --mode eval --reuse")
    unfinished = tuple(f"{job}: {why}" for job, why in run.trouble.items())
    return RunResult(complete=not unfinished, unfinished=unfinished)


async def _infer_all(run: _Run, prepared: Sequence[Prepared]) -> None:
    works = [Work(item, run.predictions(item)) for item in prepared]
    models = await _discover(run, prepared)
    anyway = run.settings.reuse_anyway
    for text in continue_plan(run.folder, prepared, models, anyway=anyway):
        run.tell(Notice(text=text))
    waiting = iter([work for work in works if work.model.abbr in models])

    async def worker() -> None:
        for work in waiting:
            work.model = models[work.model.abbr]
            await _infer(run, work)

    ticker = asyncio.ensure_future(run.tick())
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(1 if run.settings.debug else run.settings.max_num_workers):
                workers.create_task(worker())
    except* DiskError as full:
        raise full.exceptions[0] from None
    finally:
        ticker.cancel()


async def _discover(run: _Run, prepared: Sequence[Prepared]) -> dict[str, ModelSpec]:
    """The models with their served names; one that cannot be asked takes its jobs down."""
    found: dict[str, ModelSpec] = {}
    for abbr, model in {item.job.model.abbr: item.job.model for item in prepared}.items():
        try:
            found[abbr] = await discover.named(model)
        except ServiceError as error:
            for item in prepared:
                if item.job.model.abbr == abbr:
                    run.trouble[item.name] = str(error)
            run.tell(Notice(text=str(error), level="error", job=abbr))
    return found


async def _infer(run: _Run, work: Work) -> None:
    with run.log("infer", work.prepared) as log:
        run.tell(
            JobStarted(
                job=work.prepared.name,
                stage="infer",
                total=work.total,
                kept=work.kept,
                retried=work.retried,
                log=str(log.path or ""),
            )
        )
        log.line("INFO", f"{work.total} requests, {work.kept} of them finished before")
        if work.left == 0:
            log.line("INFO", "Get no data to infer, task finished")
            return
        if work.kept:
            log.line(
                "INFO",
                f"Found {work.kept} completed data in cache, run infer task from the last "
                "interrupted position",
            )
        await _ask(run, work, log)


async def _ask(run: _Run, work: Work, log: JobLog) -> None:
    name = work.prepared.name
    tally = Tally(name, total=work.total, kept=work.kept)
    run.tallies.append(tally)
    status: Literal["finished", "stopped", "interrupted"] = "interrupted"
    detail = ""
    try:
        if run.settings.warmups:
            await warm_up(work, count=run.settings.warmups, log=log)
        senders = sender_count(work.model.load, work.left)
        if senders == 1:
            await ask_all(work, tally=tally, log=log)
        else:
            await ask_apart(work, tally=tally, log=log, senders=senders)
        status = "finished"
    except (RunStopped, ServiceError, ConfigError) as error:
        status, detail = "stopped", str(error)
        run.trouble[name] = detail
        log.line("ERROR", f"stopped: {detail}")
    finally:
        run.tallies.remove(tally)
        for kind, count in sorted(tally.failed.items()):
            log.line("WARNING", f"failed, {kind}: {count}")
        log.line("INFO", f"{status}: {tally.answered} answered, {tally.failed.total()} failed")
        run.tell(tally.progress())
        run.tell(
            JobEnded(
                job=name,
                stage="infer",
                status=status,
                answered=tally.answered,
                failed=dict(tally.failed),
                detail=detail,
                elapsed_s=round(tally.elapsed_s, 3),
            )
        )


def _score_all(run: _Run, prepared: Sequence[Prepared]) -> None:
    options = ScoreOptions(details=run.settings.details, extract_rate=run.settings.extract_rate)
    for item in prepared:
        if item.name not in run.trouble or store.parts(run.predictions(item)):
            _score(run, item, options)


def _score(run: _Run, item: Prepared, options: ScoreOptions) -> None:
    with run.log("eval", item) as log:
        began = time.monotonic()
        try:
            results = score(item, run.folder, options)
        except DataError as error:
            run.trouble[item.name] = str(error)
            log.line("ERROR", str(error))
            run.tell(Notice(text=str(error), level="error", job=item.name))
            return
        log.line("INFO", f"{results.scorer}: {results.answered} marked, {results.failed} failed")
        lost = results.failed + results.unasked
        if lost > INCOMPLETE_SHARE * item.total and item.name not in run.trouble:
            run.trouble[item.name] = (
                f"{lost} of {item.total} requests have no answer; ask them again with --reuse"
            )
        run.tell(
            JobEnded(
                job=item.name,
                stage="eval",
                status="finished",
                answered=results.answered,
                elapsed_s=round(time.monotonic() - began, 3),
            )
        )
