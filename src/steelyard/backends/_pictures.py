"""Pictures in files: those of a request, read when it is sent, and those that strangers name."""

import base64
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from steelyard.backends._failures import Unreadable
from steelyard.core import (
    Failure,
    Json,
    Message,
    Picture,
    picture_fault,
    picture_in,
    picture_kind,
)
from steelyard.core.pictures import LARGEST_BYTES, too_large


def file_inside(folder: Path, name: str) -> Path:
    """The file ``name`` in ``folder``, which may not exist.

    ``ValueError`` says why it is none: a name that leads elsewhere, or what is no plain file.
    """
    root, path = folder.resolve(), (folder / name).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"it leads out of {folder}")
    if not name or (path.exists() and not path.is_file()):  # a pipe would be waited for
        raise ValueError("it is no plain file")
    return path


def read_picture(path: Path) -> bytes:
    """The picture in a file; ``ValueError`` says why it is none. Raises ``OSError`` as usual."""
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(too_large(size))
    data = path.read_bytes()
    if fault := picture_fault(data):
        raise ValueError(fault)
    return data


def picture_bytes(picture: Picture) -> bytes:
    """What ``picture`` is; ``Unreadable`` when it is not there any more, or another one is."""
    try:
        with Path(picture.path).open("rb") as file:
            file.seek(picture.offset)
            data = file.read(picture.size)
    except OSError as error:
        raise _gone(f"the picture {picture.path} cannot be read: {error.strerror}") from error
    if sha256(data).hexdigest() != picture.sha256:
        raise _gone(f"the picture {picture.path} was changed while it was used")
    return data


def with_pictures(messages: Sequence[Message]) -> Sequence[Message]:
    """``messages`` as the OpenAI chat interface takes them: pictures as data URLs."""
    if all(isinstance(one.content, str) for one in messages):
        return messages
    return [Message(one.role, _content(one.content)) for one in messages]


def _content(content: str | list[dict[str, Json]]) -> str | list[dict[str, Json]]:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _part(part: dict[str, Json]) -> dict[str, Json]:
    picture = picture_in(part)
    if picture is None:
        return part
    data = picture_bytes(picture)
    url = f"data:image/{picture_kind(data)};base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _gone(detail: str) -> Unreadable:
    return Unreadable(Failure(kind="picture", detail=detail))
