"""What really happened in a run, from the endpoint's own log.

The log holds, in nanoseconds of the monotonic clock, when every request had arrived and when every
token was handed to the kernel (the head of the endpoint's source gives the format). Requests that a
tool sends for itself before the load begins (warm-up, a test of the connection) are left out, and
so are requests that were not answered whole.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spread import UNKNOWN, Spread, spread_of

HEADER = struct.Struct("<8sQQ")
REQUEST = struct.Struct("<4Q4I")
MAGIC = b"SSESIM1\0"
OK = 200
LOW_WORD = 0xFFFFFFFF


class _Request(NamedTuple):
    first_byte_ns: int
    arrival_ns: int
    last_write_ns: int
    end_ns: int
    connection: int
    tokens: int
    status: int
    flags: int


@dataclass(frozen=True)
class Truth:
    """One run as the endpoint saw it; the spreads are unknown when nothing was answered."""

    answered: int
    left_out: int
    """Requests that were not answered whole, those sent beforehand not counted."""
    tokens: int
    first_arrival_ns: int
    last_end_ns: int
    arrivals_ns: tuple[int, ...]
    ttft: Spread
    """Arrival of the request to the write of its first token."""
    gaps: Spread
    """Write of a token to the write of the next one, all of the run together."""
    mean_gaps: Spread
    """The mean gap of every request."""

    @property
    def duration_s(self) -> float:
        """First arrival to the end of the last answer."""
        return (self.last_end_ns - self.first_arrival_ns) / 1e9

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens of whole answers over the duration."""
        return self.tokens / self.duration_s if self.duration_s else None

    @property
    def requests_per_s(self) -> float | None:
        """Whole answers over the duration."""
        return self.answered / self.duration_s if self.duration_s else None


def read(path: Path, *, probes: int, with_tokens: bool = True) -> Truth:
    """The truth in a log; the first `probes` requests are no part of the run.

    Without the tokens only arrivals and ends are read, and the spreads are unknown.
    """
    with path.open("rb") as log:
        magic, count, chunks = HEADER.unpack(log.read(HEADER.size))
        if magic != MAGIC:
            raise ValueError(f"{path} is not a log of the endpoint")
        rows = map(_Request._make, REQUEST.iter_unpack(log.read(REQUEST.size * count)))
        measured = dict(list(enumerate(rows))[probes:])
        whole = {place: row for place, row in measured.items() if row.status == OK}
        words = array("Q")
        if with_tokens:
            words.fromfile(log, 2 * chunks)
    ttft, gaps, means = _intervals(words, whole)
    return Truth(
        answered=len(whole),
        left_out=len(measured) - len(whole),
        tokens=sum(row.tokens for row in whole.values()),
        first_arrival_ns=min((row.arrival_ns for row in measured.values()), default=0),
        last_end_ns=max((row.end_ns for row in whole.values()), default=0),
        arrivals_ns=tuple(sorted(row.arrival_ns for row in measured.values())),
        ttft=ttft,
        gaps=gaps,
        mean_gaps=means,
    )


def _intervals(words: array[int], whole: dict[int, _Request]) -> tuple[Spread, Spread, Spread]:
    """Time to first token, gaps, and each request's mean gap, from the log's tokens."""
    if not words:
        return UNKNOWN, UNKNOWN, UNKNOWN
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    gaps = array("Q")
    for place, written_ns in _writes(words):
        if place not in whole:
            continue
        if place in last:
            gaps.append(written_ns - last[place])
        else:
            first[place] = written_ns
        last[place] = written_ns
    ttft = (first[place] - whole[place].arrival_ns for place in first)
    means = (
        (last[place] - first[place]) // (whole[place].tokens - 1)
        for place in first
        if whole[place].tokens > 1
    )
    return spread_of(ttft), spread_of(gaps), spread_of(means)


def _writes(words: array[int]) -> Iterator[tuple[int, int]]:
    """Every token in order: its request's place in the log, and when it was written."""
    for at in range(0, len(words), 2):
        yield words[at + 1] & LOW_WORD, words[at]
