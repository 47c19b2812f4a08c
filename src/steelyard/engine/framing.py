"""HTTP/1.x responses out of bytes, however the bytes are cut. No I/O, no clock.

A ``ResponseReader`` is fed what was read and says when the response is complete. Its work is
linear in the bytes, and nothing but unfinished lines is held back. It refuses (``BadResponse``)
what is not HTTP; what is missing when a connection ends too early, ``broken`` says.

Offsets: *raw* counts bytes of the connection since the response began, *body* counts bytes of the
body without framing. ``body_offsets`` maps the one to the other.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

import msgspec

HEAD_LIMIT = 65_536
"""Longest response head, and longest trailer section, in bytes."""

SIZE_LINE_LIMIT = 4096
"""Longest line with the size of a chunk and its extensions, in bytes."""

BODY_LIMIT = 256 * 2**20
"""Longest body that is kept, in bytes; a service that sends more is broken."""

_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (.*))?")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)

_CHUNKED = -1
_UNTIL_CLOSE = -2


class BadResponse(Exception):
    """The bytes are not an HTTP/1.x response; the message quotes what was found."""


class Head(msgspec.Struct, frozen=True):
    """Status line and headers of one response."""

    status: int
    reason: str
    minor: int
    """Minor version: 0 or 1."""
    headers: dict[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether the server means to take another request on this connection."""
        said = self.headers.get("connection", "").lower()
        return "close" not in said if self.minor else "keep-alive" in said


def quoted(data: bytes) -> str:
    """The start of ``data`` the way a message shows it."""
    return repr(data[:60])[1:] + ("…" if len(data) > 60 else "")


def parse_head(raw: bytes) -> Head:
    """The head in ``raw``, which ends before the blank line. Lines may end in a bare newline."""
    lines = raw.decode("latin-1").replace("\r\n", "\n").split("\n")
    found = _STATUS_LINE.fullmatch(lines[0])
    if found is None:
        raise BadResponse(_not_http(raw))
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadResponse(f"not a header line: {quoted(line.encode('latin-1'))}")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(int(found[2]), found[3] or "", int(found[1]), headers)


def _body_length(head: Head, method: str) -> int:
    """Bytes of the body that follows ``head``, or one of the two marks above."""
    if method == "HEAD" or head.status in (204, 304) or (method == "CONNECT" and head.status < 300):
        return 0
    coding = head.headers.get("transfer-encoding", "").lower()
    if coding == "chunked":
        return _CHUNKED
    if coding not in ("", "identity"):
        raise BadResponse(f"transfer-encoding {coding!r} is not supported")
    stated = head.headers.get("content-length")
    if stated is None:
        return _UNTIL_CLOSE
    values = {value.strip() for value in stated.split(",")}
    length = values.pop()
    if values or not (length.isascii() and length.isdigit() and len(length) < 16):
        raise BadResponse(f"content-length {stated!r} is not a length")
    if int(length) > BODY_LIMIT:
        raise BadResponse(f"an answer of {int(length):,} bytes is more than {BODY_LIMIT:,}")
    return int(length)


@lru_cache(maxsize=1024)
def _chunk_size(line: bytes) -> int:
    found = _CHUNK_SIZE.fullmatch(line) if len(line) <= SIZE_LINE_LIMIT else None
    if found is None or int(found[1], 16) > BODY_LIMIT:
        raise BadResponse(f"not a usable chunk size: {quoted(line)}")
    return int(found[1], 16)


