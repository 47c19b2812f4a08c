"""The judge stage of all jobs: who judges, whether that one can be asked, and when.

A judge that is a service may be asked while the answers are still being made. One that is computed
on this machine waits until they are all there: it may need the devices.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from steelyard import backends, engine
from steelyard.core import DataError, ModelSpec, RunStopped, SteelyardError
from steelyard.pipeline import discover
from steelyard.pipeline.claim import claimed
from steelyard.pipeline.events import JobStarted, Notice
from steelyard.pipeline.groups import ungrouped
from steelyard.pipeline.judge import Bench, Gates, judge_served, judge_slices
from steelyard.pipeline.judge_words import of_judge
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.records import sources
from steelyard.pipeline.runners import Runner, computing, unhurried
from steelyard.pipeline.state import RunState
from steelyard.pipeline.tally import Tally
from steelyard.pipeline.telling import told

_LOOK_S = 5.0
"""How long a judge that may not be needed is waited for."""


def judge_all(run: RunState, prepared: Sequence[Prepared]) -> None:
    """Have judged what is not judged yet; what cannot be is told and noted in ``run``.

    Jobs without a judge are left alone, and so are those without stored answers.
    """
    jobs = []
    for item in prepared:
        if item.job.judging is None or item.name in run.before_judge:
            continue
        if sources(run.predictions(item)):
            jobs.append(item)
        elif item.name not in run.trouble:
            path = run.predictions(item)
            text = f"{path}: no stored answers to judge. Ask the model first (--mode infer or all)."
            _cannot(run, item, DataError(text))
    if not jobs:
        return
    with claimed(run.folder.root) as claim:
        served = _served_now(jobs)
        run.judges.update(served)
        found = (_with_work(run, item, served) for item in jobs)
        benches = [bench for bench in found if bench is not None]
        if not benches:
            return
        judges = [bench.model for bench in benches]
        local = [model for model in judges if backends.devices(model) is not None]
        with computing(run, local, claim) as runner:
            connections = connected(judges)
            engine.run(_judge_all(run, benches, runner), connections=connections)


def note_unjudged(run: RunState, prepared: Sequence[Prepared]) -> None:
    """Note which jobs lack judgements, for modes without the eval stage, which sees it too."""
    for item in prepared:
        judging = item.job.judging
        if judging is None or item.name in run.trouble or not sources(run.predictions(item)):
            continue
        bench = opened(run, run.with_judge(item))
        try:
            if bench is not None:
                run.note_unjudged(item, bench.outcomes())
        except SteelyardError as error:
            _cannot(run, item, error)


def opened(run: RunState, item: Prepared, model: ModelSpec | None = None) -> Bench | None:
    """The job before its judge; ``None``, told and noted, when it cannot be judged."""
    judging = item.job.judging
    if judging is None:
        return None
    try:
        return Bench(run, item, model or judging.model)
    except SteelyardError as error:
        _cannot(run, item, error)
        return None


def _served_now(items: Iterable[Prepared]) -> Mapping[str, ModelSpec]:
    """The judges that nobody named, with the names that are served now, by abbr.

    Another one may stand where the last one stood, and what that one said is not what this one
    says. A judge that does not answer is left out: it may not be needed any more.
    """
    judging = [item.job.judging for item in items if item.job.judging is not None]
    judges = {one.model.abbr: one.model for one in judging}
    unnamed = [model for model in judges.values() if not model.options.get("model")]

    async def look() -> dict[str, ModelSpec]:
        found: dict[str, ModelSpec] = {}
        for model in unnamed:
            with suppress(SteelyardError, TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    found[model.abbr] = await discover.named(model)
        return found

    return engine.run(look(), connections=1) if unnamed else {}


def _with_work(run: RunState, item: Prepared, served: Mapping[str, ModelSpec]) -> Bench | None:
    """The job before its judge when there is anything to ask; looking asks nothing."""
    judging = item.job.judging
    bench = opened(run, item, served.get(judging.model.abbr) if judging else None)
    try:
        found = bench and any(True for case in bench.stored() for _ in bench.requests(case))
    except SteelyardError as error:
        _cannot(run, item, error)
        return None
    return bench if found else None


def connected(judges: Iterable[ModelSpec]) -> int:
    """Connections to all these judges at most: jobs before one judge share its places."""
    return sum({judge.abbr: judge.load.concurrency for judge in judges}.values())


def is_service(item: Prepared) -> bool:
    """Whether the job's judge can be asked while answers are made."""
    judging = item.job.judging
    return judging is not None and backends.devices(judging.model) is None


