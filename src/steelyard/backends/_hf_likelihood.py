"""How likely a model finds given texts after a prompt.

The tokens that all candidates of a request have in common are computed once (but by models with a
running state, which cannot be handed to several texts), and a candidate's
last token is not computed at all: nothing is asked about what follows it. A candidate's own tokens
are those behind the tokens of its prompt, both cut into tokens together, as lm-evaluation-harness
does it; blanks at the end of the prompt count to the candidate, and a candidate without a prompt
follows the tokenizer's first or else its last mark.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from steelyard.backends._hf_lanes import Forward, padded, positions
from steelyard.backends._hf_load import Loaded
from steelyard.backends._hf_prompts import begins_marked, token_ids
from steelyard.core import Candidate, Likelihood

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LOGITS_BYTES = 1 << 29
"""What the logits of one forward pass may take."""


class Scored(NamedTuple):
    """Candidates as token ids, of one request."""

    key: str
    first: int
    """The number of the first candidate among those of the request."""
    shared: list[int]
    """What all of them begin with; at least one token."""
    rests: list[list[int]]
    """What follows it, for each."""
    own: list[int]
    """How many of the last tokens are each candidate's own."""
    cut: int
    """Tokens that were left out in front because the text was too long."""


class _Told(NamedTuple):
    """What a model says of the tokens of a group."""

    before: list[float]
    """Log-probability of what is shared, without its first token, for each request."""
    after: list[list[float]]
    """Of each token behind it, for every candidate of every request, and beyond its end."""
    best: list[list[bool]]
    """Whether each of these is the one of highest probability."""


class NoTokens(ValueError):
    """A candidate that has no token of its own."""


class Cutter(NamedTuple):
    """Cuts prompts and candidates into tokens."""

    tokenizer: "PreTrainedTokenizerBase"
    longest: int
    """Tokens that are computed of prompt and candidate at most, which is all but the last one; what
    is too long loses its beginning."""
    special: bool
    """The tokenizer puts its own marks in front of a text, where it has some."""

    def scored(self, key: str, prompt: str, candidates: Sequence[Candidate]) -> list[Scored]:
        """The candidates behind ``prompt``: together, or one by one if they begin differently.

        Raises ``NoTokens``.
        """
        befores = [prompt + one.lead for one in candidates]
        bare = [text for text in dict.fromkeys(before.rstrip() for before in befores) if text]
        texts = [before + one.text for before, one in zip(befores, candidates, strict=True)]
        special = self.special and not begins_marked(self.tokenizer, prompt)
        ids = token_ids(self.tokenizer, [*bare, *texts], special=special)
        lengths = dict(zip(bare, map(len, ids), strict=False))
        alone = [
            self._alone(key, number, whole, lengths.get(before.rstrip(), 0))
            for number, (before, whole) in enumerate(zip(befores, ids[len(bare) :], strict=True))
        ]
        for one, candidate in zip(alone, candidates, strict=True):
            if not one.rests[0]:
                raise NoTokens(f"candidate {candidate.text!r} adds no token to the text before it")
        wholes = [one.shared + one.rests[0] for one in alone]
        common = min(len(one.shared) for one in alone)
        while any(whole[:common] != wholes[0][:common] for whole in wholes):
            common -= 1
        if not common:
            return alone
        rests = [whole[common:] for whole in wholes]
        own = [one.own[0] for one in alone]
        return [Scored(key, 0, wholes[0][:common], rests, own, max(one.cut for one in alone))]

    def _alone(self, key: str, number: int, whole: list[int], before: int) -> Scored:
        """Candidate ``number`` by itself, ``before`` of its tokens are the prompt's."""
        if not before:
            whole, before = self._behind_mark(whole), 1
        cut = max(0, len(whole) - 1 - self.longest)
        first = max(before, cut + 1)
        return Scored(key, number, whole[cut:first], [whole[first:]], [len(whole) - first], cut)

    def _behind_mark(self, whole: list[int]) -> list[int]:
        """The tokens of a text that nothing stands before, behind one mark."""
        start = self.tokenizer.bos_token_id
        mark = self.tokenizer.eos_token_id if start is None else start
        return whole if whole[:1] == [mark] else [mark, *whole]


