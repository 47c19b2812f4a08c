"""What the two OpenAI protocols share: options, addresses, body frame, counts, the model list."""

import asyncio
from typing import Generic, Protocol, TypeVar

import msgspec

from steelyard.backends import _failures, _targets
from steelyard.backends._failures import Unreadable
from steelyard.backends._likelihoods import ASKED, Scoring
from steelyard.backends._request import parameters
from steelyard.backends._service import Service
from steelyard.backends._stream import Stream
from steelyard.core import Json, Reply, Request, ServiceError, Unread
from steelyard.engine import Exchange, HttpClient, HttpOptions, HttpRequest

C = TypeVar("C")

_LIST_TIMEOUT_S = 5.0


class Options(HttpOptions, frozen=True, kw_only=True):
    """How to reach a model behind an OpenAI-compatible service."""

    model: str = ""
    """Name the service knows the model by; empty: the first one that it lists."""
    stream: bool = False
    """Ask for the answer piece by piece, which times its tokens."""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """The service's own token counts."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


UNCOUNTED = Usage()


class Document(msgspec.Struct, Generic[C], frozen=True, gc=False):
    """A reply in one piece. ``gc=False`` here and below: decoded JSON holds no cycle."""

    choices: list[C] | None = None
    usage: Usage | None = None
    model: str | None = None


class Chunk(msgspec.Struct, Generic[C], frozen=True, gc=False):
    """One event of a streamed reply."""

    choices: list[C] | None = None
    usage: Usage | None = None
    model: str | None = None
    error: Json = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream says beside its choices."""

    usage: Usage
    model: str
    content_ends: list[int]
    other_ends: list[int]


class OpenAIService(Generic[C]):
    """A service that can also say which models it serves.

    ``asked`` answers requests, ``scored`` those for the likelihood of a single candidate.
    """

    def __init__(
        self, client: HttpClient, asked: Service[Chunk[C]], scored: Service[Chunk[C]]
    ) -> None:
        self._client = client
        self._asked = asked
        self._scoring = Scoring(scored)

    async def ask(self, request: Request) -> Reply:
        """Answer ``request``, once. Trouble on the way comes back as ``Reply.failure``."""
        asked = self._scoring if request.candidates else self._asked
        return await asked.ask(request)

    async def connect(self, number: int) -> None:
        """See ``Fetcher``."""
        await self._asked.connect(number)

    async def fetch(self, request: Request) -> Unread:
        """See ``Fetcher``."""
        return await self._asked.fetch(request)

    async def models(self) -> tuple[str, ...]:
        """Names of the served models, in the service's order; at least one.

        ``ServiceError`` when the service cannot say within five seconds.
        """
        return await listed(self._client)

    async def close(self) -> None:
        """Close the connections."""
        await self._asked.close()


def body(options: Options, request: Request, asked: dict[str, Json]) -> bytes:
    """The request body: what is ``asked``, then the user's parameters, then limit and model."""
    frame = {**asked, "stream": options.stream}
    if options.stream:
        frame["stream_options"] = {"include_usage": True}
    frame.update(parameters(request.sampling))
    if request.sampling.max_tokens is not None:
        frame["max_tokens"] = request.sampling.max_tokens
    if options.model:
        frame["model"] = options.model
    if request.tools:
        frame["tools"] = request.tools
    return msgspec.json.encode(frame)


def scoring_body(options: Options, request: Request, asked: dict[str, Json]) -> bytes:
    """The body that asks how likely the prompt in ``asked`` is; never a stream."""
    whole = msgspec.structs.replace(options, stream=False)
    return body(whole, request, {**asked, **ASKED})


def scoring_obstacle(options: Options) -> str:
    """See ``CandidateModule``."""
    if not options.stream:
        return ""
    return (
        "likelihoods of options are not streamed. Use a preset that does not stream "
        "(vllm_api_general, vllm_api_general_chat), or --set stream=False."
    )


