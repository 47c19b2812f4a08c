"""What goes wrong on purpose.

- Every kind of fault reaches the client as that kind, over a real connection.
- Which requests fail depends on the seed and the question, not on the order of requests.
- ``sticky`` questions fail again, the others succeed the next time.
"""

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_client import (
    CHAT,
    chat,
    connected,
    content,
    post,
    request_bytes,
    stats,
    streamed,
    until_closed,
)
from sim_process import serving
from steelyard.core import ConfigError
from steelyard.sim import Answer, Answers, SimOptions, counts, fault
from steelyard.sim.faults import FaultPlan

QUESTION = "What breaks first?"
ANSWERS = Answers((Answer(question=QUESTION, right="The weakest link of them all.", wrong="-"),))


def failing(*faults: str, **more: object) -> SimOptions:
    return SimOptions(faults=tuple(map(fault, faults)), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500, 503, 599])
def test_a_status_comes_with_an_error_body(status: int) -> None:
    with serving(failing(f"{status}:1")) as url:
        got = post(url, CHAT, chat(QUESTION, stream=True))
        counted = stats(url)
    assert got.status == status
    assert "simulated" in got.json["error"]["message"]
    assert counted["faults"] == {str(status): 1}
    assert counted["statuses"] == {str(status): 1}
    assert counted["outcomes"] == {"fault": 1}


def test_retry_after_is_a_header() -> None:
    with serving(failing("429:1:retry-after=1.5")) as url:
        assert post(url, CHAT, chat(QUESTION)).headers["retry-after"] == "1.5"


@pytest.mark.parametrize("path", ["/generate", "/v2/models/m/generate", "/infer"])
def test_a_status_speaks_the_protocol_it_was_asked_in(path: str) -> None:
    with serving(failing("503:1")) as url:
        got = post(url, path, {"inputs": "x", "text_input": "x"})
    assert got.status == 503
    assert isinstance(got.json["error"], str)


def test_a_reset_comes_in_the_middle_of_a_stream() -> None:
    with serving(failing("reset:1", tokens=counts("20"))) as url, connected(url) as plug:
        plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
        got, was_reset = until_closed(plug)
    assert was_reset
    assert got.count(b"data: ") == 11
    assert b"[DONE]" not in got


def test_a_reset_comes_in_the_middle_of_a_whole_reply() -> None:
    with serving(failing("reset:1"), ANSWERS) as url, connected(url) as plug:
        plug.sendall(request_bytes(CHAT, chat(QUESTION)))
        got, was_reset = until_closed(plug)
    assert was_reset
    head, _, body = got.partition(b"\r\n\r\n")
    assert 0 < len(body) < declared_length(head)


def declared_length(head: bytes) -> int:
    line = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    return int(line.partition(b":")[2])


def test_a_truncated_stream_ends_in_the_middle_of_a_chunk() -> None:
    with serving(failing("truncate:1", tokens=counts("20"))) as url, connected(url) as plug:
        plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
        got, was_reset = until_closed(plug)
    assert not was_reset
    last = got.rpartition(b"data: ")[2]
    assert got.count(b"data: ") == 12
    assert not last.endswith(b"\n")
    assert b"0\r\n\r\n" not in got


def test_a_truncated_whole_reply_is_shorter_than_declared() -> None:
    with (
        serving(failing("truncate:1"), ANSWERS) as url,
        pytest.raises(http.client.IncompleteRead),
    ):
        post(url, CHAT, chat(QUESTION))


@pytest.mark.parametrize("stream", [False, True])
def test_a_hanging_request_gets_nothing_and_stays_in_flight(stream: bool) -> None:
    with serving(failing("hang:1"), ANSWERS) as url:
        with connected(url) as plug:
            plug.sendall(request_bytes(CHAT, chat(QUESTION, stream=stream)))
            plug.settimeout(0.2)
            with pytest.raises(TimeoutError):
                plug.recv(1)
            assert stats(url)["in_flight"] == 1
        counted = settled(url)
    assert counted["outcomes"] == {"fault": 1}
    assert counted["statuses"] == {"0": 1}
    assert counted["questions"] == {"0": {"asked": 1, "answered": 0}}


def settled(url: str) -> dict[str, object]:
    end = time.monotonic() + 10
    while (counted := stats(url))["in_flight"]:
        assert time.monotonic() < end, "the endpoint did not notice that the client left"
        time.sleep(0.01)
    return counted


@pytest.mark.parametrize("stream", [False, True])
def test_garbage_is_a_page_with_status_200(stream: bool) -> None:
    with serving(failing("garbage:1")) as url:
        got = post(url, CHAT, chat(QUESTION, stream=stream))
    assert got.status == 200
    assert got.headers["content-type"].startswith("text/html")
    assert got.body.startswith(b"<!doctype html>")


