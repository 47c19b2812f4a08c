"""Common metrics, AISBench's stable stage, series over time, and figures as a whole.

- Common metrics have AISBench's names, order and units and follow their formulas.
- A sum that one unknown token count would make too small is absent.
- The stable stage begins at the second sending that reaches C and ends at the last event at C.
- A stage that was not reached is said to be so, and the whole run is shown.
- Series add up to the run.
- Figures survive JSON; a run without any answer says so.
"""

import msgspec
import numpy as np
import pytest

from perf_runs import columns_of, lasting
from steelyard.perf.columns import UNKNOWN, Columns
from steelyard.perf.figures import Figures, Window
from steelyard.perf.measure import Options, figures
from steelyard.perf.series import Series, series
from steelyard.perf.slo import parsed_slo
from steelyard.perf.stable import stable_window

NAMES_AND_UNITS = [
    ("Benchmark Duration", "ms"),
    ("Total Requests", ""),
    ("Failed Requests", ""),
    ("Success Requests", ""),
    ("Concurrency", ""),
    ("Max Concurrency", ""),
    ("Request Throughput", "req/s"),
    ("Total Input Tokens", ""),
    ("Prefill Token Throughput", "token/s"),
    ("Total generated tokens", ""),
    ("Input Token Throughput", "token/s"),
    ("Output Token Throughput", "token/s"),
    ("Total Token Throughput", "token/s"),
]


def three(**more) -> Columns:
    """Answers from 0 to 2 s, 1 to 2 s and 1.5 to 3.5 s, of 2 tokens each."""
    return columns_of(
        sent_s=[0, 1, 1.5],
        ttft_s=[1, 0.5, 1],
        gaps_us=[[1_000_000], [500_000], [1_000_000]],
        tokens_in=[10, 20, 30],
        **more,
    )


def common(found: Figures, stage: str = "total") -> dict[str, float | None]:
    return {one.name: one.value for one in found.common if one.stage == stage}


def test_common_metrics_have_aisbenchs_names_order_and_units() -> None:
    found = figures(three(), Options(stage="total", limit=8))
    assert [(one.name, one.unit) for one in found.common] == NAMES_AND_UNITS


def test_common_metrics_follow_their_formulas() -> None:
    found = common(figures(three(), Options(stage="total", limit=8)))
    assert found == pytest.approx(
        {
            "Benchmark Duration": 3500,
            "Total Requests": 3,
            "Failed Requests": 0,
            "Success Requests": 3,
            "Concurrency": 5 / 3.5,
            "Max Concurrency": 8,
            "Request Throughput": 3 / 3.5,
            "Total Input Tokens": 60,
            "Prefill Token Throughput": 60 / 2.5,
            "Total generated tokens": 6,
            "Input Token Throughput": 60 / 3.5,
            "Output Token Throughput": 6 / 3.5,
            "Total Token Throughput": 66 / 3.5,
        }
    )


def test_failed_requests_are_counted_and_bring_nothing() -> None:
    found = figures(three(failed=[2]), Options(stage="total"))
    values = common(found)
    assert (values["Total Requests"], values["Failed Requests"]) == (3, 1)
    assert values["Benchmark Duration"] == 2000
    assert values["Total generated tokens"] == 4
    assert values["Max Concurrency"] is None
    assert found.failures == {"timeout": 1}


def test_one_unknown_token_count_leaves_the_sums_unknown() -> None:
    values = common(figures(three(tokens_out=[2, UNKNOWN, 2]), Options(stage="total")))
    assert values["Total generated tokens"] is None
    assert values["Output Token Throughput"] is None
    assert values["Total Token Throughput"] is None
    assert values["Input Token Throughput"] == pytest.approx(60 / 3.5)


def test_a_run_without_any_answer_says_so() -> None:
    found = figures(three(failed=[0, 1, 2]), Options(slo=parsed_slo("e2el=1s")))
    assert (found.stats, found.common) == ((), ())
    assert found.failures == {"timeout": 3}
    assert "CALC-DATA-001" in found.notes[0]


def test_a_run_without_requests_says_so() -> None:
    empty = columns_of(sent_s=[], ttft_s=[], gaps_us=[])
    assert "CALC-DATA-001" in figures(empty, Options()).notes[0]
    assert series(empty, 10) is None


