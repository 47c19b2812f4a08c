"""Pictures: named by their content, never carried along.

A message part ``{"type": "picture", "sha256": ..., "path": ..., "offset": ..., "size": ...}`` says
which picture is meant (the digest) and where it lies now. Only the digest identifies it: a data
folder that moved holds the same pictures. The bytes are read when a request is written, and never
decoded: of a picture that nobody trusts only the first bytes are looked at.
"""

from collections.abc import Sequence

import msgspec

from steelyard.core.wire import Json, Message

LARGEST_BYTES = 32 * 1024 * 1024
"""A larger file is not taken as a picture: services refuse them, and memory has an end."""
PART = "picture"

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


class Picture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One picture, and where it lies: a file, or ``size`` bytes in one from ``offset`` on."""

    sha256: str
    """Of its bytes, in hex."""
    path: str
    size: int
    offset: int = 0

    @property
    def part(self) -> dict[str, Json]:
        """The picture as a part of a message."""
        return {"type": PART, **msgspec.to_builtins(self)}


def picture_in(part: dict[str, Json]) -> Picture | None:
    """The picture that a part of a message is; ``None`` for a part of another kind."""
    if part.get("type") != PART:
        return None
    return msgspec.convert({name: part[name] for name in part if name != "type"}, Picture)


def pictures_in(content: str | Sequence[dict[str, Json]]) -> list[Picture]:
    """The pictures of a message, or of a question, in their order."""
    parts = () if isinstance(content, str) else content
    return [one for one in map(picture_in, parts) if one is not None]


def by_content(content: str | list[dict[str, Json]]) -> str | list[dict[str, Json]]:
    """``content`` with what its pictures are and not where they lie, for digests."""
    if isinstance(content, str):
        return content
    return [
        {"type": PART, "sha256": part["sha256"]} if part.get("type") == PART else part
        for part in content
    ]


def messages_by_content(messages: Sequence[Message]) -> list[Message]:
    """``messages``, each as ``by_content`` has it."""
    return [Message(one.role, by_content(one.content)) for one in messages]


def picture_kind(data: bytes) -> str:
    """``png``, ``jpeg`` or ``webp`` by the first bytes; empty when it is none of these."""
    if data.startswith(_PNG):
        return "png"
    if data.startswith(_JPEG):
        return "jpeg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def too_large(size: int) -> str:
    """Why so many bytes are not taken as a picture."""
    return f"it has {size:,} bytes, and {LARGEST_BYTES:,} is the most that is taken"


def picture_fault(data: bytes) -> str:
    """Why ``data`` is not taken as a picture, in words; empty when it is."""
    if not data:
        return "it is empty"
    if len(data) > LARGEST_BYTES:
        return too_large(len(data))
    if not picture_kind(data):
        return "it begins like no PNG, JPEG or WebP picture"
    return ""
