"""What it takes to reach one service over HTTP; backends add their own fields to it."""

from collections.abc import Mapping

import msgspec


class HttpOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Address, credentials and transport of one service."""

    base_url: str = "http://localhost:8080"
    """Scheme, host, port and an optional path prefix. Without a scheme it is ``http``."""
    headers: Mapping[str, str] = {}
    """Sent with every request."""
    api_key_env: str = ""
    """Environment variable that holds the key (``Authorization: Bearer``). The key is not here."""
    ca_file: str = ""
    """Certificates to trust in place of the system's (PEM)."""
    client_cert: str = ""
    """Our own certificate (PEM), for services that ask for one."""
    client_key: str = ""
    """Key of ``client_cert`` when it is in a file of its own."""
    verify_tls: bool = True
    """``False`` accepts any certificate."""
    proxy: str = ""
    """HTTP proxy for every request, local ones too: ``http://user:password@host:port``."""
    trust_env: bool = True
    """Use ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` of the environment."""
    connect_timeout_s: float = 10.0
    """Limit for name look-up, connection and TLS together."""

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={_shown(name, getattr(self, name))!r}" for name in self.__struct_fields__
        )
        return f"{type(self).__name__}({shown})"


def _shown(name: str, value: object) -> object:
    """``value`` as it may stand in a log: header values and credentials in URLs are left out."""
    if name == "headers" and isinstance(value, Mapping):
        return dict.fromkeys(value, "…")
    if name in ("base_url", "proxy") and isinstance(value, str) and "@" in value:
        return "…@" + value.rpartition("@")[2]
    return value
