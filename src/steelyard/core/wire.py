"""What is asked: messages, sampling, one request."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any
"""A value that JSON can hold. ``Any`` because Python's type system has no closed form for it."""


class Message(msgspec.Struct, frozen=True):
    """One turn of a dialogue."""

    role: str
    """``system``, ``user``, ``assistant`` or ``tool``."""
    content: str | list[dict[str, Json]]
    """Text, or OpenAI-style content parts for multimodal input."""


class Sampling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the model is to generate."""

    max_tokens: int | None = None
    """Limit of output tokens; ``None`` leaves it to the service."""
    extra: Mapping[str, Json] = {}
    """``generation_kwargs``: copied into the request unchanged (temperature, top_p, seed...)."""


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to ask a model. Pure data: it can be written, sent to another process, replayed."""

    key: str
    """``sample_id#repeat``; unique inside a job and stable across runs."""
    messages: tuple[Message, ...]
    sampling: Sampling
    tools: tuple[dict[str, Json], ...] = ()


class ToolCall(msgspec.Struct, frozen=True):
    """One function call that the model asked for."""

    name: str
    arguments: str
    """The arguments as the model wrote them (JSON text, possibly broken)."""
    id: str = ""
