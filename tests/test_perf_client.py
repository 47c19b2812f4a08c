"""Whether the client kept up.

- A client with time to spare is not blamed, nor is one that nothing was noted of.
- A slow event loop, a busy core and late sending are found, each with the figure it rests on.
- Sending that a limit of requests in flight held back is told apart from slow senders.
- Of several senders the busiest counts, and only while requests were under way.
"""

import msgspec
import numpy as np
import pytest

from perf_runs import columns_of, served
from steelyard.core import Beat
from steelyard.perf.client import health
from steelyard.perf.columns import Columns
from steelyard.perf.figures import ClientHealth

MS = 1_000_000


def run(due_s: list[float] | None = None) -> Columns:
    """Forty seconds of requests: TTFT 200 ms, gaps of 20 ms."""
    n = 400
    sent = [0.1 * i for i in range(n)]
    return columns_of(sent_s=sent, ttft_s=[0.2] * n, gaps_us=[[20_000] * 20] * n, due_s=due_s)


def beats(
    *, busy: float = 0.1, turns_us: tuple[int, ...] = (50,), sender: int = 0, until_s: int = 40
) -> list[Beat]:
    return [
        Beat(
            at_ns=at * 250 * MS,
            cpu_ns=int(at * 250 * MS * busy),
            turns_us=turns_us,
            in_flight=5,
            sender=sender,
        )
        for at in range(until_s * 4 + 1)
    ]


def test_a_client_with_time_to_spare_is_not_blamed() -> None:
    found = health(beats(), run())
    assert not found.client_bound
    assert (found.reasons, found.advice) == ((), ())
    assert found.cpu_share == pytest.approx(0.1)
    assert found.loop_delay_p50_ms == found.loop_delay_max_ms == 0.05
    assert found.lateness_p50_ms is None
    assert found.waiting_max_ms == 0


def test_a_client_that_nothing_was_noted_of_is_unknown_not_fast() -> None:
    found = health([], run())
    assert not found.client_bound
    assert found.cpu_share is None
    assert found.loop_delay_p99_ms is None


def test_a_loop_slow_against_the_gaps_is_found() -> None:
    # 10 % of a gap of 20 ms is 2 ms; 5 % of a TTFT of 200 ms is 10 ms.
    assert not health(beats(turns_us=(1900,)), run()).client_bound
    found = health(beats(turns_us=(100, 2100)), run())
    assert found.client_bound
    (reason,) = found.reasons
    assert "2.1 ms" in reason
    assert "gap between events" in reason
    assert "more sender processes" in found.advice[0]


def test_a_loop_slow_against_the_first_token_is_found() -> None:
    found = health(beats(turns_us=(10_100,)), run())
    assert len(found.reasons) == 2
    assert "TTFT" in found.reasons[0]
    assert len(found.advice) == 1


def test_where_the_kernel_says_when_bytes_arrive_a_slow_loop_merges_events_and_delays_sending() -> (
    None
):
    # Gaps of 20 ms; TTFT 200 ms and twenty gaps are 600 ms, of which 5 % is 30 ms.
    assert not health(beats(turns_us=(19_000,)), run(), kernel_clock=True).client_bound
    (reason,) = health(beats(turns_us=(21_000,)), run(), kernel_clock=True).reasons
    assert "over 100% of the median gap between events (20 ms)" in reason
    reasons = health(beats(turns_us=(31_000,)), run(), kernel_clock=True).reasons
    assert len(reasons) == 2
    assert "31 ms" in reasons[0]
    assert "time to the last event (600 ms)" in reasons[0]


def test_one_slow_turn_in_twenty_is_no_reason() -> None:
    found = health(beats(turns_us=(50,) * 19 + (50_000,)), run())
    assert not found.client_bound
    assert found.loop_delay_p99_ms == 50
    assert found.loop_delay_p90_ms == 0.05


def test_the_busiest_of_several_senders_counts() -> None:
    found = health([*beats(busy=0.2), *beats(busy=0.95, sender=1)], run())
    assert found.cpu_share == pytest.approx(0.95)
    assert found.client_bound
    assert "95%" in found.reasons[0]


def test_only_the_time_while_requests_were_under_way_counts() -> None:
    busy_before = [
        Beat(at_ns=-4000 * MS, cpu_ns=0, turns_us=(90_000,), in_flight=0),
        Beat(at_ns=-1000 * MS, cpu_ns=3000 * MS, turns_us=(90_000,), in_flight=0),
    ]
    after = [msgspec.structs.replace(one, cpu_ns=one.cpu_ns + 3000 * MS) for one in beats()]
    found = health([*busy_before, *after], run())
    assert found.cpu_share == pytest.approx(0.1, rel=0.2)
    assert found.loop_delay_max_ms == 0.05


def test_beats_count_from_the_start_of_the_run() -> None:
    columns = msgspec.structs.replace(run(), zero_ns=10**15)
    later = [msgspec.structs.replace(one, at_ns=one.at_ns + 10**15) for one in beats()]
    assert health(later, columns) == health(beats(), run())


def late_by(late_s: float) -> ClientHealth:
    return health([], run([0.1 * i - late_s for i in range(400)]), limit=100)


def test_senders_that_are_behind_their_schedule_are_found() -> None:
    # From due to last event takes 0.6 s and what it is late; 5 % of that is allowed.
    assert not late_by(0.03).client_bound
    found = late_by(0.04)
    assert found.client_bound
    assert found.lateness_p99_ms == pytest.approx(40)
    assert "the senders were behind" in found.reasons[0]
    assert "sender processes" in found.advice[0]


def test_a_limit_that_holds_requests_back_is_told_apart_from_slow_senders() -> None:
    random = np.random.default_rng(0)
    due, work = np.cumsum(random.exponential(1 / 15, 1000)), random.exponential(1, 1000)
    found = health(beats(), served(due, work, servers=10, places=40), limit=40)
    assert found.client_bound
    assert "all 40 places in flight were taken" in found.reasons[0]
    assert "--concurrency" in found.advice[0]


def test_waiting_for_a_connection_is_reported() -> None:
    columns = run()
    columns = msgspec.structs.replace(columns, queued_ns=columns.sent_ns - 7 * MS)
    found = health(beats(), columns)
    assert found.waiting_p99_ms == pytest.approx(7)
    assert not found.client_bound


def test_a_run_without_requests_has_no_figures() -> None:
    found = health(beats(), columns_of(sent_s=[], ttft_s=[], gaps_us=[]))
    assert found == ClientHealth(client_bound=False)
