"""The sequences that are computed together, and what the model remembers of each.

``Lanes`` holds keys and values in one buffer per layer, (lanes, heads, columns, size), with all
sequences ending at the same column: a sequence joins and leaves without the others being copied,
and a step computes only what is alive. It needs a model that attends to everything before a token;
``Padded`` serves the others (sliding windows, states), a batch from beginning to end.
"""

from collections.abc import Sequence
from inspect import signature
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer

_SPARE_COLUMNS = 128


class Batch(Protocol):
    """Sequences under way; lanes are numbered from 0 without gaps."""

    joins: bool
    """Whether sequences may join while others are under way."""

    def add(self, prompts: Sequence[list[int]]) -> Tensor:
        """Compute prompts, which become the last lanes; logits of what follows each."""

    def step(self, tokens: Sequence[int]) -> Tensor:
        """Append one token to every lane; logits of what follows each."""

    def leave(self, lane: int) -> int:
        """Give a lane up; the number of the lane that moves into its place, or its own number."""

    def history(self) -> Tensor:
        """Ids of every lane, its own first one in front where it is shorter."""

    def clear(self) -> None:
        """Give all lanes up and free the memory."""


def batch_for(model: PreTrainedModel) -> Batch:
    """The way in which ``model`` can compute sequences together."""
    layers = DynamicCache(config=model.config).layers
    plain = all(type(layer) is DynamicLayer for layer in layers)
    return Lanes(model) if plain else Padded(model)


