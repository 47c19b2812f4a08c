"""Sender processes: more of the same engine, each with its own slice and its own record file.

A sender gets pure data on its standard input (a slice of requests, the model, the file), writes
replies to its own ``<dataset>.N.jsonl`` and tells counts on its standard output, one JSON object a
line. It ends when its work is done, when it is interrupted, or when its parent is gone.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from steelyard import engine, store
from steelyard.core import DiskError, Reply, Request, RunStopped, SteelyardError
from steelyard.pipeline.infer import Errand, Work, failure_text, send
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.records import sample_id
from steelyard.pipeline.tally import Tally

_TELL_EVERY_S = 0.25


class Slice(msgspec.Struct, frozen=True):
    """The work of one sender."""

    errand: Errand
    requests: list[Request]


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a sender says: its counts so far, and at the end what stopped it."""

    answered: int = 0
    failed: dict[str, int] = {}
    in_flight: int = 0
    attempts: int = 0
    failures: list[str] = []
    """New failures since the last word, for the log."""
    stopped: str = ""
    disk: str = ""


async def ask_apart(work: Work, *, tally: Tally, log: JobLog, senders: int) -> None:
    """Ask everything that is left from ``senders`` processes.

    Raises as ``infer.ask_all`` does.
    """
    words: list[Word] = [Word()] * senders
    try:
        async with asyncio.TaskGroup() as group:
            for number, part in enumerate(_slices(work, senders)):
                group.create_task(_follow(number, part, words, tally, log))
    except* (RunStopped, DiskError) as stopped:
        raise stopped.exceptions[0] from None


def _slices(work: Work, senders: int) -> list[Slice]:
    """Every request goes to one sender, and every sender has its share of the places in flight."""
    requests, whole = list(work.requests()), work.errand()
    load = whole.model.load
    slices = []
    for number in range(senders):
        mine = requests[number::senders]
        share = load.concurrency // senders + (number < load.concurrency % senders)
        model = replace(whole.model, load=replace(load, concurrency=share, senders=1))
        names = {sample_id(request.key) for request in mine}
        origin = {name: whole.origin[name] for name in names}
        path = store.part(work.path, number + 1)
        slices.append(Slice(Errand(model, str(path), origin), mine))
    return slices


async def _follow(number: int, part: Slice, words: list[Word], tally: Tally, log: JobLog) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "steelyard.pipeline",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    told_to, tells = process.stdin, process.stdout
    if told_to is None or tells is None:
        raise RunStopped("a sender process has no pipes")
    try:
        body = msgspec.msgpack.encode(part)
        told_to.write(len(body).to_bytes(8, "big") + body)
        await told_to.drain()
        async for told in tells:
            word = msgspec.json.decode(told, type=Word)
            words[number] = word
            _add_up(words, tally)
            for failure in word.failures:
                log.line("ERROR", failure)
            if word.stopped:
                raise RunStopped(word.stopped)
            if word.disk:
                raise DiskError(word.disk)
        if await process.wait() != 0:
            raise RunStopped(
                f"sender process {number + 1} ended with code {process.returncode}; what it had "
                "finished is kept"
            )
    finally:
        told_to.close()
        if process.returncode is None:
            await asyncio.shield(_ended(process))


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for a sender that was told to stop (its standard input is closed)."""
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()


def _add_up(words: Sequence[Word], tally: Tally) -> None:
    tally.answered = sum(word.answered for word in words)
    tally.counters.in_flight = sum(word.in_flight for word in words)
    tally.counters.attempts = sum(word.attempts for word in words)
    tally.failed = sum((Counter(word.failed) for word in words), Counter())


async def _serve(part: Slice) -> Word:
    tally = Tally("", total=len(part.requests), kept=0)
    failures: list[str] = []

    def counted(reply: Reply) -> None:
        tally.count(reply)
        if reply.failure is not None:
            failures.append(failure_text(reply))

    def word() -> Word:
        news = failures[:]
        failures.clear()
        now = tally.counters
        return Word(tally.answered, dict(tally.failed), now.in_flight, now.attempts, news)

    work = asyncio.ensure_future(
        send(
            part.requests,
            part.errand,
            counted=counted,
            counters=tally.counters,
        )
    )
    asyncio.get_running_loop().add_reader(0, work.cancel)
    while not work.done():
        await asyncio.wait({work}, timeout=_TELL_EVERY_S)
        _tell(word())
    try:
        await work
    except RunStopped as error:
        return replace(word(), stopped=str(error))
    except SteelyardError as error:
        return replace(word(), disk=str(error))
    except asyncio.CancelledError:
        pass
    return word()


def _tell(word: Word) -> None:
    os.write(1, msgspec.json.encode(word) + b"\n")


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
    size = int.from_bytes(_read(8), "big")
    part = msgspec.msgpack.decode(_read(size), type=Slice)
    try:
        _tell(engine.run(_serve(part)))
    except (KeyboardInterrupt, BrokenPipeError, EOFError):
        return 130
    return 0
