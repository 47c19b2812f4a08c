"""Sending a load test from one process: how it is paced, and what is kept of it.

Requests are not tried again: a failure under load is a finding. Every request is a line on disk
before it is counted, so memory does not grow with the run.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

import msgspec
from msgspec.structs import replace

from steelyard import backends, engine, store
from steelyard.core import Beat, ConfigError, Fetcher, Load, ModelSpec, Reply, Request, Sample
from steelyard.pipeline.load_files import load_line
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.records import sample_id
from steelyard.tasks import requests

OPEN = 100_000
"""Places in flight of a replayed trace, which knows no limit."""


class LoadErrand(msgspec.Struct, frozen=True, kw_only=True, tag="load"):
    """The part of a load test that one process sends; pure data."""

    model: ModelSpec
    """With the whole load, not this process's share of it."""
    data_abbr: str
    details: str
    """Record file of the requests."""
    client: str
    """Record file of the beats."""
    planned: int
    """Requests of the whole load test, for schedules."""
    origin_ms: float = 0.0
    """Time stamp of a trace at which the run starts."""
    keep_input: bool = False
    spool: str = ""
    """File that holds the requests of all senders; empty: they are handed over."""
    number: int = 0
    """Which sender this is, and of how many."""
    of: int = 1


def load_requests(prepared: Prepared, model: ModelSpec) -> Iterator[Request]:
    """The requests of a load test in the order of the data; under pressure again and again."""
    if not model.load.pressure_s:
        yield from prepared.requests(model)
        return
    for cycle in count():
        for request in prepared.requests(replace(model, repeats=1)):
            yield replace(request, key=f"{sample_id(request.key)}#{cycle}")


def warmup_requests(prepared: Prepared, model: ModelSpec, number: int) -> Iterator[Request]:
    """``number`` requests whose rows are not measured afterwards.

    Rows that the run leaves out come first. Where there are none, measured rows are asked with a
    mark in front of the text, so that no service finds their beginning in its prefix cache.
    """
    task = prepared.job.task
    spare = prepared.spare
    rows = [
        spare[k] if k < len(spare) else _marked(prepared.samples[k % len(prepared.samples)], k)
        for k in range(number)
    ]
    for k, request in enumerate(requests(task, rows, sampling=model.sampling)):
        yield replace(request, key=f"warmup/{k}#0", then=(), due_ms=None)


def _marked(sample: Sample, k: int) -> Sample:
    mark = f"({k}, warming up) "
    if isinstance(sample.question, str):
        return replace(sample, question=mark + sample.question)
    return replace(sample, question=[{"type": "text", "text": mark}, *sample.question])


def pacing(errand: LoadErrand) -> engine.Pacing:
    """How this process paces its share; raises ``ConfigError`` for a load that cannot be."""
    load, number, of = errand.model.load, errand.number, errand.of
    places = share_of(load.concurrency, number, of)
    if load.use_timestamp:
        return engine.Stamped(OPEN, errand.origin_ms)
    if load.pressure_s:
        rate = load.request_rate
        return engine.Pressure(places, rate / of, load.pressure_s, number / rate if rate else 0.0)
    if engine.target_rate(load) > 0:
        return engine.Scheduled(places, engine.offsets_s(errand.planned, load)[number::of])
    return engine.Closed(places)


def share_of(whole: int, number: int, of: int) -> int:
    """Part ``number`` of ``whole``, split as evenly as it goes."""
    return whole // of + (number < whole % of)


async def send_load(
    asked: Iterable[Request],
    errand: LoadErrand,
    *,
    counted: Callable[[Reply], None],
    counters: engine.Counters,
) -> None:
    """Send ``asked`` as the errand paces them; raises ``DiskError`` and what ``drive`` raises."""
    name, keep_input = errand.data_abbr, errand.keep_input
    with (
        store.Writer(Path(errand.details)) as details,
        store.Writer(Path(errand.client)) as client,
    ):

        def keep(reply: Reply, request: Request) -> None:
            details.append(load_line(reply, request, name, keep_input=keep_input))
            counted(reply)

        def note(beat: Beat) -> None:
            client.append(replace(beat, sender=errand.number))

        backend = engine.WatchedFetcher(_fetcher(errand.model), counters)
        pace = pacing(errand)
        try:
            if isinstance(pace, engine.Closed):  # a load that begins with everything at once
                await backend.connect(min(pace.in_flight, share_of(errand.planned, 0, errand.of)))
            with engine.pulse(note, lambda: counters.in_flight):
                await engine.drive_load(
                    backend,
                    asked,
                    pace,
                    fatal_after=_fatal_after(errand.model.load),
                    sink=keep,
                )
        finally:
            await backend.close()


def _fetcher(model: ModelSpec) -> Fetcher:
    """The backend, if it is one that a load test can measure; else ``ConfigError``."""
    backend = backends.open_backend(model)
    if not isinstance(backend, Fetcher):
        raise ConfigError(
            f"{model.abbr}: the backend {model.backend} does not time its answers, so its speed "
            "cannot be measured here. Serve the model and use a streaming preset."
        )
    return backend


def _fatal_after(load: Load) -> int:
    """Enough failures alike to be sure, also when everything is asked at once."""
    return max(8, min(64, load.concurrency))


def spooled(errand: LoadErrand) -> Iterator[Request]:
    """This sender's requests out of the spool file; under pressure again and again."""
    decode = msgspec.json.Decoder(Request).decode
    for cycle in count():
        with Path(errand.spool).open("rb") as file:
            for place, line in enumerate(file):
                if place % errand.of == errand.number:
                    request = decode(line)
                    if cycle:
                        request = replace(request, key=f"{sample_id(request.key)}#{cycle}")
                    yield request
        if not errand.model.load.pressure_s:
            return


def write_spool(path: Path, asked: Iterable[Request]) -> int:
    """Put ``asked`` into a spool file, one a line; how many there are."""
    encode = msgspec.json.Encoder().encode_into
    line = bytearray()
    number = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for request in asked:
            encode(request, line)
            line += b"\n"
            file.write(line)
            number += 1
    return number
