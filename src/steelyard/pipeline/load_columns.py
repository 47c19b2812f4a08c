"""From the stored lines of a load test to columns, with the gaps between tokens in a scratch file.

Lines are read once, one at a time; what stays in memory is a few numbers per request. The many
gaps of the streams go to a scratch file and come back in chunks, so memory does not grow with the
tokens of a reply.
"""

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from steelyard import store
from steelyard.core import Beat, Failure, Timing
from steelyard.engine import turn_number
from steelyard.perf.columns import UNKNOWN, Columns, GapChunk, Ints
from steelyard.pipeline.load_files import LoadFiles
from steelyard.pipeline.tally import failure_kind
from steelyard.tasks.tokenizer import Tokenizer

CHUNK = 1_000_000
"""Gaps that are in memory at a time."""

_BATCH = 512
_GAP = np.dtype("<u4")


class _Stored(msgspec.Struct, frozen=True, gc=False):
    """The numbers of a stored line; decoding them skips the texts. No cycle can be in them."""

    key: str
    timing: Timing
    input_tokens: int | None = None
    output_tokens: int | None = None
    failure: Failure | None = None


class _Texts(msgspec.Struct, frozen=True):
    """The texts of a stored line, for counting their tokens."""

    prediction: str = ""
    input: str | None = None


class TokenSources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the token counts of the answered requests come from."""

    counted_by_service: int
    """Answers whose output the service counted."""
    counted_by_tokenizer: int
    uncounted: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A run as columns, and what belongs to its rows."""

    columns: Columns
    keys: tuple[str, ...]
    """Request keys, row by row."""
    sources: TokenSources


class Runs:
    """Numbers of requests, one run of them per request, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("wb")
        self._held = array("I")
        self._counts = array("q")
        self._rank: Ints = np.empty(0, dtype=np.int64)

    def add(self, numbers: Iterable[int]) -> None:
        """Take the next request's numbers, in the order of the stored lines."""
        before = len(self._held)
        self._held.extend(numbers)
        self._counts.append(len(self._held) - before)
        if len(self._held) >= CHUNK:
            self._flush()

    def close(self, rank: Ints) -> None:
        """No more will come; ``rank`` is the row of every stored line."""
        self._flush()
        self._file.close()
        self._rank = rank

    def chunks(self) -> Iterator[GapChunk]:
        """All numbers, about ``CHUNK`` at a time."""
        counts = np.array(self._counts, dtype=np.int64)
        ends = np.cumsum(counts)
        first = 0
        with self._path.open("rb") as file:
            while first < len(counts):
                before = ends[first - 1] if first else 0
                last = max(first + 1, int(np.searchsorted(ends, before + CHUNK, side="right")))
                size = int(ends[last - 1] - before)
                numbers = np.fromfile(file, dtype=_GAP, count=size).astype(np.int64)
                yield GapChunk(self._rank[first:last], counts[first:last], numbers)
                first = last

    def _flush(self) -> None:
        self._held.tofile(self._file)
        self._held = array("I")


def read_columns(
    files: LoadFiles, zero_ns: int, scratch: Path, tokenizer: Tokenizer | None
) -> Measured:
    """Everything that is stored of a load test; raises ``DataError`` for a damaged file.

    ``scratch`` is a folder that outlives the columns. Token counts are the service's; those that
    it did not give come from ``tokenizer``, else they are unknown.
    """
    reading = _Reading(zero_ns, scratch)
    for path in store.parts(files.details):
        for stored in store.read(path, _Stored):
            reading.take(stored)
    by_service = reading.count_known()
    if tokenizer is not None and reading.count_unknown():
        reading.count_texts(_texts(files), tokenizer)
    by_tokenizer = reading.count_known() - by_service
    return reading.measured(
        TokenSources(
            counted_by_service=by_service,
            counted_by_tokenizer=by_tokenizer,
            uncounted=reading.answered - by_service - by_tokenizer,
        )
    )


def read_beats(files: LoadFiles) -> list[Beat]:
    """How the sending processes were doing, in the order of each one's notes."""
    return [beat for path in store.parts(files.client) for beat in store.read(path, Beat)]


def _texts(files: LoadFiles) -> Iterator[_Texts]:
    return (one for path in store.parts(files.details) for one in store.read(path, _Texts))


