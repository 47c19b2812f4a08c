"""Service level objectives and goodput.

- Objectives are read as people write them; anything else is an error that names what is expected.
- A request is good when it met every objective; failed ones met none, cancelled ones are undecided.
- What cannot be decided is counted and left out of the share.
- With a schedule, waiting at the client counts.
- The interval of the share holds the truth, for requests that depend on each other, too.
"""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_runs import columns_of, lasting, served
from steelyard.core import ConfigError
from steelyard.perf.columns import UNKNOWN, Columns
from steelyard.perf.figures import Goodput
from steelyard.perf.measure import Options, figures
from steelyard.perf.slo import Slo, parsed_slo, slo_text

LIMITS = st.none() | st.floats(1e-6, 1e9)


def good(columns: Columns, slo: str) -> Goodput:
    found = figures(columns, Options(stage="total", slo=parsed_slo(slo))).goodput
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "slo"),
    [
        ("ttft=500ms", Slo(ttft_ms=500)),
        ("ttft=0.5s, tpot=50", Slo(ttft_ms=500, tpot_ms=50)),
        ("e2el=10s,itl=200000us", Slo(e2el_ms=10_000, itl_ms=200)),
        (" TTFT = 1.5 S ", Slo(ttft_ms=1500)),
        ("tpot=.5ms", Slo(tpot_ms=0.5)),
    ],
)
def test_objectives_are_read_as_people_write_them(text: str, slo: Slo) -> None:
    assert parsed_slo(text) == slo


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected NAME=TIME"),
        ("ttft", "expected NAME=TIME"),
        ("ttft=fast", "expected NAME=TIME"),
        ("ttft=-5", "expected NAME=TIME"),
        ("latency=5s", "expected ttft, tpot, e2el or itl"),
        ("ttft=5min", "expected ms, s or us"),
        ("ttft=0", "above 0"),
        ("ttft=5,ttft=6", "twice"),
        ("ttft=5,", "expected NAME=TIME"),
    ],
)
def test_anything_else_is_an_error_that_names_what_is_expected(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parsed_slo(text)


@given(st.builds(Slo, ttft_ms=LIMITS, tpot_ms=LIMITS, e2el_ms=LIMITS, itl_ms=LIMITS))
def test_objectives_survive_being_written_down(slo: Slo) -> None:
    if slo.limits_ms:
        assert parsed_slo(slo_text(slo)) == slo


@given(st.text(max_size=30) | st.from_regex(r"\s*[a-z]+=[0-9.e]*[a-z]*,?", fullmatch=True))
def test_any_text_is_objectives_or_an_error(text: str) -> None:
    try:
        limits_ms = parsed_slo(text).limits_ms
    except ConfigError:
        return
    assert limits_ms
    assert all(0 < limit < float("inf") for limit in limits_ms.values())


def mixed(**more) -> Columns:
    """TTFT 100, 300 ms; E2EL 160, 400 ms; TPOT 20, 50 ms; largest gap 30, 60 ms."""
    return columns_of(
        sent_s=[0, 1],
        ttft_s=[0.1, 0.3],
        gaps_us=[[10_000, 20_000, 30_000], [40_000, 60_000]],
        **more,
    )


@pytest.mark.parametrize(
    ("slo", "met"),
    [
        ("ttft=100ms", 1),
        ("ttft=300ms", 2),
        ("e2el=399ms", 1),
        ("tpot=50ms", 2),
        ("tpot=49ms", 1),
        ("itl=59ms", 1),
        ("itl=60ms", 2),
        ("ttft=300ms,itl=30ms", 1),
        ("ttft=99ms,itl=30ms", 0),
    ],
)
def test_a_request_is_good_when_it_met_every_objective(slo: str, met: int) -> None:
    found = good(mixed(), slo)
    assert (found.together.met, found.together.missed) == (met, 2 - met)
    assert found.requests_per_s is not None
    assert found.requests_per_s.value == pytest.approx(met / 1.4)


def test_each_objective_has_its_own_share() -> None:
    found = good(mixed(), "ttft=100ms,itl=60ms")
    assert [(one.name, one.limit_ms, one.met) for one in found.each] == [
        ("ttft", 100, 1),
        ("itl", 60, 2),
    ]


def test_failed_requests_met_nothing() -> None:
    found = good(mixed(failed=[0]), "e2el=10s")
    assert (found.together.met, found.together.missed) == (1, 1)
    assert found.together.share is not None
    assert found.together.share.value == 0.5


def test_requests_that_were_cancelled_are_undecided() -> None:
    columns = msgspec.structs.replace(mixed(failed=[0]), failure_kinds=("cancelled",))
    found = good(columns, "e2el=10s")
    assert (found.together.met, found.together.missed, found.together.undecided) == (1, 0, 1)


def test_one_token_answers_met_the_time_per_token() -> None:
    columns = columns_of(
        sent_s=[0, 1, 2],
        ttft_s=[0.1] * 3,
        gaps_us=[[], [], []],
        tokens_out=[1, UNKNOWN, 40],
    )
    found = good(columns, "tpot=1ms,itl=1ms")
    assert found.together.met == 3


def test_unknown_token_counts_leave_the_time_per_token_undecided_and_it_is_said() -> None:
    columns = mixed(tokens_out=[4, UNKNOWN])
    found = figures(columns, Options(slo=parsed_slo("tpot=20ms")))
    assert found.goodput is not None
    assert (found.goodput.together.met, found.goodput.together.undecided) == (1, 1)
    assert any("cannot be told" in note for note in found.notes)


def test_a_miss_decides_whatever_else_is_unknown() -> None:
    found = good(mixed(tokens_out=[4, UNKNOWN]), "tpot=20ms,ttft=200ms")
    assert (found.together.met, found.together.missed, found.together.undecided) == (1, 1, 0)


def test_answers_that_were_not_streamed_are_undecided_for_first_token_and_gaps() -> None:
    columns = msgspec.structs.replace(
        mixed(), first_ns=np.full(2, UNKNOWN), events=np.zeros(2, dtype=np.int64)
    )
    found = good(columns, "ttft=1s,itl=1s,e2el=1s")
    assert [one.undecided for one in found.each] == [2, 0, 2]
    assert found.together.share is None


def test_with_a_schedule_waiting_at_the_client_counts() -> None:
    assert good(mixed(due_s=[0, 0.5]), "ttft=300ms").together.met == 1
    assert good(mixed(due_s=[0, 0.5]), "e2el=900ms").together.met == 2


def test_intervals_of_the_share_hold_the_truth_in_a_queue() -> None:
    # In an M/M/1 queue at 60 % with a service rate of 10/s, times are exponential with rate 4/s.
    truth = 1 - np.exp(-4 * 0.3)
    held = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        columns = served(np.cumsum(random.exponential(1 / 6, 1500)), random.exponential(0.1, 1500))
        share = good(columns, "e2el=300ms").together.share
        assert share is not None
        assert share.low is not None
        assert share.high is not None
        held.append(share.low <= truth <= share.high)
    assert 0.88 <= np.mean(held) <= 1


def test_a_share_of_one_is_not_certain() -> None:
    share = good(lasting(np.arange(50.0), np.full(50, 0.5)), "e2el=1s").together.share
    assert share is not None
    assert share.high == 1
    assert share.low == pytest.approx(0.929, abs=0.002)
