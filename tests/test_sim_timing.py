"""When the simulated endpoint answers.

- Delays follow the distributions that were asked for, the same for the same seed.
- A whole reply takes as long as its stream; places in flight can be limited.
- The truth log says when requests arrived and tokens left.

Loaded machines are late, never early: upper limits here are wide, lower limits exact.
"""

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_client import CHAT, chat, connected, post, request_bytes, stats
from sim_process import serving
from steelyard.core import ConfigError
from steelyard.sim import SimOptions, counts, times

MS = 1_000_000


def drawn(text: str, n: int = 4000) -> list[int]:
    random = Random(1)
    distribution = times(text)
    return [distribution.draw(random) for _ in range(n)]


@pytest.mark.parametrize(
    ("text", "ns"),
    [("50ms", 50 * MS), ("0.5s", 500 * MS), ("20us", 20_000), (" 7 ns", 7), ("0", 0)],
)
def test_a_plain_time_is_constant(text: str, ns: int) -> None:
    assert times(text).constant == ns
    assert set(drawn(text, 3)) == {ns}


def test_distributions_have_the_parameters_that_were_written() -> None:
    normal, lognormal = drawn("normal(50ms,10ms)"), drawn("lognormal(200ms,0.5)")
    uniform, gamma, exp = drawn("uniform(10ms,20ms)"), drawn("gamma(30ms,4)"), drawn("exp(30ms)")
    assert statistics.mean(normal) == pytest.approx(50 * MS, rel=0.02)
    assert statistics.stdev(normal) == pytest.approx(10 * MS, rel=0.05)
    assert statistics.median(lognormal) == pytest.approx(200 * MS, rel=0.05)
    assert statistics.mean(lognormal) == pytest.approx(200 * MS * 1.133, rel=0.05)
    assert 10 * MS <= min(uniform) <= max(uniform) <= 20 * MS
    assert statistics.mean(uniform) == pytest.approx(15 * MS, rel=0.02)
    assert statistics.mean(gamma) == pytest.approx(30 * MS, rel=0.05)
    assert statistics.stdev(gamma) == pytest.approx(15 * MS, rel=0.05)
    assert statistics.mean(exp) == pytest.approx(30 * MS, rel=0.05)
    assert statistics.stdev(exp) == pytest.approx(30 * MS, rel=0.1)


@given(mean=st.integers(0, 100), deviation=st.integers(0, 300), seed=st.integers(0, 9))
@settings(deadline=None)
def test_no_draw_is_negative(mean: int, deviation: int, seed: int) -> None:
    assert counts(f"normal({mean},{deviation})").draw(Random(seed)) >= 0


