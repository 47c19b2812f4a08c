"""The infer stage: ask what has no good reply yet, keep every reply as it comes.

Resuming is nothing special: the stage reads which keys are finished and asks the others.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from steelyard import backends, engine, store
from steelyard.core import (
    Load,
    ModelSpec,
    Noting,
    Reply,
    Request,
    Sample,
    SteelyardError,
)
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.marks import marked
from steelyard.pipeline.pictures import kept, looked_at
from steelyard.pipeline.prepare import Prepared, dialogue_keys
from steelyard.pipeline.records import Origin, finished, line, origins, replies, sample_id, sound
from steelyard.pipeline.tally import Tally
from steelyard.scoring import cleaner

PER_SENDER = 500
"""Requests in flight that one sender process is given when nobody says otherwise."""


class Work:
    """What is left to ask of one job. Making it reads what is stored."""

    def __init__(self, prepared: Prepared, path: Path, claim: int) -> None:
        self.prepared = prepared
        self.model: ModelSpec = prepared.job.model
        """Gets its served name before anything is asked."""
        self.path = path
        self.claim = claim
        """Holds the run folder for whoever inherits it (``claim``)."""
        good, failed = finished(path, prepared.samples)
        if prepared.job.task.draws:
            good -= _without_picture(path, prepared)
        wanted = set(prepared.keys())
        self.kept = len(wanted & good)
        self.retried = len(wanted & failed)
        self.total = prepared.total
        self._good = good

    @property
    def left(self) -> int:
        """Requests without a good reply."""
        return self.total - self.kept

    def requests(self) -> Iterator[Request]:
        """The requests that are left, in the order of the data; an unfinished dialogue is whole."""
        return (
            request
            for request in self.prepared.requests(self.model)
            if not self._good.issuperset(dialogue_keys(request.key, len(request.then)))
        )

    def errand(self) -> "Errand":
        """Where the requests go and where their replies are kept."""
        named = origins(self.prepared.job.task.name, self.prepared.samples)
        return Errand(self.model, str(self.path), named)


def _without_picture(path: Path, prepared: Prepared) -> set[str]:
    """The keys of answers whose picture is not there any more; they are asked for again."""
    found = replies(path, prepared.samples)
    return {key for key, one in found.items() if looked_at(one, path.parent)[0].failure is not None}


class Errand(msgspec.Struct, frozen=True, tag="infer"):
    """What sending needs besides the requests; pure data, so it can go to another process."""

    model: ModelSpec
    path: str
    """The record file."""
    origin: dict[str, Origin]


def sender_count(load: Load, left: int) -> int:
    """Sender processes for one job: as told, else one per 500 in flight on 80 % of the cores."""
    if load.senders:
        return min(load.senders, max(1, left), load.concurrency)
    cores = max(1, int(0.8 * (os.cpu_count() or 1)))
    in_flight = min(load.concurrency, max(1, left))
    return min(cores, -(-in_flight // PER_SENDER))


async def ask_all(work: Work, *, tally: Tally, log: JobLog) -> None:
    """Ask everything that is left from this process; every reply is on disk before it counts.

    Raises ``RunStopped`` when the service fails hopelessly from the start, ``DiskError`` when a
    record cannot be written.
    """
    marker = _marker(work.prepared, tally, log)

    def counted(reply: Reply) -> None:
        tally.count(reply)
        if reply.failure is None:
            marker(reply)
        else:
            log.line("ERROR", failure_text(reply))

    await send(work.requests(), work.errand(), counted=counted, tally=tally)


async def send(
    requests: Iterable[Request],
    errand: Errand,
    *,
    counted: Callable[[Reply], None],
    tally: Tally,
) -> None:
    """Ask ``requests`` and append each reply to the errand's file; then ``counted`` hears it.

    ``tally`` gets the attempts and what the backend has to say at the end.
    """
    load = errand.model.load
    with store.Writer(Path(errand.path)) as writer:

        def keep(reply: Reply, request: Request) -> None:
            reply = kept(sound(reply), Path(errand.path))
            writer.append(line(reply, request, errand.origin[sample_id(reply.key)]))
            counted(reply)

        backend = backends.open_backend(errand.model)
        try:
            await engine.drive(
                engine.Watched(backend, tally.counters),
                requests,
                _pacing(load),
                policy=engine.Policy(retries=load.retries),
                sink=keep,
            )
        finally:
            await backend.close()
            if isinstance(backend, Noting):
                tally.notes += backend.notes()


def _pacing(load: Load) -> engine.Pacing:
    if load.request_rate > 0:
        return engine.Steady(load.concurrency, load.request_rate)
    return engine.Closed(load.concurrency)


def failure_text(reply: Reply) -> str:
    """A failed reply as the log tells it."""
    failure = reply.failure
    return f"{reply.key}: {failure.kind}: {failure.detail}" if failure else reply.key


def _marker(prepared: Prepared, tally: Tally, log: JobLog) -> Callable[[Reply], None]:
    """Marks answers as they come for the running accuracy, when the rule is quick enough.

    A rule that fails is not used any more: the replies are worth keeping without it.
    """
    scorer = prepared.job.task.scorer
    if not scorer.live:
        return lambda _reply: None
    samples: dict[str, Sample] = {sample.id: sample for sample in prepared.samples}
    clean = cleaner(prepared.job.model.clean)
    usable = True

    def marker(reply: Reply) -> None:
        nonlocal usable
        sample = samples[sample_id(reply.key)]
        if not usable or sample.target is None:
            return
        try:
            tally.mark(marked(reply, sample, scorer, clean).value or 0.0)
        except SteelyardError as error:
            usable = False
            log.line("ERROR", f"no running accuracy: {error}")

    return marker
