"""Limits that nobody set: time for an answer, garbage, open files for connections.

- Without a limit for attempts, one is learnt from the answers: generous first, at least a minute.
- Garbage is seldom looked for while the clock matters.
- As many files may be open as the connections need, or the run does not begin.
"""

import gc
import resource
import subprocess
import sys

from steelyard.engine import run
from steelyard.engine.patience import Patience

SECOND = 10**9


def learnt(*seconds: float) -> float:
    """The limit after answers that took ``seconds``."""
    patience = Patience(None)
    for took_s in seconds:
        patience.succeeded(int(took_s * SECOND))
    return patience.limit_ns / SECOND


def test_the_limit_is_ten_minutes_until_twenty_answers_are_in() -> None:
    assert learnt() == 600
    assert learnt(*[0.1] * 19) == 600


def test_then_it_is_ten_times_the_slowest_answer_and_at_least_a_minute() -> None:
    assert learnt(*[0.1] * 20) == 60
    assert learnt(*[0.1] * 19, 7) == 70
    assert learnt(90, *[0.1] * 30) == 900
    assert learnt(*[0.1] * 30, 20) == 200


def test_a_given_limit_stays() -> None:
    patience = Patience(1.5)
    for _ in range(50):
        patience.succeeded(9 * SECOND)
    assert patience.limit_ns == 1.5 * SECOND


def test_the_limit_is_told_with_its_origin() -> None:
    assert str(Patience(60)) == "60 s"
    assert str(Patience(None)) == "600 s, the automatic limit"


def test_garbage_is_not_looked_for_with_every_thousand_objects() -> None:
    begun: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        begun.append(phase)

    async def busy() -> list[str]:
        begun.clear()
        kept = [[number] for number in range(50_000)]
        return begun[: len(kept)]

    before = gc.get_threshold()
    gc.callbacks.append(note)
    try:
        assert run(busy()) == []
    finally:
        gc.callbacks.remove(note)
    assert gc.get_threshold() == before


async def soft_limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_the_limit_of_open_files_is_left_alone_when_it_is_enough() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert run(soft_limit(), connections=10) == before[0]


LIMITED = """
import resource, sys
from steelyard.core import ConfigError
from steelyard.engine import run
async def soft_limit(): return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))
print(run(soft_limit(), connections=200))
try:
    run(soft_limit(), connections=20000)
except ConfigError as error:
    print(error)
"""


def test_it_is_raised_as_far_as_needed_or_the_run_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", LIMITED],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == (
        "264\n"
        "20,000 connections need 20,064 open files, but this system allows a process 300. "
        "Lower --concurrency, or raise the limit (ulimit -n)\n"
    )
    assert done.stderr == ""