class ResponseReader:
    """One response, taken piece by piece."""

    __slots__ = (
        "_at",
        "_bases",
        "_left",
        "_length",
        "_method",
        "_rest",
        "_size",
        "_starts",
        "complete",
        "end",
        "head",
        "head_start",
        "parts",
    )

    def __init__(self, method: str) -> None:
        self.head: Head | None = None
        self.head_start = 0
        """Raw offset of the final head's first byte (behind interim 1xx heads)."""
        self.parts: list[bytes] = []
        """The body, in pieces."""
        self.complete = False
        self.end = 0
        """Raw offset behind the response, once it is complete."""
        self._method = method
        # Stretches of content: raw offset and body offset of each one's first byte.
        self._starts: list[int] = []
        self._bases: list[int] = []
        self._size = 0  # of the body so far
        self._at = 0  # raw offset of the first byte not used up
        self._rest = b""  # an unfinished line, from there on
        self._length = 0
        self._left = 0  # missing of the counted body, or of the open chunk with its line end

    @property
    def in_chunks(self) -> bool:
        """A chunked body has begun: unless cut or followed by strays, it ends in two line ends."""
        return self._length == _CHUNKED

    @property
    def in_kept_events(self) -> bool:
        """A chunked stream of events has begun, on a connection that is kept afterwards."""
        head = self.head
        if head is None or self._length != _CHUNKED or not head.keeps_alive:
            return False
        return "event-stream" in head.headers.get("content-type", "")

    def feed(self, data: bytes) -> bool:
        """Take further bytes; whether the response is complete. Bytes behind its end are left."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if self.head is None:
            data = self._read_heads(data)
            if self.head is None:
                return False
        if self._length == _CHUNKED:
            self._read_chunks(data)
        elif self._length == _UNTIL_CLOSE:
            self._take(data, 0, len(data))
            self._at += len(data)
        else:
            self._read_counted(data)
        return self.complete

    @property
    def keeps_alive(self) -> bool:
        """Whether the server means to take another request on this connection."""
        if not self.complete or self.head is None:
            return False
        return self.head.keeps_alive or self._method == "CONNECT"

    def close(self) -> bool:
        """The connection ended in an orderly way; whether that completes the response."""
        if self.head is not None and self._length == _UNTIL_CLOSE:
            self._finish(0)
        return self.complete

    def broken(self) -> str:
        """What is missing, in words, when nothing more will come."""
        if self.head is None:
            held = len(self._rest)
            return f"the connection ended in the response head, after {held} bytes"
        size = self._size
        if self._length >= 0:
            return f"the answer ended after {size:,} of {self._length:,} bytes"
        if "event-stream" in self.head.headers.get("content-type", ""):
            blank = b"".join(self.parts).replace(b"\r\n", b"\n").count(b"\n\n")
            return f"the stream ended after {blank:,} events/{size:,} bytes without its end"
        return f"the answer ended after {size:,} bytes without its end"

    def body_offsets(self, ends: Iterable[int]) -> list[int]:
        """How much of the body was there at each raw offset."""
        starts, bases = self._starts, [*self._bases, self._size]
        offsets = []
        for end in ends:
            k = bisect_right(starts, end) - 1
            offsets.append(min(bases[k] + end - starts[k], bases[k + 1]) if k >= 0 else 0)
        return offsets

    def _read_heads(self, data: bytes) -> bytes:
        """Read up to and with the final head; return what follows it."""
        while True:
            if not data.startswith(b"HTTP/1.") and not b"HTTP/1.".startswith(data):
                raise BadResponse(_not_http(data))
            crlf = data.find(b"\r\n\r\n")
            bare = data.find(b"\n\n", 0, crlf if crlf >= 0 else len(data))
            stop = max(crlf, bare) if bare < 0 else bare
            if stop > HEAD_LIMIT or (stop < 0 and len(data) > HEAD_LIMIT):
                raise BadResponse(f"the response head is longer than {HEAD_LIMIT:,} bytes")
            if stop < 0:
                self._rest = data
                return b""
            head = parse_head(data[:stop])
            self.head_start = self._at
            used = stop + (2 if bare >= 0 else 4)
            self._at += used
            data = data[used:]
            if head.status == 101:
                raise BadResponse("the service switched to another protocol (status 101)")
            if head.status >= 200:
                self.head = head
                self._length = self._left = _body_length(head, self._method)
                return data

    def _read_counted(self, data: bytes) -> None:
        used = min(self._left, len(data))
        self._take(data, 0, used)
        self._left -= used
        if self._left:
            self._at += used
        else:
            self._finish(used)

    def _read_chunks(self, data: bytes) -> None:
        pos = 0
        if self._left > 0:
            pos = self._fill_chunk(data, 0)
        while (eol := data.find(b"\r\n", pos)) >= 0:
            size = _chunk_size(data[pos:eol])
            start = eol + 2
            stop = start + size
            if data[stop : stop + 2] == b"\r\n":
                if not size:
                    self._finish(stop + 2)
                    return
                self._take(data, start, stop)
                pos = stop + 2
            elif size:
                self._left = size + 2
                pos = self._fill_chunk(data, start)
            else:
                self._read_trailers(data, pos)
                return
        self._at += pos
        rest = self._rest = data[pos:]
        if b"\n" in rest or len(rest) > SIZE_LINE_LIMIT:
            raise BadResponse(f"not a usable chunk size: {quoted(rest)}")

    def _read_trailers(self, data: bytes, pos: int) -> None:
        """``data`` holds, from ``pos``, the last chunk's size line and fields after it."""
        stop = data.find(b"\r\n\r\n", pos)
        if stop >= 0:
            self._finish(stop + 4)
        elif len(data) - pos > HEAD_LIMIT:
            raise BadResponse(f"trailers are longer than {HEAD_LIMIT:,} bytes")
        else:
            self._at += pos
            self._rest = data[pos:]

    def _fill_chunk(self, data: bytes, pos: int) -> int:
        """Take what ``data`` has, from ``pos``, of the open chunk; return where it stops."""
        if self._left > 2:
            stop = min(pos + self._left - 2, len(data))
            self._take(data, pos, stop)
            self._left -= stop - pos
            pos = stop
        if self._left <= 2:
            line_end = data[pos : pos + self._left]
            if not b"\r\n"[-self._left :].startswith(line_end):
                raise BadResponse(f"a chunk is longer than its size: {quoted(data[pos:])}")
            self._left -= len(line_end)
            pos += len(line_end)
        return pos

    def _take(self, data: bytes, start: int, stop: int) -> None:
        if stop > start:
            self._starts.append(self._at + start)
            self._bases.append(self._size)
            self.parts.append(data[start:stop])
            self._size += stop - start

    def _finish(self, used: int) -> None:
        self.complete = True
        self.end = self._at + used


def _not_http(data: bytes) -> str:
    if data[:2] in (b"\x15\x03", b"\x16\x03"):
        return "not an HTTP response: the service speaks TLS on this port (use https://)"
    return f"not an HTTP response: it starts with {quoted(data)}"