@pytest.mark.parametrize(
    "text",
    ["50", "fast", "normal(50ms)", "normal(50ms,10)", "uniform(20ms,10ms)", "gamma(30ms,0)", "",
     "exp(1ms,2ms)", "lognormal(200ms,5ms)", "-5ms", "weibull(1ms,2)"],
)  # fmt: skip
def test_an_unreadable_time_is_named(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        times(text)
    assert repr(text) in str(caught.value)


def test_counts_have_no_unit() -> None:
    assert counts("128").constant == 128
    with pytest.raises(ConfigError, match="count"):
        counts("128ms")


def arrivals_ms(url: str, n_tokens: int) -> list[float]:
    """Milliseconds from sending to each token of a stream."""
    with connected(url) as plug:
        sent = time.monotonic()
        plug.sendall(request_bytes(CHAT, chat("x", stream=True, max_tokens=n_tokens)))
        seen: list[float] = []
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            body += plug.recv(65536)
            fresh = body.count(b'"delta":{"content"') - len(seen)
            seen += [(time.monotonic() - sent) * 1e3] * fresh
    return seen


def test_tokens_come_when_they_are_due() -> None:
    with serving(SimOptions(ttft=times("80ms"), itl=times("15ms"))) as url:
        seen = arrivals_ms(url, 10)
    due = [80 + 15 * n for n in range(10)]
    late = [at - then for at, then in zip(seen, due, strict=True)]
    assert min(late) >= 0
    assert statistics.median(late) < 15


def test_the_head_of_a_stream_comes_before_its_first_token() -> None:
    with serving(SimOptions(ttft=times("300ms"))) as url, connected(url) as plug:
        plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
        plug.settimeout(5)
        head = plug.recv(65536)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"data:" not in head


def test_a_whole_reply_takes_as_long_as_its_stream() -> None:
    with serving(SimOptions(ttft=times("50ms"), itl=times("10ms"))) as url:
        before = time.monotonic()
        post(url, CHAT, chat("x", max_tokens=11))
        took_ms = (time.monotonic() - before) * 1e3
    assert 150 <= took_ms < 400


def truths(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_truth_log_says_when_everything_happened(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    options = SimOptions(ttft=times("30ms"), itl=times("10ms"), log=str(log))
    with serving(options) as url:
        before = time.monotonic_ns()
        post(url, CHAT, chat("x", stream=True, max_tokens=5))
        post(url, "/generate", {"inputs": "x", "parameters": {"max_new_tokens": 5}})
        after = time.monotonic_ns()
        stats(url)
        assert len(truths(log)) == 2
    stream, whole = truths(log)
    assert before < stream["arrival_ns"] < stream["done_ns"] < whole["arrival_ns"] < after
    writes = stream["writes_ns"]
    assert len(writes) == stream["tokens"] == 5
    assert writes[0] - stream["arrival_ns"] >= 30 * MS
    assert all(b >= a for a, b in pairwise(writes))
    assert writes[-1] - writes[0] >= 30 * MS
    assert len(whole["writes_ns"]) == 1
    assert (stream["path"], stream["outcome"], stream["question"]) == (CHAT, "answered", None)


def test_requests_in_flight_at_the_end_are_in_the_truth_log(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    options = SimOptions(ttft=times("60s"), log=str(log), max_concurrency=1)
    with ExitStack() as clients, serving(options) as url:
        for stream in (False, True):
            plug = clients.enter_context(connected(url))
            plug.sendall(request_bytes(CHAT, chat("x", stream=stream)))
        assert waits_for(url, in_flight=2)
    assert [truth["outcome"] for truth in truths(log)] == ["client_gone", "client_gone"]


def draws(seed: int, order: list[int]) -> dict[int, int]:
    options = SimOptions(seed=seed, tokens=counts("uniform(5,500)"))
    with serving(options) as url:
        return {
            n: post(url, CHAT, chat(f"prompt {n}")).json["usage"]["completion_tokens"]
            for n in order
        }


def test_draws_belong_to_the_prompt_and_the_seed() -> None:
    forward = draws(1, list(range(8)))
    assert forward == draws(1, list(range(7, -1, -1)))
    assert forward != draws(2, list(range(8)))
    assert len(set(forward.values())) > 3


def test_only_so_many_requests_are_answered_at_once() -> None:
    options = SimOptions(ttft=times("60ms"), max_concurrency=2)
    with serving(options) as url, ThreadPoolExecutor(6) as pool:
        before = time.monotonic()
        list(pool.map(lambda n: post(url, CHAT, chat(f"x{n}")), range(6)))
        took_ms = (time.monotonic() - before) * 1e3
        counted = stats(url)
    assert took_ms >= 180
    assert counted["max_in_flight"] >= 4
    assert counted["outcomes"] == {"answered": 6}


def test_a_long_queue_is_worked_off_without_delay() -> None:
    options = SimOptions(max_concurrency=1)
    with serving(options) as url, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: post(url, CHAT, chat(f"x{n}", stream=n % 2 == 0)), range(400)))
        assert stats(url)["outcomes"] == {"answered": 400}


def test_a_request_that_waits_can_be_given_up() -> None:
    options = SimOptions(ttft=times("400ms"), max_concurrency=1)
    with serving(options) as url:
        with connected(url) as first, connected(url) as second:
            first.sendall(request_bytes(CHAT, chat("a")))
            assert waits_for(url, in_flight=1)
            second.sendall(request_bytes(CHAT, chat("b")))
            assert waits_for(url, in_flight=2)
            second.close()
            assert waits_for(url, in_flight=1)
            assert first.recv(65536).startswith(b"HTTP/1.1 200")
        assert stats(url)["outcomes"] == {"client_gone": 1, "answered": 1}


def waits_for(url: str, *, in_flight: int) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if stats(url)["in_flight"] == in_flight:
            return True
        time.sleep(0.005)
    return False
