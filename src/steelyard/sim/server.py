"""Starting and stopping the simulated endpoint: sockets, certificates, the key, the log."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from steelyard.core import ConfigError
from steelyard.sim.answers import Answers
from steelyard.sim.clock import Clock
from steelyard.sim.connection import Connection
from steelyard.sim.options import SimOptions, check
from steelyard.sim.simulator import Simulator
from steelyard.sim.truth import TruthLog

if TYPE_CHECKING:
    import ssl

_BACKLOG = 4096


class Serving(msgspec.Struct, frozen=True):
    """A running endpoint."""

    url: str
    """``http://127.0.0.1:8080``, without slash at the end."""
    port: int


@asynccontextmanager
async def serve(options: SimOptions, answers: Answers) -> AsyncIterator[Serving]:
    """Run the endpoint for the time of the block, on the loop of the caller.

    Raises ``ConfigError`` for options that cannot work here: an address in use, a certificate that
    cannot be read, a key variable that is not set.
    """
    check(options)
    context = _tls(options)
    key = _key(options.require_key)
    with ExitStack() as stack:
        log = stack.enter_context(closing(TruthLog(Path(options.log)))) if options.log else None
        clock = stack.enter_context(closing(Clock(asyncio.get_running_loop())))
        simulator = Simulator(options, answers, clock, key=key, log=log)
        server = await _listening(simulator, options, context)
        try:
            yield Serving(_url(server, options), server.sockets[0].getsockname()[1])
        finally:
            server.close()
            simulator.drop_connections()
            await server.wait_closed()


async def _listening(
    simulator: Simulator, options: SimOptions, context: "ssl.SSLContext | None"
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(
            lambda: Connection(simulator),
            options.host,
            options.port,
            ssl=context,
            backlog=_BACKLOG,
        )
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {options.host} port {options.port}: {error.strerror}. "
            "Choose another --port, or 0 for a free one."
        ) from error


def _url(server: asyncio.Server, options: SimOptions) -> str:
    scheme = "https" if options.tls_cert else "http"
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}"


def _tls(options: SimOptions) -> "ssl.SSLContext | None":
    if not options.tls_cert:
        return None
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:
        raise ConfigError(
            f"--tls-cert {options.tls_cert}, --tls-key {options.tls_key}: {error}. Both must be "
            "PEM files, the key without a password."
        ) from error
    return context


def _key(name: str) -> str:
    if not name:
        return ""
    key = os.environ.get(name, "")
    if not key:
        raise ConfigError(f"--require-key {name}: that environment variable is not set, or empty.")
    return key
