"""Where models that no service holds are computed: processes of this machine, or a Ray cluster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from msgspec.structs import replace

from steelyard import backends
from steelyard.core import ModelSpec
from steelyard.pipeline import devices
from steelyard.pipeline.events import Notice
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.sender import Slice, ask_apart
from steelyard.pipeline.state import RunState
from steelyard.pipeline.tally import Tally

WINDOW = 1024
"""Requests that a model of this machine may choose from when it fills its batch."""


class Runner(Protocol):
    """Where models that no service holds are computed."""

    async def compute(self, part: Slice, tally: Tally, log: JobLog) -> None:
        """Have all of ``part`` answered, in a process that the model may take down with it.

        Raises ``RunStopped`` when that process ends early, ``DiskError`` as ``ask_all`` does.
        """


@contextmanager
def computing(run: RunState, local: Sequence[ModelSpec], claim: int) -> Iterator[Runner]:
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


def unhurried(model: ModelSpec) -> ModelSpec:
    """``model`` with all it needs to choose itself what it computes together."""
    return replace(model, load=replace(model.load, concurrency=WINDOW, request_rate=0.0))
