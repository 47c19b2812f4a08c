"""OpenAI's chat and text completions, in the dialect of one server.

``n``, ``logprobs`` and tools are accepted and ignored: every reply has one plain choice.
``prompt_logprobs`` is answered in the dialect of vLLM, by a toy in place of a model.
"""

import json
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256

import msgspec

from steelyard.core import Json
from steelyard.sim.ask import Ask, Refused
from steelyard.sim.dialects import Dialect
from steelyard.sim.output import Output
from steelyard.sim.toy_model import entries
from steelyard.sim.wire import FINGERPRINT, Manners, decoded, phrase, several

_MARK = "\0"
_OPENAI_FIELDS = (
    "messages prompt model stream stream_options max_tokens max_completion_tokens stop n seed "
    "temperature top_p presence_penalty frequency_penalty logit_bias logprobs top_logprobs "
    "user tools tool_choice parallel_tool_calls response_format service_tier store metadata "
    "modalities audio prediction reasoning_effort verbosity web_search_options suffix echo "
    "best_of functions function_call safety_identifier prompt_cache_key generation_config"
)
_KNOWN_FIELDS = frozenset(_OPENAI_FIELDS.split())


class _Part(msgspec.Struct):
    text: str = ""
    image_url: Json = None


class _Turn(msgspec.Struct):
    content: str | list[_Part] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Body(msgspec.Struct, kw_only=True):
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    min_tokens: int | None = None
    ignore_eos: bool | None = None
    stop: str | list[str] | None = None
    prompt_logprobs: int | None = None


class _ChatBody(_Body, kw_only=True):
    messages: list[_Turn]
    add_generation_prompt: bool = True


class _TextBody(_Body, kw_only=True):
    prompt: str | list[str]


class Kind(msgspec.Struct, frozen=True):
    """What chat and text completions call themselves."""

    id_prefix: str
    reply: str
    event: str


CHAT = Kind("chatcmpl", "chat.completion", "chat.completion.chunk")
TEXT = Kind("cmpl", "text_completion", "text_completion")


