"""How likely a model finds given texts after a prompt.

The tokens that all candidates of a request have in common are computed once. A candidate's own
tokens are those behind the tokens of its prompt, both cut into tokens together, as
lm-evaluation-harness does it; blanks at the end of the prompt count to the candidate.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache

from steelyard.backends._hf_lanes import Forward, padded, positions
from steelyard.backends._hf_load import Loaded
from steelyard.core import Candidate, Likelihood

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LOGITS_BYTES = 1 << 29
"""What the logits of one forward pass may take."""


class Scored(NamedTuple):
    """Candidates as token ids, of one request."""

    key: str
    shared: list[int]
    """What all of them begin with; at least one token."""
    rests: list[list[int]]
    """What follows it, for each."""
    own: list[int]
    """How many of the last tokens are each candidate's own."""
    cut: int
    """Tokens that were left out in front because the text was too long."""
    first: int = 0
    """Which candidate of the request the first of these is."""


class NoTokens(ValueError):
    """A candidate that has no token of its own."""


class Cutter(NamedTuple):
    """Cuts prompts and candidates into tokens."""

    tokenizer: "PreTrainedTokenizerBase"
    longest: int
    """Tokens of prompt and candidate together at most; what is too long loses its beginning."""
    special: bool
    """The tokenizer puts its own marks in front of a text, where it has some."""

    def scored(self, key: str, prompt: str, candidates: Sequence[Candidate]) -> list[Scored]:
        """The candidates behind ``prompt``: together, or one by one if they begin differently.

        Raises ``NoTokens``.
        """
        alone = [self._alone(key, prompt, one) for one in candidates]
        wholes = [one.shared + one.rests[0] for one in alone]
        common = min(len(one.shared) for one in alone)
        while any(whole[:common] != wholes[0][:common] for whole in wholes):
            common -= 1
        if not common:
            return [one._replace(first=number) for number, one in enumerate(alone)]
        rests = [whole[common:] for whole in wholes]
        own = [one.own[0] for one in alone]
        return [Scored(key, wholes[0][:common], rests, own, max(one.cut for one in alone))]

    def _alone(self, key: str, prompt: str, candidate: Candidate) -> Scored:
        before = prompt + candidate.lead
        bare = before.rstrip()
        whole = self._ids(before + candidate.text)
        first = len(self._ids(bare)) if bare else 0
        if not first:
            start = self.tokenizer.bos_token_id
            whole = [self.tokenizer.eos_token_id if start is None else start, *whole]
            first = 1
        cut = max(0, len(whole) - self.longest)
        own = min(len(whole) - first, len(whole) - cut - 1)
        if own < 1:
            raise NoTokens(f"candidate {candidate.text!r} adds no token to the text before it")
        return Scored(key, whole[cut : len(whole) - own], [whole[len(whole) - own :]], [own], cut)

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer(text, add_special_tokens=self.special)["input_ids"]
        return found


def portions(loaded: Loaded, scored: Iterable[Scored], at_once: int) -> Iterable[list[Scored]]:
    """Requests that are computed together: of like length, as many as the memory is meant for."""
    vocabulary = loaded.model.get_output_embeddings().weight.shape[0]
    tokens = max(1, LOGITS_BYTES // (4 * vocabulary))
    group: list[Scored] = []
    rows = width = 0
    for one in sorted(scored, key=lambda one: len(one.shared)):
        wide = max(len(one.shared), *map(len, one.rests), width)
        if group and ((rows + len(one.rests)) > at_once or (rows + len(one.rests)) * wide > tokens):
            yield group
            group, rows, width = [], 0, 0
            wide = max(len(one.shared), *map(len, one.rests))
        group.append(one)
        rows, width = rows + len(one.rests), wide
    if group:
        yield group


def likelihoods(loaded: Loaded, group: Sequence[Scored]) -> list[tuple[Likelihood, ...]]:
    """The likelihoods of every candidate of every request, in order."""
    forward = Forward(loaded.model)
    device = forward.device
    shared = [one.shared for one in group]
    ids, mask = (part.to(device) for part in padded(shared, [row[0] for row in shared]))
    cache = DynamicCache(config=loaded.model.config)
    logits = forward.all(ids, mask, positions(mask), cache)
    before, _ = _told(logits[:, :-1], ids[:, 1:])
    before = before * mask[:, :-1]  # a real token behind a real one
    last = logits[:, -1:]
    owner = [number for number, one in enumerate(group) for _ in one.rests]
    rests = [rest for one in group for rest in one.rests]
    width = max(map(len, rests))
    places = torch.tensor(owner, device=device)
    cache.batch_select_indices(places)
    more = torch.tensor([rest + [0] * (width - len(rest)) for rest in rests], device=device)
    real = torch.tensor([[1] * len(rest) + [0] * (width - len(rest)) for rest in rests])
    real = real.to(device)
    whole_mask = torch.cat([mask[places], real], dim=1)
    logits = forward.all(more, whole_mask, positions(whole_mask)[:, -width:], cache)
    after, best = _told(torch.cat([last[places], logits[:, :-1]], dim=1), more)
    return _folded(group, owner, before.sum(-1).tolist(), after.tolist(), best.tolist())


def _folded(
    group: Sequence[Scored],
    owner: Sequence[int],
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
