"""The TLS settings of a client: which certificates are trusted and which one is shown."""

import ssl
from pathlib import Path

from steelyard.core import ConfigError
from steelyard.engine.options import HttpOptions


def tls_context(options: HttpOptions) -> ssl.SSLContext:
    """Settings that ``options`` ask for; ``ConfigError`` names a file that cannot be used."""
    for name in ("ca_file", "client_cert", "client_key"):
        path = getattr(options, name)
        if path and not Path(path).is_file():
            raise ConfigError(f"{name}: there is no file {path!r}")
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
    except ssl.SSLError as error:
        raise ConfigError(f"ca_file {options.ca_file!r} holds no PEM certificates") from error
    if options.client_key and not options.client_cert:
        raise ConfigError("client_key is set, but client_cert is not; give both")
    if options.client_cert:
        try:
            # The password callback keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(
                options.client_cert, options.client_key or None, password=lambda: ""
            )
        except ssl.SSLError as error:
            raise ConfigError(
                f"client_cert {options.client_cert!r} with client_key {options.client_key!r}: "
                "expected a PEM certificate and its key without password"
            ) from error
    if not options.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
