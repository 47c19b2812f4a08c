"""Jobs of local models on the nodes of a Ray cluster, over storage that all of them share.

A job is one Ray task: a generator that does what a sender process does and yields its words. It
appends to the same record file, so nothing has to come back but counts, and what was finished
before a node died is there. Ray retries nothing; ``--reuse`` asks what is missing.

This program runs on a node of the cluster and never starts one.
"""

import asyncio
import os
import platform
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

import steelyard
from steelyard import backends
from steelyard.core import ConfigError, DiskError, MissingExtra, ModelSpec, RunStopped
from steelyard.pipeline.infer import Errand
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.sender import TELL_EVERY_S, Counts, Slice, Word, serve
from steelyard.pipeline.state import Cluster
from steelyard.pipeline.tally import Tally

if TYPE_CHECKING:
    from ray import ObjectRefGenerator

_TO_END_S = 5.0
"""How long a task may take to end when it is told to."""
_CONNECT_S = 5.0
_DEVICES = ("GPU", "NPU")
"""What Ray calls accelerators; the first that any node has."""


class Home(msgspec.Struct, frozen=True):
    """What a task has to find on its node."""

    version: str
    cwd: str
    """Where relative paths of a model begin."""
    marker: str
    """A file in the run folder."""
    token: str
    """What stands in it."""
    patience_s: float = 10.0
    """How long a file that was just written may take to be seen on another node."""

    def trouble(self) -> str:
        """Why this node cannot do the work; empty when it can."""
        node = platform.node()
        if self.version != steelyard.__version__:
            return (
                f"node {node} has steelyard {steelyard.__version__}, this run {self.version}. "
                "Install the same on every node."
            )
        until = time.monotonic() + self.patience_s
        while not self._seen():
            if time.monotonic() > until:
                return (
                    f"node {node} does not see the run folder {Path(self.marker).parent}. With "
                    "--runner ray it must lie on storage that every node mounts at the same "
                    "place: choose one with --work-dir."
                )
            time.sleep(0.2)
        return ""

    def _seen(self) -> bool:
        try:
            return Path(self.marker).read_text(encoding="utf-8") == self.token
        except OSError:
            return False


@contextmanager
def on_cluster(asked: Cluster, models: Sequence[ModelSpec], folder: Path) -> "Iterator[OnCluster]":
    """The cluster, ready for jobs of ``models`` whose records lie in ``folder``.

    Raises ``ConfigError`` when there is none, or when one of ``models`` fits no node of it.
    """
    if find_spec("ray") is None:
        raise MissingExtra("--runner ray", "ray")
    import ray

    _connect(asked.address)
    marker = folder.resolve() / f".{secrets.token_hex(4)}.ray"
    try:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        refuse_unplaceable(models, asked.cpus, nodes)
        home = Home(steelyard.__version__, str(Path.cwd()), str(marker), secrets.token_hex(8))
        _write(marker, home.token)
        yield OnCluster(home, asked.cpus, device_kind(nodes))
    finally:
        with suppress(OSError):
            marker.unlink(missing_ok=True)
        ray.shutdown()


def refuse_unplaceable(
    models: Sequence[ModelSpec], cpus: int, nodes: Sequence[Mapping[str, float]]
) -> None:
    """Raise ``ConfigError`` for a model that no node has room for, even with nothing else on it.

    ``nodes`` holds the resources of each node. Tasks that fit, but not at the same time, wait.
    """
    kind = device_kind(nodes)
    for model in models:
        needed = backends.devices(model) or 0
        if any(_has(node, kind, needed) and _has(node, "CPU", cpus) for node in nodes):
            continue
        there = "; ".join(sorted(f"{_told(node, 'CPU')} and {_told(node, kind)}" for node in nodes))
        raise ConfigError(
            f"model {model.abbr} takes {cpus} CPU (--ray-cpus) and {needed} {kind} "
            f"(run_cfg.num_gpus) of one node, but the nodes of the cluster have {there}. Ask for "
            "less, or compute without accelerators (--device cpu, where the backend can)."
        )


def device_kind(nodes: Sequence[Mapping[str, float]]) -> str:
    """What the accelerators of the cluster are called."""
    return next((kind for kind in _DEVICES if any(_has(node, kind, 1) for node in nodes)), "GPU")


