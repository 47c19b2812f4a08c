"""Counting what was asked and what became of it; the source of ``/sim/stats`` and ``/metrics``.

Two views: requests (by path, status, outcome, fault) and known questions (how often each was asked
and fully answered), which shows whether a client asks anything twice.
"""

import resource
import time
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from steelyard.sim.answers import Answers

Outcome = Literal["answered", "refused", "fault", "cut", "client_gone"]
"""``answered``: the last byte of a whole answer was handed to the kernel. ``refused``: an error
that the request deserved. ``fault``: spoilt on purpose. ``cut``: interrupted by a new request.
``client_gone``: the client left, or the endpoint was stopped, before the answer was whole."""


class QuestionCount(msgspec.Struct):
    """One known question."""

    asked: int = 0
    answered: int = 0


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts and the known questions that were found in them."""

    known: int
    """Known questions."""
    known_right: int
    """So many of them are answered rightly in mode ``exact``."""
    asked: int
    """Different questions asked at least once."""
    answered: int
    """Different questions fully answered at least once."""
    asked_again: int
    """Requests for a question that had been asked before."""
    answered_again: int
    """Full answers to a question that had been fully answered before."""
    given_right: int
    """Full answers that were right."""
    given_wrong: int
    unknown: int
    """Requests with a prompt that holds no known question, and those that a judge answered."""


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The reply of ``/sim/stats``."""

    simulated: bool = True
    model: str
    requests: dict[str, int]
    """By path."""
    statuses: dict[str, int]
    """By HTTP status; 0 where no status was sent."""
    outcomes: dict[str, int]
    faults: dict[str, int]
    """By name, ``slow`` included although such a request ends up answered."""
    in_flight: int
    max_in_flight: int
    connections: int
    """Open now."""
    connections_made: int
    prompt_tokens: int
    output_tokens: int
    """Of full answers."""
    elapsed_s: float
    """Since the start or the last reset."""
    cpu_s: float
    """Processor time of the whole process since then."""
    matches: Matches
    verdicts: dict[str, int]
    """Of a simulated judge, in full answers; ``none`` where it gave none."""
    questions: dict[str, QuestionCount]
    """By id; those that were asked."""


class Tally:
    """The running counts. ``reset`` starts over; do so while nothing is in flight."""

    def __init__(self, answers: Answers, model: str) -> None:
        self.names = [entry.id or str(number) for number, entry in enumerate(answers.entries)]
        """What every known question is called."""
        self._entries = answers.entries
        self._model = model
        self.in_flight = 0
        self.connections = 0
        self.reset()

    def reset(self) -> None:
        """Zero everything but what is in flight and connected right now."""
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.max_in_flight = self.in_flight
        self.connections_made = self.connections
        self.prompt_tokens = 0
        self.output_tokens = 0
        self.given: Counter[bool] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.asked = [0] * len(self._entries)
        self.answered = [0] * len(self._entries)
        self._strangers: Counter[int] = Counter()
        self._started_ns = time.monotonic_ns()
        self._cpu_s = _cpu_s()

    def least_asked(self, numbers: Sequence[int]) -> int:
        """The first of the questions ``numbers`` that was asked the least."""
        return min(numbers, key=self.asked.__getitem__)

    def ask(self, number: int) -> int:
        """Count that question ``number`` is asked; returns how often it was asked before."""
        before = self.asked[number]
        self.asked[number] = before + 1
        return before

    def ask_stranger(self, key: int) -> int:
        """Count a prompt that holds no known question; returns how often it came before."""
        before = self._strangers[key]
        self._strangers[key] = before + 1
        return before

    def stats(self) -> Stats:
        """All counts as a value."""
        return Stats(
            model=self._model,
            requests=dict(self.requests),
            statuses={str(status): n for status, n in sorted(self.statuses.items())},
            outcomes=dict(self.outcomes),
            faults=dict(self.faults),
            in_flight=self.in_flight,
            max_in_flight=self.max_in_flight,
            connections=self.connections,
            connections_made=self.connections_made,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            elapsed_s=(time.monotonic_ns() - self._started_ns) / 1e9,
            cpu_s=_cpu_s() - self._cpu_s,
            matches=self._matches(),
            verdicts={verdict: n for verdict, n in sorted(self.verdicts.items()) if verdict},
            questions={
                name: QuestionCount(asked, answered)
                for name, asked, answered in zip(self.names, self.asked, self.answered, strict=True)
                if asked
            },
        )

    def _matches(self) -> Matches:
        asked, answered = self.asked, self.answered
        return Matches(
            known=len(self._entries),
            known_right=sum(entry.is_right for entry in self._entries),
            asked=sum(n > 0 for n in asked),
            answered=sum(n > 0 for n in answered),
            asked_again=sum(n - 1 for n in asked if n > 1),
            answered_again=sum(n - 1 for n in answered if n > 1),
            given_right=self.given[True],
            given_wrong=self.given[False],
            unknown=self._strangers.total(),
        )


def prometheus(stats: Stats) -> str:
    """The counters of ``/metrics`` in Prometheus' text format."""
    labelled = (
        ("requests", "Requests by path.", "path", stats.requests),
        ("replies", "Replies by HTTP status.", "status", stats.statuses),
        ("outcomes", "Requests by what became of them.", "outcome", stats.outcomes),
        ("faults", "Faults on purpose, by kind.", "fault", stats.faults),
    )
    lines: list[str] = []
    for name, text, label, counts in labelled:
        metric = f"steelyard_sim_{name}_total"
        lines += [f"# HELP {metric} {text}", f"# TYPE {metric} counter"]
        lines += [f'{metric}{{{label}="{key}"}} {n}' for key, n in counts.items()]
    plain = (
        ("prompt_tokens_total", "counter", stats.prompt_tokens),
        ("output_tokens_total", "counter", stats.output_tokens),
        ("in_flight", "gauge", stats.in_flight),
        ("connections", "gauge", stats.connections),
    )
    for name, kind, value in plain:
        lines += [f"# TYPE steelyard_sim_{name} {kind}", f"steelyard_sim_{name} {value}"]
    return "\n".join(lines) + "\n"


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
