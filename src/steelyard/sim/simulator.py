"""The simulated service: routes, keys and model names, requests in flight, what became of them.

Lives here: everything that is decided between a complete HTTP request and the script that answers
it. Does not live here: what is answered (``mind``), how that is written (``wire``, ``scripts``) and
when the bytes leave (``delivery``).
"""

import re
import time
from collections import deque

import msgspec

from steelyard.core import Json
from steelyard.sim import framing
from steelyard.sim.answers import Answers
from steelyard.sim.ask import Ask, Refused
from steelyard.sim.clock import Clock
from steelyard.sim.connection import Connection, Incoming
from steelyard.sim.decision import Deciding, Decision
from steelyard.sim.delivery import Delivery
from steelyard.sim.dialects import DIALECTS
from steelyard.sim.mind import Mind
from steelyard.sim.options import SimOptions
from steelyard.sim.scripts import Reply, script
from steelyard.sim.tally import Outcome, Stats, Tally, prometheus
from steelyard.sim.truth import Truth, TruthLog
from steelyard.sim.wire import FINGERPRINT, Wire
from steelyard.sim.wire_images import ImageEditsWire
from steelyard.sim.wire_mindie import MindIEWire
from steelyard.sim.wire_openai import CHAT, TEXT, OpenAIWire
from steelyard.sim.wire_tgi import TGIWire
from steelyard.sim.wire_triton import TritonWire

_TRITON = re.compile(r"/v2/models/[^/]+(?:/versions/[^/]+)?/(generate|generate_stream)")
_CREATED = 1_750_000_000
_MOST_TOKENS = 1_000_000


class Arrival(msgspec.Struct, frozen=True):
    """When a request came, and the name that its path is counted under."""

    path: str
    at_ns: int


