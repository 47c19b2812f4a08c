"""The infer stage of all jobs: which models serve, what may be continued, how many jobs at once."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Literal, Protocol

from msgspec.structs import replace

from steelyard import backends, engine
from steelyard.core import DiskError, ModelSpec, SteelyardError
from steelyard.pipeline import devices, discover
from steelyard.pipeline.claim import claimed
from steelyard.pipeline.continuity import continue_plan
from steelyard.pipeline.events import JobEnded, JobStarted, Notice
from steelyard.pipeline.groups import ungrouped
from steelyard.pipeline.infer import Work, ask_all, sender_count
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.sender import Slice, ask_apart, infer_slices
from steelyard.pipeline.state import RunState
from steelyard.pipeline.tally import Tally
from steelyard.pipeline.warmup import warm_up

WINDOW = 1024
"""Requests that a model of this machine may choose from when it fills its batch."""


class Runner(Protocol):
    """Where models that no service holds are computed."""

    async def compute(self, part: Slice, tally: Tally, log: JobLog) -> None:
        """Have all of ``part`` answered, in a process that the model may take down with it.

        Raises ``RunStopped`` when that process ends early, ``DiskError`` as ``ask_all`` does.
        """


def infer_all(run: RunState, prepared: Sequence[Prepared]) -> None:
    """Ask what is left of every job; what cannot be asked is told and noted in ``run``."""
    with claimed(run.folder.root) as claim:
        works = [Work(item, run.predictions(item), claim) for item in prepared]
        left = [work.model for work in works if work.left]
        served = [model for model in left if backends.devices(model) is None]
        local = [model for model in left if backends.devices(model) is not None]
        loads = sorted((model.load.concurrency for model in served), reverse=True)
        if served and run.settings.cluster:
            names = ", ".join(dict.fromkeys(model.abbr for model in served))
            run.tell(Notice(text=f"--runner ray is for local models; {names}: asked from here"))
        with _runner(run, local, claim) as runner:
            connections = sum(loads[: run.settings.at_once])
            engine.run(_infer_all(run, works, runner), connections=connections)


@contextmanager
def _runner(run: RunState, local: Sequence[ModelSpec], claim: int) -> Iterator[Runner]:
    """What computes the ``local`` models; refuses what can never have its devices."""
    if run.settings.cluster is None or not local:
        yield _Here(local, run.settings.at_once, claim)
        return
    from steelyard.pipeline.ray_runner import on_cluster

    if len(local) > 1 and run.settings.at_once == 1:
        text = f"{len(local)} tasks, one at a time; --max-num-workers places more at once"
        run.tell(Notice(text=text, level="info"))
    with on_cluster(run.settings.cluster, local, run.folder.root) as runner:
        yield runner


class _Here:
    """Processes of this machine, with devices of their own."""

    def __init__(self, local: Sequence[ModelSpec], at_once: int, claim: int) -> None:
        there = devices.found()
        devices.refuse_too_few(local, at_once, there)
        self._pool = devices.Pool(there, at_once)
        self._claim = claim

    async def compute(self, part: Slice, tally: Tally, log: JobLog) -> None:
        """See ``Runner``."""
        async with self._pool.lease(backends.devices(part.errand.model) or 0) as environ:
            await ask_apart([part], claim=self._claim, tally=tally, log=log, environ=environ)


async def _infer_all(run: RunState, works: Sequence[Work], runner: Runner) -> None:
    models = await _discover(run, works)
    prepared = [work.prepared for work in works]
    anyway = run.settings.reuse_anyway
    for text in continue_plan(run.folder, prepared, models, anyway=anyway):
        run.tell(Notice(text=text))
    waiting = iter([work for work in works if work.model.abbr in models])

    async def worker() -> None:
        for work in waiting:
            work.model = models[work.model.abbr]
            await _infer(run, work, runner)

    with ungrouped():
        async with asyncio.TaskGroup() as group:
            ticker = group.create_task(run.tick())
            await asyncio.wait([group.create_task(worker()) for _ in range(run.settings.at_once)])
            ticker.cancel()


async def _discover(run: RunState, works: Iterable[Work]) -> dict[str, ModelSpec]:
    """The models with their served names, asked for only where something is left to ask.

    One that cannot be asked is left out and takes its jobs down, no others.
    """
    models: dict[str, ModelSpec] = {}
    by_model: dict[str, list[Work]] = {}
    for work in works:
        models[work.model.abbr] = work.model
        if work.left:
            by_model.setdefault(work.model.abbr, []).append(work)

    async def ask(abbr: str, jobs: Iterable[Work]) -> None:
        try:
            models[abbr] = await discover.named(models[abbr])
        except SteelyardError as error:
            del models[abbr]
            run.trouble.update({job.prepared.name: str(error) for job in jobs})
            run.tell(Notice(text=str(error), level="error", job=abbr))

    with ungrouped():
        async with asyncio.TaskGroup() as group:
            for abbr, jobs in by_model.items():
                group.create_task(ask(abbr, jobs))
    return models


async def _infer(run: RunState, work: Work, runner: Runner) -> None:
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
        await _ask(run, work, runner, log)


async def _ask(run: RunState, work: Work, runner: Runner, log: JobLog) -> None:
    """Ask what is left of one job. Disk trouble ends the run, any other only this job."""
    name = work.prepared.name
    tally = Tally(name, total=work.total, kept=work.kept)
    run.tallies.append(tally)
    status: Literal["finished", "stopped", "interrupted"] = "interrupted"
    detail = ""
    try:
        if backends.devices(work.model) is None:
            await _send(run, work, tally, log)
        else:
            await runner.compute(_whole(work), tally, log)
        status = "finished"
        run.note_missing(work.prepared, work.left - tally.answered)
    except DiskError as error:
        status, detail = "stopped", str(error)
        raise
    except SteelyardError as error:
        status, detail = "stopped", str(error)
        run.trouble[name] = detail
    finally:
        run.tallies.remove(tally)
        if detail:
            log.line("ERROR", f"stopped: {detail}")
        if tally.cut:
            tally.notes.append(
                f"{tally.cut:,} prompts were longer than the model takes and were cut"
            )
        for note in tally.notes:
            log.line("WARNING", note)
            run.tell(Notice(text=f"{name}: {note}", level="warning"))
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


async def _send(run: RunState, work: Work, tally: Tally, log: JobLog) -> None:
    if run.settings.warmups:
        first = cycle(islice(work.prepared.requests(work.model), run.settings.warmups))
        await warm_up(work.model, islice(first, run.settings.warmups), log=log)
    senders = 1 if run.settings.debug else sender_count(work.model.load, work.left)
    if senders == 1:
        await ask_all(work, tally=tally, log=log)
    else:
        slices = infer_slices(work, senders)
        await ask_apart(slices, claim=work.claim, tally=tally, log=log)


def _whole(work: Work) -> Slice:
    """All that is left of a job, for a model that chooses itself what it computes together."""
    load = replace(work.model.load, concurrency=WINDOW, request_rate=0.0)
    work.model = replace(work.model, load=load)
    (part,) = infer_slices(work, 1)
    return part
