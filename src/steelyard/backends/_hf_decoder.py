"""Answers token by token: rows join the batch where there is room and leave it when over."""

from collections.abc import Iterable, Sequence
from random import Random
from time import monotonic_ns

from torch import Tensor

from steelyard.backends._hf_lanes import Batch, batch_for
from steelyard.backends._hf_load import Loaded
from steelyard.backends._hf_sampling import Policy, chosen

PREFILL_TOKENS = 8192
"""Prompt tokens that are computed in one go at most, unless one prompt is longer."""
_TAIL_TOKENS = 24
"""Last tokens of an answer in which a stop word is looked for, beyond the word's own length."""


class Row:
    """One answer under way."""

    def __init__(
        self, key: str, prompt: list[int], limit: int, how: Policy, *, cut: int = 0
    ) -> None:
        self.key = key
        self.prompt = prompt
        self.limit = limit
        """Tokens of the answer at most."""
        self.how = how
        self.cut = cut
        """Tokens that the prompt lost."""
        self.restart()

    def restart(self) -> None:
        """Forget what was computed; the same numbers will be drawn again."""
        self.out: list[int] = []
        self.draws: Random = self.how.draws(self.key)
        self.began_ns = 0
        self.first_ns = 0
        self.finish = ""
        self.stopped_at: str = ""


class Decoder:
    """The rows that are computed now, at most ``at_once``."""

    def __init__(self, loaded: Loaded, at_once: int, stop_words: Sequence[str]) -> None:
        self.at_once = at_once
        self.live: list[Row] = []
        self._batch: Batch = batch_for(loaded.model)
        self._ends = loaded.ends
        self._tokenizer = loaded.tokenizer
        self._stop_words = stop_words

    @property
    def room(self) -> int:
        """Rows that may be added now."""
        if self.live and not self._batch.joins:
            return 0
        return max(0, self.at_once - len(self.live))

    def add(self, rows: Sequence[Row]) -> list[Row]:
        """Compute the prompts of ``rows`` and one token each; those that are over with it."""
        over: list[Row] = []
        for group in _groups(rows) if self._batch.joins else [rows]:
            began_ns = monotonic_ns()
            logits = self._batch.add([row.prompt for row in group])
            first = len(self.live)
            self.live += group
            for row in group:
                row.began_ns = began_ns
            over += self._append(logits, first)
        return over

    def step(self) -> list[Row]:
        """One more token for every row; those that are over leave."""
        return self._append(self._batch.step([row.out[-1] for row in self.live]), 0)

    def clear(self) -> list[Row]:
        """Stop computing; the rows, as they were before they were added."""
        rows, self.live = self.live, []
        self._batch.clear()
        for row in rows:
            row.restart()
        return rows

    def text(self, row: Row) -> str:
        """What ``row`` says, up to its stop word."""
        ids = row.out[:-1] if row.finish == "stop" and not row.stopped_at else row.out
        text = self._decoded(ids)
        return text[: text.find(row.stopped_at)] if row.stopped_at else text

    def _append(self, logits: Tensor, first: int) -> list[Row]:
        rows = self.live[first:]
        now_ns = 0
        for how, places in _by_policy(rows):
            part = logits if len(places) == len(rows) else logits[places]
            said = self._batch.history()[first:][places] if how.looks_back else None
            tokens = chosen(part, how, said, [rows[place].draws for place in places])
            now_ns = now_ns or monotonic_ns()
            for place, token in zip(places, tokens, strict=True):
                row = rows[place]
                row.out.append(token)
                row.first_ns = row.first_ns or now_ns
                self._look(row, token)
        over = [row for row in rows if row.finish]
        for row in over:
            lane = self.live.index(row)
            self.live[lane] = self.live[self._batch.leave(lane)]
            self.live.pop()
        return over

    def _look(self, row: Row, token: int) -> None:
        """Whether ``token`` ends the row, and why."""
        if token in self._ends and not row.how.ignore_eos:
            row.finish = "stop"
        elif self._stop_words and (word := self._stop_word(row)):
            row.finish, row.stopped_at = "stop", word
        elif len(row.out) >= row.limit:
            row.finish = "length"

    def _stop_word(self, row: Row) -> str:
        longest = max(map(len, self._stop_words))
        tail = self._decoded(row.out[-(longest + _TAIL_TOKENS) :])
        if not any(word in tail for word in self._stop_words):
            return ""
        text = self._decoded(row.out)
        found = [(text.find(word), word) for word in self._stop_words if word in text]
        return min(found)[1] if found else ""

    def _decoded(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


def _groups(rows: Sequence[Row]) -> Iterable[list[Row]]:
    """``rows`` in portions of at most ``PREFILL_TOKENS`` with their padding, lengths alike."""
    group: list[Row] = []
    for row in sorted(rows, key=lambda row: len(row.prompt)):
        if group and len(row.prompt) * (len(group) + 1) > PREFILL_TOKENS:
            yield group
            group = []
        group.append(row)
    yield group


def _by_policy(rows: Sequence[Row]) -> list[tuple[Policy, list[int]]]:
    """The places of the rows that choose their tokens alike."""
    found: dict[Policy, list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault(row.how, []).append(place)
    return list(found.items())
