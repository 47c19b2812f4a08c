"""What the simulated model decides about one request: question, answer, fault, length, pace.

Every decision is a function of the seed, the question and how often it was asked before, so a run
is the same whatever order its requests arrive in.
"""

from random import Random

import msgspec

from steelyard.sim import chance
from steelyard.sim.answers import Answers
from steelyard.sim.ask import Ask
from steelyard.sim.faults import Fault, FaultPlan
from steelyard.sim.matching import QuestionIndex
from steelyard.sim.options import SimOptions
from steelyard.sim.output import Lengths, Output, compose
from steelyard.sim.scripts import Pace
from steelyard.sim.tally import Tally
from steelyard.sim.wire import Manners

_FILLER_TOKENS = 64
_SALT_RIGHT = 0x727467
_SALT_TIMES = 0x746D73
_UNUSED = Random(0)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one request that is not wire format."""

    question: int | None
    """Number of the known question; ``None`` when the prompt holds none."""
    occurrence: int
    """How often the question, or the unknown prompt, was asked before."""
    right: bool | None
    """Whether the answer is the right one; ``None`` for filler."""
    fault: Fault | None
    output: Output
    pace: Pace


class Mind:
    """Decides about requests. Its only memory is the tally and which questions just failed."""

    def __init__(self, options: SimOptions, answers: Answers, tally: Tally) -> None:
        self._options = options
        self._entries = answers.entries
        self._tally = tally
        self._index = QuestionIndex(
            [entry.question for entry in answers.entries],
            [entry.context for entry in answers.entries],
        )
        self._keys = [chance.text_key(f"{one.id}\0{one.question}") for one in answers.entries]
        drawn = (options.ttft, options.itl, options.tokens, options.reasoning)
        self._steady = all(one is None or one.constant is not None for one in drawn)
        self.reset()

    def reset(self) -> None:
        """Forget what was asked."""
        self._faults = FaultPlan(self._options.faults, self._options.seed)

    def decide(self, ask: Ask, manners: Manners, number: int) -> Decision:
        """What becomes of request ``number``; counts the question as asked once more."""
        options = self._options
        found = self._index.find(ask.prompt)
        # Questions that nothing tells apart take turns, so that each is asked as often.
        question = self._tally.least_asked(found) if found else None
        if question is None:
            key = chance.text_key(ask.prompt)
            occurrence = self._tally.ask_stranger(key)
            right, answer = None, None
        else:
            key = self._keys[question]
            occurrence = self._tally.ask(question)
            right = self._is_right(question, occurrence)
            entry = self._entries[question]
            answer = entry.right if right else entry.wrong
        random = _UNUSED
        if not self._steady:
            random = chance.generator(options.seed, _SALT_TIMES, key, occurrence)
        default = 0 if answer is not None else _FILLER_TOKENS
        lengths = Lengths(
            content=default if options.tokens is None else options.tokens.draw(random),
            reasoning=options.reasoning.draw(random),
            inline=not manners.splits_reasoning,
            keep_stop=manners.keeps_stop,
        )
        return Decision(
            question=question,
            occurrence=occurrence,
            right=right,
            fault=self._faults.choose(key, occurrence) if self._may_fail(number) else None,
            output=compose(ask, answer, lengths, key),
            pace=Pace(options.ttft.draw(random), options.itl, random),
        )

    def _is_right(self, question: int, occurrence: int) -> bool:
        options = self._options
        if options.repeat_accuracy == "exact":
            return self._entries[question].is_right
        key = self._keys[question]
        return chance.uniform(options.seed, _SALT_RIGHT, key, occurrence) < options.accuracy

    def _may_fail(self, number: int) -> bool:
        first = self._options.fault_first
        return number >= self._options.fault_after and (first is None or number < first)
