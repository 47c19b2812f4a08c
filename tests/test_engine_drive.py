"""How requests are driven.

- Never more in flight than asked for; requests are taken lazily and each gets one reply.
- Failures that may pass are tried again, with growing pauses, as the service asked; others are not.
- A job whose first replies all fail in the same hopeless way is stopped with that one error.
- A job that has begun well waits for a service that is gone for a while.
"""

import asyncio
import random
import socket
import time
from collections.abc import Iterator
from itertools import count

import pytest

from steelyard.core import (
    Backend,
    ConfigError,
    Failure,
    Load,
    Reply,
    Request,
    RunStopped,
)
from steelyard.engine import (
    Closed,
    Counters,
    HttpClient,
    HttpOptions,
    HttpRequest,
    Pacing,
    Policy,
    Scheduled,
    Steady,
    Watched,
    drive,
    run,
)
from told_backend import REFUSED, Answers, Told, into, requests, status

QUICK = Policy(retries=2, base_s=0.01)
FOUR = Closed(4)


def driven(
    backend: Backend, number: int, *, pacing: Pacing = FOUR, policy: Policy = QUICK
) -> list[Reply]:
    """The replies to ``number`` requests, in the order in which the sink got them."""
    replies: list[Reply] = []
    run(drive(backend, requests(number), pacing, policy=policy, sink=into(replies)))
    return replies


def test_every_request_gets_one_reply() -> None:
    replies = driven(Told(delay_s=0.001), 50)
    assert sorted(reply.key for reply in replies) == sorted(f"{k}#0" for k in range(50))
    assert {reply.attempts for reply in replies} == {1}


@pytest.mark.parametrize(("places", "number"), [(1, 5), (7, 40), (40, 7)])
def test_never_more_in_flight_than_asked_for(places: int, number: int) -> None:
    service = Told(delay_s=0.03)
    driven(service, number, pacing=Closed(places))
    assert service.most_in_flight == min(places, number)


def test_no_place_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="concurrency 0: expected at least 1"):
        Closed(0)


def test_requests_are_taken_only_when_there_is_a_place() -> None:
    taken = []

    def noted() -> Iterator[Request]:
        for request in requests(20):
            taken.append(request.key)
            yield request

    service = Told(delay_s=0.001)
    lead = []

    def sink(reply: Reply, request: Request) -> None:
        lead.append(len(taken) - len(lead))

    run(drive(service, noted(), Closed(3), policy=QUICK, sink=sink))
    assert max(lead) <= 3


def test_a_reply_is_timed_from_when_its_request_was_taken_up() -> None:
    [reply] = driven(Told(lambda key, attempt: status(503) if attempt < 3 else None), 1)
    timing = reply.timing
    assert reply.attempts == 3
    assert timing.queued_ns < timing.sent_ns <= timing.done_ns
    assert timing.due_ns is None


def test_a_schedule_is_kept_and_may_end_before_the_requests() -> None:
    service = Told(delay_s=0.05)
    replies = driven(service, 99, pacing=Scheduled(10, [k * 0.02 for k in range(5)]))
    assert len(replies) == 5
    assert 3 <= service.most_in_flight <= 5
    for reply in replies:
        assert reply.timing.due_ns is not None
        assert 0 <= reply.timing.queued_ns - reply.timing.due_ns < 50e6


def test_a_steady_rate_is_kept() -> None:
    service = Told()
    run(drive(service, requests(11), Steady(50, 50), policy=QUICK, sink=into([])))
    times = sorted(first for first, *_ in service.asked.values())
    assert 0.19 < times[-1] - times[0] < 0.3


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504, 529])
def test_a_status_that_may_pass_is_tried_again(code: int) -> None:
    service = Told(lambda key, attempt: status(code) if attempt == 1 else None)
    [reply] = driven(service, 1)
    assert (reply.failure, reply.attempts) == (None, 2)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 422, 501, 505])
def test_a_status_that_will_not_pass_is_not_tried_again(code: int) -> None:
    service = Told(lambda key, attempt: status(code) if key == "1#0" else None)
    replies = {reply.key: reply for reply in driven(service, 2)}
    assert replies["1#0"].failure == status(code)
    assert replies["1#0"].attempts == 1