class Simulator:
    """Answers every request of every connection."""

    def __init__(
        self, options: SimOptions, answers: Answers, clock: Clock, *, key: str, log: TruthLog | None
    ) -> None:
        """``key`` is the Bearer key that requests must bring; empty lets everyone in."""
        self.clock = clock
        self.tally = Tally(answers, options.model)
        self._options = options
        self._dialect = DIALECTS[options.dialect]
        self._authorization = f"Bearer {key}" if key else ""
        self._log = log
        self._mind = _mind(options, answers, self.tally)
        self._wires: dict[str, Wire] = {
            **_openai_wires(options),
            "/generate": TGIWire(),
            "/generate_stream": TGIWire(),
            "/infer": MindIEWire(),
            "/v1/images/edits": ImageEditsWire(),
        }
        self._triton = TritonWire()
        self._connections: set[Connection] = set()
        self._running: set[InFlight] = set()
        self._queue: deque[InFlight] = deque()
        self._number = 0

    def opened(self, connection: Connection) -> None:
        """Part of ``connection.Handler``."""
        self._connections.add(connection)
        self.tally.connections += 1
        self.tally.connections_made += 1

    def closed(self, connection: Connection) -> None:
        """Part of ``connection.Handler``."""
        self._connections.discard(connection)
        self.tally.connections -= 1

    def drop_connections(self) -> None:
        """Reset every connection; what is in flight ends there."""
        for connection in tuple(self._connections):
            connection.abort()

    def handle(self, connection: Connection, incoming: Incoming) -> None:
        """Part of ``connection.Handler``: find out what is wanted and begin to answer."""
        path = incoming.target.partition("?")[0]
        route = self._route(path)
        try:
            if route is not None:
                _demand("POST", incoming)
                name, wire = route
                self.tally.requests[name] += 1
                self._admit(incoming)
                ask = wire.read(incoming.body, path)
                self._check(ask, wire)
                self._generate(connection, Arrival(name, incoming.arrival_ns), wire, ask)
            else:
                connection.write(self._page(incoming, path))
                connection.finished()
        except Refused as refused:
            wire = route[1] if route else self._wires["/v1/chat/completions"]
            if route is not None:
                self.tally.outcomes["refused"] += 1
                self.tally.statuses[refused.status] += 1
            connection.write(framing.response(refused.status, wire.error(refused)))
            connection.finished()

    def complete(self, job: "InFlight") -> None:
        """The script of ``job`` is written."""
        fault = job.decision.fault
        connection = job.connection
        connection.sender = None
        self._settle(job, "answered" if fault is None or fault.way == "slow" else "fault")
        if fault is not None and fault.way == "reset":
            connection.abort()
        elif fault is not None and fault.way == "truncate":
            connection.close()
        else:
            connection.finished()

    def abandon(self, job: "InFlight") -> None:
        """The client of ``job`` has left."""
        job.delivery.stop()
        if job not in self._running:
            self._queue.remove(job)
        fault = job.decision.fault
        self._settle(job, "client_gone" if fault is None else "fault")

    def _generate(self, connection: Connection, arrival: Arrival, wire: Wire, ask: Ask) -> None:
        self._interrupt()
        decision = self._mind.decide(ask, wire.manners, self._number)
        per_write = self._options.events_per_write or self._dialect.events_per_write
        reply = Reply(
            number=self._number, wire=wire, ask=ask, output=decision.output, per_write=per_write
        )
        self._number += 1
        job = InFlight(self, connection, arrival, reply, decision)
        connection.sender = job
        self.tally.in_flight += 1
        self.tally.max_in_flight = max(self.tally.max_in_flight, self.tally.in_flight)
        limit, fault = self._options.max_concurrency, decision.fault
        if (
            limit is not None
            and len(self._running) >= limit
            and (fault is None or fault.way != "status")
        ):
            self._queue.append(job)
        else:
            self._start(job, arrival.at_ns)

    def _start(self, job: "InFlight", start_ns: int) -> None:
        self._running.add(job)
        job.delivery.start(start_ns)

    def _interrupt(self) -> None:
        """Cut running streams where the dialect does so."""
        if not self._dialect.interrupts or self._options.keep_streams:
            return
        for job in [job for job in self._running if job.reply.ask.stream]:
            job.delivery.stop()
            job.connection.sender = None
            self._settle(job, "cut")
            job.connection.close()

    def _settle(self, job: "InFlight", outcome: Outcome) -> None:
        """Book what became of ``job`` and let the next one in."""
        tally, decision = self.tally, job.decision
        tally.in_flight -= 1
        tally.outcomes[outcome] += 1
        tally.statuses[job.status] += 1
        if decision.fault is not None:
            tally.faults[decision.fault.name] += 1
        if outcome == "answered":
            tally.prompt_tokens += job.reply.ask.prompt_tokens
            tally.output_tokens += decision.output.tokens
            tally.verdicts[decision.said.verdict] += 1
            if decision.said.question is not None:
                tally.answered[decision.said.question] += 1
                tally.given[bool(decision.said.right)] += 1
        if self._log is not None:
            self._log.write(self._truth(job, outcome))
        self._running.discard(job)
        limit = self._options.max_concurrency
        while self._queue and (limit is None or len(self._running) < limit):
            following = self._queue.popleft()
            self._running.add(following)
            following.delivery.start_soon()

    def _truth(self, job: "InFlight", outcome: Outcome) -> Truth:
        decision, said = job.decision, job.decision.said
        return Truth(
            number=job.reply.number,
            path=job.arrival.path,
            question=None if said.question is None else self.tally.names[said.question],
            occurrence=said.occurrence,
            stream=job.reply.ask.stream,
            status=job.status,
            outcome=outcome,
            fault=decision.fault.name if decision.fault else None,
            tokens=decision.output.tokens,
            arrival_ns=job.arrival.at_ns,
            writes_ns=job.delivery.writes_ns,
            done_ns=time.monotonic_ns(),
        )

    def _route(self, path: str) -> tuple[str, Wire] | None:
        """The name that ``path`` is counted under and who reads and writes there."""
        wire = self._wires.get(path)
        if wire is not None:
            return path, wire
        found = _TRITON.fullmatch(path)
        return (f"/v2/models/*/{found[1]}", self._triton) if found else None

    def _admit(self, incoming: Incoming) -> None:
        if self._authorization and incoming.authorization != self._authorization:
            raise Refused(401, "the Authorization header does not carry the right key")

    def _check(self, ask: Ask, wire: Wire) -> None:
        """Refuse models that are not served and prompts that are too long."""
        status = wire.manners.wrong_model or (404 if self._options.strict_model else 0)
        served = self._options.model
        if status and ask.model not in ("", served):
            raise Refused(status, f"the model {ask.model!r} is not served; {served!r} is")
        if max(ask.max_tokens or 0, ask.min_tokens) > _MOST_TOKENS:
            raise Refused(400, f"no more than {_MOST_TOKENS} tokens are simulated in one reply")
        longest = self._options.context_tokens
        wanted = ask.prompt_tokens + (ask.max_tokens or 0)
        if longest is not None and wanted > longest:
            raise Refused(
                400,
                f"the context holds {longest} tokens; prompt and max_tokens need {wanted}",
                "context_length_exceeded",
            )

    def _page(self, incoming: Incoming, path: str) -> bytes:
        """The pages beside generation."""
        match path:
            case "/v1/models":
                _demand("GET", incoming)
                self.tally.requests[path] += 1
                self._admit(incoming)
                return _json({"object": "list", "data": self._models()})
            case "/health":
                return _json({"status": "ok", "simulated": True})
            case "/metrics":
                text = prometheus(self.tally.stats())
                return framing.response(200, text.encode(), framing.TEXT)
            case "/sim/stats":
                return _json(self._stats())
            case "/sim/reset":
                _demand("POST", incoming)
                stats = self._stats()
                self.tally.reset()
                self._mind.reset()
                self._number = 0
                return _json(stats)
        raise Refused(404, f"there is nothing at {path}")

    def _stats(self) -> Stats:
        if self._log is not None:
            self._log.flush()
        return self.tally.stats()

    def _models(self) -> list[dict[str, Json]]:
        page = self._options.models_page
        if page == "error":
            raise Refused(500, "simulated fault: the models cannot be listed")
        if page == "empty" or (page == "dialect" and not self._dialect.lists_models):
            return []
        about = {"object": "model", "created": _CREATED, "owned_by": FINGERPRINT}
        return [{"id": self._options.model, **about}]


