"""OpenAI's image edits: ``/v1/images/edits``, a form of several parts with a picture in it.

The picture that comes back is no edit: a small PNG whose colours are a function of the prompt and
of the picture that was sent, so that a run is the same whatever order its requests arrive in.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from steelyard.sim.ask import Ask, Refused
from steelyard.sim.output import Output
from steelyard.sim.wire import FINGERPRINT, Manners, phrase

_SIDE = 8
"""Pixels, in both directions."""
_NAME = re.compile(rb'name="([^"]*)"')


class ImageEditsWire:
    """The protocol of services that edit pictures."""

    manners = Manners()

    def read(self, body: bytes, target: str) -> Ask:
        """The request in ``body``; the boundary is what it begins with."""
        fields = _fields(body)
        pictures = [value for name, value in fields if name in ("image", "image[]")]
        said = {name: value.decode("utf-8", "replace") for name, value in fields if value}
        if not pictures or not said.get("prompt"):
            raise Refused(400, "an edit needs a field `image` with a picture, and a `prompt`")
        if said.get("response_format", "b64_json") != "b64_json":
            raise Refused(400, "the simulation sends pictures as b64_json only")
        digests = tuple(sha256(one).hexdigest() for one in pictures)
        return Ask(prompt=said["prompt"], model=said.get("model", ""), pictures=digests)

    def whole(self, ask: Ask, output: Output, number: int) -> bytes:
        """The picture, in base64."""
        drawn = base64.b64encode(picture("\0".join((ask.prompt, *ask.pictures)))).decode()
        return msgspec.json.encode(
            {"created": number, "data": [{"b64_json": drawn}], "system_fingerprint": FINGERPRINT}
        )

    def steps(self, ask: Ask, output: Output, number: int) -> Iterator[bytes]:
        """Edits are not streamed."""
        yield self.whole(ask, output, number)

    def empty(self, ask: Ask, number: int) -> bytes:
        """A reply whose list of pictures is empty."""
        return b'{"created": 0, "data": []}'

    def error(self, refused: Refused) -> bytes:
        """An error object."""
        kind = phrase(refused.status)
        return msgspec.json.encode({"error": {"message": refused.message, "type": kind}})


def picture(text: str) -> bytes:
    """A small PNG whose colours ``text`` decides."""
    block = b""
    while len(block) < 3 * _SIDE * _SIDE:
        block += sha256(f"{len(block)}\0{text}".encode()).digest()
    width = 3 * _SIDE
    rows = [b"\0" + block[width * row : width * (row + 1)] for row in range(_SIDE)]
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _fields(body: bytes) -> list[tuple[str, bytes]]:
    """The parts of the form: names and values."""
    mark, _, _ = body.partition(b"\r\n")
    if not mark.startswith(b"--") or len(mark) < 3:
        raise Refused(400, "the request body is no multipart form")
    found = []
    for part in body.split(b"\r\n" + mark):
        head, gap, value = part.removeprefix(mark).partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if gap and name:
            found.append((name[1].decode("utf-8", "replace"), value))
    return found
