"""What a load test comes to as a point of a sweep, what is sent at each load, and which rows.

- A point has the steady figures where there is a steady window, and says which it has.
- It meets its objectives by the share of requests that met all; failed ones met none.
- What cannot be told is no verdict, nor is what the client could not measure.
- Enough is sent at every load; a preset's own pace does not leak into a sweep.
- Loads ask different rows as long as there are any, and no key twice in one load test.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from perf_runs import closed, columns_of
from steelyard.core import ConfigError, Load, Sample, Traffic
from steelyard.perf.figures import ClientHealth, Estimate, Figures
from steelyard.perf.measure import Options, figures
from steelyard.perf.points import Point, marked, point
from steelyard.perf.search import Span
from steelyard.perf.slo import Slo
from steelyard.pipeline.sweep_plan import SweepPlan
from steelyard.pipeline.sweep_rows import Portion

SLO = Slo(ttft_ms=100.0)


def plain(found: Figures, attainment: float | None = 0.99) -> Point:
    return point(found, load=8, run=1, name="data-c8", attainment=attainment)


def simple(slow: int, failed: int = 0, n: int = 100, **more: Any) -> Figures:
    """One request after the other: 50 ms to the first token, of ``slow`` ones 200 ms."""
    ttft_s = [0.2 if i < slow else 0.05 for i in range(n)]
    columns = columns_of(
        sent_s=np.arange(n, dtype=float).tolist(),
        ttft_s=ttft_s,
        gaps_us=[[10_000] * 4] * n,
        failed=range(n - failed, n),
        **more,
    )
    return figures(columns, Options(stage="total", slo=SLO))


@pytest.mark.parametrize(
    ("slow", "failed", "verdict"),
    [(0, 0, "met"), (1, 0, "met"), (2, 0, "missed"), (0, 1, "met"), (1, 1, "missed")],
)
def test_a_load_meets_its_objectives_by_the_share_of_requests_that_met_all(
    slow: int, failed: int, verdict: str
) -> None:
    found = plain(simple(slow, failed))
    assert found.verdict == verdict
    assert found.attainment is not None
    assert found.attainment.value == pytest.approx(1 - (slow + failed) / 100)
    assert (found.requests, found.failed, found.answered) == (100, failed, 100 - failed)


def test_a_verdict_that_may_be_chance_is_called_close() -> None:
    assert plain(simple(0)).close
    assert plain(simple(1)).close
    assert not plain(simple(60)).close
    assert not plain(simple(0, n=1000)).close


def test_without_objectives_there_is_no_verdict() -> None:
    found = plain(simple(0), attainment=None)
    assert found.verdict is None
    assert found.attainment is None


def test_a_client_bound_load_has_no_verdict_about_the_service() -> None:
    for slow in (0, 50):
        bound = replace(simple(slow), client=ClientHealth(client_bound=True, reasons=("late",)))
        found = plain(bound)
        assert found.verdict == "client"
        assert found.client_reasons == ("late",)


def test_a_load_without_any_answer_misses_and_has_no_figures() -> None:
    nothing = replace(simple(0, failed=100), client=ClientHealth(client_bound=True))
    found = plain(nothing)
    assert found.verdict == "missed"
    assert not found.client_bound
    assert (found.requests, found.failed, found.answered) == (100, 100, 0)
    assert found.requests_per_s is found.ttft_p99_ms is found.attainment is None


def test_what_token_counts_would_decide_is_undecided_without_them() -> None:
    columns = columns_of(
        sent_s=range(40), ttft_s=[0.05] * 40, gaps_us=[[10_000] * 4] * 40, tokens_out=[-1] * 40
    )
    slo = Slo(ttft_ms=100.0, tpot_ms=50.0)
    found = plain(figures(columns, Options(stage="total", slo=slo)))
    assert found.verdict is None
    assert found.undecided == 40
    late = figures(columns, Options(stage="total", slo=Slo(ttft_ms=10.0, tpot_ms=50.0)))
    assert plain(late).verdict == "missed"  # whatever the token counts are


def test_a_steady_window_gives_the_figures_and_the_share() -> None:
    # Eight at a time for 100 ms each; the first fifty take five times as long.
    run = closed([0.0] * 8, lambda i, _: 0.5 if i < 50 else 0.1, 3000)
    options = Options(limit=8, slo=Slo(e2el_ms=200.0))
    found = figures(run, options)
    assert found.window is not None
    assert found.goodput is not None
    assert found.goodput.in_window is not None
    in_window = int(
        ((run.sent_ns >= found.window.start_ns) & (run.sent_ns <= found.window.end_ns)).sum()
    )
    share = found.goodput.in_window
    assert share.met + share.missed + share.undecided == in_window < 3000
    one = plain(found)
    assert one.stage == "steady"
    assert one.attainment == share.share
    assert one.attainment_n == in_window
    assert one.requests == 3000
    assert one.requests_per_s is not None
    assert one.requests_per_s.value == pytest.approx(80, rel=0.02)
    whole = plain(figures(run, replace(options, stage="total")))
    assert whole.stage == "total"
    assert whole.attainment is not None
    assert whole.attainment.value == pytest.approx(1 - 50 / 3000)
    assert one.attainment.value > whole.attainment.value


def test_of_a_schedule_latencies_count_from_when_a_request_was_due() -> None:
    sent_s = np.arange(50, dtype=float)
    columns = columns_of(
        sent_s=sent_s.tolist(), ttft_s=[0.05] * 50, gaps_us=[[10_000] * 4] * 50,
        due_s=(sent_s - 0.3).tolist(),
    )  # fmt: skip
    found = plain(figures(columns, Options(stage="total", slo=SLO)))
    assert found.ttft_p50_ms is not None
    assert found.ttft_p50_ms.value == pytest.approx(350)
    assert found.e2el_p99_ms is not None
    assert found.e2el_p99_ms.value == pytest.approx(390)


def test_client_bound_loads_and_loads_without_answers_are_no_trade_off() -> None:
    def at(load: float, tokens: float, ttft: float, **more: Any) -> Point:
        return Point(
            load=load, name="", requests=10, failed=more.pop("failed", 0), stage="total",
            output_tokens_per_s=Estimate(tokens), ttft_p99_ms=Estimate(ttft), **more,
        )  # fmt: skip

    found = marked(
        [
            at(1, 100, 50),
            at(2, 200, 60),
            at(4, 400, 40, client_bound=True),
            at(8, 190, 70),
            Point(load=16, name="", requests=10, failed=10, stage="total"),
        ]
    )
    assert [one.pareto for one in found] == [True, True, False, False, False]


def test_enough_is_sent_at_every_load() -> None:
    closed_plan = SweepPlan(kind="concurrency", loads=(1, 32))
    assert [closed_plan.requests_at(load) for load in (1, 6, 7, 32)] == [60, 60, 70, 320]
    open_plan = SweepPlan(kind="rate", loads=(1, 4))
    assert [open_plan.requests_at(load) for load in (0.5, 2, 2.5, 10)] == [60, 60, 75, 300]
    assert replace(open_plan, seconds=100.0).requests_at(2.5) == 250
    assert replace(open_plan, num_prompts=7).requests_at(2.5) == 7


def test_a_presets_own_pace_does_not_leak_into_a_sweep() -> None:
    traffic = Traffic(
        burstiness=1.0, ramp_up_strategy="linear", ramp_up_start_rps=1.0, ramp_up_end_rps=9.0
    )
    preset = Load(
        concurrency=3,
        request_rate=7.0,
        timeout_s=9.0,
        senders=2,
        traffic=traffic,
        pressure_s=4.0,
        use_timestamp=True,
    )
    kept = {"timeout_s": 9.0, "senders": 2}
    plan = SweepPlan(kind="concurrency", loads=(8,))
    assert plan.load_at(preset, 8, 1) == Load(concurrency=8, **kept)
    plan = SweepPlan(kind="rate", loads=(2.5,))
    first, second = (plan.load_at(preset, 2.5, run) for run in (1, 2))
    assert first == Load(
        concurrency=75, request_rate=2.5, traffic=Traffic(burstiness=1.0), seed=0, **kept
    )
    assert second == replace(first, seed=1)  # other arrival times of the same kind
    assert replace(plan, places=5).load_at(preset, 2.5, 1).concurrency == 5


def test_names_tell_load_and_run() -> None:
    assert SweepPlan(kind="concurrency", loads=(8,)).suffix(8.0, 1) == "-c8"
    rate = SweepPlan(kind="rate", loads=(2.5,))
    assert [rate.suffix(2.5, 1), rate.suffix(16.0, 3)] == ["-r2.5", "-r16-3"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "rate"},
        {"kind": "rate", "loads": (1.0,), "span": Span(precision=0.05)},
        {"kind": "rate", "span": Span()},
        {"kind": "concurrency", "span": Span(precision=0.05)},
        {"kind": "concurrency", "loads": (1, 2.5)},
        {"kind": "concurrency", "loads": (0,)},
        {"kind": "rate", "loads": (float("inf"),)},
        {"kind": "rate", "loads": (float("nan"),)},
        {"kind": "rate", "loads": (1.0,), "attainment": 1.1},
    ],
)
def test_plans_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SweepPlan(**wrong)


@given(st.integers(1, 30), st.lists(st.integers(1, 70), min_size=1, max_size=6))
def test_loads_ask_the_next_rows_and_no_key_twice(rows: int, counts: list[int]) -> None:
    data = [Sample(id=f"row{i}", question=f"question {i}") for i in range(rows)]
    first = 0
    asked: list[str] = []
    for count in counts:
        portion = Portion(data, first, count)
        first += count
        assert len(portion) == len(list(portion)) == count
        assert len({sample.id for sample in portion}) == count
        assert portion[-1] == list(portion)[-1]
        asked += [str(sample.question) for sample in portion]
        assert portion.repeated == (first > rows)
        spare = portion.before(3)
        assert len(spare) == min(3, max(0, rows - count))
        assert not {sample.question for sample in spare} & {one.question for one in portion}
    assert len(set(asked[:rows])) == min(rows, len(asked))
    assert all(asked[i] != asked[j] or rows == 1 for i, j in pairwise(range(len(asked))))