class InFlight:
    """One generation request that is not yet answered; its connection tells it its troubles."""

    __slots__ = ("_service", "arrival", "connection", "decision", "delivery", "reply", "status")

    def __init__(
        self,
        service: Simulator,
        connection: Connection,
        arrival: Arrival,
        reply: Reply,
        decision: Decision,
    ) -> None:
        fault = decision.fault
        self.connection = connection
        self.arrival = arrival
        self.reply = reply
        self.decision = decision
        self.status = 200 if fault is None else fault.sent_status
        """The HTTP status that is sent; 0 when none is."""
        self.delivery = Delivery(
            script(reply, decision.pace, fault), connection, service.clock, self._written
        )
        self._service = service

    def resume(self) -> None:
        """Part of ``connection.Sender``."""
        self.delivery.resume()

    def gone(self) -> None:
        """Part of ``connection.Sender``."""
        self._service.abandon(self)

    def _written(self) -> None:
        self._service.complete(self)


def _mind(options: SimOptions, answers: Answers, tally: Tally) -> Deciding:
    model = Mind(options, answers, tally)
    if options.judge is None:
        return model
    from steelyard.sim.judge_mind import JudgeMind

    return JudgeMind(options.judge, options, answers, model, tally)


def _openai_wires(options: SimOptions) -> dict[str, Wire]:
    dialect = DIALECTS[options.dialect]
    field = "" if options.reasoning_field == "think" else options.reasoning_field
    return {
        f"/v1/{name}completions": OpenAIWire(
            kind, dialect, model=options.model, reasoning_field=field
        )
        for name, kind in (("chat/", CHAT), ("", TEXT))
    }


def _demand(method: str, incoming: Incoming) -> None:
    if incoming.method != method:
        raise Refused(405, f"{incoming.method} does not work here; use {method}")


def _json(value: Json) -> bytes:
    return framing.response(200, msgspec.json.encode(value))
