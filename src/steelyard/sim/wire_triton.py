"""Triton's generate extension: ``/v2/models/NAME/generate`` and ``/generate_stream``.

Every reply and every event is ``{model_name, model_version, text_output}``. Generation options
are read from ``parameters`` or from the top level, where different backends expect them.
"""

from collections.abc import Iterator

import msgspec

from steelyard.core import Json
from steelyard.sim.ask import Ask, Refused
from steelyard.sim.output import Output
from steelyard.sim.wire import Manners, decoded, several, sse


class _Options(msgspec.Struct, kw_only=True):
    max_new_tokens: int | None = None
    max_tokens: int | None = None
    min_tokens: int | None = None
    ignore_eos: bool | None = None
    stop: str | list[str] | None = None
    stop_words: str | list[str] | None = None


class _Body(_Options, kw_only=True):
    text_input: str
    id: str = ""
    parameters: _Options | None = None


class TritonWire:
    """The protocol of Triton's generate extension."""

    manners = Manners()

    def read(self, body: bytes, target: str) -> Ask:
        """The request in ``body``; the path names the model and decides whether it streams."""
        asked = decoded(body, _Body)
        options = asked.parameters or asked
        limit = options.max_new_tokens
        if limit is None:
            limit = options.max_tokens
        if limit is not None and limit < 1:
            raise Refused(400, f"max_new_tokens is {limit}; it must be at least 1")
        return Ask(
            prompt=asked.text_input,
            stream=target.endswith("/generate_stream"),
            model=target.split("/")[3],
            max_tokens=limit,
            min_tokens=options.min_tokens or 0,
            ignore_eos=bool(options.ignore_eos),
            stop=several(options.stop or options.stop_words),
            id=asked.id,
        )

    def whole(self, ask: Ask, output: Output, number: int) -> bytes:
        """The answer as ``text_output``."""
        return msgspec.json.encode(_reply(ask) | {"text_output": "".join(output.content)})

    def steps(self, ask: Ask, output: Output, number: int) -> Iterator[bytes]:
        """One event per token."""
        reply = _reply(ask)
        for token in output.content or ("",):
            yield sse(reply | {"text_output": token})

    def empty(self, ask: Ask, number: int) -> bytes:
        """A reply without ``text_output``."""
        return sse(_reply(ask)) if ask.stream else msgspec.json.encode(_reply(ask))

    def error(self, refused: Refused) -> bytes:
        """Triton's errors are one field."""
        return msgspec.json.encode({"error": refused.message})


def _reply(ask: Ask) -> dict[str, Json]:
    reply: dict[str, Json] = {"id": ask.id} if ask.id else {}
    return reply | {"model_name": ask.model, "model_version": "1"}
