"""The service's own counters (Prometheus ``/metrics``) before and after a load test.

They are a courtesy: a service without them is measured all the same, and it is said why they are
absent. What the counters mean is the business of ``perf.counters``.
"""

import asyncio

import msgspec

from steelyard import backends, store
from steelyard.core import DataError, ModelSpec, SteelyardError
from steelyard.engine import HttpClient, HttpOptions, HttpRequest
from steelyard.pipeline.load_files import LoadFiles

TIMEOUT_S = 5.0
_MOST_BYTES = 4_000_000


class Scrape(msgspec.Struct, frozen=True, omit_defaults=True):
    """One look at a service's counters."""

    url: str
    text: str = ""
    error: str = ""
    """Why there is no text."""


class ServerMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Both looks of one run."""

    before: Scrape
    after: Scrape


async def scrape(model: ModelSpec) -> Scrape:
    """The counters of the service behind ``model``; what went wrong is in ``error``."""
    known = backends.backend_options(model.backend)
    if "base_url" not in known:
        return Scrape("", error="not a service")
    given = {
        name: value
        for name, value in model.options.items()
        if name in HttpOptions.__struct_fields__ and name != "base_url"
    }
    base = str(model.options.get("base_url", HttpOptions().base_url))
    try:
        client = HttpClient(HttpOptions(base_url=root(base), **given), load=model.load)
    except SteelyardError as error:
        return Scrape(_shown(base), error=str(error))
    target = client.path("metrics")
    url = _shown(base) + "/metrics"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            got = await client.send(HttpRequest(target=target, method="GET"))
    except TimeoutError:
        return Scrape(url, error=f"no answer from {target} within {TIMEOUT_S:g} s")
    finally:
        await client.close()
    if got.failure is not None:
        return Scrape(url, error=got.failure.detail)
    if got.status != 200:
        return Scrape(url, error=f"HTTP {got.status} {got.reason} from {target}".rstrip())
    return Scrape(url, text=got.body[:_MOST_BYTES].decode("utf-8", "replace"))


def root(base_url: str) -> str:
    """The address that counters are below: without the interface's ``/v1``."""
    return base_url.rstrip("/").removesuffix("/v1")


def _shown(base_url: str) -> str:
    """``root`` as it may stand in a file: without user and password."""
    scheme, _, rest = root(base_url).rpartition("://")
    return f"{scheme or 'http'}://{rest.rpartition('@')[2]}"


def write_server_metrics(files: LoadFiles, metrics: ServerMetrics) -> None:
    """Keep both looks, or why there was nothing to see; raises ``DiskError``."""
    store.write_atomic(files.path("_server.json"), msgspec.json.encode(metrics))


def read_server_metrics(files: LoadFiles) -> ServerMetrics | None:
    """What was kept; ``None`` when there is nothing. Raises ``DataError`` for a damaged file."""
    path = files.path("_server.json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServerMetrics)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); delete it to go on without it"
        ) from error