def test_an_empty_reply_is_well_formed() -> None:
    with serving(failing("empty:1"), ANSWERS) as url:
        assert post(url, CHAT, chat(QUESTION)).json["choices"] == []
        post(url, CHAT, chat(QUESTION))
        events = post(url, CHAT, chat(QUESTION, stream=True)).events
        post(url, CHAT, chat(QUESTION))
        assert post(url, "/generate", {"inputs": QUESTION}).json == {}
    assert events[0]["choices"] == []
    assert events[1:] == ["[DONE]"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_reply_drips_and_is_whole_in_the_end(stream: bool) -> None:
    with serving(failing("slow:1:bytes-per-s=20000"), ANSWERS) as url:
        before = time.monotonic()
        got = post(url, CHAT, chat(QUESTION, stream=stream))
        took_s = time.monotonic() - before
        counted = stats(url)
    text = streamed(got.events) if stream else content(got.json)
    assert text == "The weakest link of them all."
    assert took_s > 0.9 * len(got.body) / 20000
    assert counted["outcomes"] == {"answered": 1}
    assert counted["faults"] == {"slow": 1}


def outcomes(url: str, order: list[int]) -> dict[tuple[int, int], int]:
    """Status by question and how often it had been asked before."""
    asked: dict[int, int] = {}
    found = {}
    for number in order:
        occurrence = asked.get(number, 0)
        asked[number] = occurrence + 1
        found[number, occurrence] = post(url, CHAT, chat(f"unknown question {number}")).status
    return found


def test_which_requests_fail_does_not_depend_on_their_order() -> None:
    order = [number for number in range(25) for _ in range(3)]
    options = failing("500:0.2", "429:0.2", seed=7)
    with serving(options) as url:
        first = outcomes(url, order)
    with serving(options) as url:
        second = outcomes(url, sorted(order, key=lambda number: (number * 7) % 25))
    with serving(failing("500:0.2", "429:0.2", seed=8)) as url:
        other = outcomes(url, order)
    assert first == second != other
    assert {200, 429, 500} == set(first.values())


def test_the_time_after_a_failure_succeeds() -> None:
    with serving(failing("500:1")) as url:
        assert list(outcomes(url, [1, 1, 1, 1]).values()) == [500, 200, 500, 200]


def test_a_sticky_question_fails_every_time() -> None:
    with serving(failing("500:0.3:sticky")) as url:
        found = outcomes(url, [number for number in range(20) for _ in range(3)])
    by_question = [{found[number, n] for n in range(3)} for number in range(20)]
    assert {500} in by_question
    assert {200} in by_question
    assert all(len(statuses) == 1 for statuses in by_question)


def test_a_window_limits_which_requests_may_fail() -> None:
    with serving(failing("500:1:sticky", fault_after=2, fault_first=4)) as url:
        assert list(outcomes(url, [1, 2, 3, 4, 5, 6]).values()) == [200, 200, 500, 500, 200, 200]


def test_concurrent_requests_meet_the_declared_share() -> None:
    with serving(failing("500:0.25")) as url, ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda n: post(url, CHAT, chat(f"question {n}")).status, range(200))
        )
        assert stats(url)["faults"] == {"500": statuses.count(500)}
    assert 30 <= statuses.count(500) <= 70


def test_a_client_that_leaves_is_noticed() -> None:
    options = SimOptions(tokens=counts("2000"))
    with serving(options) as url:
        with connected(url) as plug:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
            plug.recv(100)
        assert settled(url)["outcomes"] == {"client_gone": 1}


@given(
    keys=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5, unique=True),
    seed=st.integers(0, 100),
)
@settings(deadline=None)
def test_a_passing_fault_never_hits_twice_in_a_row(keys: list[int], seed: int) -> None:
    plan = FaultPlan((fault("500:0.6"), fault("reset:0.3")), seed)
    for key in keys:
        chosen = [plan.choose(key, occurrence) is not None for occurrence in range(20)]
        assert not any(a and b for a, b in pairwise(chosen))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("500", "no share"),
        ("700:0.1", "no kind '700'"),
        ("200:0.1", "no kind '200'"),
        ("rset:0.1", "reset"),
        ("500:2", "from 0 to 1"),
        ("500:nan", "from 0 to 1"),
        ("500:x", "'x'"),
        ("500:0.1:stiky", "sticky"),
        ("429:0.1:retry-after=soon", "'soon'"),
        ("reset:0.1:retry-after=1", "does not work here"),
    ],
)
def test_an_unreadable_fault_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        fault(text)


def test_shares_above_one_are_refused() -> None:
    with (
        pytest.raises(ConfigError, match=r"add up to 1\.2"),
        serving(failing("500:0.6", "reset:0.6")),
    ):
        pass
