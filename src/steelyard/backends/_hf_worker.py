"""A local model behind the ``Backend`` seam: one thread that computes, a queue before it.

Weights are loaded by the thread at the first question, so that opening the backend costs nothing.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic_ns
from typing import TYPE_CHECKING, NamedTuple

from steelyard.backends._hf_options import HfOptions, refuse_unusable
from steelyard.backends._hf_prompts import Manner
from steelyard.backends._hf_sampling import policy
from steelyard.backends._options import read_options
from steelyard.core import ModelSpec, Reply, Request, RunStopped

if TYPE_CHECKING:
    from steelyard.backends._hf_computing import Computing


class Asked(NamedTuple):
    """A request that waits for its reply."""

    request: Request
    queued_ns: int
    settle: Callable[[Reply | RunStopped], None]
    """Called once, from any thread."""


def local_model(spec: ModelSpec, manner: Manner) -> "LocalModel":
    """The model in the folder that ``spec`` names; loaded when it is first asked.

    Raises ``ConfigError`` for what can be seen to fail without loading anything.
    """
    options = read_options(spec, HfOptions)
    refuse_unusable(spec, options)
    return LocalModel(spec, options, manner)


class LocalModel:
    """A model in this process, for one event loop."""

    def __init__(self, spec: ModelSpec, options: HfOptions, manner: Manner) -> None:
        self._where = f"model {spec.abbr}"
        self._how = policy(spec.sampling.extra, self._where)
        self._options = options
        self._manner = manner
        self._queue: SimpleQueue[Asked | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._notes: list[str] = []

    async def ask(self, request: Request) -> Reply:
        """See ``Backend``. Raises ``RunStopped`` when the model cannot be loaded or breaks."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Reply] = loop.create_future()

        def settled(reply: Reply | RunStopped) -> None:
            loop.call_soon_threadsafe(_settle, answered, reply)

        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="model", daemon=True)
            self._thread.start()
        self._queue.put(Asked(request, monotonic_ns(), settled))
        return await answered

    async def close(self) -> None:
        """See ``Backend``. What is under way is given up."""
        self._queue.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def notes(self) -> tuple[str, ...]:
        """See ``Noting``."""
        return tuple(self._notes)

    def _work(self) -> None:
        """The thread: load, compute, and tell everyone who waits when either breaks."""
        computing: Computing | None = None
        try:
            computing = self._loaded()
            self._compute(computing)
        except Exception as error:  # noqa: BLE001 - those who wait must hear of it
            trouble = self._in_words(error)
            for asked in computing.pending() if computing else ():
                asked.settle(trouble)
            while (late := self._queue.get()) is not None:
                late.settle(trouble)

    def _loaded(self) -> "Computing":
        from steelyard.backends._hf_computing import Computing
        from steelyard.backends._hf_load import load

        loaded = load(self._options, self._where)
        return Computing(loaded, self._options, self._manner, self._how, self._notes.append)

    def _compute(self, computing: "Computing") -> None:
        """Take what is asked, compute a portion, and so on, until told to stop."""
        while True:
            try:
                asked = self._queue.get(block=computing.idle)
            except Empty:
                computing.advance()
                continue
            if asked is None:
                return
            computing.take(asked)

    def _in_words(self, error: Exception) -> RunStopped:
        if isinstance(error, RunStopped):
            return error
        trouble = RunStopped(
            f"{self._where}: the model broke ({type(error).__name__}: {error}). What is finished "
            "is kept."
        )
        trouble.__cause__ = error
        return trouble


def _settle(answered: asyncio.Future[Reply], reply: Reply | RunStopped) -> None:
    if answered.done():  # given up meanwhile
        return
    if isinstance(reply, RunStopped):
        answered.set_exception(reply)
    else:
        answered.set_result(reply)
