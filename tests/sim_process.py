"""The simulated endpoint for tests: as a process of its own, or inside the test's process.

Both listen on a free port of the loopback and are gone when the block ends.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvloop
from msgspec.structs import replace

from steelyard.sim import Answers, SimOptions, serve


@contextmanager
def simulated(*flags: str) -> Iterator[str]:
    """``steelyard sim --port 0 FLAGS``; yields its address (``http://127.0.0.1:54321``)."""
    command = [sys.executable, "-m", "steelyard.cli.main", "sim", "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            yield address(process)
        finally:
            process.terminate()
            process.wait(timeout=20)


def address(process: "subprocess.Popen[str]") -> str:
    """The address in the line that ``steelyard sim`` prints when it is ready."""
    banner = process.stdout.readline() if process.stdout else ""
    found = [word for word in banner.split() if word.startswith(("http://", "https://"))]
    assert found, f"no address in {banner!r}"
    return found[0]


@contextmanager
def serving(
    options: SimOptions,
    answers: Answers | None = None,
    new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
) -> Iterator[str]:
    """The endpoint on a thread of this process, on a free port; yields its address."""
    loop = new_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    def done(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(timeout=20)

    endpoint = serve(replace(options, port=0), answers or Answers())
    try:
        yield done(endpoint.__aenter__()).url
        done(endpoint.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=20)
        loop.close()
