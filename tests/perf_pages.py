"""Made-up runs for tests of the pages: the numbers are plausible, and the same every time."""

import numpy as np

from steelyard.reports.page_frame import Table
from steelyard.reports.perf_page import (
    Distribution,
    Mark,
    PerfPage,
    RequestColumns,
    Series,
    TimeSeries,
)

EVIL = "</script><script>alert(1)</script>"


def requests(n: int, *, in_flight: int = 50, failure_kinds: tuple[str, ...] = ()) -> RequestColumns:
    """``n`` requests in ``in_flight`` places, one in a hundred failed when there are kinds."""
    random = np.random.default_rng(1)
    ttft_s = 0.1 + random.gamma(2, 0.05, n)
    took_s = ttft_s + random.gamma(4, 0.3, n)
    places = np.zeros((-(-n // in_flight), in_flight))
    places.ravel()[:n] = took_s + 0.001
    sent_s = (np.cumsum(places, axis=0) - places).ravel()[:n]
    order = np.argsort(sent_s, kind="stable")
    failed = (np.arange(n) % 100 == 7) & bool(failure_kinds)
    kind = np.where(failed, np.arange(n) // 100 % max(len(failure_kinds), 1), -1)
    return RequestColumns(
        sent_s=sent_s[order],
        first_s=np.where(failed, np.nan, (sent_s + ttft_s)[order]),
        end_s=(sent_s + took_s)[order],
        due_s=sent_s[order] - 0.002,
        failure=kind,
        failure_kinds=failure_kinds,
        input_tokens=random.integers(50, 4000, n),
        output_tokens=np.where(failed, -1, random.integers(5, 900, n)),
        line=np.arange(n) // 3,
    )


def page(columns: RequestColumns, *, title: str = "A run", bins: int = 200) -> PerfPage:
    """A page with every chart there is."""
    ends = np.asarray(columns.end_s)
    edges_s = np.linspace(0, ends.max(), bins + 1)
    wave = 2 + np.sin(np.arange(bins) / 9)
    holes = np.where(np.arange(bins) % 17 == 3, np.nan, wave)
    share = np.arange(1, 301) / 300
    value_ms = 50 + 900 * share**3
    marks = tuple(Mark(f"P{p}", float(50 + 9e-4 * p**3), p / 100) for p in (50, 90, 99))
    return PerfPage(
        title=title,
        subtitle="subtitle",
        notes=("INCOMPLETE RUN: 3 requests were not sent.",),
        figures=(("Output", "1,234 tok/s"), ("TTFT P99", "345 ms")),
        facts=(("Concurrency", "50"), ("Seed", "0")),
        tables=(
            Table(
                title="Latency",
                head=("Performance Parameters", "Average", "P99"),
                rows=(("TTFT", "100.0 ms", "345.0 ms"), ("E2EL", "1,000.0 ms", "2,345.0 ms")),
                note="Successful requests only.",
            ),
        ),
        requests=columns,
        series=TimeSeries(
            edges_s=edges_s,
            planned_per_s=wave * 20,
            sent_per_s=wave * 19,
            completed_per_s=wave * 18,
            output_tokens_per_s=wave * 5000,
            input_tokens_per_s=wave * 9000,
            ttft_ms=tuple(Series(name, holes * x) for name, x in (("P50", 90), ("P99", 300))),
            itl_ms=tuple(Series(name, holes * x) for name, x in (("P50", 9), ("P99", 30))),
            failures=tuple(
                Series(kind, (np.arange(bins) % 20 == 4) * 3.0) for kind in columns.failure_kinds
            ),
        ),
        distributions=tuple(
            Distribution(name=name, note="300 values", value_ms=value_ms, share=share, marks=marks)
            for name in ("TTFT", "TPOT", "ITL", "E2EL")
        ),
        steady_s=(0.1 * ends.max(), 0.9 * ends.max()),
    )
