"""Text Generation Inference: ``/generate`` and ``/generate_stream``, as in its API reference.

Streams: ``data:`` without a blank; every event has ``token``, and only the last one
``generated_text``, which holds the whole answer. Details come when ``parameters.details`` asks.
"""

from collections.abc import Iterator

import msgspec

from steelyard.core import Json
from steelyard.sim.ask import Ask, Refused
from steelyard.sim.output import Output
from steelyard.sim.wire import Manners, decoded, several


class _Parameters(msgspec.Struct):
    max_new_tokens: int | None = None
    min_new_tokens: int | None = None
    ignore_eos: bool | None = None
    stop: str | list[str] | None = None
    details: bool | None = None


class _Body(msgspec.Struct):
    inputs: str
    parameters: _Parameters | None = None


class TGIWire:
    """The protocol of text-generation-inference."""

    manners = Manners()

    def read(self, body: bytes, target: str) -> Ask:
        """The request in ``body``; the path decides whether it streams."""
        asked = decoded(body, _Body, status=422)
        return _ask(asked.inputs, asked.parameters, stream=target == "/generate_stream")

    def whole(self, ask: Ask, output: Output, number: int) -> bytes:
        """The answer as ``generated_text``."""
        reply: dict[str, Json] = {"generated_text": "".join(output.content)}
        if ask.wants_details:
            reply["details"] = details(output) | {"prefill": [], "tokens": []}
        return msgspec.json.encode(reply)

    def steps(self, ask: Ask, output: Output, number: int) -> Iterator[bytes]:
        """One event per token; the last one holds the whole answer as well."""
        last = len(output.content)
        for index, token in enumerate(output.content or ("",), start=1):
            event: dict[str, Json] = {
                "index": index,
                "token": {"id": index, "text": token, "logprob": -0.5, "special": False},
                "generated_text": None,
                "details": None,
            }
            if index >= last:
                event["generated_text"] = "".join(output.content)
                if ask.wants_details:
                    event["details"] = details(output) | {"input_length": ask.prompt_tokens}
            yield b"data:" + msgspec.json.encode(event) + b"\n\n"

    def empty(self, ask: Ask, number: int) -> bytes:
        """An object without an answer."""
        return b"data:{}\n\n" if ask.stream else b"{}"

    def error(self, refused: Refused) -> bytes:
        """``error`` and ``error_type`` side by side."""
        return error(refused)


def _ask(inputs: str, parameters: _Parameters | None, *, stream: bool) -> Ask:
    asked = parameters or _Parameters()
    limit = asked.max_new_tokens
    if limit is not None and limit < 1:
        raise Refused(422, "Input validation error: `max_new_tokens` must be strictly positive")
    return Ask(
        prompt=inputs,
        stream=stream,
        max_tokens=limit,
        min_tokens=asked.min_new_tokens or 0,
        ignore_eos=bool(asked.ignore_eos),
        stop=several(asked.stop),
        wants_details=bool(asked.details),
    )


def details(output: Output) -> dict[str, Json]:
    """Finish reason and token count in TGI's words."""
    finish = "length" if output.finish == "length" else "eos_token"
    return {
        "finish_reason": "stop_sequence" if output.stop is not None else finish,
        "generated_tokens": output.tokens,
        "seed": None,
    }


def error(refused: Refused) -> bytes:
    """An error body as TGI writes it."""
    kinds = {422: "validation", 429: "overloaded", 424: "generation"}
    kind = kinds.get(refused.status, "incomplete_generation")
    return msgspec.json.encode({"error": refused.message, "error_type": kind})
