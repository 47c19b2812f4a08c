"""The address of a service, read from a base URL."""

import re

import msgspec

from steelyard.core import ConfigError

_HOST = re.compile(r"[A-Za-z0-9._~%:-]+")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service is. Credentials of the URL are in ``basic`` and are never shown."""

    scheme: str
    host: str
    """Without brackets; IDNA-encoded when it is a name."""
    port: int
    prefix: str = "/"
    """Path of the base URL; starts and ends with a slash."""
    query: str = ""
    basic: str = ""
    """``Authorization`` value made of user and password in the URL."""

    @property
    def netloc(self) -> str:
        """``host:port`` as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def host_header(self) -> str:
        """``netloc`` without a port that is the scheme's own."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return self.netloc.removesuffix(f":{usual}") if self.port == usual else self.netloc

    def __repr__(self) -> str:
        return f"Address({self.scheme}://{self.netloc}{self.prefix})"


def address(url: str, option: str = "base_url") -> Address:
    """Read ``url``; without a scheme it is ``http``. ``ConfigError`` names ``option``."""
    import base64
    from urllib.parse import quote, unquote, urlsplit

    text = url.strip()
    shown = text.rpartition("@")[2]
    expected = f"{option} {shown!r}: expected http://host:port/path or https://host:port/path"
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise ConfigError(f"{expected} (not a host and port)") from error
    usable = parts.scheme in ("http", "https") and _HOST.fullmatch(host) and port != 0
    if not usable or parts.fragment:
        raise ConfigError(expected)
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    basic = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        basic = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    return Address(
        scheme=parts.scheme,
        host=host,
        port=port or (443 if parts.scheme == "https" else 80),
        prefix=f"{path}/",
        query=quote(parts.query, safe="/%:@!$&'()*+,;=~-._?"),
        basic=basic,
    )