class _Reading:
    """Columns while they grow."""

    def __init__(self, zero_ns: int, scratch: Path) -> None:
        self._zero_ns = zero_ns
        self._keys: list[str] = []
        self._times = {
            name: array("q")
            for name in ("due_ns", "queued_ns", "sent_ns", "first_event_ns", "first_ns", "last_ns",
                         "done_ns")
        }  # fmt: skip
        self._numbers = {
            name: array("q")
            for name in ("input_tokens", "output_tokens", "events", "failure", "turn")
        }
        self._kinds: dict[str, int] = {}
        self._gaps = Runs(scratch / "gaps")
        self._others = Runs(scratch / "others")
        self.answered = 0

    def take(self, stored: _Stored) -> None:
        """Add one line."""
        timing, zero_ns = stored.timing, self._zero_ns
        gaps, others = timing.gaps_us, timing.others_us
        streamed = bool(gaps)
        sent_ns = timing.sent_ns - zero_ns
        done_ns = timing.done_ns - zero_ns
        first_ns = sent_ns + gaps[0] * 1000 if streamed else UNKNOWN
        earliest = min(gaps[0], others[0]) if streamed and others else gaps[0] if streamed else 0
        times = (
            UNKNOWN if timing.due_ns is None else timing.due_ns - zero_ns,
            timing.queued_ns - zero_ns,
            sent_ns,
            sent_ns + earliest * 1000 if streamed else UNKNOWN,
            first_ns,
            sent_ns + sum(gaps) * 1000 if streamed else done_ns,
            done_ns,
        )
        for column, value in zip(self._times.values(), times, strict=True):
            column.append(value)
        failure = UNKNOWN
        if stored.failure is None:
            self.answered += 1
        else:
            kind = failure_kind(stored.failure)
            failure = self._kinds.setdefault(kind, len(self._kinds))
        tokens_in, tokens_out = stored.input_tokens, stored.output_tokens
        numbers = (
            UNKNOWN if tokens_in is None else tokens_in,
            UNKNOWN if tokens_out is None else tokens_out,
            len(gaps),
            failure,
            turn_number(stored.key),
        )
        for column, value in zip(self._numbers.values(), numbers, strict=True):
            column.append(value)
        self._keys.append(stored.key)
        self._gaps.add(gaps[1:])
        self._others.add(others)

    def count_known(self) -> int:
        """Answers whose output tokens are known."""
        pairs = zip(self._numbers["output_tokens"], self._numbers["failure"], strict=True)
        return sum(tokens != UNKNOWN and failure == UNKNOWN for tokens, failure in pairs)

    def count_unknown(self) -> bool:
        """Whether an answer lacks one of its counts."""
        numbers = self._numbers
        return any(
            failure == UNKNOWN and UNKNOWN in pair
            for failure, *pair in zip(
                numbers["failure"], numbers["input_tokens"], numbers["output_tokens"], strict=True
            )
        )

    def count_texts(self, texts: Iterable[_Texts], tokenizer: Tokenizer) -> None:
        """Fill unknown counts from the texts of the same lines."""
        waiting: list[tuple[array[int], int, str]] = []

        def count() -> None:
            counts = tokenizer.counts([text for _, _, text in waiting])
            for (column, row, _), tokens in zip(waiting, counts, strict=True):
                column[row] = tokens
            waiting.clear()

        tokens_in, tokens_out = self._numbers["input_tokens"], self._numbers["output_tokens"]
        for row, one in enumerate(texts):
            if self._numbers["failure"][row] != UNKNOWN:
                continue
            if tokens_out[row] == UNKNOWN:
                waiting.append((tokens_out, row, one.prediction))
            if tokens_in[row] == UNKNOWN and one.input is not None:
                waiting.append((tokens_in, row, one.input))
            if len(waiting) >= _BATCH:
                count()
        count()

    def measured(self, sources: TokenSources) -> Measured:
        """The columns, sorted by sending."""
        columns = {
            name: np.array(column, dtype=np.int64)
            for name, column in (*self._times.items(), *self._numbers.items())
        }
        order = np.argsort(columns["sent_ns"], kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        for runs in (self._gaps, self._others):
            runs.close(rank)
        return Measured(
            columns=Columns(
                zero_ns=self._zero_ns,
                due_ns=columns["due_ns"][order],
                queued_ns=columns["queued_ns"][order],
                sent_ns=columns["sent_ns"][order],
                first_event_ns=columns["first_event_ns"][order],
                first_ns=columns["first_ns"][order],
                last_ns=columns["last_ns"][order],
                done_ns=columns["done_ns"][order],
                input_tokens=columns["input_tokens"][order],
                output_tokens=columns["output_tokens"][order],
                events=columns["events"][order],
                failure=columns["failure"][order],
                turn=columns["turn"][order],
                failure_kinds=tuple(self._kinds),
                gaps=self._gaps,
                others=self._others,
            ),
            keys=tuple(self._keys[row] for row in order),
            sources=sources,
        )
