"""One run under way: what its stages share."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from steelyard.core import ModelSpec
from steelyard.pipeline.events import Event, Listener, Notice, Stage
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.measuring import Measuring
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.tally import Tally
from steelyard.store import RunFolder

_TICK_S = 0.5
INCOMPLETE_SHARE = 0.01
"""More requests without an answer than this share of a job make the run incomplete."""


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """A Ray cluster that computes the models of this machine."""

    address: str = ""
    """``host:port``; empty: what ``RAY_ADDRESS`` says, else the cluster that runs here."""
    cpus: int = 1
    """CPUs that one task takes."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a plan is carried out; nothing in here changes an answer."""

    max_num_workers: int = 1
    warmups: int = 0
    debug: bool = False
    """One task and one process at a time, log lines as notices."""
    reuse_anyway: bool = False
    details: bool = False
    extract_rate: bool = False
    judge_again: bool = False
    """Ask a judge again where its replies, however many, stated no verdict."""
    running_accuracy: bool = True
    """Whether judged answers are shown as a share of right ones while they come."""
    cluster: Cluster | None = None
    """Where local models are computed; ``None``: in processes of this machine."""
    measuring: Measuring = Measuring()
    """How load tests are measured."""

    @property
    def at_once(self) -> int:
        """Jobs that may be asked at the same time."""
        return 1 if self.debug else self.max_num_workers


class RunState:
    """The run's folder and settings, its listener, and what went wrong so far."""

    def __init__(self, folder: RunFolder, settings: Settings, listener: Listener) -> None:
        self.folder = folder
        self.settings = settings
        self.tallies: list[Tally] = []
        """Of the jobs that are being asked now."""
        self.trouble: dict[str, str] = {}
        """What a job lacks, in words, by its name."""
        self.unmarked: set[str] = set()
        """Jobs whose marking failed."""
        self.before_judge: set[str] = set()
        """Jobs whose judge was asked, or could not be asked, in this run."""
        self.judges: dict[str, ModelSpec] = {}
        """The judges that could be asked in this run, with their served names, by abbr."""
        self._listener = listener
        self._began = time.monotonic()

    def tell(self, event: Event) -> None:
        """Pass an event on, stamped."""
        at_s = round(time.monotonic() - self._began, 3)
        self._listener(msgspec.structs.replace(event, at_s=at_s))

    def with_judge(self, item: Prepared) -> Prepared:
        """``item`` with the served name of its judge, where it came out in this run."""
        judging = item.job.judging
        model = self.judges.get(judging.model.abbr) if judging is not None else None
        if judging is None or model is None:
            return item
        job = replace(item.job, judging=replace(judging, model=model))
        return replace(item, job=job)

    def note_missing(self, item: Prepared, missing: int) -> None:
        """Keep that a job lacks answers, when they are many and nothing worse is known."""
        if missing > INCOMPLETE_SHARE * item.total and item.name not in self.trouble:
            self.trouble[item.name] = (
                f"{missing} of {item.total} requests have no answer; ask them again with --reuse "
                "(--mode all or infer)"
            )

    def note_unjudged(self, item: Prepared, outcomes: Mapping[str, int]) -> None:
        """Keep that a job lacks judgements, when they are many and nothing worse is known."""
        unread = outcomes.get("unparsed", 0)
        unjudged = unread + outcomes.get("judge_failed", 0) + outcomes.get("unjudged", 0)
        if unjudged <= INCOMPLETE_SHARE * item.total or item.name in self.trouble:
            return
        how = "--mode eval --reuse" if unjudged > unread else "--reuse --judge-again"
        self.trouble[item.name] = (
            f"{unjudged} of {item.total} answers are not judged; have them judged with {how}"
        )

    def note_failed(self, item: Prepared, failed: int, requests: int) -> None:
        """Keep that a load test had failures, when they are many and nothing worse is known."""
        if failed > INCOMPLETE_SHARE * requests and item.name not in self.trouble:
            self.trouble[item.name] = f"{failed:,} of {requests:,} requests failed"

    def predictions(self, item: Prepared) -> Path:
        """The record file of a job's replies."""
        return self.folder.predictions(item.job.model.abbr, item.job.task.name)

    def log(self, stage: Stage, item: Prepared) -> JobLog:
        """The log of one stage of one job."""
        if not self.settings.debug:
            asking = stage in ("infer", "performance")
            name = item.job.task.name if asking else item.job.marked_name
            path = self.folder.log(stage, item.job.model.abbr, name)
            return JobLog(path, echo=None)

        def echo(level: str, text: str) -> None:
            known: Literal["info", "error"] = "error" if level == "ERROR" else "info"
            self.tell(Notice(text=text, level=known, job=item.name))

        return JobLog(None, echo=echo)

    @asynccontextmanager
    async def ticking(self, tally: Tally) -> AsyncIterator[None]:
        """Tell the progress of ``tally`` twice a second meanwhile."""
        self.tallies.append(tally)
        ticker = asyncio.create_task(self.tick())
        try:
            yield
        finally:
            ticker.cancel()
            self.tallies.remove(tally)

    async def tick(self) -> None:
        """Tell the progress of all running jobs twice a second, until cancelled."""
        while True:
            await asyncio.sleep(_TICK_S)
            for tally in self.tallies:
                self.tell(tally.progress())