def portion(loaded: Loaded, scored: Sequence[Scored], at_once: int) -> list[Scored]:
    """The first of ``scored`` that are computed together: as many as the memory is meant for.

    They are of like length when ``scored`` is sorted by the length of what is shared.
    """
    vocabulary = loaded.model.get_output_embeddings().weight.shape[0]
    tokens = max(1, LOGITS_BYTES // (4 * vocabulary))
    group: list[Scored] = []
    rows = width = 0
    for one in scored:
        rows += len(one.rests)
        width = max(len(one.shared) + max(map(len, one.rests)), width)
        if group and (rows > at_once or rows * width > tokens):
            break
        group.append(one)
    return group


def likelihoods(loaded: Loaded, group: Sequence[Scored]) -> list[tuple[Likelihood, ...]]:
    """The likelihoods of every candidate of every request, in order."""
    forward = Forward(loaded.model)
    cache = DynamicCache(config=loaded.model.config)
    if all(isinstance(layer, DynamicLayer) for layer in cache.layers):
        return _folded(group, *_behind_shared(forward, group, cache))
    return _folded(group, *_one_by_one(forward, group))


def _behind_shared(forward: Forward, group: Sequence[Scored], cache: DynamicCache) -> _Told:
    """What is shared computed once, and then what follows it in every candidate."""
    device = forward.device
    shared = [one.shared for one in group]
    ids, mask = (part.to(device) for part in padded(shared, [row[0] for row in shared]))
    logits = forward.all(ids, mask, positions(mask), cache)
    before, _ = _told(logits[:, :-1], ids[:, 1:])
    before = before * mask[:, :-1]  # a real token behind a real one
    last = logits[:, -1:]
    owner = [number for number, one in enumerate(group) for _ in one.rests]
    rests = [rest for one in group for rest in one.rests]
    width = max(map(len, rests))
    places = torch.tensor(owner, device=device)
    more = torch.tensor([rest + [0] * (width - len(rest)) for rest in rests], device=device)
    told = last[places]
    if width > 1:
        cache.batch_select_indices(places)
        read = [[1] * (len(rest) - 1) + [0] * (width - len(rest)) for rest in rests]
        whole_mask = torch.cat([mask[places], torch.tensor(read, device=device)], dim=1)
        where = positions(whole_mask)[:, 1 - width :]
        told = torch.cat([told, forward.all(more[:, :-1], whole_mask, where, cache)], dim=1)
    after, best = _told(told, more)
    return _Told(before.sum(-1).tolist(), after.tolist(), best.tolist())


def _one_by_one(forward: Forward, group: Sequence[Scored]) -> _Told:
    """Every candidate from its first token on. What is filled up stands behind, where it changes
    nothing."""
    wholes = [one.shared + rest for one in group for rest in one.rests]
    shared = [len(one.shared) for one in group for _ in one.rests]
    width = max(map(len, wholes))
    filled = [whole + [0] * (width - len(whole)) for whole in wholes]
    read = [[1] * (len(whole) - 1) + [0] * (width - len(whole)) for whole in wholes]
    ids, mask = (torch.tensor(rows, device=forward.device) for rows in (filled, read))
    logits = forward.all(ids[:, :-1], mask, positions(mask), None)
    values, best = (part.tolist() for part in _told(logits, ids[:, 1:]))
    sums = [sum(row[: length - 1]) for row, length in zip(values, shared, strict=True)]
    firsts = accumulate((len(one.rests) for one in group[:-1]), initial=0)
    after, hits = (
        [row[length - 1 :] for row, length in zip(rows, shared, strict=True)]
        for rows in (values, best)
    )
    return _Told([sums[first] for first in firsts], after, hits)


def _folded(
    group: Sequence[Scored],
    before: Sequence[float],
    after: Sequence[Sequence[float]],
    best: Sequence[Sequence[bool]],
) -> list[tuple[Likelihood, ...]]:
    found: list[list[Likelihood]] = [[] for _ in group]
    row = 0
    for number, one in enumerate(group):
        for rest, own in zip(one.rests, one.own, strict=True):
            mine = after[row][: len(rest)]
            tail = mine[len(rest) - own :]
            found[number].append(
                Likelihood(
                    total=sum(tail),
                    tokens=own,
                    whole_total=before[number] + sum(mine),
                    whole_tokens=len(one.shared) - 1 + len(rest),
                    greedy=all(best[row][len(rest) - own : len(rest)]),
                )
            )
            row += 1
    return [tuple(one) for one in found]


def _told(logits: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probability of ``ids``, each by the logits of its column, and whether it is the best."""
    logits = logits.float()
    picked = logits.gather(-1, ids[..., None]).squeeze(-1)
    return picked - logits.logsumexp(-1), logits.argmax(-1) == ids
