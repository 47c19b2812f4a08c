"""What a client of one service does, over real sockets.

- Connections are kept, taken last-in first-out, and replaced once when the service closed them.
- Every misbehaviour of a service becomes a failure that says what a person needs to know.
- Limits hold; cancelling drops the connection; nothing is left open.
- Times are those of the final attempt: sending, first byte, every read, the end.

All of it both ways: the kernel says when bytes arrived, and the event loop reads.
"""

import asyncio
import time
from functools import partial
from itertools import pairwise

import pytest

from steelyard.core import Failure, Load
from steelyard.engine import Exchange, HttpClient, HttpOptions, HttpRequest, dial, receiver, run
from steelyard.engine.connection import Connection, ParseQueue
from wire_server import CHUNKED, DEAF, END, HANG, READ, RESET, Script, Wire, chunk, ok, playing

OK = ok(b"{}")


@pytest.fixture(autouse=True, params=["kernel", "event loop"])
def _reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system with the module in C, and on one without."""
    if request.param == "kernel" and not receiver.available():
        pytest.skip("the kernel does not stamp arrivals here, or the modules in C were not built")
    monkeypatch.setattr(dial, "available", lambda: request.param == "kernel")


def exchanges(
    *scripts: Script, count: int = 1, load: Load | None = None, request: HttpRequest | None = None
) -> tuple[list[Exchange], Wire]:
    """Send ``count`` requests, one after the other, to a server that plays ``scripts``."""

    async def main() -> tuple[list[Exchange], Wire]:
        async with playing(*scripts) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=load or Load())
            sent = request or HttpRequest("/v1/x", b"{}")
            found = [await client.send(sent) for _ in range(count)]
            await client.close()
            return found, wire

    return run(main())


def exchange(*script: bytes | float | str, load: Load | None = None) -> Exchange:
    """One request to a server that plays ``script`` after it has read it."""
    return exchanges([READ, *script], load=load)[0][0]


def failure(*script: bytes | float | str, load: Load | None = None) -> Failure:
    found = exchange(*script, load=load).failure
    assert found is not None
    return found


def test_a_request_is_sent_as_it_should_be() -> None:
    [answer], wire = exchanges([READ, OK])
    assert answer.failure is None
    assert answer.body == b"{}"
    head, _, body = wire.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/x HTTP/1.1"
    assert set(lines[1:]) == {
        f"Host: 127.0.0.1:{wire.port}",
        "User-Agent: steelyard",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Content-Type: application/json",
        "Content-Length: 2",
    }
    assert body == b"{}"


def test_a_get_has_no_length() -> None:
    request = HttpRequest("/v1/models", method="GET")
    _, wire = exchanges([READ, OK], request=request)
    assert wire.requests[0].startswith(b"GET /v1/models HTTP/1.1\r\n")
    assert b"Content-Length" not in wire.requests[0]


def test_a_connection_is_kept() -> None:
    found, wire = exchanges([READ, OK, READ, OK, READ, OK], count=3)
    assert [one.status for one in found] == [200, 200, 200]
    assert wire.connections == 1


def test_connections_are_taken_last_in_first_out() -> None:
    async def main() -> None:
        turns: Script = [READ, 0.05, OK, READ, ok(b"again"), READ, ok(b"and again")]
        async with playing(turns) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load())
            request = HttpRequest("/")
            await asyncio.gather(*(client.send(request) for _ in range(3)))
            assert wire.connections == 3
            assert [(await client.send(request)).body for _ in range(2)] == [b"again", b"and again"]
            await client.close()

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n"),
        OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        OK + b"more than was said",
        CHUNKED + chunk(b"{}") + END + b"\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n{}",
    ],
)
def test_a_connection_that_cannot_be_trusted_is_not_kept(answer: bytes) -> None:
    found, wire = exchanges([READ, answer, HANG], count=2)
    assert [one.failure for one in found] == [None, None]
    assert wire.connections == 2


def test_a_connection_the_service_closed_while_idle_is_replaced() -> None:
    async def main() -> None:
        async with playing([READ, OK]) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load())
            for pause_s in (0.05, 0, 0):  # noticed before, and not noticed before
                assert (await client.send(HttpRequest("/"))).failure is None
                await asyncio.sleep(pause_s)
            await client.close()
            assert wire.connections == 3

    run(main())


@pytest.mark.parametrize("last", [[], [RESET]])
def test_a_request_that_meets_a_closing_connection_is_sent_once_more(last: Script) -> None:
    found, wire = exchanges([READ, OK, READ, *last], [READ, ok(b"fresh")], count=2)
    assert found[1].failure is None
    assert found[1].body == b"fresh"
    assert wire.connections == 2
    assert len(wire.requests) == 3


def test_it_is_sent_only_once_more() -> None:
    found, wire = exchanges([READ, OK, READ], [READ, RESET], count=2)
    assert found[1].failure == Failure(
        kind="broken_stream",
        detail="the connection was closed before any byte of an answer came (connection reset)",
    )
    assert wire.connections == 2


def test_it_is_not_sent_again_when_an_answer_had_begun() -> None:
    found, wire = exchanges([READ, OK, READ, b"HTTP/1.1 2", RESET], count=2)
    assert found[1].failure is not None
    assert "response head, after 10 bytes (connection reset)" in found[1].failure.detail
    assert wire.connections == 1


def test_a_fresh_connection_that_closes_is_a_failure() -> None:
    assert failure().kind == "broken_stream"
    assert failure(RESET).kind == "broken_stream"


def test_unasked_bytes_on_an_idle_connection_make_it_unusable() -> None:
    async def main() -> None:
        script: Script = [READ, OK, 0.02, b"HTTP/1.1 408 Request Timeout\r\n\r\n", HANG]
        async with playing(script, [READ, OK]) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load())
            await client.send(HttpRequest("/"))
            await asyncio.sleep(0.1)
            assert (await client.send(HttpRequest("/"))).status == 200
            await client.close()
            assert wire.connections == 2

    run(main())


def test_an_interim_response_is_passed_over() -> None:
    found = exchange(
        b"HTTP/1.1 100 Continue\r\n\r\n", 0.05, b"HTTP/1.1 103 Early\r\nA: b\r\n\r\n", OK
    )
    assert found.status == 200
    assert found.body == b"{}"
    assert found.first_byte_ns is not None
    assert found.first_byte_ns - found.sent_ns > 40e6


def test_every_read_has_its_time() -> None:
    events = [b"data: %d\n\n" % number for number in range(4)]
    steps = [step for event in events for step in (0.03, chunk(event))]
    found = exchange(CHUNKED, *steps, 0.03, END)
    assert found.body == b"".join(events)
    assert [end for end, _ in found.marks] == [9, 18, 27, 36]
    times = [found.sent_ns, *(ns for _, ns in found.marks), found.done_ns]
    gaps = [after - before for before, after in pairwise(times)]
    assert all(25e6 < gap < 300e6 for gap in gaps), gaps
    timing = found.timing((1, 2))
    assert (timing.queued_ns, timing.sent_ns, timing.gaps_us) == (times[0], times[0], (1, 2))


def test_answers_that_end_at_once_do_not_hold_up_the_clock() -> None:
    class Stream(Connection):
        def parse(self) -> None:
            parsed.append(turns)
            time.sleep(0.001)

    parsed: list[int] = []
    turns = 0

    async def main() -> None:
        nonlocal turns
        queue = ParseQueue()
        for _ in range(5):
            queue.add(Stream(queue))
        while turns < 8:
            turns += 1
            await asyncio.sleep(0)

    run(main())
    assert parsed == [1, 2, 3, 4, 5]


def test_an_answer_that_ended_while_it_waited_to_be_parsed_leaves_its_connection_open() -> None:
    async def main() -> tuple[bool, bytes]:
        async with playing([HANG]) as wire:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(
                partial(Connection, ParseQueue()), "127.0.0.1", wire.port
            )
            answered = connection.begin(b"GET / HTTP/1.1\r\n\r\n", "GET")
            connection.data_received(CHUNKED + b"2")
            await asyncio.sleep(0)
            connection.data_received(b"\r\n")  # so few bytes may be an end: it is to be parsed
            connection.data_received(b"\n\n\r\n" + END)
            assert answered.done()
            await asyncio.sleep(0)
            body = connection.finish().exchange(await answered).body
            usable = connection.usable
            await connection.dropped()
            return usable, body

    assert run(main()) == (True, b"\n\n")


def test_slow_bytes_make_a_whole_answer() -> None:
    answer = CHUNKED + chunk(b"data: \xc3\xa9\n\n") + b"0\r\nSum: 1\r\n\r\n"
    steps = [step for byte in answer for step in (bytes([byte]), 0.0002)]
    found = exchange(*steps)
    assert found.failure is None
    assert found.body.decode() == "data: é\n\n"


def test_a_body_may_end_with_the_connection() -> None:
    found = exchange(b"HTTP/1.1 200 OK\r\n\r\npart", 0.03, b" by part")
    assert found.failure is None
    assert found.body == b"part by part"
    assert found.done_ns > found.marks[-1][1]


def test_a_reset_is_not_the_end_of_a_body() -> None:
    found = failure(b"HTTP/1.1 200 OK\r\n\r\npart", 0.05, RESET)
    assert found == Failure(
        kind="broken_stream",
        detail="the answer ended after 4 bytes without its end (connection reset)",
    )


def test_a_cut_stream_says_how_far_it_came_and_keeps_it() -> None:
    found = exchange(CHUNKED, chunk(b"data: 1\n\n"), chunk(b"data: 2\n\n"), b"9\r\nda")
    assert found.failure == Failure(
        kind="broken_stream", detail="the stream ended after 2 events/20 bytes without its end"
    )
    assert found.status == 200
    assert found.body == b"data: 1\n\ndata: 2\n\nda"
    assert found.marks[-1][0] == 20


def test_a_short_body_is_a_failure() -> None:
    assert failure(ok(b"0123456789")[:-3]).detail == "the answer ended after 7 of 10 bytes"


def test_an_end_hidden_by_strays_is_found_and_timed_rightly() -> None:
    found = exchange(CHUNKED, chunk(b"data: 1\n\n"), 0.05, END + b"stray", HANG)
    assert found.failure is None
    assert found.body == b"data: 1\n\n"
    assert found.done_ns - found.sent_ns < 1e9


def test_strays_in_one_read_with_head_and_end_delay_nothing() -> None:
    began = time.monotonic()
    found = exchange(CHUNKED + chunk(b"data: 1\n\n") + END + b"stray", HANG)
    assert found.failure is None
    assert found.body == b"data: 1\n\n"
    assert time.monotonic() - began < 0.5


def test_something_else_than_http_is_quoted() -> None:
    found = failure(b"SSH-2.0-OpenSSH_9.6\r\n", HANG)
    assert found.kind == "protocol"
    assert found.detail == "not an HTTP response: it starts with 'SSH-2.0-OpenSSH_9.6\\r\\n'"


def test_an_early_refusal_of_a_long_request_is_read_and_the_connection_given_up() -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    big = HttpRequest("/", b"x" * 20_000_000)
    found, wire = exchanges([DEAF, refusal, HANG], count=2, request=big, load=Load(timeout_s=5))
    assert [one.status for one in found] == [413, 413]
    assert wire.connections == 2


def test_an_early_refusal_is_read_also_when_sending_fails_before_the_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("CROWDED_PER_NS", -1), ("LONG_NS", 0), ("WINDOW_NS", 0), ("REST_S", 0.5)):
        monkeypatch.setattr(receiver, name, value)  # it rests after the first look
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"

    async def main() -> Exchange:
        async with playing([READ, OK, DEAF, 0.1, refusal, RESET]) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load(timeout_s=5))
            await client.send(HttpRequest("/"))
            found = await client.send(HttpRequest("/", b"x" * 20_000_000))
            await client.close()
            return found

    assert run(main()).status == 413


def test_a_service_that_reads_nothing_runs_into_the_limit() -> None:
    big = HttpRequest("/", b"x" * 20_000_000)
    [found], _ = exchanges([DEAF, HANG], request=big, load=Load(timeout_s=0.3))
    assert found.failure is not None
    assert found.failure.kind == "timeout"


@pytest.mark.parametrize("limit_s", [0.2, 1.0])
def test_a_given_limit_is_kept_closely(limit_s: float) -> None:
    found = exchange(CHUNKED, chunk(b"x" * 1000), HANG, load=Load(timeout_s=limit_s))
    received = len(CHUNKED + chunk(b"x" * 1000))
    assert found.failure == Failure(
        kind="timeout",
        detail=f"no complete answer within {limit_s:g} s ({received:,} bytes received)",
    )
    assert found.body == b"x" * 1000
    assert abs((found.done_ns - found.sent_ns) / 1e9 - limit_s) < 0.1


def test_a_flood_is_cut_off() -> None:
    async def main() -> Failure | None:
        async with playing([READ, HANG]) as wire:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(
                partial(Connection, ParseQueue()), "127.0.0.1", wire.port
            )
            answered = connection.begin(b"GET / HTTP/1.1\r\n\r\n", "GET")
            connection.data_received(CHUNKED + b"fffffff\r\n")
            mebibyte = bytes(2**20)
            for _ in range(256):
                connection.data_received(mebibyte)
            connection.inspect(time.monotonic_ns())
            found = await answered
            await connection.dropped()
            return found

    assert run(main()) == Failure(
        kind="protocol", detail="the answer is longer than 268,435,456 bytes"
    )


def test_cancelling_drops_the_connection() -> None:
    async def main() -> None:
        async with playing([READ, HANG], [READ, OK]) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load())
            asked = asyncio.create_task(client.send(HttpRequest("/")))
            await asyncio.sleep(0.05)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert (await client.send(HttpRequest("/"))).status == 200
            await client.close()
            assert wire.connections == 2

    run(main())


def test_closing_ends_what_is_under_way() -> None:
    async def main() -> None:
        async with playing([READ, HANG]) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load())
            asked = asyncio.create_task(client.send(HttpRequest("/")))
            await asyncio.sleep(0.05)
            await client.close()
            found = (await asked).failure
            assert found is not None
            assert found.kind == "broken_stream"

    run(main())


def test_a_connection_that_is_opened_while_the_client_closes_is_no_trouble() -> None:
    async def main() -> tuple[Exchange, Exchange]:
        async with playing([READ, OK]) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load(timeout_s=5))
            first = await client.send(HttpRequest("/"))
            asked = [asyncio.create_task(client.send(HttpRequest("/"))) for _ in range(2)]
            await asyncio.sleep(0)
            await client.close()
            found = await asked[1]
            await client.close()
            return first, found

    first, found = run(main())
    assert first.status == 200
    assert found.failure is None or found.failure.kind in ("connect", "broken_stream")


def test_connections_opened_ahead_are_those_that_requests_use() -> None:
    async def main() -> tuple[list[Exchange], int]:
        async with playing([READ, 0.05, OK, HANG]) as wire:
            client = HttpClient(HttpOptions(base_url=wire.url), load=Load())
            await client.connect(6)
            sent = HttpRequest("/v1/x", b"{}")
            found = await asyncio.gather(*(client.send(sent) for _ in range(6)))
            await client.close()
            return found, wire.connections

    found, opened = run(main())
    assert opened == 6
    assert all(one.failure is None for one in found)


def test_connections_that_cannot_be_opened_ahead_are_left_for_the_requests_to_meet() -> None:
    async def main() -> tuple[float, Failure | None]:
        async with playing([READ, OK]) as wire:
            url = wire.url
        client = HttpClient(HttpOptions(base_url=url), load=Load())
        began = time.monotonic()
        await client.connect(1000)
        took_s = time.monotonic() - began
        answer = await client.send(HttpRequest("/v1/x", b"{}"))
        await client.close()
        return took_s, answer.failure

    took_s, failure = run(main())
    assert took_s < 1
    assert failure is not None
    assert failure.kind == "refused"
