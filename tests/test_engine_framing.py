"""How the bytes of a response are understood.

- However a response is cut into reads, its body and the arrival of every byte of it are the same
  as those an independent parser (llhttp) sees.
- Interim responses, chunk extensions, trailers and bodies without a length are read.
- Bytes behind the end are left alone and noticed.
- What is not HTTP/1.x is refused, and the refusal quotes it.
- What many answers take in memory is told about rightly, whatever the sizes of their reads.
"""

import gzip
import random
import zlib
from bisect import bisect_left

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import Failure
from steelyard.engine.capture import Capture
from steelyard.engine.content import decoded
from steelyard.engine.exchange import Exchange
from steelyard.engine.framing import BadResponse, ResponseReader
from wire_server import CHUNKED, END, chunk, ok

bodies = st.binary(max_size=300) | st.lists(
    st.sampled_from([b"data: x\n\n", b"\r\n\r\n", b"0\r\n\r\n", b"\r\n0\r\n", b"\n"]), max_size=12
).map(b"".join)


@st.composite
def chunked(draw: st.DrawFn) -> bytes:
    out = b""
    for piece in draw(st.lists(bodies.filter(bool), max_size=6)):
        size = b"%x" % len(piece) if draw(st.booleans()) else b"%04X" % len(piece)
        extension = draw(st.sampled_from([b"", b";a=b", b";a"]))
        out += size + extension + b"\r\n" + piece + b"\r\n"
    trailers = draw(st.sampled_from([b"", b"X-Sum: 1\r\n", b"A: b\r\nC: d\r\n"]))
    return out + b"0\r\n" + trailers + b"\r\n"


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """A response of any framing that ends by itself."""
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    status = draw(st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 429 Too Many Requests"]))
    more = draw(st.sampled_from([b"", b"Server: x\r\n", b"X-A:1\r\nX-A:  2 \r\n"]))
    if draw(st.booleans()):
        body = draw(bodies)
        framing, rest = b"content-length: %d\r\n" % len(body), body
    else:
        framing, rest = b"Transfer-Encoding: chunked\r\n", draw(chunked())
    return interim + status + b"\r\n" + more + framing + b"\r\n" + rest


@st.composite
def cut(draw: st.DrawFn, data: st.SearchStrategy[bytes]) -> list[bytes]:
    """Bytes as a sequence of reads."""
    whole = draw(data)
    if draw(st.integers(0, 9)) == 0:
        return [whole[k : k + 1] for k in range(len(whole))]
    places = sorted(draw(st.sets(st.integers(1, max(1, len(whole) - 1)), max_size=12)))
    pieces = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]
    return [piece for piece in pieces if piece]


class Oracle:
    """llhttp's view of the same bytes: body, and how much of it was there after each read."""

    def __init__(self) -> None:
        self.body = b""
        self.headers: dict[str, list[str]] = {}
        self.complete = False
        self._in_head = True
        self._parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers come here too
            self.headers.setdefault(name.decode().lower(), []).append(value.decode().strip())

    def on_headers_complete(self) -> None:
        self._in_head = self._parser.get_status_code() < 200

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = self._parser.get_status_code() >= 200

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)


def captured(reads: list[bytes]) -> Capture:
    """``reads`` as a connection would take them, at 1, 2, 3... ns; looks when it would look."""
    capture = Capture("POST")
    for number, data in enumerate(reads, 1):
        capture.reads.append(data)
        capture.times.append(number)
        held = capture.reader.in_chunks and len(data) > 3 and not data.endswith(b"\r\n\r\n")
        if not held and capture.look():
            break
    return capture


@given(cut(responses()))
def test_any_cutting_reads_as_the_oracle_reads_it(reads: list[bytes]) -> None:
    oracle = Oracle()
    marks: list[tuple[int, int]] = []
    for number, data in enumerate(reads, 1):
        before = len(oracle.body)
        oracle.feed(data)
        if len(oracle.body) > before:
            marks.append((len(oracle.body), number))
    capture = captured(reads)
    exchange = capture.exchange(None)
    assert oracle.complete
    assert capture.reader.complete
    assert exchange.body == oracle.body
    assert exchange.marks == tuple(marks)
    assert exchange.done_ns == len(reads)
    assert capture.reusable
    assert exchange.headers == {name: ", ".join(got) for name, got in oracle.headers.items()}


