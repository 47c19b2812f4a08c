"""From what is said to a decision about the request: length, pace, and whether it goes wrong.

Every draw is a function of the seed, the question and how often it was asked before, so a run is
the same whatever order its requests arrive in.
"""

from random import Random
from typing import Protocol

import msgspec

from steelyard.sim import chance
from steelyard.sim.ask import Ask
from steelyard.sim.faults import Fault, FaultPlan
from steelyard.sim.options import SimOptions
from steelyard.sim.output import Lengths, Output, compose
from steelyard.sim.scripts import Pace
from steelyard.sim.wire import Manners

_FILLER_TOKENS = 64
_SALT_TIMES = 0x746D73
_UNUSED = Random(0)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a mind says to a request, and to which question."""

    key: int
    """Stands for the question in all draws."""
    occurrence: int
    """How often the question, or the unknown prompt, was asked before."""
    answer: str | None
    """``None`` for filler."""
    question: int | None = None
    """Number of the known question; ``None`` when the prompt holds none."""
    right: bool | None = None
    """Whether the answer is the right one; ``None`` when nobody knows."""
    verdict: str = ""
    """What a judge decided."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one request that is not wire format."""

    said: Said
    fault: Fault | None
    output: Output
    pace: Pace


class Deciding(Protocol):
    """A mind: decides about requests."""

    def reset(self) -> None:
        """Forget what was asked."""

    def decide(self, ask: Ask, manners: Manners, number: int) -> Decision:
        """What becomes of request ``number``; counts the question as asked once more."""


class Staging:
    """Puts what is said into circumstances; remembers only which questions just failed."""

    def __init__(self, options: SimOptions) -> None:
        self._options = options
        drawn = (options.ttft, options.itl, options.tokens, options.reasoning)
        self._steady = all(one is None or one.constant is not None for one in drawn)
        self.reset()

    def reset(self) -> None:
        """Forget what failed."""
        self._faults = FaultPlan(self._options.faults, self._options.seed)

    def decision(self, said: Said, ask: Ask, manners: Manners, number: int) -> Decision:
        """What becomes of request ``number``, to which ``said`` is the reply."""
        options = self._options
        random = _UNUSED
        if not self._steady:
            random = chance.generator(options.seed, _SALT_TIMES, said.key, said.occurrence)
        default = 0 if said.answer is not None else _FILLER_TOKENS
        lengths = Lengths(
            content=default if options.tokens is None else options.tokens.draw(random),
            reasoning=options.reasoning.draw(random),
            inline=not manners.splits_reasoning,
            keep_stop=manners.keeps_stop,
        )
        may_fail = self._may_fail(number)
        return Decision(
            said=said,
            fault=self._faults.choose(said.key, said.occurrence) if may_fail else None,
            output=compose(ask, said.answer, lengths, said.key),
            pace=Pace(options.ttft.draw(random), options.itl, random),
        )

    def _may_fail(self, number: int) -> bool:
        first = self._options.fault_first
        return number >= self._options.fault_after and (first is None or number < first)
