"""OpenAI's older completions: ``POST v1/completions``, one plain prompt.

Sent:  ``{model, prompt, stream, [stream_options], …parameters, max_tokens, model}``; the prompt
       is all message texts joined by newlines.
Read:  text of the first choice; usage in whichever event carries it. A stream's end is ``[DONE]``
       or a finish reason.
"""

from functools import partial

import msgspec

from steelyard.backends import _openai, _targets
from steelyard.backends._openai import UNCOUNTED, Chunk, Document, OpenAIService, Options
from steelyard.backends._options import read_options
from steelyard.backends._reading import Answer, Stream, Wire
from steelyard.backends._request import plain_prompt
from steelyard.backends._service import Service
from steelyard.core import Backend, Json, ModelSpec, Request
from steelyard.engine import HttpClient


class _Choice(msgspec.Struct, frozen=True, gc=False):
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Json = None


def connect(spec: ModelSpec) -> Backend:
    """A completing model behind the service that ``spec`` describes."""
    options = read_options(spec, Options)
    client = HttpClient(options, load=spec.load)
    target = _targets.openai(client.path(""), "completions")
    return OpenAIService(client, Service(client, target, partial(_body, options), _WIRE))


def _body(options: Options, request: Request) -> bytes:
    return _openai.body(options, request, {"prompt": plain_prompt(request)})


def _whole(document: bytes) -> Answer:
    reply = _DOCUMENT.decode(document)
    choice = _openai.choices(reply, document)[0]
    usage = reply.usage or UNCOUNTED
    return Answer(
        text=choice.text or "",
        finish=choice.finish_reason or "",
        prompt_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        model=reply.model or "",
        logprobs=choice.logprobs,
    )


def _streamed(stream: Stream[Chunk[_Choice]]) -> Answer | None:
    pieces: list[_Choice] = []

    def take(choices: list[_Choice]) -> bool:
        pieces.append(choices[0])
        return bool(choices[0].text)

    around = _openai.envelope(stream, take)
    if around is None:
        return None
    finish = "".join([piece.finish_reason for piece in pieces if piece.finish_reason][-1:])
    return Answer(
        text="".join(piece.text or "" for piece in pieces),
        finish=finish,
        prompt_tokens=around.usage.prompt_tokens,
        output_tokens=around.usage.completion_tokens,
        model=around.model,
        logprobs=_openai.joined_logprobs([piece.logprobs for piece in pieces if piece.logprobs]),
        content_ends=around.content_ends,
        ended=bool(finish),
    )


_DOCUMENT = msgspec.json.Decoder(Document[_Choice])
_WIRE = Wire(decode=msgspec.json.Decoder(Chunk[_Choice]).decode, streamed=_streamed, whole=_whole)
