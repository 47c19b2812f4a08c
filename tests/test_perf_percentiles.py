"""Percentiles and counts of any number of gaps in bounded memory.

- Percentiles from tables equal NumPy's on the data itself, gaps above a second included.
- How a source cuts its gaps into chunks makes no difference to any figure.
- Amounts over time are neither lost nor made, however they lie to the bins.
- Sixteen million gaps take little memory.
"""

import tracemalloc
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perf_runs import columns_of
from steelyard.perf.blocks import blocks
from steelyard.perf.by_block import GapValues
from steelyard.perf.cells import CellCounts
from steelyard.perf.columns import GapChunk
from steelyard.perf.estimates import estimates
from steelyard.perf.feeding import even_chunks
from steelyard.perf.measure import Options, figures
from steelyard.perf.percentiles import Counting, table_of
from steelyard.perf.series import series
from steelyard.perf.spread import Bins, over_time, token_arrivals

GAPS = st.lists(st.integers(0, 20_000_000) | st.integers(0, 1000), min_size=1, max_size=60)
SHARES = st.floats(0, 1)


@settings(max_examples=40, deadline=None)
@given(st.lists(GAPS, min_size=1, max_size=8), SHARES)
def test_percentiles_of_counted_gaps_are_numpys(chunks: list[list[int]], p: float) -> None:
    counting = Counting()
    for chunk in chunks:
        counting.add(np.array(chunk, dtype=np.int64))
    every = np.concatenate([np.array(chunk) for chunk in chunks])
    table = counting.table()
    assert table.n == every.size
    assert table.mean() == pytest.approx(every.mean(), rel=1e-12)
    assert table.percentile(p) == pytest.approx(np.percentile(every, 100 * p), rel=1e-12)
    assert table.count_upto(every[0]) == (every <= every[0]).sum()


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=60), SHARES)
def test_percentiles_of_request_values_are_numpys(values: list[float], p: float) -> None:
    found = table_of(np.array(values)).percentile(p)
    assert found == pytest.approx(np.percentile(values, 100 * p), rel=1e-12, abs=1e-12)


def test_many_long_gaps_are_merged_now_and_then_and_stay_exact() -> None:
    random = np.random.default_rng(3)
    every = random.integers(5_000_000, 5_000_300, 3_000_000)
    counting = Counting()
    for part in np.array_split(every, 7):
        counting.add(part)
    assert counting.table().percentile(0.99) == np.percentile(every, 99)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=50))
def test_cells_give_percentiles_within_a_quarter_of_a_percent(gaps: list[int]) -> None:
    cells = CellCounts(2)
    cells.add(np.ones(len(gaps), dtype=np.int64), np.array(gaps))
    found = cells.percentiles(np.array([0.0, 1.0]))
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx([min(gaps), max(gaps)], rel=0.0026)


class Cut:
    """Gaps in chunks of given numbers of requests, in a given order."""

    def __init__(self, gaps_us: list[list[int]], sizes: list[int], order: list[int]) -> None:
        self._gaps_us, self._sizes, self._order = gaps_us, sizes, order

    def chunks(self) -> Iterator[GapChunk]:
        left = list(self._order)
        for size in [*self._sizes, len(left)]:
            rows, left = left[:size], left[size:]
            gaps = [us for row in rows for us in self._gaps_us[row]]
            counts = [len(self._gaps_us[row]) for row in rows]
            yield GapChunk(*(np.array(part, dtype=np.int64) for part in (rows, counts, gaps)))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_how_gaps_are_cut_into_chunks_makes_no_difference(data: st.DataObject) -> None:
    gaps_us = data.draw(
        st.lists(st.lists(st.integers(0, 10**6), max_size=5), min_size=2, max_size=9)
    )
    n = len(gaps_us)
    whole = columns_of(sent_s=range(n), ttft_s=[0.5] * n, gaps_us=gaps_us)
    sizes = data.draw(st.lists(st.integers(0, 3), max_size=4))
    cut = Cut(gaps_us, sizes, data.draw(st.permutations(range(n))))
    other = msgspec.structs.replace(whole, gaps=cut)
    options = Options(compat=True)
    assert figures(other, options) == figures(whole, options)
    assert series(other, 7) == series(whole, 7)


def test_big_chunks_are_cut_and_small_ones_joined() -> None:
    rows = np.arange(3000)
    big = GapChunk(rows, np.full(3000, 1000), np.arange(3_000_000))

    class Source:
        def chunks(self) -> Iterator[GapChunk]:
            yield big
            for row in range(100):
                yield GapChunk(rows[row : row + 1], np.array([1]), np.array([5]))

    sizes = [chunk.gaps_us.size for chunk in even_chunks(Source())]
    assert sum(sizes) == 3_000_100
    assert max(sizes) <= 2 << 20
    assert len(sizes) <= 4


SPANS = st.lists(
    st.tuples(st.integers(-50, 150), st.integers(0, 120), st.floats(0.1, 9)), max_size=12
)


@given(SPANS, st.integers(1, 9))
def test_amounts_over_time_match_their_overlap_with_each_bin(
    spans: list[tuple[int, int, float]], count: int
) -> None:
    bins = Bins(0, 100, count)
    start = np.array([span[0] for span in spans], dtype=np.int64)
    end = start + np.array([span[1] for span in spans], dtype=np.int64)
    amounts = np.array([span[2] for span in spans])
    edges = np.linspace(0, 100, count + 1)
    wanted = np.zeros(count)
    for a, b, amount in zip(start, end, amounts, strict=True):
        if b > a:
            inside = np.clip(np.minimum(b, edges[1:]) - np.maximum(a, edges[:-1]), 0, None)
            wanted += amount * inside / (b - a)
        elif 0 <= a <= 100:
            wanted[min(int(a / bins.width_ns), count - 1)] += amount
    assert over_time(bins, start, end, amounts) == pytest.approx(wanted, abs=1e-9)


def test_tokens_arrive_with_their_events() -> None:
    columns = columns_of(
        sent_s=[0, 0.5],
        ttft_s=[0.1, 0.1],
        gaps_us=[[1_000_000, 1_000_000], [400_000]],
        tokens_out=[6, 2],
    )
    found = token_arrivals(Bins(0, 3_000_000_000, 3), columns)
    assert found == pytest.approx([2 + 1, 2 + 1, 2])


def test_sixteen_million_gaps_take_little_memory() -> None:
    random = np.random.default_rng(0)
    part = random.lognormal(np.log(20_000), 0.4, 1 << 20).astype(np.int64)
    cut = blocks(np.ones(16_000, dtype=np.bool_), [])
    counting = GapValues(cut)
    tracemalloc.start()
    for first in range(0, 16_000, 1000):
        rows = np.arange(first, first + 1000)
        counts = np.full(1000, part.size // 1000)
        counting.add(GapChunk(rows, counts, part[: counts.sum()]))
    found = estimates(counting, ["Average", "Median", "P99"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counting.requests == 16_000
    assert found["P99"].value == pytest.approx(np.percentile(np.tile(part[:1_048_000], 2), 99))
    assert peak < 250e6
