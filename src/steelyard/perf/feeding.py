"""Handing the gaps of a run to those that count them, in even portions and one pass."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from steelyard.perf.columns import GapChunk, Gaps

_CHUNK = 1 << 20


class Feeder(Protocol):
    """Something that takes in the gaps of a run chunk by chunk."""

    def add(self, chunk: GapChunk) -> None:
        """Take in ``chunk``."""


def feed(gaps: Gaps, *feeders: Feeder) -> None:
    """Hand all ``gaps`` to every one of ``feeders``, in one pass."""
    for chunk in even_chunks(gaps):
        for feeder in feeders:
            feeder.add(chunk)


def even_chunks(gaps: Gaps) -> Iterator[GapChunk]:
    """The chunks of ``gaps`` joined or cut to about a million gaps each."""
    held: list[GapChunk] = []
    size = 0
    for chunk in gaps.chunks():
        for part in _cut(chunk):
            held.append(part)
            size += part.gaps_us.size
            if size >= _CHUNK:
                yield _joined(held)
                held, size = [], 0
    if held:
        yield _joined(held)


def _cut(chunk: GapChunk) -> Iterator[GapChunk]:
    ends = np.cumsum(chunk.counts)
    first = 0
    while first < ends.size:
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _CHUNK, side="right")))
        rows = slice(first, last)
        gaps = chunk.gaps_us[before : int(ends[last - 1])]
        yield GapChunk(chunk.rows[rows], chunk.counts[rows], gaps)
        first = last


def _joined(chunks: list[GapChunk]) -> GapChunk:
    if len(chunks) == 1:
        return chunks[0]
    return GapChunk(*map(np.concatenate, zip(*chunks, strict=True)))