def choices(reply: Document[C], document: bytes) -> list[C]:
    """The choices of ``reply``, at least one; ``Unreadable`` when ``document`` has none."""
    if not reply.choices:
        raise _failures.no_answer(document)
    return reply.choices


class Draft(Protocol[C]):
    """An answer while its events are added up."""

    def take(self, choices: list[C]) -> bool:
        """Add one event's choices; true when they carried text of any kind."""

    def plain(self, choices: list[C]) -> list[str] | None:
        """Where the text of ``choices`` was put, when that one text is all they brought."""


def envelope(stream: Stream[Chunk[C]], draft: Draft[C]) -> Envelope | None:
    """Hand the choices of every event to ``draft`` and return what stood around them.

    Events that repeat the one before them but for its text are not decoded one by one.
    ``None`` when no event had a choice; ``Unreadable`` when one is an error object.
    """
    usage, model, seen = UNCOUNTED, "", False
    content_ends: list[int] = []
    other_ends: list[int] = []
    for chunk in stream:
        if chunk.error is not None:
            raise _failures.no_answer(stream.data)
        if chunk.usage is not None:
            usage = chunk.usage
        if chunk.choices:
            seen = True
            model = model or chunk.model or ""
            if not draft.take(chunk.choices):
                other_ends.append(stream.end)
                continue
            content_ends.append(stream.end)
            texts = draft.plain(chunk.choices)
            if texts is not None:
                run = stream.alike(texts[-1])
                texts += run.texts
                content_ends += run.ends
        elif chunk.usage is None and _failures.of_error(stream.data) is not None:
            raise _failures.no_answer(stream.data)
        else:
            other_ends.append(stream.end)
    if not seen:
        return None
    return Envelope(usage=usage, model=model, content_ends=content_ends, other_ends=other_ends)


def joined_logprobs(pieces: list[Json]) -> Json:
    """Log-probabilities of a stream in the shape of a whole reply: lists are joined by name."""
    joined: dict[str, Json] = {}
    for piece in pieces:
        if not isinstance(piece, dict):
            continue
        for name, value in piece.items():
            before = joined.get(name)
            if isinstance(before, list) and isinstance(value, list):
                before.extend(value)
            elif before is None:
                joined[name] = value
    return joined or None


class _Model(msgspec.Struct, frozen=True):
    id: str


class _ModelList(msgspec.Struct, frozen=True):
    data: list[_Model] | None


async def listed(client: HttpClient) -> tuple[str, ...]:
    """Names of the models that the service lists; ``ServiceError`` when it cannot say."""
    path = _targets.openai(client.path(""), "models")
    advice = "Is the base URL right? If so, give the model's name with --model."
    try:
        async with asyncio.timeout(_LIST_TIMEOUT_S):
            exchange = await client.send(HttpRequest(target=path, method="GET"))
        return _names(exchange, path)
    except TimeoutError:
        trouble = f"no answer from {path} within {_LIST_TIMEOUT_S:g} s"
    except Unreadable as unreadable:
        trouble = client.redacted(unreadable.failure.detail)
        if unreadable.failure.status in (401, 403):
            advice = "Check the key: --api-key-env names the environment variable that holds it."
    raise ServiceError(f"the service cannot say which models it serves: {trouble}. {advice}")


def _names(exchange: Exchange, path: str) -> tuple[str, ...]:
    if exchange.failure is not None:
        raise Unreadable(exchange.failure)
    if exchange.status != 200:
        raise Unreadable(_failures.of_status(exchange, path))
    try:
        models = msgspec.json.decode(exchange.body, type=_ModelList).data
    except _failures.UNDECODABLE as error:
        words = f"no model list in the answer of {path} ({error})"
        raise _failures.protocol(f"{words}: {_failures.excerpt(exchange.body)}") from error
    if not models:
        raise ServiceError("the service lists no model; give its name with --model.")
    return tuple(model.id for model in models)
