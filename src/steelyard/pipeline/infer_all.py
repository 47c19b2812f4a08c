"""The infer stage of all jobs: which models serve, what may be continued, how many jobs at once."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import cycle, islice

from msgspec.structs import replace

from steelyard import backends, engine
from steelyard.core import ModelSpec, SteelyardError
from steelyard.pipeline import discover
from steelyard.pipeline.claim import claimed
from steelyard.pipeline.continuity import continue_plan
from steelyard.pipeline.events import JobStarted, Notice
from steelyard.pipeline.groups import ungrouped
from steelyard.pipeline.infer import Work, ask_all, sender_count
from steelyard.pipeline.judge import Bench, Gates
from steelyard.pipeline.judge_all import Court, connected, is_service, judge, named_judges, opened
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.prepare import Prepared, own_sampling
from steelyard.pipeline.runners import Runner, computing, unhurried
from steelyard.pipeline.sender import Slice, ask_apart, infer_slices
from steelyard.pipeline.state import RunState
from steelyard.pipeline.tally import Tally
from steelyard.pipeline.telling import told
from steelyard.pipeline.warmup import warm_up


def infer_all(run: RunState, prepared: Sequence[Prepared], *, judging: bool) -> None:
    """Ask what is left of every job; what cannot be asked is told and noted in ``run``.

    ``judging``: a judge that is a service is asked about the answers as they come.
    """
    with claimed(run.folder.root) as claim:
        works = [Work(item, run.predictions(item), claim) for item in prepared]
        left = [work.model for work in works if work.left]
        served = [model for model in left if backends.devices(model) is None]
        local = [model for model in left if backends.devices(model) is not None]
        if served and run.settings.cluster:
            names = ", ".join(dict.fromkeys(model.abbr for model in served))
            run.tell(Notice(text=f"--runner ray is for local models; {names}: asked from here"))
        with computing(run, local, claim) as runner:
            watched = [work.prepared for work in works if work.left and is_service(work.prepared)]
            watched = watched if judging else []
            judges = [item.job.judging.model for item in watched if item.job.judging]
            loads = sorted((model.load.concurrency for model in served), reverse=True)
            connections = sum(loads[: run.settings.at_once]) + connected(judges)
            engine.run(_infer_all(run, works, runner, watched), connections=connections)


async def _infer_all(
    run: RunState, works: Sequence[Work], runner: Runner, watched: Sequence[Prepared]
) -> None:
    models = await _discover(run, works)
    court = Court(await named_judges(run, watched), Gates())
    prepared = [work.prepared for work in works]
    anyway = run.settings.reuse_anyway
    for text in continue_plan(run.folder, prepared, models, anyway=anyway):
        run.tell(Notice(text=text))
    for work in works:
        if work.left and (own := own_sampling(work.prepared.samples)):
            text = f"every row is asked with a {own} of its own, whatever is set for the model"
            run.tell(Notice(text=text, job=work.prepared.name))
    waiting = iter([work for work in works if work.model.abbr in models])

    judged: list[asyncio.Task[None]] = []
    with ungrouped():
        async with asyncio.TaskGroup() as group:

            async def worker() -> None:
                for work in waiting:
                    work.model = replace(work.model, options=models[work.model.abbr].options)
                    over = asyncio.Event()
                    bench = _bench(run, work.prepared, court) if work.prepared in watched else None
                    if bench is not None:  # it may go on while the next job is asked
                        judged.append(group.create_task(judge(run, bench, court, over=over)))
                    try:
                        await _infer(run, work, runner)
                    finally:
                        over.set()

            ticker = group.create_task(run.tick())
            await asyncio.wait([group.create_task(worker()) for _ in range(run.settings.at_once)])
            if judged:
                await asyncio.wait(judged)
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


def _bench(run: RunState, item: Prepared, court: Court) -> Bench | None:
    model = court.of(item)
    return opened(run, item, model) if model is not None else None


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
    """Ask what is left of one job."""
    name = work.prepared.name
    tally = Tally(name, total=work.total, kept=work.kept)
    async with told(run, name, tally, log):
        if backends.devices(work.model) is None:
            await _send(run, work, tally, log)
        else:
            await runner.compute(_whole(work), tally, log)
        run.note_missing(work.prepared, work.left - tally.answered)


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
    """All that is left of a job, in one process."""
    work.model = unhurried(work.model)
    (part,) = infer_slices(work, 1)
    return part
