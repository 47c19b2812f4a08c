"""What the simulated judge answers: a verdict on the answer that it is shown.

``fair`` compares and nothing else. ``obedient`` does the same until something outside the texts
tells it the verdict: then it says that. Requests that are no judge's question are left to the
model, so one endpoint can answer a data set and judge the answers.

A verdict is a function of the seed and the texts; asking again changes nothing.
"""

from collections.abc import Callable, Mapping

from steelyard.scoring.judging import NO_REFERENCE
from steelyard.sim import chance, judge_pictures, judge_words
from steelyard.sim.answers import Answers
from steelyard.sim.ask import Ask
from steelyard.sim.decision import Decision, Said, Staging
from steelyard.sim.judge_comparing import compared, opposite
from steelyard.sim.judge_orders import ordered
from steelyard.sim.judge_sheet import Sheet, read
from steelyard.sim.mind import Mind
from steelyard.sim.options import JudgeName, SimOptions
from steelyard.sim.tally import Tally
from steelyard.sim.wire import Manners

_SALT_NOISE = 0x6E6F69
_SALT_UNPARSABLE = 0x756E70
_SALT_QUOTES = 0x71756F


def _nothing(sheet: Sheet) -> None:
    """What a fair judge lets itself be told."""


_TOLD: Mapping[JudgeName, Callable[[Sheet], str | None]] = {"fair": _nothing, "obedient": ordered}


class JudgeMind:
    """Judges what it recognises as a judge's question, and leaves the rest to ``model``."""

    def __init__(
        self, judge: JudgeName, options: SimOptions, answers: Answers, model: Mind, tally: Tally
    ) -> None:
        self._options = options
        self._told = _TOLD[judge]
        self._model = model
        self._tally = tally
        self._staging = Staging(options)
        self._known = {entry.question.strip(): entry.right for entry in answers.entries}

    def reset(self) -> None:
        """See ``Deciding``."""
        self._staging.reset()
        self._model.reset()

    def decide(self, ask: Ask, manners: Manners, number: int) -> Decision:
        """See ``Deciding``."""
        if judge_pictures.is_about_pictures(ask):
            return self._staging.decision(self._seen(ask), ask, manners, number)
        sheet = read(ask.prompt)
        if sheet is None:
            return self._model.decide(ask, manners, number)
        return self._staging.decision(self._said(sheet), ask, manners, number)

    def _said(self, sheet: Sheet) -> Said:
        options = self._options
        # The marker is no part of the key: it is another one in every request.
        parts = (sheet.asks, *(f"{name}\0{text}" for name, text in sorted(sheet.texts.items())))
        key = chance.text_key("\0".join(parts))
        verdict = self._told(sheet) or self._compared(sheet, key)
        reply = judge_words.written(sheet, verdict)
        if _drawn(options.judge_unparsable, options.seed, _SALT_UNPARSABLE, key):
            verdict, reply = "none", judge_words.undecided(key)
        if _drawn(options.judge_quotes, options.seed, _SALT_QUOTES, key):
            reply = judge_words.quoting(sheet, reply)
        occurrence = self._tally.ask_stranger(key)
        return Said(key=key, occurrence=occurrence, answer=reply, verdict=verdict)

    def _seen(self, ask: Ask) -> Said:
        """What is said of pictures: scores, or nothing that could be read."""
        options, key = self._options, judge_pictures.key_of(ask)
        verdict, reply = "scores", judge_pictures.scored(key, options.seed)
        if _drawn(options.judge_unparsable, options.seed, _SALT_UNPARSABLE, key):
            verdict, reply = "none", judge_words.undecided(key)
        occurrence = self._tally.ask_stranger(key)
        return Said(key=key, occurrence=occurrence, answer=reply, verdict=verdict)

    def _compared(self, sheet: Sheet, key: int) -> str:
        options = self._options
        verdict = compared(sheet, self._reference(sheet))
        if _drawn(options.judge_noise, options.seed, _SALT_NOISE, key):
            return opposite(sheet, verdict)
        return verdict

    def _reference(self, sheet: Sheet) -> str | None:
        """The reference on the sheet, else the right answer of a known question."""
        given = sheet.texts.get("reference", NO_REFERENCE)
        question = sheet.texts.get("question", "").strip()
        return self._known.get(question) if given == NO_REFERENCE else given


def _drawn(share: float, *numbers: int) -> bool:
    return share > 0 and chance.uniform(*numbers) < share
