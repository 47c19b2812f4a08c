"""The judge stage of one job: ask about every answer that has no judgement, keep every reply.

Answers are taken from their files, the stored ones first and then, while they are still being made,
each as it comes. A reply without a verdict is asked for once more, in the same run.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Container, Iterator, Mapping
from pathlib import Path

import msgspec

from steelyard import backends, engine, store
from steelyard.core import ModelSpec, Noting, Reply, Request
from steelyard.pipeline.cases import Case, Docket, Question
from steelyard.pipeline.infer import Errand, failure_text
from steelyard.pipeline.judgements import MOST_ASKED, Judgements
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.records import Line, line, origins, replies, reply, sample_id
from steelyard.pipeline.sender import Slice
from steelyard.pipeline.state import RunState
from steelyard.pipeline.tally import Tally

_LOOK_EVERY_S = 0.2
"""How often new answers are looked for while they are made."""


class Bench:
    """One job before its judge."""

    def __init__(self, run: RunState, prepared: Prepared, model: ModelSpec) -> None:
        """Reads what is stored. ``model`` is the judge, with its served name."""
        job = prepared.job
        self.prepared = prepared
        self.model = model
        self.answers = run.predictions(prepared)
        self.path = run.folder.judgements(job.model.abbr, job.marked_name)
        self.name = f"{job.model.abbr}/{job.marked_name}"
        self.docket = Docket(prepared, self.answers)
        self.served = str(model.options.get("model", ""))
        self.reread()
        self.stale = 0
        """Judgements of other answers, or by another judge."""
        self.credit: dict[str, int] = {}
        """How many questions about a case were settled without asking, by its key."""
        self._times: Counter[str] = Counter()
        """How many were asked in this run."""
        self.postponed = False
        """Whether a question waits for the end of another with its key."""
        self._insist = run.settings.judge_again
        self._shows_accuracy = run.settings.running_accuracy

    def reread(self) -> None:
        """Take what the judge's file says now."""
        self.judgements = Judgements(self.docket, self.path, self.served)
        self._asked: dict[str, str] = {}
        """Digests of the questions that were asked since, by key."""

    def stored(self) -> list[Case]:
        """The cases of all stored answers, in the order of the data."""
        found = replies(self.answers, self.prepared.samples)
        return [self.docket.case(found[key]) for key in self.docket.samples if key in found]

    def requests(
        self, case: Case, under_way: Container[str] = ()
    ) -> Iterator[tuple[Question, Request]]:
        """What is to be asked about ``case`` now.

        Nothing of a key that is ``under_way`` with another answer, as when a dialogue was begun
        anew; it is to be looked at again (``postponed``).
        """
        for question in self.docket.questions(case):
            if self._asked.get(question.key) == question.digest:
                continue
            if question.key in under_way:
                self.postponed = True
                continue
            stored = self.judgements.stored(question)
            again = stored.asked > 0
            if stored.parsed or (stored.asked >= MOST_ASKED and not self._insist):
                continue
            self.stale += stored.is_stale
            self._asked[question.key] = question.digest
            yield question, self._request(question, again=again)

    def outcomes(self) -> Mapping[str, int]:
        """How many answers have which judgement, as stored."""
        cases = (case for case in self.stored() if case.reply.failure is None)
        return Counter(self.judgements.of(case)[0].outcome for case in cases)

    def settled(self, case: Case, asked: int) -> int:
        """By how much more is settled without asking, after ``asked`` questions about ``case``.

        Below 0 when something was asked although the case had counted before.
        """
        if case.reply.failure is not None:
            return 0
        self._times[case.key] += asked
        before = self.credit.get(case.key, 0)
        self.credit[case.key] = len(self.docket.judging.judges) - self._times[case.key]
        return self.credit[case.key] - before

    def once_more(self, question: Question, found: Reply) -> Request | None:
        """Keep what came back, and what is asked then, if anything."""
        stored = self.judgements.take(question, found)
        if found.failure is None and not stored.parsed and stored.asked < MOST_ASKED:
            return self._request(question, again=True)
        return None

    def mark(self, case: Case) -> float | None:
        """What a judged case adds to the running accuracy, if anything."""
        return self.judgements.of(case)[0].value if self._shows_accuracy else None

    def _request(self, question: Question, *, again: bool) -> Request:
        return question.request(self.docket.judging, self.served, again=again)


class Gates:
    """One gate for each judge of a run, whoever's answers come before it."""

    def __init__(self) -> None:
        self._gates: dict[str, engine.Gate] = {}

    def of(self, judge: ModelSpec) -> engine.Gate:
        """The gate of ``judge``."""
        gate = engine.Gate(judge.load.concurrency, judge.load.request_rate)
        return self._gates.setdefault(judge.abbr, gate)


