"""How a job ends early.

- Cancelling and Ctrl-C abandon what is in flight, quietly, and leave nothing behind.
- A sink that fails and requests that cannot be made end the job with their own exception, at once.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from steelyard.core import DiskError, Reply, Request
from steelyard.engine import Closed, Policy, drive, run
from told_backend import Told, into, requests, status
from wire_server import HANG, READ, playing

QUICK = Policy(retries=2, base_s=0.01)


def test_a_sink_that_fails_ends_the_job_with_its_own_exception() -> None:
    service = Told(delay_s=0.001)
    full = DiskError("no space left")

    def sink(reply: Reply, request: Request) -> None:
        if reply.key == "5#0":
            raise full from OSError(28, "x")

    with pytest.raises(DiskError) as stopped:
        run(drive(service, requests(1000), Closed(8), policy=QUICK, sink=sink))
    assert stopped.value is full
    assert isinstance(stopped.value.__cause__, OSError)
    assert len(service.asked) < 40
    assert service.in_flight == 0


def test_requests_that_fail_end_the_job_with_their_own_exception() -> None:
    def broken() -> Iterator[Request]:
        yield from requests(3)
        raise ValueError("row 4")

    with pytest.raises(ValueError, match="row 4"):
        run(
            drive(
                Told(delay_s=0.01),
                broken(),
                Closed(2),
                policy=QUICK,
                sink=into([]),
            )
        )


def test_cancelling_abandons_what_is_in_flight_and_leaves_nothing_behind() -> None:
    complaints: list[object] = []

    async def main() -> tuple[list[Reply], int]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: complaints.append(context))
        replies: list[Reply] = []
        service = Told(lambda key, attempt: status(503), delay_s=0.02)
        policy = Policy(retries=99, base_s=0.05)
        job = asyncio.create_task(
            drive(service, requests(50), Closed(6), policy=policy, sink=into(replies))
        )
        await asyncio.sleep(0.15)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        left = len(asyncio.all_tasks()) - 1
        return replies, service.in_flight + left

    assert run(main()) == ([], 0)
    assert complaints == []


INTERRUPTED = """
import asyncio, sys
from steelyard.core import *
from steelyard.engine import *

class Asker:
    def __init__(self): self.client = HttpClient(HttpOptions(base_url=sys.argv[1]), load=Load())
    async def ask(self, request):
        exchange = await self.client.send(HttpRequest("/"))
        return Reply(key=request.key, timing=exchange.timing(), failure=exchange.failure)
    async def close(self): await self.client.close()

async def main():
    asker = Asker()
    one = Request(key="a", messages=(), sampling=Sampling())
    print("asking", flush=True)
    try:
        await drive(asker, [one] * 20, Closed(5), policy=Policy(), sink=lambda *_: None)
    finally:
        await asker.close()
        print("closed", flush=True)

try:
    run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_leaves_quietly() -> None:
    async def main() -> tuple[str, str]:
        async with playing([READ, HANG]) as wire:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-X", "dev", "-c", INTERRUPTED, wire.url),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(500):
                await asyncio.sleep(0.02)
                if wire.connections == 5:
                    break
            process.send_signal(signal.SIGINT)
            out, complaints = await process.communicate()
            return out.decode(), complaints.decode()

    assert run(main()) == ("asking\nclosed\ninterrupted\n", "")
