"""A plain client for the tests of the simulated endpoint, made of the standard library."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CHAT = "/v1/chat/completions"
TEXT = "/v1/completions"


class Got(NamedTuple):
    """A response."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The JSON events of a stream; ``[DONE]`` as that string."""
        return [
            text if text == "[DONE]" else json.loads(text)
            for text in (
                block.removeprefix("data:").strip()
                for block in self.body.decode().split("\n\n")
                if block
            )
        ]


def chat(question: str, **fields: Any) -> dict[str, Any]:
    """The body of a chat request."""
    return {"messages": [{"role": "user", "content": question}], **fields}


def post(
    url: str,
    path: str,
    body: Any,
    *,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    timeout_s: float = 20,
) -> Got:
    """Send ``body`` as JSON (bytes as they are) and read the whole response."""
    return _asked(url, "POST", path, body, headers=headers, tls=tls, timeout_s=timeout_s)


def get(url: str, path: str, *, headers: Mapping[str, str] | None = None) -> Got:
    """Read a page."""
    return _asked(url, "GET", path, b"", headers=headers, tls=None, timeout_s=20)


def stats(url: str) -> Any:
    """What the endpoint counted."""
    return get(url, "/sim/stats").json


def content(reply: Any) -> str:
    """The text of a chat completion."""
    return reply["choices"][0]["message"]["content"]


def streamed(events: list[Any], field: str = "content") -> str:
    """The text of a chat stream."""
    deltas = [
        choice["delta"] for event in events if event != "[DONE]" for choice in event["choices"]
    ]
    return "".join(delta.get(field) or "" for delta in deltas)


def request_bytes(path: str, body: Any) -> bytes:
    """A chat or other POST request as bytes."""
    data = json.dumps(body).encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
    )


def connected(url: str) -> socket.socket:
    """A bare connection."""
    where = urlsplit(url)
    return socket.create_connection((where.hostname, where.port), timeout=20)


def until_closed(plug: socket.socket) -> tuple[bytes, bool]:
    """Everything that still comes, and whether the connection was reset."""
    got = b""
    while True:
        try:
            part = plug.recv(65536)
        except ConnectionResetError:
            return got, True
        if not part:
            return got, False
        got += part


def _asked(
    url: str,
    method: str,
    path: str,
    body: Any,
    *,
    headers: Mapping[str, str] | None,
    tls: ssl.SSLContext | None,
    timeout_s: float,
) -> Got:
    where = urlsplit(url)
    assert where.hostname
    connection = (
        http.client.HTTPSConnection(where.hostname, where.port, timeout=timeout_s, context=tls)
        if tls
        else http.client.HTTPConnection(where.hostname, where.port, timeout=timeout_s)
    )
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request(method, path, data, dict(headers or {}))
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Got(response.status, named, response.read())
    finally:
        connection.close()