async def named_judges(run: RunState, items: Iterable[Prepared]) -> Mapping[str, ModelSpec]:
    """The judges of ``items`` with their served names, by abbr. One that cannot be asked is left
    out, and its jobs are noted."""
    found: dict[str, ModelSpec | None] = {}
    for item in items:
        judging = item.job.judging
        if judging is None:
            continue
        abbr = judging.model.abbr
        if abbr not in found:
            try:
                found[abbr] = run.judges[abbr] = await discover.named(judging.model)
            except SteelyardError as error:
                found[abbr] = None
                run.tell(Notice(text=of_judge(abbr, str(error)), level="error"))
        if found[abbr] is None:
            run.before_judge.add(item.name)
            run.trouble[item.name] = (
                f"judge {abbr!r} cannot be asked; when it can, go on with --reuse"
            )
    return {abbr: model for abbr, model in found.items() if model is not None}


class Court(NamedTuple):
    """What the jobs of a run share before their judges, in one event loop."""

    judges: Mapping[str, ModelSpec]
    """With their served names, by abbr."""
    gates: Gates
    runner: Runner | None = None
    """Computes judges of this machine."""

    def of(self, item: Prepared) -> ModelSpec | None:
        """The judge of a job; ``None`` when it cannot be asked."""
        judging = item.job.judging
        return self.judges.get(judging.model.abbr) if judging is not None else None


async def judge(
    run: RunState, bench: Bench, court: Court, *, over: asyncio.Event | None = None
) -> None:
    """Judge one job. ``over``: its answers are still being made, until it is set."""
    item = bench.prepared
    run.before_judge.add(item.name)
    try:
        tally = _tally(bench, live=over is not None)
    except SteelyardError as error:
        _cannot(run, item, error)
        return
    with run.log("judge", item) as log:
        run.tell(
            JobStarted(
                job=bench.name,
                stage="judge",
                total=tally.total,
                kept=tally.kept,
                log=str(log.path or ""),
            )
        )
        log.line("INFO", f"{bench.docket.judge_id} by {bench.served or bench.model.abbr}")
        async with told(run, item.name, tally, log):
            try:
                await _ask(bench, court, tally, log, over)
            except RunStopped as error:
                raise RunStopped(of_judge(bench.model.abbr, str(error))) from error
        if bench.stale:
            text = (
                f"{bench.stale} judgements were of other answers, or by another judge or prompt; "
                "these answers were judged again"
            )
            log.line("WARNING", text)
            run.tell(Notice(text=text, job=bench.name))


async def _ask(
    bench: Bench, court: Court, tally: Tally, log: JobLog, over: asyncio.Event | None
) -> None:
    if backends.devices(bench.model) is None:
        await judge_served(bench, court.gates, tally, log, over=over)
    elif court.runner is not None:
        bench.model = unhurried(bench.model)
        for number, part in enumerate(judge_slices(bench)):
            if number:  # what is asked once more, all that failed with it, counts when it is back
                tally.answered -= len(part.requests) - tally.failed.total()
                tally.failed.clear()
            await court.runner.compute(part, tally, log)


def _tally(bench: Bench, *, live: bool) -> Tally:
    """Counts that begin with what is judged already, or needs no judge.

    What has no answer is still to come (``live``), or is not to be judged.
    """
    questions = len(bench.docket.judging.judges)
    cases = [case for case in bench.stored() if case.reply.failure is None]
    for case in cases:
        bench.credit[case.key] = questions - sum(1 for _ in bench.requests(case))
    bench.reread()
    bench.stale = 0
    total = questions * len(bench.docket.samples if live else cases)
    tally = Tally(bench.name, total=total, kept=sum(bench.credit.values()), stage="judge")
    for case in cases:  # a running accuracy without them would be that of what the rule rejects
        if case.settled is not None and not case.audited:
            tally.mark(case.settled.value or 0.0)
    return tally


async def _judge_all(run: RunState, benches: Sequence[Bench], runner: Runner) -> None:
    judges = await named_judges(run, [bench.prepared for bench in benches])
    court = Court(judges, Gates(), runner)
    waiting = iter(benches)

    async def worker() -> None:
        for bench in waiting:
            model = court.of(bench.prepared)
            ready = opened(run, bench.prepared, model) if model is not None else None
            if ready is not None:
                await judge(run, ready, court)

    with ungrouped():
        async with asyncio.TaskGroup() as group:
            ticker = group.create_task(run.tick())
            await asyncio.wait([group.create_task(worker()) for _ in range(run.settings.at_once)])
            ticker.cancel()


def _cannot(run: RunState, item: Prepared, error: SteelyardError) -> None:
    run.trouble[item.name] = str(error)
    run.tell(Notice(text=str(error), level="error", job=item.name))
