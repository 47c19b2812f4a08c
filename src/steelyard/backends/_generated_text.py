"""Answers that carry ``generated_text``: those of TGI and of MindIE's own protocol.

A stream sends tokens one by one and the whole text in its last event. That event can carry the
last token's text without naming it (MindIE), which shows by the whole being longer than its parts.
"""

import msgspec

from steelyard.backends import _failures
from steelyard.backends._reading import Answer, Wire
from steelyard.backends._stream import Stream


class _Details(msgspec.Struct, frozen=True, gc=False):
    finish_reason: str | None = None
    generated_tokens: int | None = None
    input_length: int | None = None


class _Token(msgspec.Struct, frozen=True, gc=False):
    text: str | None = None
    special: bool = False


class _Body(msgspec.Struct, frozen=True, gc=False):
    """A reply in one piece, or one event. ``gc=False``: decoded JSON holds no cycle."""

    generated_text: str | None = None
    details: _Details | None = None
    token: _Token | None = None


def _whole(document: bytes) -> Answer:
    body = _DECODER.decode(document)
    if body.generated_text is None:
        raise _failures.no_answer(document)
    details = body.details or _NO_DETAILS
    return Answer(
        text=body.generated_text,
        finish=details.finish_reason or "",
        prompt_tokens=details.input_length,
        output_tokens=details.generated_tokens,
    )


def _streamed(stream: Stream[_Body]) -> Answer | None:
    parts: list[str] = []
    whole, length, details = None, 0, _NO_DETAILS
    ends: list[int] = []
    others: list[int] = []
    for body in stream:
        if body.token is None and not body.generated_text and _failures.of_error(stream.data):
            raise _failures.no_answer(stream.data)
        details = body.details or details
        text = _text(body.token)
        parts.append(text)
        before, length = length, length + len(text)
        if body.generated_text is not None:
            whole = body.generated_text
            length = max(length, len(whole))
        (ends if length > before else others).append(stream.end)
    if whole is None and not length:
        return None
    return Answer(
        text="".join(parts) if whole is None else whole,
        finish=details.finish_reason or "",
        prompt_tokens=details.input_length,
        output_tokens=details.generated_tokens,
        content_ends=ends,
        other_ends=others,
        ended=whole is not None,
    )


def _text(token: _Token | None) -> str:
    return "" if token is None or token.special else token.text or ""


_NO_DETAILS = _Details()
_DECODER = msgspec.json.Decoder(_Body)
WIRE = Wire(decode=_DECODER.decode, streamed=_streamed, whole=_whole)
