"""Content coding: gzip and deflate undone read by read, so that arrival times stay right.

We ask for ``identity``; a server that compresses all the same is understood.
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from steelyard.engine.framing import BODY_LIMIT, BadResponse


class Decoded(NamedTuple):
    """A body without its coding."""

    pieces: list[bytes]
    """What each read added."""
    whole: bool
    """``False`` when the coding's own end was not seen."""


def decoded(body: bytes, ends: Sequence[int], coding: str, limit: int = BODY_LIMIT) -> Decoded:
    """Undo ``coding`` of ``body``; ``ends`` are the body offsets at which reads ended.

    Raises ``BadResponse`` for an unknown coding, damaged data and more than ``limit`` bytes.
    """
    window = _window_bits(coding.strip().lower(), body)
    stream = zlib.decompressobj(window)
    pieces: list[bytes] = []
    left = limit
    start = 0
    for end in ends:
        data = body[start:end]
        start = end
        piece = b""
        while data:
            if stream.eof:  # gzip may have several members
                stream = zlib.decompressobj(window)
            try:
                piece += stream.decompress(data, left - len(piece) + 1)
            except zlib.error as error:
                raise BadResponse(f"the compressed answer is damaged ({error})") from error
            if len(piece) > left:
                raise BadResponse(f"the answer unpacks to more than {limit:,} bytes")
            data = stream.unused_data
        left -= len(piece)
        pieces.append(piece)
    return Decoded(pieces, stream.eof or not body)


def _window_bits(coding: str, body: bytes) -> int:
    """What zlib calls the coding; ``deflate`` comes with a zlib header or, wrongly, without."""
    if coding in ("gzip", "x-gzip"):
        return 16 + zlib.MAX_WBITS
    if coding != "deflate":
        raise BadResponse(f"content-encoding {coding!r} is not supported")
    has_header = body[:1] == b"\x78" and int.from_bytes(body[:2]) % 31 == 0
    return zlib.MAX_WBITS if has_header or not body else -zlib.MAX_WBITS
