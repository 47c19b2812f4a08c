"""What it takes to reach a service: addresses, names, credentials.

- Every way in which no connection comes about is told in words a person can act on.
- IPv4 and IPv6, path prefixes, user and password in the base URL work.
- A key is sent and appears nowhere else; nothing can break out of a header.
"""

import asyncio
import socket
import time

import pytest

from steelyard.core import ConfigError, Failure, Load
from steelyard.engine import Exchange, HttpClient, HttpOptions, HttpRequest, run
from steelyard.engine.address import address
from steelyard.engine.dial import Dialer, Route
from steelyard.engine.request_bytes import RequestBytes
from wire_server import HANG, READ, ok, one_of, playing

OK = ok(b"{}")


def test_nothing_listening_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = run(one_of(f"http://127.0.0.1:{port}"))
    assert found.failure == Failure(
        kind="refused", detail=f"nothing listens on 127.0.0.1:{port} (connection refused)"
    )
    assert found.done_ns >= found.sent_ns
    assert found.status == 0


def test_an_unknown_host_is_named() -> None:
    found = run(one_of("http://no-such-host.invalid:80")).failure
    assert found is not None
    assert found.kind == "connect"
    assert found.detail.startswith('host name "no-such-host.invalid" cannot be resolved')


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".b"])
def test_what_can_be_no_host_name_is_named(host: str) -> None:
    found = run(one_of(f"http://{host}")).failure
    assert found is not None
    assert found.kind == "connect"
    assert found.detail.startswith(f'host name "{host}" cannot be resolved')


def test_one_look_up_serves_all_who_wait_for_it() -> None:
    async def main() -> float:
        client = HttpClient(HttpOptions(base_url="http://no-such-host.invalid"), load=Load())
        began = time.monotonic()
        await client.send(HttpRequest("/"))
        alone = time.monotonic() - began
        found = await asyncio.gather(*(client.send(HttpRequest("/")) for _ in range(100)))
        assert {one.failure.kind for one in found if one.failure} == {"connect"}
        return (time.monotonic() - began) / max(alone, 0.05)

    assert run(main()) < 20


def test_a_name_behind_which_nothing_listens_is_refused_every_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def main() -> set[str]:
        client = HttpClient(HttpOptions(base_url=f"http://localhost:{port}"), load=Load())
        kinds = set()
        for _ in range(20):
            found = await asyncio.gather(*(client.send(HttpRequest("/")) for _ in range(16)))
            kinds |= {one.failure.kind for one in found if one.failure}
        return kinds

    assert run(main()) == {"refused"}


def test_a_host_that_swallows_connections_runs_into_the_connection_limit() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        held = [socket.socket() for _ in range(4)]
        for one in held:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        found = run(one_of(f"http://127.0.0.1:{port}", connect_timeout_s=0.3)).failure
        for one in held:
            one.close()
    assert found == Failure(
        kind="connect", detail=f"no connection to 127.0.0.1:{port} within 0.3 s"
    )


def test_the_limit_for_an_attempt_holds_while_connecting() -> None:
    async def main() -> Exchange:
        async with playing([HANG]) as wire:
            options = HttpOptions(base_url=f"https://127.0.0.1:{wire.port}")
            http = HttpClient(options, load=Load(timeout_s=0.2))
            found = await http.send(HttpRequest("/"))
            await http.close()
            return found

    found = run(main())
    assert found.failure is not None
    assert found.failure.detail.endswith("within 0.2 s")
    assert (found.done_ns - found.sent_ns) / 1e9 < 1


def test_the_addresses_of_a_name_are_tried_in_turn_and_the_good_one_is_kept() -> None:
    async def main() -> None:
        async with playing([HANG]) as wire:
            dialer = Dialer(Route(address(f"name:{wire.port}"), None, None), 5)
            dialer._hosts = ["::1", "127.0.0.1"]  # as a look-up of the name would leave them
            connection = await dialer.open(5)
            assert dialer._hosts == ["127.0.0.1", "::1"]
            await connection.dropped()

    run(main())


