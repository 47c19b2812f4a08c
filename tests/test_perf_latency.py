"""What each request took, checked by hand.

- TTFT, E2EL, TPOT, ITL and the throughputs follow their formulas, unrounded.
- What cannot be computed is absent: one-token answers have no TPOT, unknown counts no throughput,
  answers that were not streamed no TTFT; failed requests count nowhere.
- With a schedule, latencies also count from the due time.
- AISBench's reading differs where it says so, and only there.
- Statistics can be chosen; unknown names are ignored, eight are the most.
"""

import msgspec
import numpy as np
import pytest

from perf_runs import columns_of
from steelyard.perf.columns import UNKNOWN, Columns, GapsInMemory
from steelyard.perf.figures import Stat
from steelyard.perf.measure import Options, figures
from steelyard.perf.stats import chosen_stats


def rows(columns: Columns, **wanted) -> dict[str, Stat]:
    found = figures(columns, Options(stage="total", **wanted))
    return {stat.name: stat for stat in found.stats}


def value(stat: Stat, name: str = "Average") -> float:
    return stat.values[name].value


def two_answers(**more) -> Columns:
    """One of 4 tokens, one of 3: TTFT 100 and 300 ms, gaps of 10, 20, 30 and 40, 60 ms."""
    return columns_of(
        sent_s=[0.0, 1.0],
        ttft_s=[0.1, 0.3],
        gaps_us=[[10_000, 20_000, 30_000], [40_000, 60_000]],
        tokens_in=[50, 90],
        **more,
    )


def test_every_row_follows_its_formula() -> None:
    found = rows(two_answers())
    assert list(found) == [
        "E2EL",
        "TTFT",
        "TPOT",
        "ITL",
        "InputTokens",
        "OutputTokens",
        "OutputTokenThroughput",
        "PrefillTokenThroughput",
    ]
    assert value(found["E2EL"]) == pytest.approx((160 + 400) / 2)
    assert value(found["TTFT"]) == pytest.approx((100 + 300) / 2)
    assert value(found["TPOT"]) == pytest.approx((60 / 3 + 100 / 2) / 2)
    assert value(found["ITL"]) == pytest.approx(160 / 5)
    assert value(found["ITL"], "P90") == pytest.approx(52)
    assert value(found["OutputTokenThroughput"]) == pytest.approx((4 / 0.16 + 3 / 0.4) / 2)
    assert value(found["PrefillTokenThroughput"]) == pytest.approx((50 / 0.1 + 90 / 0.3) / 2)
    assert value(found["InputTokens"], "Max") == 90
    assert {name: stat.unit for name, stat in found.items()} == {
        **dict.fromkeys(("E2EL", "TTFT", "TPOT", "ITL"), "ms"),
        **dict.fromkeys(("InputTokens", "OutputTokens"), ""),
        **dict.fromkeys(("OutputTokenThroughput", "PrefillTokenThroughput"), "token/s"),
    }


def test_times_are_not_rounded() -> None:
    found = rows(columns_of(sent_s=[0], ttft_s=[0.000123], gaps_us=[[77]]))
    assert value(found["TTFT"]) == pytest.approx(0.123)
    assert value(found["ITL"]) == pytest.approx(0.077)


def test_an_answer_of_one_token_has_no_time_per_token_and_is_left_out() -> None:
    found = rows(
        columns_of(sent_s=[0, 1], ttft_s=[0.1, 0.1], gaps_us=[[], [50_000]], tokens_out=[1, 2])
    )
    assert found["TPOT"].n == 1
    assert value(found["TPOT"], "Min") == pytest.approx(50)
    assert found["E2EL"].n == 2


def test_an_answer_that_came_whole_in_one_event_has_no_time_per_token() -> None:
    found = rows(columns_of(sent_s=[0], ttft_s=[0.1], gaps_us=[[]], tokens_out=[40]))
    assert "TPOT" not in found
    assert "ITL" not in found
    assert value(found["OutputTokenThroughput"]) == pytest.approx(400)


def test_unknown_token_counts_are_left_out_and_said() -> None:
    columns = two_answers(tokens_out=[4, UNKNOWN])
    found = rows(columns)
    assert found["OutputTokens"].n == 1
    assert found["OutputTokenThroughput"].n == 1
    assert found["TPOT"].n == 1
    assert found["E2EL"].n == 2
    (note,) = figures(columns, Options()).notes
    assert "unknown for 1 of 2" in note