def _has(node: Mapping[str, float], kind: str, number: int) -> bool:
    return node.get(kind, 0) >= number


def _told(node: Mapping[str, float], kind: str) -> str:
    return f"{node.get(kind, 0):g} {kind}"


class OnCluster:
    """A ``Runner``: every job is a task that Ray places where there is room."""

    def __init__(self, home: Home, cpus: int, kind: str) -> None:
        import ray

        self._home = home
        self._cpus = cpus
        self._kind = kind
        self._task = ray.remote(max_retries=0, max_calls=1)(_compute)

    async def compute(self, part: Slice, tally: Tally, log: JobLog) -> None:
        """See ``runners.Runner``."""
        import ray

        needed = backends.devices(part.errand.model) or 0
        devices = {"num_gpus": needed} if self._kind == "GPU" else {"resources": {"NPU": needed}}
        log.line("INFO", f"waits for {self._cpus} CPU and {needed} {self._kind} of the cluster")
        task = self._task.options(num_cpus=self._cpus, **devices)
        words = task.remote(_absolute(part), self._home)
        try:
            await _followed(words, Counts([Word()], tally, log), log)
        except ray.exceptions.RayError as error:
            raise RunStopped(
                f"its task on the cluster broke off ({_first_line(error)}); what it had finished "
                "is kept. Go on with --reuse"
            ) from error
        finally:
            await _ended(words)


def _absolute(part: Slice) -> Slice:
    """``part`` with a record file that is the same whatever folder a process is in."""
    if not isinstance(part.errand, Errand):
        return part
    path = str(Path(part.errand.path).absolute())
    return replace(part, errand=replace(part.errand, path=path))


async def _followed(words: "ObjectRefGenerator", counts: Counts, log: JobLog) -> None:
    """Count what the task says until it ends."""
    async for told in _values(words):
        if isinstance(told, str):
            log.line("INFO", f"computed on node {told}")
            continue
        counts.take(0, told)
        if told.stopped:
            raise RunStopped(told.stopped)
        if told.disk:
            raise DiskError(told.disk)


async def _values(words: "ObjectRefGenerator") -> AsyncIterator[str | Word]:
    async for reference in words:
        yield await reference


async def _ended(words: "ObjectRefGenerator") -> None:
    """Have the task end: in good order, and by force when it does not."""
    import ray

    for force in (False, True):
        ray.cancel(words, force=force)
        with suppress(TimeoutError, ray.exceptions.RayError):
            async with asyncio.timeout(_TO_END_S):
                async for _ in _values(words):
                    pass
            return


def _compute(part: Slice, home: Home) -> Iterator[str | Word]:
    """The task: on some node, in a process of its own. Told to end, it keeps what is finished."""
    yield platform.node()
    if trouble := home.trouble():
        yield Word(stopped=trouble)
        return
    with suppress(OSError):
        os.chdir(home.cwd)
    with asyncio.Runner() as runner:
        words: list[Word] = []
        work = runner.get_loop().create_task(serve(part, words.append))
        while not work.done():
            runner.run(asyncio.wait({work}, timeout=TELL_EVERY_S))
            while words:
                yield words.pop(0)
        yield work.result()


def _connect(address: str) -> None:
    import ray

    address = address or os.environ.get("RAY_ADDRESS", "") or "auto"
    try:
        if address != "auto":
            _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        where = "on this machine" if address == "auto" else f"at {address}"
        raise ConfigError(
            f"--runner ray: no Ray cluster {where} ({_first_line(error)}). Start one with 'ray "
            "start --head', join more nodes to it, and run this on one of them; name another "
            "cluster with --ray-address HOST:PORT."
        ) from error


def _knock(address: str) -> None:
    """Raise ``OSError`` or ``ValueError`` when nobody is there: Ray itself would wait for long."""
    host, colon, port = address.rpartition(":")
    if not colon or "/" in host or not port.isdecimal():
        raise ValueError(f"{address!r} is not HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()


def _write(marker: Path, token: str) -> None:
    try:
        marker.write_text(token, encoding="utf-8")
    except OSError as error:
        raise DiskError(f"cannot write {marker}: {error.strerror}") from error


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "cause", None) or error
    said = str(cause).strip().partition("\n")[0]
    return f"{type(cause).__name__}: {said}" if said else type(cause).__name__
