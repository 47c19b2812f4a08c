"""OpenAI's image edits: ``POST v1/images/edits`` (OpenAI, vLLM-Omni, SGLang's diffusion server).

Sent:  a form of several parts: ``image`` (the request's pictures, a part each), ``prompt`` (its
       texts), ``model``, ``n`` 1, ``response_format`` b64_json, and the generation parameters as
       they are (``size``, ``quality``, ``seed``, ``num_inference_steps``...). A token limit has no
       meaning here and is not sent.
Read:  ``data[0].b64_json``, which must be a PNG, JPEG or WebP picture; usage where there is any. A
       ``url`` in its place is not fetched: it would be another request, to who knows whom.
       OpenAI's gpt-image models always send the picture itself and refuse ``response_format``:
       leave it out for them with the option ``response_format`` empty.
"""

import base64
import binascii
import secrets
from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple

import msgspec

from steelyard.backends import _failures, _targets
from steelyard.backends._openai import listed
from steelyard.backends._options import read_options
from steelyard.backends._pictures import picture_bytes
from steelyard.backends._reading import Answer, Wire
from steelyard.backends._request import parameters
from steelyard.backends._service import Service
from steelyard.backends._stream import Stream
from steelyard.core import (
    Backend,
    ConfigError,
    Json,
    ModelSpec,
    Reply,
    Request,
    Unread,
    picture_fault,
    picture_in,
    picture_kind,
)
from steelyard.engine import HttpClient, HttpOptions

TAKES_PICTURES = True
DRAWS = True


class Options(HttpOptions, frozen=True, kw_only=True):
    """How to reach a service that edits pictures."""

    model: str = ""
    """Name the service knows the model by; empty: the first one that it lists."""
    response_format: Literal["b64_json", ""] = "b64_json"
    """How the picture is asked for; empty: nothing is said about it."""


class _Image(msgspec.Struct, frozen=True):
    b64_json: str | None = None
    url: str | None = None


class _Usage(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Document(msgspec.Struct, frozen=True):
    data: list[_Image] | None = None
    usage: _Usage | None = None
    model: str | None = None


class _Field(NamedTuple):
    """One part of the form."""

    name: str
    value: bytes
    kind: str = ""
    """Of a picture: ``png``, ``jpeg`` or ``webp``."""


class ImageEdits:
    """A service that edits pictures and can say which models it serves."""

    def __init__(self, client: HttpClient, asked: Service[Json]) -> None:
        self._client = client
        self._asked = asked

    async def ask(self, request: Request) -> Reply:
        """See ``Backend``."""
        return await self._asked.ask(request)

    async def connect(self, number: int) -> None:
        """See ``Fetcher``."""
        await self._asked.connect(number)

    async def fetch(self, request: Request) -> Unread:
        """See ``Fetcher``."""
        return await self._asked.fetch(request)

    async def models(self) -> tuple[str, ...]:
        """See ``ModelLister``."""
        return await listed(self._client)

    async def close(self) -> None:
        """See ``Backend``."""
        await self._asked.close()


def connect(spec: ModelSpec) -> Backend:
    """The model behind the service that ``spec`` describes."""
    options = read_options(spec, Options)
    client = HttpClient(options, load=spec.load)
    target = _targets.openai(client.path(""), "images/edits")
    # Random and as long as a digest: no picture and no prompt holds it.
    boundary = secrets.token_hex(32)
    kind = ("Content-Type", f"multipart/form-data; boundary={boundary}")
    write = partial(_body, options, boundary.encode())
    return ImageEdits(client, Service(client, target, write, _WIRE, headers=(kind,)))


def _body(options: Options, boundary: bytes, request: Request) -> bytes:
    pieces: list[bytes] = []
    for number, field in enumerate(_fields(options, request), start=1):
        head = f'Content-Disposition: form-data; name="{field.name}"'
        if field.kind:
            head += f'; filename="{number}.{field.kind}"\r\nContent-Type: image/{field.kind}'
        pieces += (b"--", boundary, b"\r\n", head.encode(), b"\r\n\r\n", field.value, b"\r\n")
    return b"".join((*pieces, b"--", boundary, b"--\r\n"))


def _fields(options: Options, request: Request) -> Iterator[_Field]:
    texts: list[str] = []
    pictures = 0
    for message in request.messages:
        parts: list[dict[str, Json]] = (
            [{"type": "text", "text": message.content}]
            if isinstance(message.content, str)
            else message.content
        )
        for part in parts:
            picture = picture_in(part)
            if picture is not None:
                pictures += 1
                data = picture_bytes(picture)
                yield _Field("image", data, picture_kind(data))
            elif part.get("type") == "text":
                texts.append(part["text"])
            else:
                raise ConfigError(
                    f"request {request.key}: a picture cannot be edited by a part of type "
                    f"{part.get('type')!r}; expected pictures and texts."
                )
    if not pictures:
        raise ConfigError(
            f"request {request.key} holds no picture to be edited. This backend is for data sets "
            "of pictures (gedit_gen_0_shot_llmjudge)."
        )
    said: dict[str, Json] = {
        "prompt": "\n".join(texts),
        "model": options.model,
        "n": 1,
        "response_format": options.response_format,
        **parameters(request.sampling),
    }
    for name, value in said.items():
        if value not in ("", None):
            yield _Field(name, _written(value))


def _written(value: Json) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def _whole(document: bytes) -> Answer:
    reply = _DOCUMENT.decode(document)
    if not reply.data:
        raise _failures.no_answer(document)
    usage = reply.usage or _Usage()
    return Answer(
        drawn=_picture(reply.data[0]),
        prompt_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        model=reply.model or "",
    )


def _picture(image: _Image) -> bytes:
    if image.b64_json is None:
        raise _failures.protocol(
            "the service answered with the address of a picture, which is not fetched. Have it "
            "send the picture itself (response_format b64_json)."
            if image.url
            else "the service answered without a picture (no b64_json)"
        )
    text = image.b64_json
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _failures.protocol(f"the picture in the answer is no base64 ({error})") from error
    if fault := picture_fault(data):
        raise _failures.protocol(f"the picture in the answer cannot be used: {fault}")
    return data


def _streamed(stream: Stream[Json]) -> Answer | None:
    """Never asked for."""
    return None


_DOCUMENT = msgspec.json.Decoder(_Document)
_WIRE: Wire[Json] = Wire(decode=msgspec.json.Decoder().decode, streamed=_streamed, whole=_whole)
