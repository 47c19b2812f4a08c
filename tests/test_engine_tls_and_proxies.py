"""Certificates and proxies on the way to a service.

- Certificates are checked unless told otherwise; ours is shown when the service asks for it.
- Proxies come from the options or from the environment, never for this machine itself.
- What goes wrong is told in words a person can act on.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from steelyard.core import ConfigError, Load
from steelyard.engine import Exchange, HttpClient, HttpOptions, HttpRequest, run
from steelyard.engine.address import address
from steelyard.engine.proxy import proxy_for
from wire_server import CHUNKED, END, HANG, READ, Script, chunk, ok, one_of, playing

OK = ok(b"{}")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def over_tls(
    tls: ssl.SSLContext, script: Script = (READ, OK), host: str = "127.0.0.1", **options: object
) -> Exchange:
    """One request to an https server."""

    async def main() -> Exchange:
        async with playing(script, tls=tls) as wire:
            return await one_of(f"https://{host}:{wire.port}", **options)

    return run(main())


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_a_trusted_certificate_is_accepted(authority: trustme.CA, ca_file: str) -> None:
    found = over_tls(server_tls(authority), ca_file=ca_file)
    assert (found.status, found.body, found.failure) == (200, b"{}", None)


def test_the_name_asked_for_is_the_one_checked(authority: trustme.CA, ca_file: str) -> None:
    tls = server_tls(authority, "localhost")
    assert over_tls(tls, host="localhost", ca_file=ca_file).status == 200
    failure = over_tls(tls, ca_file=ca_file).failure
    assert failure is not None
    assert "certificate verify failed: IP address mismatch" in failure.detail


def test_an_unknown_certificate_is_refused_with_advice(authority: trustme.CA) -> None:
    failure = over_tls(server_tls(authority)).failure
    assert failure is not None
    assert failure.kind == "connect"
    assert failure.detail.startswith("TLS: certificate verify failed: ")
    assert failure.detail.endswith("(give --set ca_file=… or --set verify_tls=false)")


def test_checking_can_be_turned_off(authority: trustme.CA) -> None:
    assert over_tls(server_tls(authority), verify_tls=False).status == 200


def test_streams_over_tls_have_their_times(authority: trustme.CA) -> None:
    script: Script = [READ, CHUNKED, chunk(b"a"), 0.05, chunk(b"b"), END]
    found = over_tls(server_tls(authority), script, verify_tls=False)
    assert found.body == b"ab"
    assert found.marks[1][1] - found.marks[0][1] > 40e6


def test_a_body_may_end_with_a_tls_connection(authority: trustme.CA) -> None:
    script: Script = [READ, b"HTTP/1.1 200 OK\r\n\r\nall of it"]
    assert over_tls(server_tls(authority), script, verify_tls=False).body == b"all of it"


@pytest.mark.parametrize("own_key_file", [False, True])
def test_our_own_certificate_is_shown(
    own_key_file: bool, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    tls = server_tls(authority)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    ours = authority.issue_cert("client")
    pem, key = tmp_path / "client.pem", tmp_path / "client.key"
    if own_key_file:
        ours.cert_chain_pems[0].write_to_path(str(pem))
        ours.private_key_pem.write_to_path(str(key))
    else:
        ours.private_key_and_cert_chain_pem.write_to_path(str(pem))
    files = {"client_cert": str(pem), "client_key": str(key) if own_key_file else ""}
    assert over_tls(tls, ca_file=ca_file, **files).status == 200
    assert over_tls(tls, ca_file=ca_file).failure is not None


def test_a_plain_service_asked_for_tls_is_told_apart() -> None:
    async def main() -> Exchange:
        async with playing([b"HTTP/1.1 400 Bad Request\r\n\r\n", HANG]) as wire:
            return await one_of(f"https://127.0.0.1:{wire.port}")

    failure = run(main()).failure
    assert failure is not None
    assert failure.detail.endswith("(does the service speak https on this port?)")


def test_a_service_that_says_nothing_in_the_tls_handshake_runs_into_the_limit() -> None:
    async def main() -> Exchange:
        async with playing([HANG]) as wire:
            return await one_of(f"https://127.0.0.1:{wire.port}", connect_timeout_s=0.3)

    failure = run(main()).failure
    assert failure is not None
    assert failure.detail.startswith("no connection to 127.0.0.1:")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ca_file": "/none"}, "ca_file: there is no file '/none'"),
        ({"ca_file": __file__}, "holds no PEM certificates"),
        ({"client_cert": __file__}, "expected a PEM certificate and its key"),
        ({"client_key": __file__}, "client_key is set, but client_cert is not"),
    ],
)
def test_unusable_certificate_files_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        HttpClient(HttpOptions(base_url="https://h", **options), load=Load())


def test_plain_requests_go_through_the_proxy_in_absolute_form() -> None:
    async def main() -> bytes:
        async with playing([READ, OK]) as proxy:
            url = f"http://me:pw@127.0.0.1:{proxy.port}"
            found = await one_of("http://far.example/base", proxy=url)
            assert found.body == b"{}"
            return proxy.requests[0]

    sent = run(main())
    assert sent.startswith(b"POST http://far.example/base/v1/x HTTP/1.1\r\nHost: far.example\r\n")
    assert b"Proxy-Authorization: Basic bWU6cHc=\r\n" in sent


@asynccontextmanager
async def tunnelling(answer: bytes, to: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A proxy that answers ``CONNECT`` with ``answer`` and then passes bytes on to port ``to``."""
    heads: list[bytes] = []

    async def passing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if b" 200 " in answer:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
            await asyncio.gather(passing(reader, far_writer), passing(far_reader, writer))
        else:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()


