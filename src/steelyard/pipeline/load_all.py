"""The performance stage of all jobs, one after the other: two load tests would measure each other.

Send, then measure; what was sent stays measurable later (``perf_viz``), however the sending ended.
"""

import os
import platform
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from msgspec.structs import replace

from steelyard import __version__, engine, store
from steelyard.core import ConfigError, DiskError, Load, ModelSpec, Reply, SteelyardError
from steelyard.pipeline import discover
from steelyard.pipeline.claim import claimed
from steelyard.pipeline.events import JobEnded, JobStarted, Notice
from steelyard.pipeline.infer import failure_text, sender_count
from steelyard.pipeline.load import (
    LoadErrand,
    load_requests,
    send_load,
    warmup_requests,
    write_spool,
)
from steelyard.pipeline.load_files import LoadFiles, RunNote, RunStatus, write_note
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.measure import measure_and_tell
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.sender import Slice, ask_apart
from steelyard.pipeline.server_metrics import ServerMetrics, scrape, write_server_metrics
from steelyard.pipeline.speed import Speed
from steelyard.pipeline.state import RunState
from steelyard.pipeline.tally import Tally
from steelyard.pipeline.warmup import warm_up

RATE_PER_SENDER = 1000.0
"""Requests a second that one sender process is given when nobody says otherwise."""


def load_all(run: RunState, prepared: Sequence[Prepared]) -> None:
    """Send and measure every job; what cannot be sent is told and noted in ``run``."""
    with claimed(run.folder.root) as claim:
        for item in prepared:
            try:
                _load_test(run, item, claim)
            except DiskError:
                raise
            except SteelyardError as error:
                run.trouble[item.name] = str(error)
                run.tell(Notice(text=str(error), level="error", job=item.name))


def measure_all(run: RunState, prepared: Sequence[Prepared]) -> None:
    """Measure what is stored of every job again; what cannot be is told and noted in ``run``."""
    for item in prepared:
        try:
            with run.log("performance", item) as log:
                measure_and_tell(run, item, load_files(run, item), log)
        except DiskError:
            raise
        except SteelyardError as error:
            run.trouble[item.name] = str(error)
            run.tell(Notice(text=str(error), level="error", job=item.name))


def load_files(run: RunState, item: Prepared) -> LoadFiles:
    """Where the load test of a job keeps its files."""
    return LoadFiles(run.folder, item.job.model.abbr, item.job.task.name)


