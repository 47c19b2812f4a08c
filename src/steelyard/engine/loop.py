"""Running a coroutine: event loop, interruption, open files, and a clock that is not held up."""

import asyncio
import gc
import resource
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from steelyard.core import ConfigError

SPARE_FILES = 64
"""Open files beside the connections: records, logs, name look-ups, libraries."""

COLLECT_AFTER = 200_000
"""New objects after which garbage is looked for while a coroutine runs (Python's own: 700).

A search visits every read of every stream in flight and stops the clock meanwhile, up to 30 ms with
2,000 streams. What a request leaves behind is freed without one.
"""

_Result = TypeVar("_Result")


def run(main: Coroutine[Any, Any, _Result], *, connections: int = 0) -> _Result:
    """Run ``main`` on a fast event loop; Ctrl-C cancels it, then raises ``KeyboardInterrupt``.

    ``ConfigError`` when the system does not allow as many open files as ``connections`` need.
    """
    import uvloop

    try:
        allow_connections(connections)
    except ConfigError:
        main.close()
        raise
    with _rare_collections(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


@contextmanager
def _rare_collections() -> Iterator[None]:
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def allow_connections(connections: int) -> None:
    """Raise this process's limit of open files where ``connections`` ask for it."""
    needed = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return
    raise ConfigError(
        f"{connections:,} connections need {needed:,} open files, but this system allows a "
        f"process {hard:,}. Lower --concurrency, or raise the limit (ulimit -n)"
    )