def padded(prompts: Sequence[list[int]], fill: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Ids (rows, columns), shorter ones with ``fill`` in front, and the mask of what is real."""
    width = max(map(len, prompts))
    ids = [[one] * (width - len(row)) + row for row, one in zip(prompts, fill, strict=True)]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def positions(mask: Tensor) -> Tensor:
    """Where every column stands in its sequence."""
    return (mask.cumsum(-1) - 1).clamp(min=0)


class Forward:
    """Calls a model under the names that its release of Transformers has for things."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.device = model.get_input_embeddings().weight.device
        self._model = model
        names = signature(model.forward).parameters
        self._cache = "cache" if "cache" in names else "past_key_values"
        self._last: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in names else {}

    def all(self, ids: Tensor, mask: Tensor, where: Tensor, cache: Cache | None) -> Tensor:
        """Logits (rows, columns, vocabulary) of what follows each column of ``ids``."""
        return self._logits(ids, mask, where, cache, {})

    def last(self, ids: Tensor, mask: Tensor | None, where: Tensor, cache: Cache) -> Tensor:
        """Logits (rows, vocabulary) of what follows the last column of ``ids``."""
        return self._logits(ids, mask, where, cache, self._last)[:, -1]

    def _logits(
        self,
        ids: Tensor,
        mask: Tensor | None,
        where: Tensor,
        cache: Cache | None,
        more: dict[str, Any],
    ) -> Tensor:
        with torch.inference_mode():
            out = self._model(
                input_ids=ids.to(self.device),
                attention_mask=mask if mask is None else mask.to(self.device),
                position_ids=where.to(self.device),
                use_cache=True,
                **{self._cache: cache},
                **more,
            )
        logits: Tensor = out.logits
        return logits


class _Span:
    """Which part of the buffers is in use."""

    lanes = 0
    start = 0
    stop = 0


class _Layer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of one layer in a buffer with room for more."""

    def __init__(self, span: _Span) -> None:
        super().__init__()
        self.span = span
        self.is_initialized = True
        self.buffers: tuple[Tensor, Tensor] | None = None

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: object, **_more: object
    ) -> tuple[Tensor, Tensor]:
        """Put the states of one more column into the buffers; the columns that are in use."""
        if self.buffers is None:
            raise RuntimeError("a step before the first prompt")
        span, (keys, values) = self.span, self.buffers
        keys[: span.lanes, :, span.stop] = key_states[:, :, 0]
        values[: span.lanes, :, span.stop] = value_states[:, :, 0]
        used = slice(span.start, span.stop + 1)
        return keys[: span.lanes, :, used], values[: span.lanes, :, used]

    def get_seq_length(self) -> int:
        """Columns in use."""
        return self.span.stop - self.span.start


class Lanes:
    """Sequences that join and leave one by one."""

    joins = True

    def __init__(self, model: PreTrainedModel) -> None:
        self._forward = Forward(model)
        self._span = _Span()
        self._lengths: list[int] = []
        self._layers: list[_Layer] = []
        self._cache = Cache(layers=[])
        self._ids = torch.zeros((0, 0), dtype=torch.long)
        self._mask = torch.zeros((0, 0), dtype=torch.long)

    def add(self, prompts: Sequence[list[int]]) -> Tensor:
        """See ``Batch``."""
        ids, mask = padded(prompts, [row[0] for row in prompts])
        made = DynamicCache()
        logits = self._forward.last(ids, mask, positions(mask), made)
        width, first = ids.shape[1], len(self._lengths)
        self._lengths += map(len, prompts)
        self._make_room(made, width)
        span = self._span
        lanes, columns = slice(first, len(self._lengths)), slice(span.stop - width, span.stop)
        for layer, states in zip(self._layers, made.layers, strict=True):
            if layer.buffers is not None:
                layer.buffers[0][lanes, :, columns] = states.keys
                layer.buffers[1][lanes, :, columns] = states.values
        self._ids[lanes] = ids[:, :1]
        self._mask[lanes] = 0
        self._ids[lanes, columns], self._mask[lanes, columns] = ids, mask
        self._settle()
        return logits

    def step(self, tokens: Sequence[int]) -> Tensor:
        """See ``Batch``."""
        span = self._span
        self._grow(span.stop + 1)
        new = torch.tensor(tokens)[:, None]
        self._ids[: span.lanes, span.stop] = new[:, 0]
        self._mask[: span.lanes, span.stop] = 1
        mask = self._mask[: span.lanes, span.start : span.stop + 1]
        where = torch.tensor(self._lengths)[:, None]
        logits = self._forward.last(new, mask, where, self._cache)
        self._lengths = [length + 1 for length in self._lengths]
        span.stop += 1
        self._settle()
        return logits

    def leave(self, lane: int) -> int:
        """See ``Batch``."""
        last = len(self._lengths) - 1
        if lane != last:
            for layer in self._layers:
                for buffer in layer.buffers or ():
                    buffer[lane] = buffer[last]
            self._ids[lane], self._mask[lane] = self._ids[last], self._mask[last]
            self._lengths[lane] = self._lengths[last]
        self._lengths.pop()
        self._settle()
        return last

    def history(self) -> Tensor:
        """See ``Batch``."""
        span = self._span
        return self._ids[: span.lanes, span.start : span.stop].to(self._forward.device)

    def clear(self) -> None:
        """See ``Batch``."""
        self._lengths.clear()
        self._layers.clear()
        self._cache = Cache(layers=[])
        self._settle()
        self._ids, self._mask = self._ids[:0, :0], self._mask[:0, :0]

    def _settle(self) -> None:
        """What is in use: lanes, and columns from the beginning of the longest sequence."""
        span = self._span
        span.lanes = len(self._lengths)
        if not span.lanes:
            span.stop = 0
        span.start = span.stop - max(self._lengths, default=0)

    def _make_room(self, made: DynamicCache, width: int) -> None:
        """Have buffers for all lanes, with at least ``width`` columns before the end."""
        span, lanes = self._span, len(self._lengths)
        if not self._layers:
            self._layers = [_Layer(span) for _ in made.layers]
            self._cache = Cache(layers=[*self._layers])
        shift = max(0, width - span.stop)
        columns = span.stop + shift
        if shift or lanes > self._ids.shape[0] or columns > self._ids.shape[1]:
            self._move(max(lanes, self._ids.shape[0]), columns + _SPARE_COLUMNS, shift, made)
        span.stop = columns

    def _grow(self, columns: int) -> None:
        """Have ``columns`` columns: those that nobody uses any more are given up first."""
        if columns > self._ids.shape[1]:
            used = columns - self._span.start
            self._move(self._ids.shape[0], used + max(_SPARE_COLUMNS, used // 2), -self._span.start)
            self._span.stop -= self._span.start
            self._span.start = 0

    def _move(self, lanes: int, columns: int, shift: int, like: DynamicCache | None = None) -> None:
        """New buffers of this size; what is in use is copied, ``shift`` columns to the right."""
        used = slice(self._span.start, self._span.stop)
        there = slice(used.start + shift, used.stop + shift)
        for number, layer in enumerate(self._layers):
            old = layer.buffers
            if old is None:
                if like is None:
                    raise RuntimeError("no states to make buffers for")
                states = like.layers[number]
                old = (states.keys[:0], states.values[:0])
            layer.buffers = (
                _moved(old[0], (lanes, columns), used, there),
                _moved(old[1], (lanes, columns), used, there),
            )
        for name in ("_ids", "_mask"):
            before: Tensor = getattr(self, name)
            after = before.new_zeros((lanes, columns))
            after[: before.shape[0], there] = before[:, used]
            if name == "_ids" and before.shape[1]:
                after[: before.shape[0], : there.start] = before[:, used.start, None]
            setattr(self, name, after)


def _moved(old: Tensor, size: tuple[int, int], used: slice, there: slice) -> Tensor:
    lanes, columns = size
    new = old.new_zeros((lanes, old.shape[1], columns, old.shape[3]))
    if old.shape[0]:
        new[: old.shape[0], :, there] = old[:, :, used]
    return new


class Padded:
    """A batch from beginning to end; sequences that are over are computed along with it."""

    joins = False

    def __init__(self, model: PreTrainedModel) -> None:
        self._forward = Forward(model)
        self._config = model.config
        self._rows: list[int] = []
        """The batch's row of every lane."""
        layers = DynamicCache(config=model.config).layers
        self._looks_back = any(isinstance(layer, DynamicLayer) for layer in layers)
        """A model of states alone takes a mask for the tokens of this step, not for those before.
        """
        self._cache: Cache = DynamicCache()
        self._ids = self._mask = torch.zeros((0, 0), dtype=torch.long)

    def add(self, prompts: Sequence[list[int]]) -> Tensor:
        """See ``Batch``."""
        if self._rows:
            raise RuntimeError("this model's batches cannot be joined")
        self._cache = DynamicCache(config=self._config)
        self._ids, self._mask = padded(prompts, [row[0] for row in prompts])
        self._rows = list(range(len(prompts)))
        return self._forward.last(self._ids, self._mask, positions(self._mask), self._cache)

    def step(self, tokens: Sequence[int]) -> Tensor:
        """See ``Batch``."""
        new = self._ids[:, -1:].clone()
        new[self._rows, 0] = torch.tensor(tokens)
        self._ids = torch.cat([self._ids, new], dim=1)
        self._mask = torch.cat([self._mask, torch.ones_like(new)], dim=1)
        where = self._mask.sum(-1, keepdim=True) - 1
        mask = self._mask if self._looks_back else None
        return self._forward.last(new, mask, where, self._cache)[self._rows]

    def leave(self, lane: int) -> int:
        """See ``Batch``."""
        last = len(self._rows) - 1
        self._rows[lane] = self._rows[last]
        self._rows.pop()
        if not self._rows:
            self.clear()
        return last

    def history(self) -> Tensor:
        """See ``Batch``."""
        return self._ids[self._rows].to(self._forward.device)

    def clear(self) -> None:
        """See ``Batch``."""
        self._rows = []
        self._cache = DynamicCache()
        self._ids = self._mask = self._ids[:0, :0]
