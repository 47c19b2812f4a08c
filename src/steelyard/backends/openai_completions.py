"""OpenAI's older completions: ``POST v1/completions``, one plain prompt.

Sent:  ``{model, prompt, stream, [stream_options], …parameters, max_tokens, model}``; the prompt
       is all message texts joined by newlines.
Read:  text of the first choice; usage in whichever event carries it. A stream's end is ``[DONE]``
       or a finish reason.
Likelihoods: the candidate follows the prompt directly; read is the first choice's
       ``prompt_logprobs``. Whole answers only.
"""

from functools import partial

import msgspec

from steelyard.backends import _likelihoods, _openai, _targets
from steelyard.backends._likelihoods import Entries
from steelyard.backends._openai import UNCOUNTED, Chunk, Document, OpenAIService, Options
from steelyard.backends._options import read_options
from steelyard.backends._reading import Answer, Wire
from steelyard.backends._request import plain_prompt
from steelyard.backends._service import Service
from steelyard.backends._stream import Stream
from steelyard.core import Backend, Json, ModelSpec, Request
from steelyard.engine import HttpClient


class _Choice(msgspec.Struct, frozen=True, gc=False):
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Json = None


class _ScoredChoice(msgspec.Struct, frozen=True, gc=False):
    prompt_logprobs: Entries | None = None


scoring_obstacle = _openai.scoring_obstacle


def connect(spec: ModelSpec) -> Backend:
    """A completing model behind the service that ``spec`` describes."""
    options = read_options(spec, Options)
    client = HttpClient(options, load=spec.load)
    target = _targets.openai(client.path(""), "completions")
    return OpenAIService(
        client,
        Service(client, target, partial(_body, options), _WIRE),
        Service(client, target, partial(_scoring_body, options), _SCORING),
    )


def _body(options: Options, request: Request) -> bytes:
    return _openai.body(options, request, {"prompt": plain_prompt(request)})


def _scoring_body(options: Options, request: Request) -> bytes:
    prompt = plain_prompt(request) + _likelihoods.continuation(request)
    return _openai.scoring_body(options, request, {"prompt": prompt})


def _scored(document: bytes) -> Answer:
    reply = _SCORED_DOCUMENT.decode(document)
    choice = _openai.choices(reply, document)[0]
    usage = reply.usage or UNCOUNTED
    return Answer(
        prompt_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        model=reply.model or "",
        logprobs=_likelihoods.entries(choice.prompt_logprobs, document),
    )


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
    draft = _Draft()
    around = _openai.envelope(stream, draft)
    if around is None:
        return None
    return Answer(
        text="".join(draft.text),
        finish=draft.finish,
        prompt_tokens=around.usage.prompt_tokens,
        output_tokens=around.usage.completion_tokens,
        model=around.model,
        logprobs=_openai.joined_logprobs(draft.logprobs),
        content_ends=around.content_ends,
        other_ends=around.other_ends,
        ended=bool(draft.finish),
    )


class _Draft:
    """An answer while its events are added up."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.logprobs: list[Json] = []
        self.finish = ""

    def take(self, choices: list[_Choice]) -> bool:
        """Add one event's first choice; true when it carried text."""
        choice = choices[0]
        if choice.finish_reason:
            self.finish = choice.finish_reason
        if choice.logprobs:
            self.logprobs.append(choice.logprobs)
        if choice.text:
            self.text.append(choice.text)
        return bool(choice.text)

    def plain(self, choices: list[_Choice]) -> list[str] | None:
        """Where the text of ``choices`` was put, when that one text is all they brought."""
        choice, *others = choices
        alone = not (others or choice.finish_reason or choice.logprobs)
        return self.text if alone else None


_DOCUMENT = msgspec.json.Decoder(Document[_Choice])
_SCORED_DOCUMENT = msgspec.json.Decoder(Document[_ScoredChoice])
_WIRE = Wire(decode=msgspec.json.Decoder(Chunk[_Choice]).decode, streamed=_streamed, whole=_whole)
_SCORING = msgspec.structs.replace(_WIRE, streamed=_likelihoods.streamed, whole=_scored)
