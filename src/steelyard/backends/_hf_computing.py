"""What a local model computes next: candidates in groups, answers in one batch that is kept full.

Shortest prompts come first: they are joined by longer ones when their answers have made them long,
so that what is computed together is of like length. When memory runs out, the batch is
halved, what was under way is computed again, and a note says so.
"""

import gc
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic_ns

import torch

from steelyard.backends._hf_decoder import Decoder, Row
from steelyard.backends._hf_likelihood import (
    Cutter,
    NoTokens,
    Scored,
    likelihoods,
    portion,
)
from steelyard.backends._hf_load import Loaded, is_out_of_memory
from steelyard.backends._hf_options import HfOptions
from steelyard.backends._hf_prompts import DEFAULT_MAX_TOKENS, Manner, fitted, opening
from steelyard.backends._hf_sampling import Policy
from steelyard.backends._hf_worker import Asked
from steelyard.core import ConfigError, Failure, Likelihood, Reply, RunStopped, Timing

_JOIN_SHARE = 8
"""A full batch waits until one eighth of it is free: prompts are computed several at a time."""


class Computing:
    """The requests of one model that wait or are under way."""

    def __init__(
        self,
        loaded: Loaded,
        options: HfOptions,
        manner: Manner,
        how: Policy,
        note: Callable[[str], None],
    ) -> None:
        self._loaded = loaded
        self._options = options
        self._manner = manner
        self._how = how
        self._note = note
        self._name = Path(options.path).resolve().name
        self._asked: dict[str, Asked] = {}
        self._rows: list[Row] = []
        """Answers to be begun, the longest prompt last."""
        self._scored: list[Scored] = []
        """Candidates to be computed, the shortest prompt first."""
        self._found: dict[str, dict[int, Likelihood]] = {}
        """Of requests that are not finished, by the number of the candidate."""
        self._tokens: Counter[str] = Counter()
        """Tokens of candidates that were computed, by request."""
        self._decoder = Decoder(loaded, options.rows_at_once, options.stop_words)
        self._at_once = options.rows_at_once
        self._cutter = Cutter(loaded.tokenizer, loaded.longest, manner.special)

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is under way."""
        return not self._asked

    def pending(self) -> Iterable[Asked]:
        """Everything without a reply."""
        return self._asked.values()

    def take(self, asked: Asked) -> None:
        """Have ``asked`` computed; what cannot be is settled at once."""
        request = asked.request
        self._asked[request.key] = asked
        try:
            if request.candidates:
                for one in self._as_scored(asked):
                    insort(self._scored, one, key=lambda one: len(one.shared))
            else:
                insort(self._rows, self._as_row(asked), key=lambda row: -len(row.prompt))
        except ConfigError as error:
            self._asked.pop(request.key).settle(RunStopped(str(error)))
        except NoTokens as error:
            self._fail(request.key, str(error))

    def advance(self) -> None:
        """Compute one portion."""
        if self._scored:
            self._score()
        elif self._rows or self._decoder.live:
            self._decode()

    def _as_row(self, asked: Asked) -> Row:
        request, longest = asked.request, self._loaded.longest
        limit = request.sampling.max_tokens or DEFAULT_MAX_TOKENS
        room = longest - min(limit, longest - 1)
        ids = self._manner.ids(self._loaded.tokenizer, request)
        prompted = fitted(ids, room, middle=self._options.cuts_middle)
        if not prompted.ids:
            raise NoTokens("the prompt is empty")
        limit = min(limit, longest - len(prompted.ids))
        return Row(request.key, prompted.ids, limit, self._how, cut=prompted.cut)

    def _as_scored(self, asked: Asked) -> list[Scored]:
        request = asked.request
        prompt = self._manner.text(self._loaded.tokenizer, request)
        candidates = request.candidates
        if self._manner.own_turn:
            candidates = tuple(map(opening, candidates))
        return self._cutter.scored(request.key, prompt, candidates)

    def _score(self) -> None:
        group = portion(self._loaded, self._scored, self._at_once)
        began_ns = monotonic_ns()
        try:
            found = likelihoods(self._loaded, group)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._halve([one.key for one in group])
            return
        del self._scored[: len(group)]
        for one, values in zip(group, found, strict=True):
            self._tokens[one.key] += len(one.shared) + sum(map(len, one.rests))
            known = self._found.setdefault(one.key, {})
            known |= enumerate(values, one.first)
            if len(known) == len(self._asked[one.key].request.candidates):
                self._settle_scored(one, began_ns)

    def _settle_scored(self, one: Scored, began_ns: int) -> None:
        known = self._found.pop(one.key)
        self._settle(
            Reply(
                key=one.key,
                timing=self._timing(one.key, began_ns),
                likelihoods=tuple(known[number] for number in sorted(known)),
                prompt_tokens=self._tokens.pop(one.key),
                token_source="tokenizer",
                model=self._name,
                prompt_cut=one.cut,
            )
        )

    def _decode(self) -> None:
        decoder = self._decoder
        room = decoder.room
        ready = not decoder.live or room * _JOIN_SHARE >= decoder.at_once
        joining: list[Row] = []
        if self._rows and room and ready:
            joining, self._rows = self._rows[-room:], self._rows[:-room]
        try:
            over = decoder.add(joining) if joining else decoder.step()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            under_way = {row.key: row for row in (*joining, *decoder.clear())}
            for row in under_way.values():
                row.restart()
            failed = self._halve(list(under_way))
            self._rows += [row for key, row in under_way.items() if key != failed]
            return
        for row in over:
            self._settle_row(row)

    def _settle_row(self, row: Row) -> None:
        self._settle(
            Reply(
                key=row.key,
                timing=self._timing(row.key, row.began_ns),
                text=self._decoder.text(row),
                finish=row.finish,
                prompt_tokens=len(row.prompt),
                output_tokens=len(row.out),
                token_source="tokenizer",
                model=self._name,
                prompt_cut=row.cut,
            )
        )

    def _halve(self, keys: Sequence[str]) -> str | None:
        """Compute fewer together from now on; the key that failed when it was one alone."""
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self._at_once > 1 and len(keys) > 1:
            before = min(self._at_once, len(keys))
            self._at_once = self._decoder.at_once = max(1, before // 2)
            self._note(
                f"out of memory with {before} sequences together; {self._at_once} from then on"
            )
            return None
        key = keys[0]
        self._scored = [one for one in self._scored if one.key != key]
        self._found.pop(key, None)
        self._tokens.pop(key, None)
        self._fail(key, "out of memory with this sequence alone; a smaller --max-seq-len may help")
        return key

    def _fail(self, key: str, detail: str) -> None:
        failure = Failure(kind="model", detail=detail)
        self._settle(Reply(key=key, timing=self._timing(key, monotonic_ns()), failure=failure))

    def _timing(self, key: str, began_ns: int) -> Timing:
        queued_ns = self._asked[key].queued_ns
        return Timing(queued_ns=queued_ns, sent_ns=began_ns, done_ns=monotonic_ns())

    def _settle(self, reply: Reply) -> None:
        self._asked.pop(reply.key).settle(reply)
