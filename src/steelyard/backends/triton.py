"""Triton's generate extension: ``POST v2/models/<model>/generate`` and ``…/generate_stream``.

Sent:  ``{id, text_input, parameters: {…parameters, max_new_tokens}}``; ``text_input`` is all
       message texts joined by newlines.
Read:  ``text_output``; a stream sends it in pieces and ends with the HTTP message, nothing else
       marks its end. There are no token counts and no finish reason.
"""

import uuid
from urllib.parse import quote

import msgspec

from steelyard.backends import _failures
from steelyard.backends._options import read_options
from steelyard.backends._reading import Answer, Wire
from steelyard.backends._request import capped_parameters, plain_prompt
from steelyard.backends._service import Service
from steelyard.backends._stream import Stream
from steelyard.backends._targets import below
from steelyard.core import Backend, ModelSpec, Request
from steelyard.engine import HttpClient, HttpOptions


class Options(HttpOptions, frozen=True, kw_only=True):
    """How to reach one model of a Triton server."""

    model: str = ""
    """Name of the model in the server's repository; there is no default."""
    stream: bool = False
    """Ask for the answer piece by piece, which times its tokens."""

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("the name of the model is part of Triton's addresses; give it (model)")


class _Body(msgspec.Struct, frozen=True, gc=False):
    """A reply in one piece, or one event. ``gc=False``: decoded JSON holds no cycle."""

    text_output: str | list[str] | None = None
    model_name: str | None = None


def connect(spec: ModelSpec) -> Backend:
    """The model on the server that ``spec`` describes."""
    options = read_options(spec, Options)
    client = HttpClient(options, load=spec.load)
    call = "generate_stream" if options.stream else "generate"
    endpoint = f"v2/models/{quote(options.model, safe='')}/{call}"
    return Service(client, below(client.path(""), endpoint), _body, _WIRE)


def _body(request: Request) -> bytes:
    return msgspec.json.encode(
        {
            "id": str(uuid.uuid4()),
            "text_input": plain_prompt(request),
            "parameters": capped_parameters(request.sampling),
        }
    )


def _whole(document: bytes) -> Answer:
    body = _DECODER.decode(document)
    if body.text_output is None:
        raise _failures.no_answer(document)
    return Answer(text=_text(body), model=body.model_name or "")


def _streamed(stream: Stream[_Body]) -> Answer | None:
    chunks: list[_Body] = []
    ends: list[int] = []
    for body in stream:
        if body.text_output is None and _failures.of_error(stream.data):
            raise _failures.no_answer(stream.data)
        chunks.append(body)
        ends.append(stream.end)
    if all(body.text_output is None for body in chunks):
        return None
    pieces = [_text(body) for body in chunks]
    return Answer(
        text="".join(pieces),
        model=chunks[0].model_name or "",
        content_ends=[end for piece, end in zip(pieces, ends, strict=True) if piece],
        other_ends=[end for piece, end in zip(pieces, ends, strict=True) if not piece],
    )


def _text(body: _Body) -> str:
    if isinstance(body.text_output, list):
        return "".join(body.text_output)
    return body.text_output or ""


_DECODER = msgspec.json.Decoder(_Body)
_WIRE = Wire(decode=_DECODER.decode, streamed=_streamed, whole=_whole)
