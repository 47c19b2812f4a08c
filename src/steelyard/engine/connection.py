"""One connection: sends a request, keeps what is read, and says when the answer is complete.

What happens per read, in a ``Receiver`` or in ``data_received``: the arrival and the bytes are
appended to the capture and, once a chunked body has begun, the last four bytes looked at. When more
is to be done (a head has come, a body may be complete) it waits in a ``ParseQueue``, a little of
which is done in each turn of the event loop: other connections are read first, however many answers
end at once. One future per request, nothing else.
"""

import asyncio
from collections import deque
from time import monotonic_ns
from typing import cast

from steelyard.core import Failure, FailureKind
from steelyard.engine.capture import Capture
from steelyard.engine.framing import BODY_LIMIT, BadResponse
from steelyard.engine.receiver import Inlet, Receiver

_LINE_ENDS = b"\r\n\r\n"
_CHUNK_END = b"\n\r\n"
_ZERO_CHUNK = b"0\r\n\r\n"
_LAST_CHUNK = _CHUNK_END + _ZERO_CHUNK
_QUIET_NS = 1_000_000_000

SHORT_PORTION_NS = 300_000
LONG_PORTION_NS = 2_000_000


class ParseQueue:
    """Connections with reads to be parsed, in the order in which they were read.

    A turn of the event loop parses for about ``portion_ns``, and one connection at least. Where the
    event loop says when bytes arrive, that is how late it may say so.
    """

    def __init__(self, portion_ns: int = SHORT_PORTION_NS) -> None:
        self._portion_ns = portion_ns
        self._waiting: deque[Connection] = deque()

    def add(self, connection: "Connection") -> None:
        """Have ``connection`` parsed soon."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        self._waiting.append(connection)

    def _turn(self) -> None:
        waiting, enough_ns = self._waiting, monotonic_ns() + self._portion_ns
        while waiting:
            waiting.popleft().parse()
            if monotonic_ns() > enough_ns:
                break
        if waiting:
            asyncio.get_running_loop().call_soon(self._turn)


class Connection(asyncio.Protocol):
    """A client's end of one connection; one exchange at a time."""

    def __init__(self, queue: ParseQueue) -> None:
        self._queue = queue
        self._queued = False
        self.transport: asyncio.Transport | None = None
        self.idle_ns = 0
        """When the last exchange ended."""
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._answered: asyncio.Future[Failure | None] | None = None
        self._asked = False
        """From ``begin`` to ``finish``: what comes belongs to an answer."""
        self._receiver: Receiver | None = None
        self._descriptor = -1
        """Of the socket that ``_receiver`` reads."""
        self._trouble: Exception | None = None
        """What the receiver met."""
        self._open_capture("GET")

    def _open_capture(self, method: str) -> None:
        self._capture = Capture(method)
        self._expect(in_chunks=False, in_events=False)

    def _expect(self, *, in_chunks: bool, in_events: bool) -> None:
        """Say where the next reads go, and which of them need a look."""
        self._in_events = in_events
        capture = self._capture
        self._inlet = Inlet(capture.times, capture.reads, in_chunks, capture.sent_ns)
        if self._receiver is not None:
            self._receiver.into(self._descriptor, self._inlet)

    @property
    def usable(self) -> bool:
        """Connected, as far as is known, and nothing came that was not asked for."""
        connected = self.transport is not None and not self.transport.is_closing()
        return connected and not self._capture.reads

    @property
    def _unsent(self) -> bool:
        """The service answered before it had taken the whole request."""
        return self.transport is not None and self.transport.get_write_buffer_size() > 0

    def begin(self, payload: bytes, method: str) -> asyncio.Future[Failure | None]:
        """Send a request. The future tells when the answer is complete, or what went wrong."""
        answered = self._answered = self._loop.create_future()
        self._asked = True
        self._open_capture(method)
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(payload)
        else:
            self.fail("broken_stream", "the connection was closed before the request was sent")
        return answered

    def finish(self) -> Capture:
        """What the exchange brought. Afterwards the connection is ready for another, or closed."""
        capture = self._capture
        if not capture.reusable or self._unsent:
            self.drop()
        self._asked = False
        self.idle_ns = capture.times[-1] if capture.times else capture.sent_ns
        self._open_capture("GET")
        return capture

    def fail(self, kind: FailureKind, detail: str) -> None:
        """End the running exchange with a failure and the connection with it."""
        self._capture.over_ns = monotonic_ns()
        self._settle(Failure(kind=kind, detail=detail))
        self.drop()

    def drop(self) -> None:
        """Close at once."""
        self._read_no_more()
        if self.transport is not None:
            self.transport.abort()

    async def dropped(self) -> None:
        """Close at once and wait until the socket is released."""
        self.drop()
        await self._gone

    def inspect(self, now_ns: int) -> None:
        """Look after rare things: an end that hid from ``data_received``, a flood.

        Bytes behind the end of a chunked body can hide it; such a stream has gone quiet.
        """
        if self._answered is None:
            return
        times = self._capture.times
        if times and now_ns - times[-1] > _QUIET_NS:
            self._look()
        elif self._capture.overgrown:
            self.fail("protocol", f"the answer is longer than {BODY_LIMIT:,} bytes")

    def expire(self, detail: str) -> None:
        """The limit is over: a failure, unless the end did come and was not noticed."""
        if self._answered is not None:
            self._look()
        if self._answered is not None:
            received = sum(map(len, self._capture.reads))
            self.fail("timeout", f"{detail} ({received:,} bytes received)")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self.transport = cast(asyncio.Transport, transport)

    def read_by(self, receiver: Receiver) -> None:
        """Have ``receiver`` read instead of the event loop."""
        if self.transport is None or self.transport.is_closing():
            return
        self.transport.pause_reading()
        sock = self.transport.get_extra_info("socket")
        receiver.add(sock, self, self._inlet)
        self._receiver, self._descriptor = receiver, sock.fileno()

    def _read_no_more(self) -> None:
        if self._receiver is not None:
            self._receiver.remove(self._descriptor)
            self._receiver = None

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``. Not called while a ``Receiver`` reads."""
        times, reads, quiet, _ = self._inlet
        times.append(monotonic_ns())
        reads.append(data)
        if not (quiet and _completes_nothing(data)):
            self.came()

    def came(self) -> None:
        """The last read is not just a piece of a stream: the answer may be whole."""
        if not self._capture.reads:  # told again of an answer that is over
            return
        data = self._capture.reads[-1]
        if self._in_events and (data.endswith(_LAST_CHUNK) or self._last_chunk_alone(data)):
            # Events end so and hold nothing like it. Whether it is so is seen when they are read.
            self._settle(None)
        elif not self._queued:
            self._queued = True
            self._queue.add(self)

    def ended(self, trouble: OSError | None) -> None:
        """The receiver says that no more will come."""
        self._trouble = trouble
        self.drop()

    def _last_chunk_alone(self, data: bytes) -> bool:
        """Servers also write the last chunk by itself."""
        reads = self._capture.reads
        return data == _ZERO_CHUNK and len(reads) > 1 and reads[-2].endswith(_CHUNK_END)

    def parse(self) -> None:
        """Parse what came, when the ``ParseQueue`` says so."""
        self._queued = False
        capture = self._capture
        if not capture.unparsed:
            return
        if self._answered is None:
            if not self._asked:  # else they are an answer's that ended while it waited
                self.drop()
            return
        try:
            begins = capture.look_for_head()
        except BadResponse as error:
            self.fail("protocol", str(error))
            return
        reader = capture.reader
        goes_on = reader.in_kept_events and not reader.complete
        if begins and goes_on and _completes_nothing(capture.reads[-1]):
            # The events behind the head are parsed when the answer is: there may be many of them
            # by now, and many answers that have just begun.
            self._expect(in_chunks=True, in_events=True)
        else:
            self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        exc = exc or self._trouble
        if self._receiver is not None:  # writing failed; an answer may have come before
            self._receiver.read()
            self._read_no_more()
        if self._answered is not None:
            self._look()
        if self._answered is not None:
            self._capture.over_ns = monotonic_ns()
            reader = self._capture.reader
            if exc is None and reader.close():
                self._settle(None)
            else:
                self._settle(Failure(kind="broken_stream", detail=self._broken(exc)))
        self._gone.set_result(None)

    def _look(self) -> None:
        """Parse what came; settle the exchange when that completes or spoils it."""
        try:
            if self._capture.look():
                self._settle(None)
            else:
                reader = self._capture.reader
                self._expect(in_chunks=reader.in_chunks, in_events=reader.in_kept_events)
        except BadResponse as error:
            self.fail("protocol", str(error))

    def _settle(self, failure: Failure | None) -> None:
        answered, self._answered = self._answered, None
        self._expect(in_chunks=False, in_events=False)
        if answered is not None and not answered.done():
            answered.set_result(failure)

    def _broken(self, exc: Exception | None) -> str:
        detail = "the connection was closed before any byte of an answer came"
        if self._capture.reads:
            detail = self._capture.reader.broken()
        return f"{detail} (connection reset)" if exc is not None else detail


def _completes_nothing(data: bytes) -> bool:
    """Whether a read in the midst of chunks is just a piece of them. Tiny ones may be an end's."""
    return len(data) > 3 and not data.endswith(_LINE_ENDS)
