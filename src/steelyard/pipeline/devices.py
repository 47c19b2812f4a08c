"""The accelerators of this machine, and which task has which of them.

Found without loading a framework: by the variable that already narrows what this process sees, else
by what the driver put into the file system.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from steelyard import backends
from steelyard.core import ConfigError, ModelSpec

_KINDS = (
    ("CUDA_VISIBLE_DEVICES", re.compile(r"nvidia(\d+)")),
    ("ASCEND_RT_VISIBLE_DEVICES", re.compile(r"davinci(\d+)")),
)


class Accelerators(NamedTuple):
    """Devices of one kind."""

    variable: str
    """Environment variable that says which of them a process sees; empty: there are none."""
    names: tuple[str, ...]
    """As that variable spells them."""


def found(environ: Mapping[str, str] = os.environ, folder: Path = Path("/dev")) -> Accelerators:
    """What this process may use; an empty variable means none."""
    for variable, _ in _KINDS:
        if variable in environ:
            return Accelerators(variable, tuple(filter(None, environ[variable].split(","))))
    for variable, pattern in _KINDS:
        numbers = [hit[1] for path in folder.iterdir() if (hit := pattern.fullmatch(path.name))]
        if numbers:
            return Accelerators(variable, tuple(sorted(numbers, key=int)))
    return Accelerators("", ())


def refuse_too_few(models: Iterable[ModelSpec], at_once: int, there: Accelerators) -> None:
    """Raise ``ConfigError`` when tasks that run at the same time need more devices than there are.

    On a machine without devices everything runs on the CPU.
    """
    if not there.names:
        return
    number = len(there.names)
    needs = sorted(((backends.devices(one) or 0, one.abbr) for one in models), reverse=True)
    for needed, abbr in needs[:1]:
        if needed > number:
            raise ConfigError(
                f"model {abbr} takes {needed} devices (run_cfg.num_gpus), but {number} are here."
            )
    together = sum(needed for needed, _ in needs[:at_once])
    if together > number:
        terms = " + ".join(str(needed) for needed, _ in needs[:at_once])
        raise ConfigError(
            f"{min(at_once, len(needs))} tasks at once take {terms} = {together} devices, but "
            f"{number} are here. Lower --max-num-workers, or run_cfg.num_gpus of a model."
        )


class Pool:
    """Hands devices out; a task waits until there are enough. Without any, it shares the CPU."""

    def __init__(self, there: Accelerators, at_once: int) -> None:
        threads = max(1, len(os.sched_getaffinity(0)) // at_once)
        self._without = {} if "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(threads)}
        self._variable = there.variable
        self._free: Sequence[str] = there.names
        self._change = asyncio.Condition()

    @asynccontextmanager
    async def lease(self, number: int) -> AsyncIterator[dict[str, str]]:
        """The environment of a process that sees ``number`` devices which nobody else has."""
        if not self._variable or not number:
            hidden = {self._variable: ""} if self._variable else {}
            yield {**hidden, **self._without}
            return
        async with self._change:
            await self._change.wait_for(lambda: len(self._free) >= number)
            mine, self._free = self._free[:number], self._free[number:]
        try:
            yield {self._variable: ",".join(mine)}
        finally:
            async with self._change:
                self._free = [*self._free, *mine]
                self._change.notify_all()
