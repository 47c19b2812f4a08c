"""Warming a service up: requests before the run whose answers nobody looks at."""

import asyncio
from collections.abc import Iterable

from steelyard import backends
from steelyard.core import ModelSpec, Reply, Request, RunStopped
from steelyard.pipeline.groups import ungrouped
from steelyard.pipeline.logs import JobLog


async def warm_up(model: ModelSpec, requests: Iterable[Request], *, log: JobLog) -> None:
    """Ask ``requests``, as many at once as the model's load allows, and drop the answers.

    Raises ``RunStopped`` when none of them was answered.
    """
    chosen = list(requests)
    waiting = iter(chosen)
    replies: list[Reply] = []
    backend = backends.open_backend(model)

    async def one_after_another() -> None:
        for request in waiting:
            replies.append(await backend.ask(request))  # noqa: PERF401

    try:
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                for _ in range(min(len(chosen), model.load.concurrency)):
                    group.create_task(one_after_another())
    finally:
        await backend.close()
    failures = [reply.failure for reply in replies if reply.failure is not None]
    log.line("INFO", f"warm-up: {len(replies)} requests, {len(failures)} failed")
    if failures and len(failures) == len(replies):
        raise RunStopped(f"every warm-up request failed; the first: {failures[0].detail}")
