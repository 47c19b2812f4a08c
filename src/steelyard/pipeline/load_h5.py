"""``<dataset>_details.h5``: the inter-token latencies of a load test, columnar.

key        request key, one per request, in the order of sending
sent_ns    when it was sent, since the start of the run
ttft_us    time to the first token; -1: nothing was streamed
itl_start  where its latencies begin in ``itl_us``; one more entry than there are requests
itl_us     all inter-token latencies, one request's after the other's
"""

from pathlib import Path

import numpy as np

from steelyard.core import DiskError
from steelyard.perf.columns import UNKNOWN, GapChunk, Gaps, Ints
from steelyard.pipeline.load_columns import CHUNK, Measured
from steelyard.pipeline.load_files import LoadFiles


def write_h5(files: LoadFiles, measured: Measured, scratch: Path) -> Path | None:
    """Write the file, whole or not at all; ``None`` when the package for it is not there.

    ``scratch`` is a folder with room for the latencies. Raises ``DiskError``.
    """
    try:
        import h5py
    except ImportError:
        return None
    path = files.path("_details.h5")
    beside = path.with_name(f".{path.name}.tmp")
    columns = measured.columns
    starts = _starts(columns.gaps, columns.n)
    streamed = columns.first_ns != UNKNOWN
    ttft_us = np.where(streamed, (columns.first_ns - columns.sent_ns) // 1000, UNKNOWN)
    try:
        with h5py.File(beside, "w") as file:
            file["key"] = [key.encode() for key in measured.keys]
            file["sent_ns"] = columns.sent_ns
            file["ttft_us"] = ttft_us
            file["itl_start"] = starts
            itl = file.create_dataset("itl_us", shape=(int(starts[-1]),), dtype="<u4")
            if starts[-1]:
                ordered = _ordered(columns.gaps, starts, scratch / "ordered")
                for at in range(0, len(ordered), CHUNK):
                    itl[at : at + CHUNK] = ordered[at : at + CHUNK]
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise DiskError(f"{path} could not be written: {error}") from error
    return path


def _starts(gaps: Gaps, requests: int) -> Ints:
    counts = np.zeros(requests + 1, dtype=np.int64)
    for chunk in gaps.chunks():
        counts[chunk.rows + 1] = chunk.counts
    return np.cumsum(counts)


def _ordered(gaps: Gaps, starts: Ints, path: Path) -> "np.memmap[tuple[int], np.dtype[np.uint32]]":
    """All latencies in the order of the requests, on disk."""
    ordered = np.memmap(path, dtype=np.uint32, mode="w+", shape=(int(starts[-1]),))
    for chunk in gaps.chunks():
        ordered[_places(chunk, starts)] = chunk.gaps_us
    return ordered


def _places(chunk: GapChunk, starts: Ints) -> Ints:
    before = np.cumsum(chunk.counts) - chunk.counts
    shift = np.repeat(starts[chunk.rows] - before, chunk.counts)
    return shift + np.arange(len(chunk.gaps_us))