async def judge_served(
    bench: Bench,
    gates: Gates,
    tally: Tally,
    log: JobLog,
    *,
    over: asyncio.Event | None = None,
) -> None:
    """Ask a judge that is a service. With ``over``, answers are still being made until it is set.

    Raises as ``infer.ask_all`` does.
    """
    origin = origins(bench.prepared.job.task.name, bench.prepared.samples)
    asking = _Asking(bench, tally, over)
    backend = backends.open_backend(bench.model)
    try:
        with store.Writer(bench.path) as writer:

            def keep(found: Reply, request: Request) -> None:
                writer.append(line(found, request, origin[sample_id(found.key)]))
                if found.failure is not None:
                    log.line("ERROR", failure_text(found))
                asking.take(found)

            await engine.drive_live(
                engine.Watched(backend, tally.counters),
                asking.requests(),
                gates.of(bench.model),
                policy=engine.Policy(retries=bench.model.load.retries),
                sink=keep,
            )
    finally:
        await backend.close()
        if isinstance(backend, Noting):
            tally.notes += backend.notes()


def judge_slices(bench: Bench) -> Iterator[Slice]:
    """The rounds of a judge that is computed here: all questions, then those without a verdict.

    The second is made when the first is done, from what the file then says.
    """
    origin = origins(bench.prepared.job.task.name, bench.prepared.samples)
    errand = Errand(bench.model, str(store.part(bench.path, 1)), origin)
    for _ in range(MOST_ASKED):
        asked = [one for case in bench.stored() for _, one in bench.requests(case)]
        if not asked:
            return
        yield Slice(errand, asked)
        bench.reread()


class _Asking:
    """Which questions are asked, in which order, and when there are no more."""

    def __init__(self, bench: Bench, tally: Tally, over: asyncio.Event | None) -> None:
        self._bench = bench
        self._tally = tally
        self._over = over
        self._open: dict[str, tuple[Case, Question]] = {}
        """What is under way, by key."""
        self._again: deque[Request] = deque()
        self._news = asyncio.Event()

    async def requests(self) -> AsyncIterator[Request]:
        """Every question that is to be asked; waits for answers that are still to come."""
        if self._over is not None:
            async for request in self._until(self._over):
                yield request
        self._bench.postponed = True
        while self._bench.postponed:
            self._bench.postponed = False
            for case in self._bench.stored():
                for request in self._about(case):
                    yield request
            while self._open or self._again:
                while self._again:
                    yield self._again.popleft()
                if self._open:
                    await self._something(None)

    async def _until(self, over: asyncio.Event) -> AsyncIterator[Request]:
        """What is to be asked about answers as they come."""
        follower = _Follower(self._bench.answers)
        while not over.is_set():
            for found in filter(self._is_wanted, follower.new()):
                for request in self._about(self._bench.docket.case(found)):
                    yield request
            while self._again:
                yield self._again.popleft()
            await self._something(_LOOK_EVERY_S)

    def take(self, found: Reply) -> None:
        """A reply that came, already on disk."""
        case, question = self._open.pop(found.key)
        request = self._bench.once_more(question, found)
        if request is not None:
            self._open[request.key] = case, question
            self._again.append(request)
        else:
            self._tally.count(found)
            value = self._bench.mark(case)
            if value is not None:
                self._tally.mark(value)
        self._news.set()

    def _is_wanted(self, found: Reply) -> bool:
        return found.failure is None and found.key in self._bench.docket.samples

    def _about(self, case: Case) -> Iterator[Request]:
        asked = 0
        for question, request in self._bench.requests(case, self._open):
            self._open[question.key] = case, question
            asked += 1
            yield request
        more = self._bench.settled(case, asked)
        self._tally.kept += more
        if more > 0 and case.settled is not None:
            self._tally.mark(case.settled.value or 0.0)

    async def _something(self, limit_s: float | None) -> None:
        """Wait until a reply came, or for so long."""
        self._news.clear()
        over = self._over
        waits = [asyncio.ensure_future(self._news.wait())]
        if over is not None and not over.is_set():
            waits.append(asyncio.ensure_future(over.wait()))
        try:
            await asyncio.wait(waits, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()


class _Follower:
    """Answers as they come into their files, whoever writes them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tails: dict[Path, store.Tail] = {}

    def new(self) -> Iterator[Reply]:
        """The answers since the last look. Lines that name no key wait until all are read, and
        so do lines that cannot be read: then it is told which they are."""
        for part in store.parts(self._path):
            tail = self._tails.setdefault(part, store.Tail(part))
            for raw in tail.new():
                stored = _readable(raw)
                if stored is not None and stored.key:
                    yield reply(stored)


def _readable(raw: bytes) -> Line | None:
    try:
        return msgspec.json.decode(raw, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
