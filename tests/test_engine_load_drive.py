"""How a load test is sent.

- Every request is sent once and has one reply; never more are in flight than asked for.
- Requests are made ahead; ones that are slow to make hold nothing up, so only as they are needed.
- A free place is filled before the answer that freed it is read; a bounded part of them waits.
- What is complete when the job is cancelled is still read.
- A sink that fails ends the job with its own exception; hopeless first replies stop it.
- The turns of a dialogue follow one another, each with the answers before it, in one place.
- Clients under pressure join one by one and stop when the time is up; a trace keeps its times.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import NamedTuple

import pytest

from steelyard.core import (
    ConfigError,
    Failure,
    Message,
    Reply,
    Request,
    RunStopped,
    Sampling,
    Timing,
    Turn,
)
from steelyard.engine import (
    Closed,
    Pacing,
    Pressure,
    Scheduled,
    Stamped,
    drive_load,
    load_drive,
    next_turn,
    run,
    turn_number,
)
from steelyard.engine.load_drive import MOST_UNREAD_BYTES
from told_backend import REFUSED, into, requests

NOW = Timing(queued_ns=0, sent_ns=0, done_ns=0)


class Unread(NamedTuple):
    """An answer of some size."""

    size_bytes: int
    reply: Callable[[], Reply]


class Fetching:
    """A fetcher that answers after a while, and notes when it is asked and when it is read."""

    def __init__(
        self,
        delay_s: float = 0.0,
        failure: Failure | None = None,
        reading_s: float = 0.0,
        size_bytes: int = 1,
    ) -> None:
        self.size_bytes = size_bytes
        self._delay_s = delay_s
        self._reading_s = reading_s
        self._failure = failure
        self.events: list[str] = []
        self.came: list[str] = []
        """``came`` and ``read``, in order."""
        self.asked: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def fetch(self, request: Request) -> "Unread":
        self.asked.append(request)
        self.events.append(f"ask {request.key}")
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        sent_ns = time.monotonic_ns()
        await asyncio.sleep(self._delay_s)
        self.in_flight -= 1
        self.came.append("came")
        timing = Timing(queued_ns=sent_ns, sent_ns=sent_ns, done_ns=time.monotonic_ns())

        def read() -> Reply:
            time.sleep(self._reading_s)
            self.came.append("read")
            self.events.append(f"read {request.key}")
            text = f"answer {turn_number(request.key)}"
            return Reply(key=request.key, timing=timing, text=text, failure=self._failure)

        return Unread(self.size_bytes, read)

    async def connect(self, number: int) -> None:
        pass

    async def close(self) -> None:
        pass


def driven(
    service: Fetching, number: int, pacing: Pacing, asked: Iterable[Request] | None = None
) -> list[Reply]:
    replies: list[Reply] = []
    given = requests(number) if asked is None else asked
    run(drive_load(service, given, pacing, fatal_after=8, sink=into(replies)))
    return replies


@pytest.mark.parametrize(("places", "number"), [(1, 5), (7, 40), (40, 7)])
def test_every_request_is_sent_once_within_the_places(places: int, number: int) -> None:
    service = Fetching(0.01)
    replies = driven(service, number, Closed(places))
    assert sorted(reply.key for reply in replies) == sorted(f"{k}#0" for k in range(number))
    assert service.most_in_flight == min(places, number)


def test_free_places_are_filled_before_answers_are_read() -> None:
    service = Fetching(0.02)
    driven(service, 20, Closed(10))
    first_read = next(k for k, event in enumerate(service.events) if event.startswith("read"))
    assert sum(event.startswith("ask") for event in service.events[:first_read]) > 10


def test_answers_that_wait_to_be_read_are_bounded_by_their_size() -> None:
    """Two hundred come at once; when they are large, only a few of them may wait."""

    def most_waiting(size_bytes: int) -> int:
        service = Fetching(0.01, size_bytes=size_bytes)
        driven(service, 200, Closed(200))
        waiting, most = 0, 0
        for event in service.came:
            waiting += 1 if event == "came" else -1
            most = max(most, waiting)
        return most

    assert most_waiting(MOST_UNREAD_BYTES // 4) <= 5
    assert most_waiting(1) > 20


@pytest.mark.parametrize(("takes_s", "ahead"), [(0.0, True), (0.01, False)])
def test_requests_are_made_ahead_unless_that_is_slow(
    takes_s: float, ahead: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_drive, "FIRST_PORTION_NS", 0)
    made = 0
    waiting: list[int] = []

    def source() -> Iterator[Request]:
        nonlocal made
        for request in requests(40):
            time.sleep(takes_s)
            made += 1
            yield request

    class Noting(Fetching):
        async def fetch(self, request: Request) -> "Unread":
            waiting.append(made - len(waiting) - 1)
            return await super().fetch(request)

    driven(Noting(), 0, Scheduled(4, [k * 0.03 for k in range(12)]), source())
    assert (max(waiting) > 10) is ahead


def test_a_sink_that_fails_ends_the_job() -> None:
    def sink(_reply: Reply, _request: Request) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(drive_load(Fetching(0.001), requests(50), Closed(4), fatal_after=8, sink=sink))


def test_when_it_is_cancelled_complete_answers_are_still_read() -> None:
    service = Fetching(0.02, reading_s=0.001)
    replies: list[Reply] = []
    complete = 0

    async def interrupted() -> None:
        nonlocal complete
        job = asyncio.ensure_future(
            drive_load(service, requests(50), Closed(10), fatal_after=8, sink=into(replies))
        )
        while complete - len(replies) < 5:
            await asyncio.sleep(0)
            complete = len(service.asked) - service.in_flight
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job

    run(interrupted())
    assert complete < 50
    assert len(replies) == complete


def test_hopeless_first_replies_stop_the_job() -> None:
    service = Fetching(0.001, failure=REFUSED)
    with pytest.raises(RunStopped, match="nothing listens"):
        driven(service, 500, Closed(4))
    assert len(service.asked) < 60


def test_requests_that_cannot_be_made_end_the_job_with_their_own_exception() -> None:
    def broken():
        yield from requests(3)
        raise ValueError("row 4")

    with pytest.raises(ValueError, match="row 4"):
        run(drive_load(Fetching(), broken(), Closed(2), fatal_after=8, sink=into([])))


def dialogue(key: str, *questions: str, given: str | None = None, pause_s: float = 0.0) -> Request:
    first, *later = questions
    return Request(
        key=key,
        messages=(Message("user", first),),
        sampling=Sampling(max_tokens=5),
        then=tuple(Turn(question=q, max_tokens=7, given=given, pause_s=pause_s) for q in later),
        given=given,
    )


def test_the_turns_of_a_dialogue_follow_one_another() -> None:
    service = Fetching(0.001)
    replies = driven(service, 0, Closed(1), [dialogue("a#0", "one", "two", "three")])
    assert [reply.key for reply in replies] == ["a#0", "a#0.1", "a#0.2"]
    last = service.asked[-1]
    assert [message.content for message in last.messages] == [
        "one", "answer 0", "two", "answer 1", "three"
    ]  # fmt: skip
    assert last.sampling.max_tokens == 7


def test_the_datas_own_answers_stand_in_the_history_where_they_are_given() -> None:
    service = Fetching(0.001)
    driven(service, 0, Closed(1), [dialogue("a#0", "one", "two", given="gold")])
    assert [message.content for message in service.asked[-1].messages] == ["one", "gold", "two"]


def test_think_time_passes_between_turns() -> None:
    began = time.monotonic()
    driven(Fetching(), 0, Closed(1), [dialogue("a#0", "one", "two", "three", pause_s=0.05)])
    assert 0.1 <= time.monotonic() - began < 0.5


def test_a_failed_turn_ends_its_dialogue() -> None:
    failure = Failure(kind="timeout", detail="late")
    service = Fetching(0.001, failure=failure)
    assert len(driven(service, 0, Closed(1), [dialogue("a#0", "one", "two")])) == 1
    request = dialogue("a#0", "one", "two")
    assert next_turn(request, Reply(key="a#0", timing=NOW, failure=failure)) is None


def test_a_schedule_is_kept() -> None:
    service = Fetching(0.05)
    replies = driven(service, 99, Scheduled(20, [k * 0.02 for k in range(6)]))
    assert len(replies) == 6
    for reply in replies:
        assert reply.timing.due_ns is not None
        assert 0 <= reply.timing.sent_ns - reply.timing.due_ns < 30e6


def test_clients_under_pressure_join_one_by_one_and_stop_in_time() -> None:
    service = Fetching(0.01)
    endless = (Request(key=f"{k}#0", messages=(), sampling=Sampling()) for k in count())
    replies: list[Reply] = []
    began = time.monotonic()
    pacing = Pressure(4, 10.0, 0.5)
    run(drive_load(service, endless, pacing, fatal_after=8, sink=into(replies)))
    assert 0.5 <= time.monotonic() - began < 0.8
    assert service.most_in_flight == 4
    first_ns = min(reply.timing.sent_ns for reply in replies)
    alone = [reply for reply in replies if reply.timing.sent_ns - first_ns < 80e6]
    assert 4 <= len(alone) <= 9


def test_a_trace_keeps_its_times_and_needs_them() -> None:
    stamped = [
        Request(key=f"{k}#0", messages=(), sampling=Sampling(), due_ms=1000.0 + 30 * k)
        for k in range(4)
    ]
    replies = driven(Fetching(), 0, Stamped(100, 1000.0), stamped)
    sent = sorted(reply.timing.sent_ns for reply in replies)
    assert 80e6 < sent[-1] - sent[0] < 130e6
    with pytest.raises(ConfigError, match="no time stamp"):
        driven(Fetching(), 3, Stamped(100, 0.0))