@pytest.mark.parametrize("kind", ["connect", "refused", "timeout", "broken_stream", "protocol"])
def test_trouble_of_the_transport_is_tried_again(kind: str) -> None:
    trouble = Failure(kind=kind, detail="x")
    [reply] = driven(Told(lambda key, attempt: trouble if attempt < 3 else None), 1)
    assert (reply.failure, reply.attempts) == (None, 3)


def test_tries_are_limited_and_the_last_failure_is_the_replys() -> None:
    service = Told(lambda key, attempt: status(500, f"attempt {attempt}"))
    [reply] = driven(service, 1, policy=Policy(retries=3, base_s=0.001))
    assert reply.failure == status(500, "attempt 4")
    assert reply.attempts == 4


@pytest.mark.parametrize(("code", "tries"), [(429, 7), (503, 7), (500, 3)])
def test_a_busy_service_is_asked_more_often(code: int, tries: int) -> None:
    service = Told(lambda key, attempt: None if key == "0#0" else status(code))
    driven(service, 2, pacing=Closed(1), policy=QUICK)
    assert len(service.asked["1#0"]) == tries


def test_no_retries_means_one_attempt() -> None:
    [reply] = driven(Told(lambda key, attempt: status(503)), 1, policy=Policy(retries=0))
    assert reply.attempts == 1


def test_the_service_is_not_asked_again_before_it_said() -> None:
    wait = status(429, retry_after_s=0.2)
    service = Told(lambda key, attempt: wait if attempt == 1 else None)
    driven(service, 3, policy=Policy(base_s=0.01))
    for first, second in service.asked.values():
        assert 0.2 <= second - first < 0.6


def test_pauses_grow_are_bounded_and_never_below_what_was_asked() -> None:
    policy = Policy(retries=1000, base_s=0.5, cap_s=30)
    jitter = random.Random(1)
    for attempts, bound in ((1, 0.5), (2, 1), (4, 4), (7, 30), (900, 30)):
        pauses = [policy.pause_s(status(500), attempts, jitter) or 0 for _ in range(500)]
        assert 0.9 * bound < max(pauses) <= bound
        assert min(pauses) < 0.1 * bound
    for asked, at_least in ((7.0, 7.0), (3600.0, 60.0)):
        pause = policy.pause_s(status(429, retry_after_s=asked), 1, jitter)
        assert pause is not None
        assert at_least <= pause <= at_least + 0.5


def test_many_refusals_for_load_do_not_hammer_the_service() -> None:
    service = Told(lambda key, attempt: status(429) if attempt < 3 else None)
    driven(service, 40, pacing=Closed(40), policy=Policy(base_s=0.2))
    seconds = sorted(times[1] - times[0] for times in service.asked.values())
    assert service.most_in_flight <= 40
    assert seconds[30] - seconds[10] > 0.03


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (REFUSED, "Check --base-url, and that the service is running."),
        (Failure(kind="connect", detail="x"), "Check --base-url"),
        (status(401), "--api-key-env"),
        (status(403), "--api-key-env"),
        (status(404), "Check --base-url and --model."),
        (status(400), "--model and the generation options"),
        (status(422), "--model and the generation options"),
        (Failure(kind="protocol", detail="no choices"), "Check that the service speaks"),
    ],
)
def test_a_job_without_hope_is_stopped_with_its_one_error(failure: Failure, advice: str) -> None:
    replies: list[Reply] = []
    service = Told(lambda key, attempt: failure, delay_s=0.001)
    endless = (next(requests(1)) for _ in count())
    with pytest.raises(RunStopped) as stopped:
        run(drive(service, endless, Closed(3), policy=QUICK, sink=into(replies)))
    assert failure.detail in str(stopped.value)
    assert "the first 8 requests" in str(stopped.value)
    assert advice in str(stopped.value)
    assert [reply.failure for reply in replies] == [failure] * 8
    assert service.in_flight == 0