def load_senders(load: Load, requests: int) -> int:
    """Sender processes for one load test: as told, else by concurrency and rate."""
    if load.senders:
        return min(load.senders, max(1, requests), load.concurrency)
    cores = max(1, int(0.8 * (os.cpu_count() or 1)))
    by_rate = int(-(-engine.target_rate(load) // RATE_PER_SENDER))
    return min(cores, max(1, sender_count(load, requests), by_rate))


def _load_test(run: RunState, item: Prepared, claim: int) -> None:
    with run.log("performance", item) as log:
        status, detail = send_one(run, item, log, claim)
        if status == "stopped":
            run.trouble[item.name] = detail
        measure_and_tell(run, item, load_files(run, item), log)


def send_one(run: RunState, item: Prepared, log: JobLog, claim: int) -> tuple[RunStatus, str]:
    """Send one load test and keep what comes back; how it ended, and why if it was stopped.

    ``claim`` holds the run folder. Raises what keeps it from beginning, and ``DiskError``.
    """
    test = _LoadTest(run, item, log)
    return engine.run(test.send(claim), connections=item.job.model.load.concurrency)


class _LoadTest:
    """One job's load test while it is sent."""

    def __init__(self, run: RunState, item: Prepared, log: JobLog) -> None:
        self.files = load_files(run, item)
        self._run = run
        self._item = item
        self._log = log
        load = item.job.model.load
        self._senders = 1 if run.settings.debug else load_senders(load, item.total)
        self._planned = None if load.pressure_s else len(item.samples) * item.job.model.repeats
        self._total = None if load.pressure_s else item.total
        self._tally = Tally(item.name, total=self._total, speed=Speed())
        if self.files.details.exists():
            raise ConfigError(
                f"{self.files.details} holds a load test already; a second one would be mixed with "
                "it. Start a run of its own, without --reuse."
            )

    async def send(self, claim: int) -> tuple[RunStatus, str]:
        """Find the model, warm it up, send everything; how it ended, and why if it was stopped."""
        model = await discover.named(self._item.job.model)
        warmups = self._run.settings.warmups
        if warmups:
            await warm_up(model, warmup_requests(self._item, model, warmups), log=self._log)
        before = await scrape(model)
        note = self._note(model)
        write_note(self.files, note)
        self._run.tell(self._started())
        status: RunStatus = "interrupted"
        detail = ""
        try:
            async with self._run.ticking(self._tally):
                await self._send(model, claim)
            status = "finished"
        except DiskError:
            status, detail = "stopped", "the disk refused a write"
            raise
        except SteelyardError as error:
            status, detail = "stopped", str(error)
        finally:
            ended_ns = time.monotonic_ns()
            write_note(self.files, replace(note, status=status, detail=detail, ended_ns=ended_ns))
            self._tell_end(status, detail)
        after = await scrape(model)
        write_server_metrics(self.files, ServerMetrics(before=before, after=after))
        return status, detail

    async def _send(self, model: ModelSpec, claim: int) -> None:
        tally, log, item = self._tally, self._log, self._item
        origin_ms = (item.totals and item.totals.earliest_ms) or 0.0
        errand = LoadErrand(
            model=model,
            data_abbr=item.job.task.name,
            details=str(self.files.details),
            client=str(self.files.client),
            planned=self._planned or 0,
            origin_ms=origin_ms,
            keep_input=bool(model.tokenizer),
        )
        if self._senders == 1:

            def counted(reply: Reply) -> None:
                tally.count(reply)
                if reply.failure is not None:
                    log.line("ERROR", failure_text(reply))

            asked = load_requests(item, model)
            await send_load(asked, errand, counted=counted, counters=tally.counters)
            return
        spool = self.files.path("_requests.spool")
        try:
            whole = load_requests(item, model)
            write_spool(spool, islice(whole, item.total))
            slices = [self._slice(errand, str(spool), number) for number in range(self._senders)]
            await ask_apart(slices, claim=claim, tally=tally, log=log)
        finally:
            spool.unlink(missing_ok=True)

    def _slice(self, errand: LoadErrand, spool: str, number: int) -> Slice:
        mine = replace(
            errand,
            details=str(store.part(self.files.details, number + 1)),
            client=str(store.part(self.files.client, number + 1)),
            spool=spool,
            number=number,
            of=self._senders,
        )
        return Slice(mine, [])

    def _note(self, model: ModelSpec) -> RunNote:
        return RunNote(
            status="running",
            model=model.abbr,
            dataset=self._item.job.task.name,
            served=str(model.options.get("model", "")),
            started_at=datetime.now().astimezone().isoformat("T", "seconds"),
            zero_ns=time.monotonic_ns(),
            planned=self._planned,
            dialogues=bool(self._item.totals and self._item.totals.dialogues),
            load=model.load,
            stream=bool(model.options.get("stream", True)),
            senders=self._senders,
            arrivals=engine.arrival_clock(str(model.options.get("base_url", ""))),
            warmups=self._run.settings.warmups,
            tokenizer=model.tokenizer,
            version=__version__,
            machine=f"{os.cpu_count()} processors, {platform.platform()}",
        )

    def _started(self) -> JobStarted:
        log = str(self._log.path or "")
        return JobStarted(job=self._item.name, stage="performance", total=self._total, log=log)

    def _tell_end(self, status: RunStatus, detail: str) -> None:
        tally, log = self._tally, self._log
        if detail:
            log.line("ERROR", f"stopped: {detail}")
        for kind, number in sorted(tally.failed.items()):
            log.line("WARNING", f"failed, {kind}: {number}")
        log.line("INFO", f"{status}: {tally.answered} answered, {tally.failed.total()} failed")
        self._run.tell(tally.progress())
        self._run.tell(
            JobEnded(
                job=self._item.name,
                stage="performance",
                status="finished" if status == "running" else status,
                answered=tally.answered,
                failed=dict(tally.failed),
                detail=detail,
                elapsed_s=round(tally.elapsed_s, 3),
            )
        )
