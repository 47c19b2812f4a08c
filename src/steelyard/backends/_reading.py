"""From a finished HTTP exchange to a ``Reply``: what all protocols have in common.

A body is read once, when it is complete, and by what it is rather than by what was asked: server-
sent events or one JSON document. A protocol adds its ``Wire``: types to decode into, and how
their values add up to an ``Answer``. A stream must have been ended by the service (``[DONE]`` or
the protocol's own last word); one that merely stops is a failure.
"""

import operator
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import msgspec

from steelyard.backends import _failures
from steelyard.backends._failures import Unreadable
from steelyard.backends._stream import BadEvent, Listed, Stream
from steelyard.core import Failure, Json, Reply, Timing, ToolCall
from steelyard.engine import Exchange, Fetched, OtherShape, sse

T = TypeVar("T")

_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a body says, before it becomes a reply."""

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    model: str = ""
    logprobs: Json = None
    tool_calls: tuple[ToolCall, ...] = ()
    drawn: bytes = b""
    content_ends: Sequence[int] = ()
    """Body offsets at which the events that carry answer, reasoning or tool-call text end."""
    other_ends: Sequence[int] = ()
    """Body offsets at which the other events end."""
    ended: bool = True
    """The service said that the answer is complete."""


class Wire(msgspec.Struct, Generic[T], frozen=True):
    """How one protocol's answers are read."""

    decode: Callable[[bytes], T]
    """One event of a stream."""
    streamed: Callable[[Stream[T]], Answer | None]
    """All events; ``None`` when none was part of an answer. May raise ``Unreadable``."""
    whole: Callable[[bytes], Answer]
    """A body in one piece. May raise ``Unreadable`` and what decoding raises."""


def reply(key: str, fetched: Fetched, wire: Wire[T], target: str) -> Reply:
    """The reply to request ``key``: an answer, or the failure that the exchange amounts to.

    Streams of the shape that services send are read from the bytes as they came; all else, and
    whatever turns out not to be an answer there, from the exchange, which also has the words for
    what is wrong.
    """
    quick = fetched.event_stream()
    if quick is not None:
        stream = Stream(quick.events, wire.decode)
        with suppress(Unreadable, OtherShape):
            answer = wire.streamed(stream)
            if answer is not None and (stream.done or answer.ended):
                timing = _timing(quick.timing, quick.offsets, quick.times, answer)
                return _answered(key, timing, answer)
    return _thorough(key, fetched.exchange(), wire, target)


def _thorough(key: str, exchange: Exchange, wire: Wire[T], target: str) -> Reply:
    try:
        answer = _answer(exchange, wire, target)
        offsets, times = [end for end, _ in exchange.marks], [ns for _, ns in exchange.marks]
        return _answered(key, _timing(exchange.timing(), offsets, times, answer), answer)
    except Unreadable as trouble:
        return Reply(key=key, timing=exchange.timing(), failure=trouble.failure)


def _answered(key: str, timing: Timing, answer: Answer) -> Reply:
    said_something = answer.text or answer.reasoning or answer.tool_calls
    prompt_tokens = answer.prompt_tokens or None
    output_tokens = answer.output_tokens
    if said_something and output_tokens == 0:
        output_tokens = None
    counted = prompt_tokens is not None or output_tokens is not None
    return Reply(
        key=key,
        timing=timing,
        text=answer.text,
        reasoning=answer.reasoning,
        finish=answer.finish,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        token_source="usage" if counted else None,
        logprobs=answer.logprobs,
        tool_calls=answer.tool_calls,
        drawn=answer.drawn,
        model=answer.model,
    )


def _timing(timing: Timing, offsets: Sequence[int], times: Sequence[int], answer: Answer) -> Timing:
    """``timing`` with the clock of the events, by what ``clock`` needs of the reads.

    Gaps go from sending to the first content event, then from one to the next; they sum to the
    last one's time.
    """
    sent_us = timing.sent_ns // 1000
    clock = [ns // 1000 for ns in sse.clock(offsets, times, answer.content_ends)]
    others = [ns // 1000 - sent_us for ns in sse.clock(offsets, times, answer.other_ends)]
    gaps_us = tuple(map(operator.sub, clock, [sent_us, *clock]))
    return msgspec.structs.replace(timing, gaps_us=gaps_us, others_us=tuple(others))


def _answer(exchange: Exchange, wire: Wire[T], target: str) -> Answer:
    if exchange.failure is not None:
        raise Unreadable(_broken(exchange, wire, exchange.failure))
    if exchange.status != 200:
        raise Unreadable(_failures.of_status(exchange, target))
    body = exchange.body
    if _is_stream(exchange):
        return _streamed(body, wire)
    if not body.strip():
        raise _failures.protocol(f"empty answer from {target}")
    try:
        return wire.whole(body)
    except _failures.UNDECODABLE as error:
        detail = f"not the JSON that was expected ({error}): {_failures.excerpt(body)}"
        raise _failures.protocol(detail) from error


def _is_stream(exchange: Exchange) -> bool:
    """Some services label streams as plain text, or answer a stream request in one piece."""
    start = exchange.body[:100].lstrip()
    if start.startswith(b"{"):
        return False
    return "event-stream" in exchange.headers.get("content-type", "") or start.startswith(_FIELDS)


def _streamed(body: bytes, wire: Wire[T]) -> Answer:
    stream = Stream(Listed(sse.events(body)), wire.decode)
    answer = wire.streamed(stream)
    if answer is None:
        raise _failures.protocol(f"a stream without an answer in it: {_failures.excerpt(body)}")
    if not (stream.done or answer.ended):
        detail = f"the stream ended without finish reason or [DONE], after {_length(answer)}"
        raise Unreadable(Failure(kind="broken_stream", detail=detail))
    return answer


def _broken(exchange: Exchange, wire: Wire[T], failure: Failure) -> Failure:
    """The transport's failure, with how much of an answer had come before it.

    When the service had sent an error object, that is the reason and stands instead.
    """
    if exchange.status != 200 or not _is_stream(exchange):
        return failure
    try:
        answer = _readable(sse.events(exchange.body), wire)
    except Unreadable as trouble:
        return trouble.failure
    return msgspec.structs.replace(failure, detail=f"{failure.detail} (after {_length(answer)})")


def _readable(events: sse.Events, wire: Wire[T]) -> Answer:
    """What the events in front of the first one that cannot be decoded say."""
    try:
        return wire.streamed(Stream(Listed(events), wire.decode)) or Answer()
    except BadEvent as bad:
        return _readable(events.first(bad.number), wire)


def _length(answer: Answer) -> str:
    return f"{len(answer.reasoning) + len(answer.text)} characters of text"
