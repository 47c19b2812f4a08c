"""The seam between HTTP and the simulated model: what is asked, and how answers become bytes.

One class per protocol family implements ``Wire``. It reads a request body into an ``Ask`` and
writes an ``Output`` as one JSON document or as a sequence of server-sent events, one step per
token. It knows nothing of connections, delays or faults.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Protocol, TypeVar

import msgspec

from steelyard.core import Json
from steelyard.sim.ask import Ask, Refused
from steelyard.sim.output import Output

FINGERPRINT = "steelyard-sim"
"""Stands in every reply, so that nobody takes one for a model's."""

Body = TypeVar("Body")

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Manners(msgspec.Struct, frozen=True):
    """What a protocol family makes of an answer or a model name."""

    splits_reasoning: bool = False
    """Replies have a field of their own for reasoning."""
    keeps_stop: bool = False
    """A stop string ends the answer but stays in it."""
    wrong_model: int = 0
    """HTTP status for a model that is not served; 0 accepts any name."""


class Wire(Protocol):
    """One protocol family. ``number`` counts requests and becomes the reply's id."""

    manners: Manners

    def read(self, body: bytes, target: str) -> Ask:
        """The request in ``body``, sent to the path ``target``; raises ``Refused``."""

    def whole(self, ask: Ask, output: Output, number: int) -> bytes:
        """The reply of a request that does not stream."""

    def steps(self, ask: Ask, output: Output, number: int) -> Iterator[bytes]:
        """The events of a streamed reply: one item per token, at least one, ends included."""

    def empty(self, ask: Ask, number: int) -> bytes:
        """A reply without any answer in it; all events of one when the request streams."""

    def error(self, refused: Refused) -> bytes:
        """The body of an error reply."""


def decoded(body: bytes, kind: type[Body], *, status: int = 400) -> Body:
    """``body`` as ``kind``; ``Refused`` with ``status`` says what is wrong with it."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(status, f"the request body cannot be read: {error}") from error


def several(stop: str | list[str] | None) -> tuple[str, ...]:
    """Stop strings, however they were written."""
    if stop is None:
        return ()
    return (stop,) if isinstance(stop, str) else tuple(stop)


def sse(event: Json) -> bytes:
    """One server-sent event that holds ``event`` as JSON."""
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def phrase(status: int) -> str:
    """The words that belong to an HTTP status."""
    return _PHRASES.get(status, "Unknown")
