"""How servers that all speak "the OpenAI protocol" differ: one value per server.

Each difference was seen on the real server (``sglang``: in its published streams and sources). A
client that works with all of these has met the oddities it will meet in the field.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from steelyard.core import Json

DialectName = Literal["openai", "vllm", "transformers", "llamacpp", "sglang"]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one server does its own way."""

    role_delta: Mapping[str, Json]
    """``delta`` of the first event of a chat stream."""
    choice: Mapping[str, Json]
    """Fields of every choice beside index and text, as long as the answer goes on."""
    delta: Mapping[str, Json] = {}
    """Fields of every later ``delta`` beside the text."""
    last_delta: Mapping[str, Json] = {}
    """``delta`` of the event with the finish reason."""
    event: Mapping[str, Json] = {}
    """Top-level fields of every event."""
    stop_field: str = ""
    """Field of a choice that names the stop string that ended the answer."""
    spaced: bool = False
    """Blanks after colons and commas, non-ASCII characters escaped."""
    done: bool = True
    """A stream ends with ``[DONE]``; else it just ends."""
    usage: Literal["asked", "last_choice", "never"] = "asked"
    """Streams: an event of its own if asked for, always in the last event with a choice, never."""
    names_itself: bool = False
    """Replies carry ``<served model>@main`` instead of the name that was asked for."""
    wrong_model: int = 0
    """HTTP status for a model that is not served; 0 accepts any name."""
    unknown_field: int = 0
    """HTTP status for a body field that OpenAI's interface does not have; 0 ignores it."""
    keeps_stop: bool = False
    """A stop string ends the answer but stays in it."""
    lists_models: bool = True
    """``/v1/models`` lists the served model; else the list is empty."""
    error: Literal["object", "class", "flat", "detail"] = "object"
    """``{"error": {...}}`` with OpenAI's type names or with exception names, the same fields at top
    level, or ``{"detail": "..."}``."""
    scores_prompts: bool = False
    """``prompt_logprobs`` is answered; else it is one more field that nobody knows."""
    interrupts: bool = False
    """A new request cuts the stream that is running, without the end of the chunked body."""
    events_per_write: int = 1
    """Tokens that leave in one write."""


_ROLE = {"role": "assistant"}
_ROLE_AND_TEXT = {"role": "assistant", "content": ""}
_GOES_ON = {"logprobs": None, "finish_reason": None}
_SGLANG_REST = {"reasoning_content": None, "tool_calls": None}
_SGLANG_DELTA = {"role": None, "content": None, **_SGLANG_REST}

DIALECTS: Mapping[DialectName, Dialect] = {
    "openai": Dialect(role_delta=_ROLE_AND_TEXT, choice=_GOES_ON),
    "vllm": Dialect(
        role_delta=_ROLE_AND_TEXT,
        choice={**_GOES_ON, "token_ids": None},
        last_delta={"content": ""},
        stop_field="stop_reason",
        wrong_model=404,
        error="class",
        scores_prompts=True,
        events_per_write=2,
    ),
    "transformers": Dialect(
        role_delta=_ROLE,
        choice={},
        done=False,
        usage="last_choice",
        names_itself=True,
        wrong_model=400,
        unknown_field=422,
        keeps_stop=True,
        lists_models=False,
        error="detail",
    ),
    "llamacpp": Dialect(
        role_delta=_ROLE,
        choice=_GOES_ON,
        spaced=True,
        usage="never",
        interrupts=True,
    ),
    "sglang": Dialect(
        role_delta={**_ROLE_AND_TEXT, **_SGLANG_REST},
        choice={**_GOES_ON, "matched_stop": None},
        delta=_SGLANG_DELTA,
        last_delta=_SGLANG_DELTA,
        event={"usage": None},
        stop_field="matched_stop",
        error="flat",
    ),
}