def test_an_answer_that_was_not_streamed_has_no_first_token() -> None:
    streamed = two_answers()
    whole = msgspec.structs.replace(
        streamed,
        first_event_ns=np.full(2, UNKNOWN),
        first_ns=np.full(2, UNKNOWN),
        events=np.zeros(2, dtype=np.int64),
        gaps=GapsInMemory([[], []]),
    )
    assert list(rows(whole)) == ["E2EL", "InputTokens", "OutputTokens", "OutputTokenThroughput"]


def test_failed_requests_are_in_no_latency() -> None:
    found = rows(two_answers(failed=[1]))
    assert {stat.n for stat in found.values()} == {1}
    assert value(found["E2EL"], "Max") == pytest.approx(160)
    assert value(found["ITL"], "Max") == pytest.approx(30)


def test_with_a_schedule_waiting_at_the_client_counts_in_rows_of_its_own() -> None:
    found = rows(two_answers(due_s=[0.0, 0.5]))
    assert value(found["TTFT"], "Max") == pytest.approx(300)
    assert value(found["TTFT (from due)"], "Max") == pytest.approx(800)
    assert value(found["E2EL (from due)"], "Max") == pytest.approx(900)
    assert value(found["Lateness"], "Max") == pytest.approx(500)


def test_requests_without_a_due_time_have_no_row_from_due() -> None:
    columns = two_answers(due_s=[0.0, 0.5])
    columns.due_ns[1] = UNKNOWN
    assert rows(columns)["Lateness"].n == 1


def with_others(columns: Columns, others_us: list[list[int]]) -> Columns:
    earliest = [min(others) if others else None for others in others_us]
    first = [
        first if other is None else min(first, sent + other * 1000)
        for first, sent, other in zip(columns.first_ns, columns.sent_ns, earliest, strict=True)
    ]
    return msgspec.structs.replace(
        columns, others=GapsInMemory(others_us), first_event_ns=np.array(first)
    )


def test_aisbench_counts_events_without_content_and_one_token_answers() -> None:
    columns = columns_of(
        sent_s=[0, 1],
        ttft_s=[0.1, 0.2],
        gaps_us=[[20_000], []],
        tokens_out=[2, 1],
        tokens_in=[10, 10],
    )
    # The first has a role event at 50 ms and the usage at 150 ms, the other nothing.
    found = rows(with_others(columns, [[150_000, 50_000], []]), compat=True)
    assert value(found["TTFT (AISBench)"], "Min") == pytest.approx(50)
    assert value(found["E2EL (AISBench)"], "Min") == pytest.approx(150)
    assert value(found["TPOT (AISBench)"], "Max") == pytest.approx(100)
    assert value(found["TPOT (AISBench)"], "Min") == 0
    assert value(found["ITL (AISBench)"], "Min") == pytest.approx(20)
    assert value(found["ITL (AISBench)"], "Max") == pytest.approx(50)
    assert value(found["ITL (AISBench)"]) == pytest.approx(100 / 3)
    assert found["ITL (AISBench)"].n == found["TPOT (AISBench)"].n == 1
    assert value(found["OutputTokenThroughput (AISBench)"], "Max") == pytest.approx(2 / 0.15)
    assert value(found["PrefillTokenThroughput (AISBench)"], "Max") == pytest.approx(10 / 0.05)
    assert value(found["TTFT"], "Min") == pytest.approx(100)


def test_aisbench_rounds_seconds_to_four_decimals() -> None:
    columns = columns_of(sent_s=[0], ttft_s=[0.012345], gaps_us=[[20_049, 20_051]])
    found = rows(columns, compat=True)
    assert value(found["TTFT (AISBench)"]) == pytest.approx(12.3)
    assert value(found["ITL (AISBench)"], "Min") == pytest.approx(20.0)
    assert value(found["ITL (AISBench)"], "Max") == pytest.approx(20.1)


def test_without_other_events_aisbench_sees_the_same_gaps() -> None:
    columns = two_answers()
    found = rows(columns, compat=True)
    for name in ("E2EL", "TTFT", "TPOT", "ITL"):
        assert value(found[f"{name} (AISBench)"]) == pytest.approx(value(found[name]), abs=0.05)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (["Average", "p50", "P99", "P100", "Mode", "P0"], ("Average", "P50", "P99")),
        (["nothing"], ("Average",)),
        ([f"P{i}" for i in range(1, 30)], tuple(f"P{i}" for i in range(1, 9))),
        (["Max", "max"], ("Max",)),
    ],
)
def test_statistics_can_be_chosen(asked: list[str], chosen: tuple[str, ...]) -> None:
    assert chosen_stats(asked) == chosen
    assert tuple(rows(two_answers(), stats=asked)["ITL"].values) == chosen
