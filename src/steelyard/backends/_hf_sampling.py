"""Choosing the next token: greedy, or drawn as temperature, top-k, top-p and min-p say.

A row draws by random numbers of its own, so what it says does not depend on which other rows are
computed beside it.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

import msgspec

from steelyard.core import ConfigError, Json

if TYPE_CHECKING:
    from torch import Tensor


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen."""

    temperature: float = 0.0
    """0: the likeliest token."""
    top_k: int = 0
    """0: all tokens."""
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    ignore_eos: bool = False

    @property
    def looks_back(self) -> bool:
        """Whether the choice depends on what was said before."""
        return self.repetition_penalty != 1.0

    def draws(self, key: str) -> Random:
        """The random numbers of the row ``key``; other ones at every run without a seed."""
        return Random() if self.seed is None else Random(f"{self.seed}/{key}")


_KNOWN = ("do_sample", *Policy.__struct_fields__)
_IDLE: Mapping[str, tuple[Json, ...]] = {"num_beams": (1, None), "use_cache": (True, None)}


def policy(extra: Mapping[str, Json], where: str) -> Policy:
    """What ``generation_kwargs`` ask for; ``ConfigError`` for what cannot be done.

    Without ``do_sample`` a temperature, top-k or top-p asks for sampling. A temperature of 0 is
    greedy whatever else stands there.
    """
    given = {name: value for name, value in extra.items() if value is not None}
    for name, value in extra.items():
        if name not in _KNOWN and value not in _IDLE.get(name, ()):
            raise ConfigError(
                f"{where}: generation_kwargs.{name} is not supported for a local model; known: "
                f"{', '.join(_KNOWN)}."
            )
    sampled = bool({"temperature", "top_k", "top_p", "min_p"} & given.keys())
    sampled = bool(given.pop("do_sample", sampled))
    given = {name: given[name] for name in Policy.__struct_fields__ if name in given}
    if not sampled:
        given["temperature"] = 0.0
    try:
        found = msgspec.convert({"temperature": 1.0, **given}, Policy, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: generation_kwargs: {error}.") from None
    _refuse_out_of_range(found, where)
    return found


def _refuse_out_of_range(found: Policy, where: str) -> None:
    bounds = {
        "temperature": found.temperature >= 0,
        "top_k": found.top_k >= 0,
        "top_p": 0 < found.top_p <= 1,
        "min_p": 0 <= found.min_p <= 1,
        "repetition_penalty": found.repetition_penalty > 0,
    }
    for name, fits in bounds.items():
        if not fits:
            raise ConfigError(
                f"{where}: generation_kwargs.{name} is {getattr(found, name)}, out of its range."
            )


def chosen(
    logits: "Tensor", how: Policy, history: "Tensor | None", draws: Sequence[Random]
) -> list[int]:
    """The next token of every row.

    ``logits`` (rows, vocabulary); ``history`` (rows, columns): ids of the prompt and the answer so
    far, any of them more than once, needed where ``how`` looks back; ``draws``: each row's random
    numbers.
    """
    import torch

    logits = logits.float()
    if history is not None and how.looks_back:
        said = logits.gather(1, history)
        penalty = how.repetition_penalty
        said = torch.where(said < 0, said * penalty, said / penalty)
        logits = logits.scatter(1, history, said)
    if how.temperature == 0:
        found: list[int] = logits.argmax(-1).tolist()
        return found
    ranked, order = (logits / how.temperature).sort(dim=-1, descending=True)
    if how.top_k:
        ranked, order = ranked[:, : how.top_k], order[:, : how.top_k]
    shares = ranked.softmax(-1)
    if how.top_p < 1:
        before = shares.cumsum(-1) - shares
        shares = shares.masked_fill(before >= how.top_p, 0.0)
    if how.min_p > 0:
        shares = shares.masked_fill(shares < how.min_p * shares[:, :1], 0.0)
    reached = shares.double().cumsum(-1)
    points = torch.tensor([[one.random()] for one in draws], dtype=reached.dtype)
    points = points.to(reached.device) * reached[:, -1:]
    place = (reached <= points).sum(-1, keepdim=True).clamp(max=reached.shape[-1] - 1)
    drawn: list[int] = order.gather(1, place).squeeze(1).tolist()
    return drawn
