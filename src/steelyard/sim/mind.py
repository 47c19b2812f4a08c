"""What the simulated model answers: the known question in a prompt, rightly or wrongly.

Every decision is a function of the seed, the question and how often it was asked before, so a run
is the same whatever order its requests arrive in.
"""

from steelyard.sim import chance
from steelyard.sim.answers import Answers
from steelyard.sim.ask import Ask
from steelyard.sim.decision import Decision, Said, Staging
from steelyard.sim.matching import QuestionIndex
from steelyard.sim.options import SimOptions
from steelyard.sim.tally import Tally
from steelyard.sim.wire import Manners

_SALT_RIGHT = 0x727467


class Mind:
    """Answers questions of data sets. Its only memory is the tally and what just failed."""

    def __init__(self, options: SimOptions, answers: Answers, tally: Tally) -> None:
        self._options = options
        self._entries = answers.entries
        self._tally = tally
        self._staging = Staging(options)
        self._index = QuestionIndex(
            [entry.question for entry in answers.entries],
            [entry.context for entry in answers.entries],
        )
        self._keys = [chance.text_key(f"{one.id}\0{one.question}") for one in answers.entries]

    def reset(self) -> None:
        """See ``Deciding``."""
        self._staging.reset()

    def decide(self, ask: Ask, manners: Manners, number: int) -> Decision:
        """See ``Deciding``."""
        return self._staging.decision(self._said(ask), ask, manners, number)

    def _said(self, ask: Ask) -> Said:
        found = self._index.find(ask.prompt)
        if not found:
            key = chance.text_key(ask.prompt)
            return Said(key=key, occurrence=self._tally.ask_stranger(key), answer=None)
        # Questions that nothing tells apart take turns, so that each is asked as often.
        question = self._tally.least_asked(found)
        occurrence = self._tally.ask(question)
        right = self._is_right(question, occurrence)
        entry = self._entries[question]
        return Said(
            key=self._keys[question],
            occurrence=occurrence,
            answer=entry.right if right else entry.wrong,
            question=question,
            right=right,
        )

    def _is_right(self, question: int, occurrence: int) -> bool:
        options = self._options
        if options.repeat_accuracy == "exact":
            return self._entries[question].is_right
        key = self._keys[question]
        return chance.uniform(options.seed, _SALT_RIGHT, key, occurrence) < options.accuracy
