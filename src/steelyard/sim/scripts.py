"""From a reply to the script that writes it: framing, timing and what breaks on the way."""

from collections.abc import Callable, Iterator
from itertools import islice, repeat
from random import Random

import msgspec

from steelyard.sim import framing
from steelyard.sim.ask import Ask, Refused
from steelyard.sim.delivery import Ending, Script
from steelyard.sim.faults import Fault
from steelyard.sim.latency import Distribution
from steelyard.sim.output import Output
from steelyard.sim.wire import Wire

_GARBAGE = b"<!doctype html><title>steelyard-sim</title><p>Simulated fault: this is not JSON.</p>\n"
_DRIP_NS = 20_000_000
_DRIPS_PER_S = 1_000_000_000 // _DRIP_NS


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides the bytes of one reply."""

    number: int
    wire: Wire
    ask: Ask
    output: Output
    per_write: int
    """Tokens of a stream that leave in one write."""


class Pace(msgspec.Struct, frozen=True):
    """When the bytes of one reply are written."""

    ttft_ns: int
    itl: Distribution
    random: Random

    def gap_ns(self, tokens: int) -> Callable[[], int]:
        """Draws the time that ``tokens`` tokens take."""
        fixed, draw, random = self.itl.constant, self.itl.draw, self.random
        if fixed is not None:
            return repeat(fixed * tokens).__next__
        return lambda: sum(draw(random) for _ in range(tokens))

    def whole_ns(self, tokens: int) -> int:
        """Start to last token."""
        return self.ttft_ns + (self.gap_ns(tokens - 1)() if tokens > 1 else 0)


def script(reply: Reply, pace: Pace, fault: Fault | None) -> Script:
    """How ``reply`` is written, or what is written instead of it."""
    way = fault.way if fault else None
    if fault is None or way in ("reset", "truncate"):
        made = _stream if reply.ask.stream else _whole
        return made(reply, pace, way)
    if fault.way == "status":
        return Script(pieces=iter((_failure(reply, fault),)), gap_ns=_no_gap)
    if fault.way == "hang":
        return Script(pieces=iter(()), gap_ns=_no_gap, ending="never")
    if fault.way == "slow":
        size = max(1, round(fault.bytes_per_s / _DRIPS_PER_S))
        drips = _slices(_everything(reply), size)
        return Script(delay_ns=pace.ttft_ns, pieces=drips, gap_ns=repeat(_DRIP_NS).__next__)
    instead = framing.response(200, _GARBAGE, framing.HTML)
    if fault.way == "empty":
        body = reply.wire.empty(reply.ask, reply.number)
        kind = framing.EVENTS if reply.ask.stream else framing.JSON
        instead = framing.response(200, body, kind)
    return Script(delay_ns=pace.ttft_ns, pieces=iter((instead,)), gap_ns=_no_gap)


def _failure(reply: Reply, fault: Fault) -> bytes:
    refused = Refused(fault.status, f"simulated fault: status {fault.status}")
    more = [] if fault.retry_after_s is None else [("Retry-After", f"{fault.retry_after_s:g}")]
    return framing.response(fault.status, reply.wire.error(refused), framing.JSON, *more)


def _whole(reply: Reply, pace: Pace, way: str | None) -> Script:
    body = reply.wire.whole(reply.ask, reply.output, reply.number)
    data = framing.response(200, body)
    return Script(
        delay_ns=pace.whole_ns(reply.output.tokens),
        pieces=iter((data[: len(data) - len(body) // 2] if way else data,)),
        gap_ns=_no_gap,
        ending=_ending(way),
    )


def _stream(reply: Reply, pace: Pace, way: str | None) -> Script:
    steps = reply.wire.steps(reply.ask, reply.output, reply.number)
    pieces = framing.chunks(steps, reply.per_write)
    if way:
        writes = -(-max(1, reply.output.tokens) // reply.per_write)
        pieces = _first(pieces, writes // 2, torn=way == "truncate")
    return Script(
        delay_ns=pace.ttft_ns,
        opening=framing.STREAM_HEAD,
        pieces=pieces,
        gap_ns=pace.gap_ns(reply.per_write),
        closing=b"" if way else framing.END,
        ending=_ending(way),
    )


def _everything(reply: Reply) -> bytes:
    if not reply.ask.stream:
        return framing.response(200, reply.wire.whole(reply.ask, reply.output, reply.number))
    steps = reply.wire.steps(reply.ask, reply.output, reply.number)
    return framing.STREAM_HEAD + b"".join(map(framing.chunk, steps)) + framing.END


def _first(pieces: Iterator[bytes], n: int, *, torn: bool) -> Iterator[bytes]:
    """``n`` pieces, and half of the next one when ``torn``."""
    yield from islice(pieces, n)
    if torn:
        piece = next(pieces)
        yield piece[: len(piece) // 2]


def _slices(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def _ending(way: str | None) -> Ending:
    match way:
        case None:
            return "complete"
        case "reset":
            return "reset"
        case _:
            return "break"


def _no_gap() -> int:
    return 0
