"""Sender processes: more of the same engine, each with its own slice and its own record file.

A sender gets pure data on its standard input (a slice of requests, the model, the file), says that
it is ready, and begins when it is told the time, which is the same for all of them. It writes
replies to its own ``<dataset>.N.jsonl`` and tells counts on its standard output, one JSON object a
line. It ends when its work is done, when it is interrupted, or when its parent is gone.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from steelyard import backends, engine, store
from steelyard.core import DiskError, Reply, Request, RunStopped, SteelyardError
from steelyard.pipeline.groups import ungrouped
from steelyard.pipeline.infer import Errand, Work, failure_text, send
from steelyard.pipeline.load import LoadErrand, send_load, share_of, spooled
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.records import sample_id
from steelyard.pipeline.speed import SpeedNews
from steelyard.pipeline.tally import Tally

_MOST_FAILURES_TOLD = 100
"""Failures that one word brings for the log; all are counted."""
TELL_EVERY_S = 0.25
"""How often a sender says a word."""
_TOGETHER_NS = 20_000_000
"""How long after the last sender got ready all of them begin."""
_TO_END_S = 5.0
_words = 1
"""Where a sender's words go."""


class Slice(msgspec.Struct, frozen=True):
    """The work of one sender."""

    errand: Errand | LoadErrand
    requests: list[Request]
    """Empty when the errand names a file that holds them."""


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a sender says: its counts so far, and at the end what stopped it."""

    answered: int = 0
    failed: dict[str, int] = {}
    in_flight: int = 0
    attempts: int = 0
    failures: list[str] = []
    """New failures since the last word, for the log."""
    notes: list[str] = []
    """What the backend had to say, at the end."""
    cut: int = 0
    """Prompts that were cut."""
    stopped: str = ""
    disk: str = ""
    ready: bool = False
    """Everything is there to begin."""
    speed: SpeedNews | None = None
    """Only of a load test."""


async def ask_apart(
    slices: Sequence[Slice],
    *,
    claim: int,
    tally: Tally,
    log: JobLog,
    environ: Mapping[str, str] = {},
) -> None:
    """Send every slice from a process of its own; all begin at the same time.

    ``environ`` is added to the environment of the processes. Raises as ``infer.ask_all`` does.
    """
    launch = _Launch(claim, environ)
    counts = Counts([Word()] * len(slices), tally, log)
    start = _Start(len(slices))
    with ungrouped():
        async with asyncio.TaskGroup() as group:
            for number, part in enumerate(slices):
                group.create_task(_follow(part, number, counts, start, launch))


def infer_slices(work: Work, senders: int) -> list[Slice]:
    """Every request goes to one sender, and every sender has its share of the places in flight."""
    requests, whole = list(work.requests()), work.errand()
    load = whole.model.load
    slices = []
    for number in range(senders):
        mine = requests[number::senders]
        share = share_of(load.concurrency, number, senders)
        mine_only = replace(
            load, concurrency=share, senders=1, request_rate=load.request_rate / senders
        )
        model = replace(whole.model, load=mine_only)
        names = {sample_id(request.key) for request in mine}
        origin = {name: whole.origin[name] for name in names}
        path = store.part(work.path, number + 1)
        slices.append(Slice(Errand(model, str(path), origin), mine))
    return slices


class _Launch(NamedTuple):
    """What the processes of one job get beside their work."""

    claim: int
    environ: Mapping[str, str]


class _Start:
    """The moment at which all senders begin: shortly after the last one is ready."""

    def __init__(self, senders: int) -> None:
        self._missing = senders
        self._at_ns: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def moment(self) -> int:
        """The common start (monotonic ns), once every sender has asked for it."""
        self._missing -= 1
        if not self._missing:
            self._at_ns.set_result(time.monotonic_ns() + _TOGETHER_NS)
        return await self._at_ns


class Counts:
    """What all senders of one job said last, added up, and to what was counted before them."""

    def __init__(self, words: list[Word], tally: Tally, log: JobLog) -> None:
        self._words = words
        self.tally = tally
        self._log = log
        before = tally.counters.attempts
        self._before = Word(tally.answered, dict(tally.failed), attempts=before, cut=tally.cut)

    def take(self, number: int, word: Word) -> None:
        """Count what a sender says."""
        tally = self.tally
        self._words[number] = word
        words = (self._before, *self._words)
        tally.answered = sum(word.answered for word in words)
        tally.counters.in_flight = sum(word.in_flight for word in words)
        tally.counters.attempts = sum(word.attempts for word in words)
        tally.failed = sum((Counter(word.failed) for word in words), Counter())
        tally.cut = sum(word.cut for word in words)
        tally.notes += word.notes
        if tally.speed is not None and word.speed is not None:
            tally.speed.add(word.speed)
        for failure in word.failures:
            self._log.line("ERROR", failure)


async def _follow(part: Slice, number: int, counts: Counts, start: _Start, launch: _Launch) -> None:
    """One sender from start to end, or until this task is cancelled."""
    process = await _started(launch)
    told_to, tells = process.stdin, process.stdout
    if told_to is None or tells is None:
        raise RunStopped("a sender process has no pipes")
    try:
        body = msgspec.msgpack.encode(part)
        told_to.write(len(body).to_bytes(8, "big") + body)
        with suppress(BrokenPipeError, ConnectionResetError):  # it died; how is asked below
            await told_to.drain()
        async for told in tells:
            word = msgspec.json.decode(told, type=Word)
            if word.ready:
                told_to.write((await start.moment()).to_bytes(8, "big"))
                continue
            counts.take(number, word)
            if word.stopped:
                raise RunStopped(word.stopped)
            if word.disk:
                raise DiskError(word.disk)
        if await process.wait() != 0:
            raise RunStopped(
                f"sender process {number + 1} ended with code {process.returncode}; what it had "
                "finished is kept. Go on with --reuse"
            )
    finally:
        told_to.close()
        try:  # told to stop, it keeps what it has and says a last word
            async with asyncio.timeout(_TO_END_S):
                async for told in tells:
                    counts.take(number, msgspec.json.decode(told, type=Word))
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _started(launch: _Launch) -> asyncio.subprocess.Process:
    """A sender that finds the same modules as this process and holds the run folder with it.

    It has a session of its own: an interrupt at the terminal is for this process, whose end it
    sees.
    """
    modules = os.pathsep.join(path for path in sys.path if path)
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "steelyard.pipeline",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
            env={**os.environ, **launch.environ, "PYTHONPATH": modules},
            pass_fds=(launch.claim,),
            start_new_session=True,
        )
    except OSError as error:
        raise RunStopped(
            f"a sender process cannot be started: {error.strerror}. Use fewer with --senders."
        ) from error


class Telling:
    """What one sender has to tell."""

    def __init__(self, *, is_load: bool) -> None:
        self.tally = Tally("", total=None)
        self.counters = self.tally.counters
        self._failures: list[str] = []
        self._is_load = is_load
        self._speed = SpeedNews(0, [], [])

    def count(self, reply: Reply) -> None:
        """Take one finished reply."""
        self.tally.count(reply)
        if self._is_load:
            self._speed.count(reply)
        if reply.failure is not None and len(self._failures) < _MOST_FAILURES_TOLD:
            self._failures.append(failure_text(reply))

    def word(self) -> Word:
        """The counts so far, and what is new."""
        failures, self._failures = self._failures, []
        speed, self._speed = self._speed, SpeedNews(0, [], [])
        tally = self.tally
        notes, tally.notes = tally.notes, []
        return Word(
            tally.answered,
            dict(tally.failed),
            tally.counters.in_flight,
            tally.counters.attempts,
            failures,
            notes,
            tally.cut,
            speed=speed if self._is_load else None,
        )


def _sending(part: Slice, telling: Telling) -> Coroutine[None, None, None]:
    """What this sender does, of either kind."""
    counted, counters = telling.count, telling.counters
    if isinstance(part.errand, LoadErrand):
        asked = spooled(part.errand) if part.errand.spool else part.requests
        return send_load(asked, part.errand, counted=counted, counters=counters)
    return send(part.requests, part.errand, counted=counted, tally=telling.tally)


async def serve(part: Slice, tell: Callable[[Word], None]) -> Word:
    """Do the work of ``part`` and ``tell`` how it goes; returns the last word.

    Cancelled, it ends in good order: what is finished is kept, and the last word counts it.
    """
    telling = Telling(is_load=isinstance(part.errand, LoadErrand))
    work = asyncio.ensure_future(_sending(part, telling))
    try:
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=TELL_EVERY_S)
                tell(telling.word())
        except asyncio.CancelledError:
            work.cancel()
        await work
    except DiskError as error:
        return replace(telling.word(), disk=str(error))
    except SteelyardError as error:
        return replace(telling.word(), stopped=str(error))
    except asyncio.CancelledError:
        pass
    return telling.word()


async def _serve(part: Slice, start_ns: int) -> Word:
    await asyncio.sleep(max(0, start_ns - time.monotonic_ns()) / 1e9)
    work = asyncio.ensure_future(serve(part, _tell))
    loop = asyncio.get_running_loop()

    def abandon() -> None:
        loop.remove_reader(0)
        work.cancel()

    loop.add_reader(0, abandon)
    return await work


def _tell(word: Word) -> None:
    os.write(_words, msgspec.json.encode(word) + b"\n")


def _keep_output_for_words() -> None:
    """What a model's library, or a process that it starts, prints goes to standard error."""
    global _words
    _words = os.dup(1)
    os.dup2(2, 1)


def _read(size: int) -> bytes:
    """So many bytes of standard input and not one more: its end is watched for afterwards."""
    data = bytearray()
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            raise EOFError("the sender's work was cut off")
        data += more
    return bytes(data)


def main() -> int:
    """Entry point of the process."""
    _keep_output_for_words()
    try:
        size = int.from_bytes(_read(8), "big")
        part = msgspec.msgpack.decode(_read(size), type=Slice)
        _tell(Word(ready=True))
        start_ns = int.from_bytes(_read(8), "big")
        model = part.errand.model
        served = backends.devices(model) is None
        connections = model.load.concurrency if served else 0
        _tell(engine.run(_serve(part, start_ns), connections=connections))
    except (KeyboardInterrupt, BrokenPipeError, EOFError):
        return 130
    return 0
