"""Which proxy, if any, requests to a service go through.

An explicit proxy always. Else the environment's, read the way other programs do (lower-case names
first): ``HTTP_PROXY`` or ``HTTPS_PROXY`` by the service's scheme, then ``ALL_PROXY``; but never for
this machine itself, and not for what ``NO_PROXY`` lists: ``*``, host names (with all names below
them), addresses, networks (``10.0.0.0/8``), each optionally with ``:port``.
"""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network

from steelyard.core import ConfigError
from steelyard.engine.address import Address, address
from steelyard.engine.options import HttpOptions


def proxy_for(service: Address, options: HttpOptions, environ: Mapping[str, str]) -> Address | None:
    """The proxy for ``service``; ``ConfigError`` when it is one we cannot speak to."""
    if options.proxy:
        return _http_proxy(options.proxy, "proxy")
    if not options.trust_env or _is_local(service.host):
        return None
    if _is_exempt(service, _variable(environ, "no_proxy")[1]):
        return None
    for wanted in (f"{service.scheme}_proxy", "all_proxy"):
        name, url = _variable(environ, wanted)
        if url:
            return _http_proxy(url, f"environment variable {name}")
    return None


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    for spelling in (name, name.upper()):
        if environ.get(spelling, "").strip():
            return spelling, environ[spelling].strip()
    return name, ""


def _http_proxy(url: str, source: str) -> Address:
    scheme = url.partition("://")[0] if "://" in url else "http"
    if scheme.lower() != "http":
        raise ConfigError(
            f"{source}: a proxy of kind {scheme!r} is not supported, only http:// is. "
            "Give another one with --set proxy=http://host:port, or none with --set trust_env=false"
        )
    return address(url, source)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _is_exempt(service: Address, no_proxy: str) -> bool:
    return any(
        _matches(entry.strip().lower(), service) for entry in no_proxy.split(",") if entry.strip()
    )


def _matches(entry: str, service: Address) -> bool:
    if entry == "*":
        return True
    with suppress(ValueError):
        return ip_address(service.host) in ip_network(entry.strip("[]"), strict=False)
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit():
        if int(port) != service.port:
            return False
        entry = host.strip("[]")
    name = entry.removeprefix("*").removeprefix(".")
    return service.host == name or service.host.endswith(f".{name}")
