"""OpenAI's chat completions: ``POST v1/chat/completions`` (vLLM, SGLang, llama.cpp and others).

Sent:  ``{model, messages, stream, [stream_options], …parameters, max_tokens, model, [tools]}``.
Read:  text of all choices; reasoning that came apart from it (``reasoning_content``, else
       ``reasoning``); tool calls; usage in whichever event carries it. ``<think>`` inside the
       text stays there. A stream's end is ``[DONE]`` or a finish reason.
Pictures: named by their files (``core.pictures``) until the body is written, which holds them as
       ``image_url`` parts with data URLs.
Likelihoods: the candidate, without blanks in front, is the last turn, the assistant's, which the
       service is told to leave open (``continue_final_message``), so that nothing comes after it;
       read is the top-level ``prompt_logprobs``. Whole answers only.
"""

from functools import partial

import msgspec

from steelyard.backends import _likelihoods, _openai, _targets
from steelyard.backends._likelihoods import Entries
from steelyard.backends._openai import UNCOUNTED, Chunk, Document, OpenAIService, Options
from steelyard.backends._options import read_options
from steelyard.backends._pictures import with_pictures
from steelyard.backends._reading import Answer, Wire
from steelyard.backends._service import Service
from steelyard.backends._stream import Stream
from steelyard.backends._tool_calls import Assembly, Call, whole_call
from steelyard.core import Backend, Json, Message, ModelSpec, Request
from steelyard.engine import HttpClient


class _Part(msgspec.Struct, frozen=True, gc=False):
    text: str | None = None


class _Message(msgspec.Struct, frozen=True, gc=False):
    """A message, or one event's piece of it."""

    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Call] | None = None


class _Choice(msgspec.Struct, frozen=True, gc=False):
    """``message`` in a whole reply, ``delta`` in an event."""

    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None
    logprobs: Json = None


class _ScoredDocument(Document[_Choice], frozen=True, gc=False):
    prompt_logprobs: Entries | None = None


TAKES_PICTURES = True
DRAWS = False
scoring_obstacle = _openai.scoring_obstacle


def connect(spec: ModelSpec) -> Backend:
    """A chat model behind the service that ``spec`` describes."""
    options = read_options(spec, Options)
    client = HttpClient(options, load=spec.load)
    target = _targets.openai(client.path(""), "chat/completions")
    return OpenAIService(
        client,
        Service(client, target, partial(_body, options), _WIRE),
        Service(client, target, partial(_scoring_body, options), _SCORING),
    )


def _body(options: Options, request: Request) -> bytes:
    return _openai.body(options, request, {"messages": with_pictures(request.messages)})


def _scoring_body(options: Options, request: Request) -> bytes:
    said = Message("assistant", _likelihoods.continuation(request).lstrip())
    return _openai.scoring_body(
        options,
        request,
        {
            "messages": [*request.messages, said],
            "add_generation_prompt": False,
            "continue_final_message": True,
        },
    )


def _scored(document: bytes) -> Answer:
    reply = _SCORED_DOCUMENT.decode(document)
    _openai.choices(reply, document)
    usage = reply.usage or UNCOUNTED
    return Answer(
        prompt_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        model=reply.model or "",
        logprobs=_likelihoods.entries(reply.prompt_logprobs, document),
    )


def _whole(document: bytes) -> Answer:
    reply = _DOCUMENT.decode(document)
    choices = _openai.choices(reply, document)
    messages = [choice.message for choice in choices if choice.message is not None]
    usage = reply.usage or UNCOUNTED
    return Answer(
        text="".join(_text(message.content) for message in messages),
        reasoning="".join(_reasoning(message) for message in messages),
        finish=choices[0].finish_reason or "",
        prompt_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        model=reply.model or "",
        logprobs=choices[0].logprobs,
        tool_calls=tuple(
            whole_call(call) for message in messages for call in message.tool_calls or ()
        ),
    )


def _streamed(stream: Stream[Chunk[_Choice]]) -> Answer | None:
    draft = _Draft()
    around = _openai.envelope(stream, draft)
    if around is None:
        return None
    return Answer(
        text="".join(draft.text),
        reasoning="".join(draft.reasoning),
        finish=draft.finish,
        prompt_tokens=around.usage.prompt_tokens,
        output_tokens=around.usage.completion_tokens,
        model=around.model,
        logprobs=_openai.joined_logprobs(draft.logprobs),
        tool_calls=draft.tool_calls.calls(),
        content_ends=around.content_ends,
        other_ends=around.other_ends,
        ended=bool(draft.finish),
    )


class _Draft:
    """An answer while its events are added up."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.tool_calls = Assembly()
        self.logprobs: list[Json] = []
        self.finish = ""

    def take(self, choices: list[_Choice]) -> bool:
        """Add one event's choices; true when they carried text of any kind."""
        carried = False
        for choice in choices:
            if choice.finish_reason:
                self.finish = choice.finish_reason
            if choice.logprobs:
                self.logprobs.append(choice.logprobs)
            delta = choice.delta
            if delta is None:
                continue
            if text := _text(delta.content):
                self.text.append(text)
                carried = True
            if reasoning := delta.reasoning_content or delta.reasoning:
                self.reasoning.append(reasoning)
                carried = True
            if delta.tool_calls and self.tool_calls.add(delta.tool_calls):
                carried = True
        return carried

    def plain(self, choices: list[_Choice]) -> list[str] | None:
        """Where the text of ``choices`` was put, when that one text is all they brought."""
        choice, *others = choices
        delta = choice.delta
        if others or choice.finish_reason or choice.logprobs or delta is None or delta.tool_calls:
            return None
        if delta.reasoning_content or delta.reasoning:
            return None if delta.content else self.reasoning
        return self.text if isinstance(delta.content, str) else None


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, list):
        return "".join(part.text or "" for part in content)
    return content or ""


def _reasoning(message: _Message) -> str:
    return message.reasoning_content or message.reasoning or ""


_DOCUMENT = msgspec.json.Decoder(Document[_Choice])
_SCORED_DOCUMENT = msgspec.json.Decoder(_ScoredDocument)
_WIRE = Wire(decode=msgspec.json.Decoder(Chunk[_Choice]).decode, streamed=_streamed, whole=_whole)
_SCORING = msgspec.structs.replace(_WIRE, streamed=_likelihoods.streamed, whole=_scored)