@given(cut(responses()))
def test_the_first_byte_is_that_of_the_final_head(reads: list[bytes]) -> None:
    whole = b"".join(reads)
    start = whole.index(b"HTTP/1.1 ", 1) if whole.startswith(b"HTTP/1.1 100") else 0
    ends = [sum(map(len, reads[: k + 1])) for k in range(len(reads))]
    wanted = bisect_left(ends, start + 1) + 1
    assert captured(reads).exchange(None).first_byte_ns == wanted


@given(cut(responses()), st.binary(min_size=1, max_size=20))
def test_bytes_behind_the_end_change_nothing_and_forbid_reuse(
    reads: list[bytes], stray: bytes
) -> None:
    clean = captured(reads).exchange(None)
    capture = captured([*reads[:-1], reads[-1] + stray])
    capture.look()
    exchange = capture.exchange(None)
    assert (exchange.body, exchange.marks) == (clean.body, clean.marks)
    assert exchange.done_ns == clean.done_ns
    assert not capture.reusable


@given(cut(st.just(CHUNKED + chunk(b"abc") + chunk(b"defgh") + END)), st.integers(0, 200))
def test_a_prefix_is_incomplete_and_keeps_what_came(reads: list[bytes], kept: int) -> None:
    data = b"".join(reads)[:kept]
    whole = kept >= len(b"".join(reads))
    capture = captured([data] if data else [])
    assert capture.reader.complete == whole
    if not whole:
        capture.over_ns = 9
        exchange = capture.exchange(Failure(kind="broken_stream", detail="x"))
        assert b"abcdefgh".startswith(exchange.body)
        assert exchange.done_ns == 9


@given(cut(st.just(b"HTTP/1.0 200 OK\r\n\r\nall of it")))
def test_a_body_without_length_ends_with_the_connection(reads: list[bytes]) -> None:
    capture = captured(reads)
    assert not capture.reader.complete
    assert capture.reader.close()
    capture.over_ns = 99
    assert capture.exchange(None).body == b"all of it"