class OpenAIWire:
    """Chat or text completions, as one server writes them."""

    def __init__(self, kind: Kind, dialect: Dialect, *, model: str, reasoning_field: str) -> None:
        """``model`` is the served name; ``reasoning_field`` is empty for inline reasoning."""
        self.manners = Manners(
            splits_reasoning=kind is CHAT and bool(reasoning_field),
            keeps_stop=dialect.keeps_stop,
            wrong_model=dialect.wrong_model,
        )
        self._kind = kind
        self._dialect = dialect
        self._model = model
        self._reasoning_field = reasoning_field
        self._encode = _spaced if dialect.spaced else msgspec.json.encode

    def read(self, body: bytes, target: str) -> Ask:
        """The request in ``body``; ``Refused`` also for fields that the dialect does not take."""
        asked, prompt, rendered, pictures = self._read(body)
        limit = asked.max_completion_tokens
        if limit is None:
            limit = asked.max_tokens
        if limit is not None and limit < 1:
            raise Refused(400, f"max_tokens is {limit}; it must be at least 1")
        options = asked.stream_options
        return Ask(
            prompt=prompt,
            stream=bool(asked.stream),
            model=asked.model or "",
            max_tokens=limit,
            min_tokens=asked.min_tokens or 0,
            ignore_eos=bool(asked.ignore_eos),
            stop=several(asked.stop),
            wants_usage=options is not None and bool(options.include_usage),
            scored=rendered if self._scores(asked) else None,
            pictures=pictures,
        )

    def whole(self, ask: Ask, output: Output, number: int) -> bytes:
        """A completion object."""
        content = "".join(output.content)
        if self._kind is CHAT:
            message: dict[str, Json] = {"role": "assistant", "content": content}
            if output.reasoning:
                message["content"] = content or None
                message[self._reasoning_field] = "".join(output.reasoning)
            choice: dict[str, Json] = {"index": 0, "message": message}
        else:
            choice = {"index": 0, "text": content}
        reply = self._envelope(ask, number, self._kind.reply)
        if ask.scored is not None:
            (reply if self._kind is CHAT else choice)["prompt_logprobs"] = entries(ask.scored)
        reply["choices"] = [{**choice, **self._ending(output)}]
        reply["usage"] = _usage(ask, output)
        return self._encode(reply)

    def steps(self, ask: Ask, output: Output, number: int) -> Iterator[bytes]:
        """Completion chunks, the role in front and the finish reason and usage behind."""
        envelope = self._envelope(ask, number, self._kind.event)
        encode = self._encode
        thinking = (*self._halves(envelope, self._reasoning_field), output.reasoning)
        speaking = (*self._halves(envelope, "content"), output.content)
        before = self._opening(envelope) if self._kind is CHAT else b""
        left = output.tokens
        for head, tail, tokens in (thinking, speaking):
            for token in tokens:
                left -= 1
                behind = b"" if left else self._closing(envelope, ask, output)
                yield before + head + encode(token) + tail + behind
                before = b""
        if not output.tokens:
            yield before + self._closing(envelope, ask, output)

    def empty(self, ask: Ask, number: int) -> bytes:
        """A reply whose list of choices is empty."""
        kind = self._kind.event if ask.stream else self._kind.reply
        reply = {**self._envelope(ask, number, kind), "choices": []}
        return self._sse(reply) + self._done() if ask.stream else self._encode(reply)

    def error(self, refused: Refused) -> bytes:
        """An error object in the shape of the dialect."""
        message, status = refused.message, refused.status
        if self._dialect.error == "detail":
            return msgspec.json.encode({"detail": message})
        name = _CLASSES.get(status) or phrase(status).title().replace(" ", "") + "Error"
        body: dict[str, Json] = {"message": message, "type": name, "param": None, "code": status}
        if self._dialect.error == "flat":
            return msgspec.json.encode({"object": "error", **body})
        if self._dialect.error == "object":
            body["type"] = _TYPES.get(status, "server_error")
            body["code"] = refused.code or None
        return self._encode({"error": body})

    def _scores(self, asked: _Body) -> bool:
        if asked.prompt_logprobs is None or not self._dialect.scores_prompts:
            return False
        if asked.stream:
            raise Refused(400, "prompt_logprobs are not available when stream is true")
        return True

    def _read(self, body: bytes) -> tuple[_Body, str, str, tuple[str, ...]]:
        """The fields, all text, the text that a model would be given, and pictures' digests."""
        status = self._dialect.unknown_field
        if status:
            fields = decoded(body, dict[str, msgspec.Raw], status=status)
            unknown = ", ".join(sorted(set(fields) - _KNOWN_FIELDS))
            if unknown:
                raise Refused(status, f"unknown fields in the request: {unknown}")
        if self._kind is CHAT:
            chat = decoded(body, _ChatBody, status=status or 400)
            said = "\n".join(_text(turn.content) for turn in chat.messages)
            rendered = f"{said}\nassistant" if chat.add_generation_prompt else said
            return chat, said, rendered, tuple(_pictures(chat.messages))
        text = decoded(body, _TextBody, status=status or 400)
        prompts = several(text.prompt)
        if len(prompts) != 1:
            raise Refused(400, f"{len(prompts)} prompts in one request; the simulation takes one")
        return text, prompts[0], prompts[0], ()

    def _envelope(self, ask: Ask, number: int, kind: str) -> dict[str, Json]:
        model = ask.model or self._model
        return {
            "id": f"{self._kind.id_prefix}-sim-{number:08x}",
            "object": kind,
            "created": int(time.time()),
            "model": f"{self._model}@main" if self._dialect.names_itself else model,
            "system_fingerprint": FINGERPRINT,
        }

    def _ending(self, output: Output) -> dict[str, Json]:
        ending = {**self._dialect.choice, "finish_reason": output.finish}
        if self._dialect.stop_field:
            ending[self._dialect.stop_field] = output.stop
        return ending

    def _event(self, envelope: Mapping[str, Json], choice: Mapping[str, Json]) -> dict[str, Json]:
        return {**envelope, "choices": [{"index": 0, **choice}], **self._dialect.event}

    def _halves(self, envelope: Mapping[str, Json], field: str) -> tuple[bytes, bytes]:
        """An event with a token in ``field``, up to the token and from it on."""
        carried: dict[str, Json] = {"text": _MARK}
        if self._kind is CHAT:
            carried = {"delta": {**self._dialect.delta, field: _MARK}}
        event = self._sse(self._event(envelope, {**carried, **self._dialect.choice}))
        head, _, tail = event.partition(self._encode(_MARK))
        return head, tail

    def _opening(self, envelope: Mapping[str, Json]) -> bytes:
        choice = {"delta": self._dialect.role_delta, **self._dialect.choice}
        return self._sse(self._event(envelope, choice))

    def _closing(self, envelope: Mapping[str, Json], ask: Ask, output: Output) -> bytes:
        last = {"delta": self._dialect.last_delta} if self._kind is CHAT else {"text": ""}
        event = self._event(envelope, {**last, **self._ending(output)})
        usage = _usage(ask, output)
        if self._dialect.usage == "last_choice":
            event["usage"] = usage
        ends = self._sse(event)
        if self._dialect.usage == "asked" and ask.wants_usage:
            ends += self._sse({**envelope, "choices": [], "usage": usage})
        return ends + self._done()

    def _sse(self, event: Json) -> bytes:
        return b"data: " + self._encode(event) + b"\n\n"

    def _done(self) -> bytes:
        return b"data: [DONE]\n\n" if self._dialect.done else b""


_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
_CLASSES = {401: "AuthenticationError", 429: "RateLimitError", 500: "InternalServerError"}


def _text(content: str | list[_Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text for part in content)


def _pictures(turns: list[_Turn]) -> Iterator[str]:
    """Digests of the pictures, by how they are written in the request."""
    for turn in turns:
        for part in turn.content if isinstance(turn.content, list) else ():
            if part.image_url is not None:
                yield sha256(msgspec.json.encode(part.image_url)).hexdigest()


def _usage(ask: Ask, output: Output) -> dict[str, Json]:
    usage: dict[str, Json] = {
        "prompt_tokens": ask.prompt_tokens,
        "completion_tokens": output.tokens,
        "total_tokens": ask.prompt_tokens + output.tokens,
    }
    if output.reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": len(output.reasoning)}
    return usage


def _spaced(value: Json) -> bytes:
    return json.dumps(value).encode()