def test_an_ipv6_literal_is_an_address() -> None:
    async def main() -> bytes:
        async with playing([READ, OK], host="::1") as wire:
            assert (await one_of(f"http://[::1]:{wire.port}/a")).status == 200
            assert f"Host: [::1]:{wire.port}".encode() in wire.requests[0]
            return wire.requests[0]

    assert run(main()).startswith(b"POST /a/v1/x HTTP/1.1\r\n")


def client(url: str = "http://h", **options: object) -> HttpClient:
    return HttpClient(HttpOptions(base_url=url, **options), load=Load())


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://h:1", "/v1/models"),
        ("h", "/v1/models"),
        ("https://h/x/y/", "/x/y/v1/models"),
        ("http://h/x", "/x/v1/models"),
        ("http://h/ä b", "/%C3%A4%20b/v1/models"),
        ("http://h/x?api-version=1", "/x/v1/models?api-version=1"),
    ],
)
def test_targets_stand_below_the_base_url(url: str, target: str) -> None:
    assert client(url).path("v1/models") == target


@pytest.mark.parametrize(
    "url", ["", "ftp://h", "http://", "http://h:99999", "http://h:x", "h#a", "a b"]
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected http://host:port/path"):
        client(url)


def test_a_missing_key_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_KEY", raising=False)
    with pytest.raises(ConfigError, match="environment variable NO_KEY"):
        client(api_key_env="NO_KEY")


@pytest.mark.parametrize("key", ["sk-1\n", "sk-\r\nX: y", " sk-1"])
def test_a_key_that_would_break_the_head_is_refused_and_not_shown(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", key)
    with pytest.raises(ConfigError) as refusal:
        client(api_key_env="SOME_KEY")
    assert "sk-" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("A", "b\r\nC: d"), ("A\r\n", "b"), ("A b", "c"), ("Content-Length", "3"), ("A", "\u4e2d")],
)
def test_a_header_that_would_break_the_head_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match="header"):
        client(headers={name: value})


def test_secrets_are_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    options: dict[str, object] = {"api_key_env": "SOME_KEY", "headers": {"X-Token": "sk-other"}}

    async def main() -> tuple[bytes, Exchange, str]:
        async with playing([READ, b"sk-secret is not HTTP", HANG]) as wire:
            url = f"http://user:sk-third@127.0.0.1:{wire.port}"
            found = await one_of(url, **options)
            asker = client(url, **options)
            assert asker.redacted("you sent sk-secret") == "you sent ***"
            shown = repr(asker) + repr(HttpOptions(base_url=url, **options))
            return wire.requests[0], found, shown

    sent, found, shown = run(main())
    assert b"Authorization: Bearer sk-secret\r\n" in sent
    assert b"X-Token: sk-other\r\n" in sent
    assert found.failure is not None
    assert "it starts with '*** is not HTTP'" in found.failure.detail
    assert "sk-" not in shown + found.failure.detail


def test_user_and_password_of_the_url_are_sent() -> None:
    async def main() -> bytes:
        async with playing([READ, OK]) as wire:
            await one_of(f"http://me:p%40ss@127.0.0.1:{wire.port}")
            return wire.requests[0]

    assert b"Authorization: Basic bWU6cEBzcw==\r\n" in run(main())


def test_a_header_of_the_request_replaces_the_clients() -> None:
    request = HttpRequest("/", b"x", headers=(("content-type", "text/plain"), ("X-A", "b")))
    sent = RequestBytes(HttpOptions(), Route(address("h"), None, None)).payload(request)
    assert b"\r\ncontent-type: text/plain\r\nX-A: b\r\n" in sent
    assert b"application/json" not in sent


def test_a_target_that_would_break_the_request_line_is_refused() -> None:
    with pytest.raises(ConfigError, match="target"):
        RequestBytes(HttpOptions(), Route(address("h"), None, None)).payload(HttpRequest("/a b"))