@given(
    st.lists(st.binary(max_size=100), min_size=1, max_size=6), st.sampled_from(["gzip", "deflate"])
)
def test_a_compressed_body_is_unpacked_read_by_read(pieces: list[bytes], coding: str) -> None:
    packer = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
    sent = [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    sent[-1] += packer.flush()
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: %s\r\n\r\n" % coding.encode())
    exchange = captured([head, *map(chunk, sent), END]).exchange(None)
    assert exchange.failure is None
    assert exchange.body == b"".join(pieces)
    ends = [sum(map(len, pieces[: k + 1])) for k in range(len(pieces))]
    assert exchange.marks == tuple((end, k + 2) for k, end in enumerate(ends) if pieces[k])


def unpacked(coding: str, body: bytes) -> Exchange:
    return captured([ok(body, f"Content-Encoding: {coding}\r\n")]).exchange(None)


def test_several_gzip_members_are_one_body() -> None:
    assert unpacked("gzip", gzip.compress(b"one ") + gzip.compress(b"two")).body == b"one two"


def test_deflate_without_the_zlib_header_is_understood() -> None:
    packer = zlib.compressobj(wbits=-15)
    assert unpacked("deflate", packer.compress(b"raw") + packer.flush()).body == b"raw"


@pytest.mark.parametrize(
    ("coding", "body", "said"),
    [
        ("gzip", gzip.compress(b"x" * 100)[:-9], "ends too early"),
        ("gzip", b"not gzip at all", "damaged"),
        ("br", b"x", "'br' is not supported"),
    ],
)
def test_a_compressed_body_that_cannot_be_unpacked_is_a_protocol_failure(
    coding: str, body: bytes, said: str
) -> None:
    failure = unpacked(coding, body).failure
    assert failure is not None
    assert failure.kind == "protocol"
    assert said in failure.detail


@given(st.binary(min_size=90, max_size=110), st.data())
def test_a_body_that_unpacks_beyond_the_limit_is_refused(body: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(body[:50]) + gzip.compress(body[50:])
    ends = [*sorted(data.draw(st.sets(st.integers(1, len(packed) - 1)))), len(packed)]
    if len(body) <= 100:
        pieces, whole = decoded(packed, ends, "gzip", limit=100)
        assert (b"".join(pieces), whole) == (body, True)
    else:
        with pytest.raises(BadResponse, match="more than 100 bytes"):
            decoded(packed, ends, "gzip", limit=100)


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    reader = ResponseReader("POST")
    assert reader.feed(b"HTTP/1.1 %d None\r\nContent-Length: 5\r\n\r\n" % status)


def test_an_answer_to_head_has_no_body() -> None:
    assert ResponseReader("HEAD").feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")


def test_a_chunk_size_may_be_followed_by_spaces_and_extensions() -> None:
    reads = [CHUNKED + b"3 \r\nabc\r\n3 ; key=value\r\ndef\r\n" + END]
    assert captured(reads).exchange(None).body == b"abcdef"


def test_lines_of_the_head_may_end_in_a_bare_newline() -> None:
    exchange = captured([b"HTTP/1.1 200 OK\nContent-Length: 6\nA: b\n\nx\r\n\r\ny"]).exchange(None)
    assert exchange.headers["a"] == "b"
    assert exchange.body == b"x\r\n\r\ny"


def test_a_status_line_may_lack_its_reason() -> None:
    exchange = captured([b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"]).exchange(None)
    assert (exchange.status, exchange.reason) == (200, "")


@pytest.mark.parametrize(
    ("head", "alive"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", True),
    ],
)
def test_keep_alive_is_as_the_server_says(head: bytes, alive: bool) -> None:
    assert captured([head + b"Content-Length: 0\r\n\r\n"]).reusable == alive


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "starts with 'SSH-2.0-OpenSSH_9.6"),
        (b"\x15\x03\x03\x00\x02\x02\x50", "the service speaks TLS on this port"),
        (b"HTTP/2 200 OK\r\n\r\n", "starts with 'HTTP/2 200 OK"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "starts with 'HTTP/1.1 abc OK"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "not a header line: ' folded'"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not a header line: 'no colon'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\n", "'3, 4' is not a length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", "'-3' is not a length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", "is more than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "'gzip' is not supported"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "another protocol"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, "longer than 65,536 bytes"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", "longer than 65,536 bytes"),
        (CHUNKED + b"zz\r\n", "not a usable chunk size: 'zz'"),
        (CHUNKED + b"-1\r\n", "not a usable chunk size: '-1'"),
        (CHUNKED + b"\r\n", "not a usable chunk size: ''"),
        (CHUNKED + b"3\nabc", "not a usable chunk size"),
        (CHUNKED + b"fffffffffff\r\n", "not a usable chunk size"),
        (CHUNKED + b"1" * 5000, "not a usable chunk size"),
        (CHUNKED + b"3\r\nabcdef", "a chunk is longer than its size: 'def'"),
        (CHUNKED + b"0\r\nA: " + b"x" * 70_000, "trailers are longer than 65,536 bytes"),
    ],
)
def test_what_is_not_http_is_refused_and_quoted(data: bytes, said: str) -> None:
    reader = ResponseReader("POST")
    with pytest.raises(BadResponse) as refusal:
        reader.feed(data)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"HTTP/1.1 200", "the connection ended in the response head, after 12 bytes"),
        (ok(b"0123456789")[:-4], "the answer ended after 6 of 10 bytes"),
        (
            CHUNKED + chunk(b"data: 1\n\n") * 2 + b"5\r\nda",
            "the stream ended after 2 events/20 bytes without its end",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "the answer ended after 3 bytes without its end",
        ),
    ],
)
def test_what_is_missing_is_said(data: bytes, said: str) -> None:
    reader = ResponseReader("POST")
    assert not reader.feed(data)
    assert not reader.close()
    assert reader.broken() == said


@given(st.binary(max_size=200))
def test_garbage_never_breaks_the_reader(data: bytes) -> None:
    for prefix in (b"", b"HTTP/1.1 200 OK\r\n", CHUNKED, CHUNKED + b"5\r\n"):
        reader = ResponseReader("POST")
        try:
            reader.feed(prefix + data)
        except BadResponse:
            continue
        reader.close()
        assert reader.complete or reader.broken()


@pytest.mark.parametrize(
    "sizes", [[5, 60_000], [60_000, 5], [7, 7, 9000], [70] * 20, [3] * 9 + [5000]]
)
@pytest.mark.parametrize("number", [1, 15, 17, 400, 1001])
def test_memory_is_told_about_rightly_over_many_answers(sizes: list[int], number: int) -> None:
    reads = [bytes(sizes[place % len(sizes)]) for place in range(number)]
    chance = random.Random(1)
    told = 0
    for _ in range(300):
        capture = Capture("POST")
        capture.reads, capture.times = reads, [chance.randrange(10**15) for _ in reads]
        told += capture.size_bytes
    held = sum(map(len, reads)) + 128 * number + 4096
    assert told / 300 == pytest.approx(held, rel=0.35)
