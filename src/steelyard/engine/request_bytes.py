"""The bytes of a request: request line, headers, credentials.

Header precedence: the request's own, then ``options.headers``, then the key from the environment,
then user and password of the base URL, then our defaults. Secrets are held here and nowhere else.
"""

import os
import re
from collections.abc import Iterable

from steelyard.core import ConfigError
from steelyard.engine.dial import Route
from steelyard.engine.exchange import HttpRequest
from steelyard.engine.options import HttpOptions

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[\x21-\x7e]+")
_OURS = ("content-length", "transfer-encoding", "connection")

_Headers = dict[str, tuple[str, str]]  # lower-case name -> name and value


class RequestBytes:
    """Turns requests to one service into what goes over the wire."""

    def __init__(self, options: HttpOptions, route: Route) -> None:
        service, proxy = route.service, route.proxy
        key = _key(options.api_key_env)
        ours = {
            "Host": service.host_header,
            "User-Agent": "steelyard",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        if key or service.basic:
            ours["Authorization"] = f"Bearer {key}" if key else service.basic
        self._before_target = ""
        if proxy is not None and route.tls is None:
            self._before_target = f"http://{service.host_header}"
            if proxy.basic:
                ours["Proxy-Authorization"] = proxy.basic
        self._headers: _Headers = {}
        _add(self._headers, ours.items())
        _add(self._headers, options.headers.items())
        self._text = _text(self._headers)
        passwords = (hop.basic.removeprefix("Basic ") for hop in (service, route.hop))
        self._secrets = {secret for secret in (key, *passwords) if secret}

    def payload(self, request: HttpRequest) -> bytes:
        """``request`` as it is sent."""
        if not _TARGET.fullmatch(request.target):
            raise ConfigError(f"{request.target!r} cannot be the target of an HTTP request")
        text = self._text
        if request.headers:
            headers = self._headers.copy()
            _add(headers, request.headers)
            text = _text(headers)
        line = f"{request.method} {self._before_target}{request.target} HTTP/1.1\r\n"
        if not request.body and request.method != "POST":
            return f"{line}{text}\r\n".encode("latin-1")
        length = f"Content-Length: {len(request.body)}\r\n\r\n"
        return f"{line}{text}{length}".encode("latin-1") + request.body

    def redacted(self, text: str) -> str:
        """``text`` with every secret of this client blotted out."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _key(variable: str) -> str:
    if not variable:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise ConfigError(
            f"the environment variable {variable} (api_key_env) is not set; "
            f"export {variable}=… or name another one with --api-key-env"
        )
    if not _VALUE.fullmatch(key) or key != key.strip():
        raise ConfigError(
            f"the key in the environment variable {variable} has a line break, a space at its ends "
            "or a character that no header may hold; export it anew"
        )
    return key


def _add(headers: _Headers, added: Iterable[tuple[str, str]]) -> None:
    for name, value in added:
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise ConfigError(f"{name!r} cannot be set as a request header")
        if not _VALUE.fullmatch(value):
            raise ConfigError(
                f"the value of header {name!r} has a line break or another character that no "
                "header may hold"
            )
        headers[name.lower()] = (name, value.strip())


def _text(headers: _Headers) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.values())
