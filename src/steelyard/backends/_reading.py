"""From a finished HTTP exchange to a ``Reply``: what all protocols have in common.

A body is read once, when it is complete, and by what it is rather than by what was asked: server-
sent events or one JSON document. A protocol adds its ``Wire``: types to decode into, and how
their values add up to an ``Answer``. A stream must have been ended by the service (``[DONE]`` or
the protocol's own last word); one that merely stops is a failure.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from steelyard.backends import _failures
from steelyard.backends._failures import Unreadable
from steelyard.core import Failure, Json, Reply, ToolCall
from steelyard.engine import Exchange, sse

T = TypeVar("T")

_DONE = b"[DONE]"
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
    content_ends: Sequence[int] = ()
    """Body offsets at which the events that carry answer, reasoning or tool-call text end."""
    ended: bool = True
    """The service said that the answer is complete."""


class Stream(msgspec.Struct, Generic[T], frozen=True):
    """The decoded events of a body, side by side with where they came from."""

    chunks: list[T]
    events: list[sse.Event]


class Wire(msgspec.Struct, Generic[T], frozen=True):
    """How one protocol's answers are read."""

    decode: Callable[[bytes], T]
    """One event of a stream."""
    streamed: Callable[[Stream[T]], Answer | None]
    """All events; ``None`` when none was part of an answer. May raise ``Unreadable``."""
    whole: Callable[[bytes], Answer]
    """A body in one piece. May raise ``Unreadable`` and what decoding raises."""


def reply(key: str, exchange: Exchange, wire: Wire[T], target: str) -> Reply:
    """The reply to request ``key``: an answer, or the failure that the exchange amounts to."""
    try:
        return _answered(key, exchange, _answer(exchange, wire, target))
    except Unreadable as trouble:
        return Reply(key=key, timing=exchange.timing(), failure=trouble.failure)


def _answered(key: str, exchange: Exchange, answer: Answer) -> Reply:
    said_something = answer.text or answer.reasoning or answer.tool_calls
    prompt_tokens = answer.prompt_tokens or None
    output_tokens = answer.output_tokens
    if said_something and output_tokens == 0:
        output_tokens = None
    counted = prompt_tokens is not None or output_tokens is not None
    return Reply(
        key=key,
        timing=exchange.timing(_gaps_us(exchange, answer.content_ends)),
        text=answer.text,
        reasoning=answer.reasoning,
        finish=answer.finish,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        token_source="usage" if counted else None,
        logprobs=answer.logprobs,
        tool_calls=answer.tool_calls,
        model=answer.model,
    )


def _gaps_us(exchange: Exchange, ends: Sequence[int]) -> tuple[int, ...]:
    """Sending to first content event, then from one to the next; they sum to the last's time."""
    clock = [ns // 1000 for ns in sse.clock(exchange.marks, ends)]
    return tuple(map(operator.sub, clock, [exchange.sent_ns // 1000, *clock]))


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
    events, done = _events(body)
    try:
        chunks = [wire.decode(event.data) for event in events]
    except _failures.UNDECODABLE as error:
        number = len(_readable(events, wire))
        detail = f"event {number + 1} of the stream is not the JSON that was expected ({error})"
        words = _failures.excerpt(events[number].data)
        raise _failures.protocol(f"{detail}: {words}") from error
    answer = wire.streamed(Stream(chunks, events))
    if answer is None:
        raise _failures.protocol(f"a stream without an answer in it: {_failures.excerpt(body)}")
    if not (done or answer.ended):
        detail = f"the stream ended without finish reason or [DONE], after {_length(answer)}"
        raise Unreadable(Failure(kind="broken_stream", detail=detail))
    return answer


def _events(body: bytes) -> tuple[list[sse.Event], bool]:
    """The events that carry data up to ``[DONE]``, and whether there was one."""
    events = [event for event in sse.events(body) if event.data]
    data = [event.data for event in events]
    if _DONE not in data:
        return events, False
    return events[: data.index(_DONE)], True


def _readable(events: list[sse.Event], wire: Wire[T]) -> list[T]:
    """The events in front of the first one that cannot be decoded."""
    chunks: list[T] = []
    for event in events:
        try:
            chunks.append(wire.decode(event.data))
        except _failures.UNDECODABLE:
            break
    return chunks


def _broken(exchange: Exchange, wire: Wire[T], failure: Failure) -> Failure:
    """The transport's failure, with how much of an answer had come before it.

    When the service had sent an error object, that is the reason and stands instead.
    """
    if exchange.status != 200 or not _is_stream(exchange):
        return failure
    events, _ = _events(exchange.body)
    chunks = _readable(events, wire)
    try:
        answer = wire.streamed(Stream(chunks, events[: len(chunks)])) or Answer()
    except Unreadable as trouble:
        return trouble.failure
    return msgspec.structs.replace(failure, detail=f"{failure.detail} (after {_length(answer)})")


def _length(answer: Answer) -> str:
    return f"{len(answer.reasoning) + len(answer.text)} characters of text"