def test_few_requests_without_hope_are_enough_when_there_are_no_more() -> None:
    with pytest.raises(RunStopped, match="the first 3 requests all failed in the same way"):
        driven(Told(lambda key, attempt: status(401)), 3)
    with pytest.raises(RunStopped, match="the only request failed"):
        driven(Told(lambda key, attempt: status(404)), 1)


def test_few_refused_contents_are_not() -> None:
    assert len(driven(Told(lambda key, attempt: status(400)), 3)) == 3


def test_a_few_strange_answers_are_not() -> None:
    strange = Failure(kind="protocol", detail="no choices")
    assert len(driven(Told(lambda key, attempt: strange), 3)) == 3


@pytest.mark.parametrize(
    "answers",
    [
        lambda key, attempt: None if key == "0#0" else status(401),
        lambda key, attempt: None if key == "6#0" else status(401),
        lambda key, attempt: status(404) if key == "3#0" else status(401),
        lambda key, attempt: status(400, f"prompt of {key} is too long"),
        lambda key, attempt: Failure(kind="protocol", detail=f"not JSON: {key}"),
        lambda key, attempt: status(500),
        lambda key, attempt: Failure(kind="timeout", detail="x"),
    ],
)
def test_a_job_with_hope_is_carried_through(answers: Answers) -> None:
    assert len(driven(Told(answers), 20, pacing=Closed(1))) == 20


def test_an_unreachable_service_is_given_up_within_three_seconds() -> None:
    class Asker(Told):
        def __init__(self, client: HttpClient) -> None:
            super().__init__()
            self.client = client

        async def ask(self, request: Request) -> Reply:
            exchange = await self.client.send(HttpRequest("/"))
            return Reply(key=request.key, timing=exchange.timing(), failure=exchange.failure)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for places in (1, 8):
        client = HttpClient(HttpOptions(base_url=f"http://127.0.0.1:{port}"), load=Load())
        began = time.monotonic()
        with pytest.raises(RunStopped, match=f"nothing listens on 127.0.0.1:{port}"):
            driven(Asker(client), 99, pacing=Closed(places), policy=Policy(retries=1000))
        assert time.monotonic() - began < 3


def test_a_service_that_answered_before_is_waited_for() -> None:
    down_until = time.monotonic() + 0.4
    service = Told(
        lambda key, attempt: REFUSED if key != "0#0" and time.monotonic() < down_until else None
    )
    policy = Policy(retries=50, base_s=0.05, cap_s=0.1, unreachable_s=0.1)
    replies = driven(service, 5, pacing=Closed(1), policy=policy)
    assert [reply.failure for reply in replies] == [None] * 5


def test_a_long_outage_gives_no_request_up_but_ends_the_job_in_the_end() -> None:
    began = time.monotonic()

    def gone_for_half_a_second(key: str, attempt: int) -> Failure | None:
        return REFUSED if key != "0#0" and time.monotonic() - began < 0.5 else None

    patient = Policy(retries=1, base_s=0.02, outage_s=5)
    replies = driven(Told(gone_for_half_a_second), 20, policy=patient)
    assert [reply.failure for reply in replies] == [None] * 20

    def gone_for_good(key: str, attempt: int) -> Failure | None:
        return REFUSED if key != "0#0" else None

    impatient = Policy(retries=1, base_s=0.02, outage_s=0.2)
    kept: list[Reply] = []
    with pytest.raises(RunStopped, match="answered before"):
        run(drive(Told(gone_for_good), requests(9), FOUR, policy=impatient, sink=into(kept)))
    assert [reply.key for reply in kept] == ["0#0"]


def test_what_goes_through_a_watched_backend_is_counted() -> None:
    counters = Counters()
    service = Told(lambda key, attempt: status(429) if attempt == 1 else None, delay_s=0.02)
    watched = Watched(service, counters)

    async def main() -> int:
        replies: list[Reply] = []
        job = drive(watched, requests(5), Closed(3), policy=QUICK, sink=into(replies))
        task = asyncio.create_task(job)
        await asyncio.sleep(0.01)
        seen = counters.in_flight
        await task
        await watched.close()
        return seen

    assert run(main()) == 3
    assert (counters.in_flight, counters.attempts) == (0, 10)
    assert counters.failures == {"429": 5}
