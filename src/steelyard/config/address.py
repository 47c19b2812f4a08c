"""The address of a service in old-style keys (``host_ip``, ``host_port``, ``url``...), and back."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from steelyard.core import ConfigError, Json

ADDRESS_KEYS = frozenset({"host_ip", "host_port", "url", "enable_ssl", "openai_api_base"})
"""Keys that together make ``options.base_url``."""

_DEFAULT = "http://localhost:8080"
_OPENAI_PATH = re.compile(r"(/v1)?(/chat/completions)?/*$")


def base_url(given: Mapping[str, Json], before: str = "") -> str:
    """The address that the keys in ``given`` make; what they leave open is as in ``before``.

    ``url`` (AISBench) is a base as ours; ``openai_api_base`` (OpenCompass) ends with ``/v1`` or the
    whole path of the chat endpoint, which our backends add. Raises ``ConfigError`` when ``before``
    is no address.
    """
    old = _split(before)
    scheme = old.scheme
    if "enable_ssl" in given:
        scheme = "https" if given["enable_ssl"] else "http"
    url = (given.get("url") or "").strip()
    base = given.get("openai_api_base")
    if base:
        url = _OPENAI_PATH.sub("", (base[0] if isinstance(base, list) else base).strip())
    if url:
        return url if "://" in url else f"{scheme}://{url}"
    host = given.get("host_ip") or old.hostname or ""
    port = given.get("host_port") or old.port
    login = "".join(old.netloc.rpartition("@")[:2])
    place = f"[{host}]" if ":" in host else host
    return f"{scheme}://{login}{place}{f':{port}' if port else ''}{old.path}"


def old_address(url: str) -> dict[str, Json]:
    """Host and port when they say it all, so that a config file can change one of them."""
    address = _split(url)
    keys = {"host_ip": address.hostname, "host_port": address.port or 8080, "url": ""}
    return keys if base_url(keys) == url else {**keys, "url": url}


def _split(url: str) -> SplitResult:
    """The parts of an address; without a scheme it is ``http``, when empty our default."""
    text = url.strip() or _DEFAULT
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        known = parts.hostname and (parts.port or True)
    except ValueError:
        known = False
    if not known:
        shown = text.rpartition("@")[2]
        raise ConfigError(f"base_url {shown!r}: expected http://host:port/path or https://...")
    return parts
