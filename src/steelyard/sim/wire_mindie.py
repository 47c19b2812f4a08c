"""MindIE's own interface ``/infer``, as in its service manual.

Streams: every event has ``prefill_time`` or ``decode_time`` (ms) and ``token``; the last one
also ``generated_text`` with the whole answer and ``details``, its token without text of its own.
"""

from collections.abc import Iterator

import msgspec

from steelyard.core import Json
from steelyard.sim.ask import Ask, Refused
from steelyard.sim.output import Output
from steelyard.sim.wire import Manners, decoded, several, sse
from steelyard.sim.wire_tgi import details, error


class _Parameters(msgspec.Struct):
    max_new_tokens: int | None = None
    ignore_eos: bool | None = None
    stop: str | list[str] | None = None


class _Part(msgspec.Struct):
    text: str = ""


class _Body(msgspec.Struct):
    inputs: str | list[_Part]
    stream: bool | None = None
    parameters: _Parameters | None = None


class MindIEWire:
    """The protocol of MindIE Service."""

    manners = Manners()

    def read(self, body: bytes, target: str) -> Ask:
        """The request in ``body``; its ``stream`` field decides whether it streams."""
        asked = decoded(body, _Body, status=422)
        options = asked.parameters or _Parameters()
        limit = options.max_new_tokens
        if limit is not None and limit < 1:
            raise Refused(422, f"Input validation error: max_new_tokens is {limit}, must be > 0")
        inputs = asked.inputs
        return Ask(
            prompt=inputs if isinstance(inputs, str) else "".join(part.text for part in inputs),
            stream=bool(asked.stream),
            max_tokens=limit,
            ignore_eos=bool(options.ignore_eos),
            stop=several(options.stop),
        )

    def whole(self, ask: Ask, output: Output, number: int) -> bytes:
        """The answer as ``generated_text``, with details."""
        reply = {"generated_text": "".join(output.content), "details": details(output)}
        return msgspec.json.encode(reply)

    def steps(self, ask: Ask, output: Output, number: int) -> Iterator[bytes]:
        """One event per token; the last one holds the whole answer as well."""
        last = len(output.content)
        for index, token in enumerate(output.content or ("",), start=1):
            event: dict[str, Json] = {
                "prefill_time": 1.0 if index == 1 else None,
                "decode_time": 1.0 if index > 1 else None,
            }
            if index < last:
                event["token"] = {"id": [index], "text": token}
            else:
                event["generated_text"] = "".join(output.content)
                event["details"] = details(output)
                event["token"] = {"id": [index], "text": None}
            yield sse(event)

    def empty(self, ask: Ask, number: int) -> bytes:
        """An object without an answer."""
        return sse({}) if ask.stream else b"{}"

    def error(self, refused: Refused) -> bytes:
        """The same two fields as TGI."""
        return error(refused)