def tunnelled(answer: bytes, tls: ssl.SSLContext) -> tuple[list[Exchange], list[bytes]]:
    """Two requests to an https server named far.example, through a proxy."""

    async def main() -> tuple[list[Exchange], list[bytes]]:
        async with (
            playing([READ, OK, READ, OK], tls=tls) as wire,
            tunnelling(answer, wire.port) as (port, heads),
        ):
            options = HttpOptions(
                base_url="https://far.example",
                proxy=f"http://me:pw@127.0.0.1:{port}",
                verify_tls=False,
            )
            http = HttpClient(options, load=Load(timeout_s=5))
            found = [await http.send(HttpRequest("/")) for _ in range(2)]
            await http.close()
            await asyncio.sleep(0.05)
            return found, heads

    return run(main())


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_https_goes_through_a_tunnel_that_is_kept(version: bytes, authority: trustme.CA) -> None:
    answer = version + b" 200 Connection established\r\n\r\n"
    found, heads = tunnelled(answer, server_tls(authority, "far.example"))
    assert [one.body for one in found] == [b"{}", b"{}"]
    [head] = heads
    assert head.startswith(b"CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n")
    assert b"\r\nProxy-Authorization: Basic bWU6cHc=\r\n" in head


def test_a_proxy_that_refuses_is_named_with_its_reason(authority: trustme.CA) -> None:
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    failure = tunnelled(answer, server_tls(authority))[0][0].failure
    assert failure is not None
    assert failure.kind == "connect"
    assert failure.detail.startswith("the proxy 127.0.0.1:")
    assert failure.detail.endswith(
        "gave no way to far.example:443 (407 Proxy Authentication Required)"
    )


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("http://h", {}, None),
        ("http://h", {"http_proxy": "http://p:1"}, "p:1"),
        ("http://h", {"HTTP_PROXY": "p:1"}, "p:1"),
        ("http://h", {"http_proxy": "low:1", "HTTP_PROXY": "up:1"}, "low:1"),
        ("https://h", {"http_proxy": "p:1"}, None),
        ("https://h", {"HTTPS_PROXY": "p:1", "all_proxy": "q:2"}, "p:1"),
        ("https://h", {"ALL_PROXY": "q:2"}, "q:2"),
        ("http://localhost", {"http_proxy": "p:1"}, None),
        ("http://127.0.0.9", {"http_proxy": "p:1"}, None),
        ("http://[::1]", {"http_proxy": "p:1"}, None),
        ("http://h", {"http_proxy": "p:1", "no_proxy": "*"}, None),
        ("http://h", {"http_proxy": "p:1", "NO_PROXY": "x, h"}, None),
        ("http://a.h", {"http_proxy": "p:1", "no_proxy": "h"}, None),
        ("http://a.h", {"http_proxy": "p:1", "no_proxy": ".h"}, None),
        ("http://a.h", {"http_proxy": "p:1", "no_proxy": "*.h"}, None),
        ("http://ah", {"http_proxy": "p:1", "no_proxy": "h"}, "p:1"),
        ("http://h:81", {"http_proxy": "p:1", "no_proxy": "h:80"}, "p:1"),
        ("http://h:80", {"http_proxy": "p:1", "no_proxy": "H:80"}, None),
        ("http://10.1.2.3", {"http_proxy": "p:1", "no_proxy": "10.0.0.0/8"}, None),
        ("http://11.1.2.3", {"http_proxy": "p:1", "no_proxy": "10.0.0.0/8"}, "p:1"),
        ("http://[fd00::1]", {"http_proxy": "p:1", "no_proxy": "fd00::/8"}, None),
    ],
)
def test_the_environment_names_the_proxy(
    url: str, environ: dict[str, str], proxy: str | None
) -> None:
    found = proxy_for(address(url), HttpOptions(), environ)
    assert (found.netloc if found else None) == proxy
    assert proxy_for(address(url), HttpOptions(trust_env=False), environ) is None


def test_an_explicit_proxy_serves_local_addresses_too() -> None:
    found = proxy_for(address("http://localhost"), HttpOptions(proxy="p:1"), {"no_proxy": "*"})
    assert found is not None
    assert found.netloc == "p:1"


def test_a_proxy_of_another_kind_is_refused_with_its_source() -> None:
    with pytest.raises(ConfigError, match="variable ALL_PROXY: a proxy of kind 'socks5'"):
        proxy_for(address("http://h"), HttpOptions(), {"ALL_PROXY": "socks5://p:1"})