def stepping() -> Columns:
    """Under way: 1 from 0 s, 2 from 1 s (first time), 1 from 3 s, 2 from 4 s (second time), 1 from
    5 s, 2 from 6 s, 1 from 8 s."""
    return lasting(np.array([0, 1, 4, 6]), np.array([3.0, 4.0, 4.0, 3.0]))


def test_the_stable_stage_goes_from_the_second_sending_that_reaches_c_to_the_last_at_c() -> None:
    found = stable_window(stepping(), 2)
    assert isinstance(found, Window)
    assert (found.start_ns, found.end_ns) == (4_000_000_000, 6_000_000_000)


def test_the_stable_stage_counts_all_tokens_of_the_requests_sent_in_it() -> None:
    found = figures(stepping(), Options(stage="stable", limit=2))
    values = common(found, "stable")
    assert values["Success Requests"] == 2
    assert values["Benchmark Duration"] == 2000
    assert values["Total generated tokens"] == 22
    assert values["Output Token Throughput"] == pytest.approx(22 / 2)
    assert {one.stage for one in (*found.common, *found.stats)} == {"stable"}
    (note,) = found.notes
    assert "a third of the stage or more" in note


def test_the_concurrency_of_the_stable_stage_is_no_more_than_c() -> None:
    # The requests of the stage were under way for 4 + 3 s, the stage took 2 s.
    found = figures(stepping(), Options(stage="stable", limit=2))
    assert common(found, "stable")["Concurrency"] == 2


def test_failed_requests_occupy_a_place_in_the_stable_stage_and_count_as_failed() -> None:
    columns = stepping()
    columns.failure[2] = 0
    found = figures(columns, Options(stage="stable", limit=2))
    assert common(found, "stable")["Failed Requests"] == 1
    (e2el,) = (stat for stat in found.stats if stat.name == "E2EL")
    assert e2el.values["Max"].value == pytest.approx(3000)


@pytest.mark.parametrize(
    ("limit", "says"), [(3, "never (most at a time: 2)"), (1, "twice"), (None, "no limit")]
)
def test_a_stable_stage_that_is_not_reached_is_said_to_be_so(limit: int | None, says: str) -> None:
    found = figures(stepping(), Options(stage="stable", limit=limit))
    assert found.no_window.startswith("CALC-DATA-002")
    assert says in found.no_window
    assert {one.stage for one in found.common} == {"total"}


def test_series_add_up_to_the_run() -> None:
    columns = three(due_s=[0, 1, 1.25], failed=[1])
    found = series(columns, 7)
    assert found is not None
    width_s = found.width_s
    assert (found.start_s, width_s) == (0, pytest.approx(0.5))
    assert found.due_per_s is not None
    assert np.multiply(found.due_per_s, width_s).tolist() == [1, 0, 2, 0, 0, 0, 0]
    assert np.multiply(found.sent_per_s, width_s).tolist() == [1, 0, 1, 1, 0, 0, 0]
    assert found.in_flight == pytest.approx([1, 1, 2, 3, 1, 1, 1])
    assert sum(found.answered_per_s) * width_s == 2
    assert np.multiply(found.failed_per_s, width_s).tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert found.tokens_per_s is not None
    assert np.multiply(found.tokens_per_s, width_s).tolist() == [0, 0, 1, 0, 1, 1, 1]
    assert found.ttft_p50_ms == (1000, None, None, 1000, None, None, None)
    assert found.itl_p99_ms[:4] == (None,) * 4
    assert found.itl_p99_ms[4] == pytest.approx(1000, rel=0.002)


def test_series_of_unknown_tokens_have_no_token_rate() -> None:
    found = series(three(tokens_out=[2, UNKNOWN, 2]), 3)
    assert found is not None
    assert found.tokens_per_s is None
    assert found.due_per_s is None


def test_figures_and_series_survive_json() -> None:
    columns = three(due_s=[0, 1, 1.25], failed=[1])
    found = figures(columns, Options(limit=4, compat=True, slo=parsed_slo("ttft=1s,tpot=2s")))
    text = msgspec.json.encode(found)
    assert msgspec.json.decode(text, type=Figures) == found
    over_time = series(columns, 5)
    assert msgspec.json.decode(msgspec.json.encode(over_time), type=Series) == over_time
