"""Text Generation Inference: ``POST generate``, streamed ``POST generate_stream``.

Sent:  ``{inputs, parameters: {…parameters, max_new_tokens}}``; ``inputs`` is all message texts
       joined by newlines.
Read:  ``generated_text``, and of ``details`` the finish reason and the token counts. The service
       sends ``details`` when asked to: ``details=True`` among the generation parameters.
"""

import msgspec

from steelyard.backends._generated_text import WIRE
from steelyard.backends._options import read_options
from steelyard.backends._request import capped_parameters, plain_prompt
from steelyard.backends._service import Service
from steelyard.backends._targets import below
from steelyard.core import Backend, ModelSpec, Request
from steelyard.engine import HttpClient, HttpOptions


class Options(HttpOptions, frozen=True, kw_only=True):
    """How to reach TGI, which serves one model and needs no name for it."""

    stream: bool = False
    """Ask for the answer piece by piece, which times its tokens."""


def connect(spec: ModelSpec) -> Backend:
    """The model behind the service that ``spec`` describes."""
    options = read_options(spec, Options)
    client = HttpClient(options, load=spec.load)
    endpoint = "generate_stream" if options.stream else "generate"
    return Service(client, below(client.path(""), endpoint), _body, WIRE)


def _body(request: Request) -> bytes:
    return msgspec.json.encode(
        {"inputs": plain_prompt(request), "parameters": capped_parameters(request.sampling)}
    )
