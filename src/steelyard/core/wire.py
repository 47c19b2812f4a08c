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


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A later turn of a dialogue: what the user says once the answer before it is there."""

    question: str
    given: str | None = None
    """The data's own answer to this turn; ``None`` when there is none."""
    max_tokens: int | None = None
    """This turn's own output limit; in a request it stands for itself, not for the turn before."""
    pause_s: float = 0.0
    """Think time: seconds between the answer before it and this turn."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A text whose likelihood after the prompt is asked for."""

    text: str
    """What is scored, with its leading blank if it has one."""
    lead: str = ""
    """Comes between the prompt and ``text`` and is not scored."""


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to ask a model. Pure data: it can be written, sent to another process, replayed."""

    key: str
    """``sample_id#repeat``, later turns ``sample_id#repeat.turn``; unique inside a job, stable."""
    messages: tuple[Message, ...]
    sampling: Sampling
    tools: tuple[dict[str, Json], ...] = ()
    then: tuple[Turn, ...] = ()
    """The turns that follow when this one was answered."""
    given: str | None = None
    """What stands in the history as this turn's answer; ``None``: the model's own answer."""
    due_ms: float | None = None
    """When a trace sent this request, in ms since the trace began."""
    candidates: tuple[Candidate, ...] = ()
    """Not empty: no answer is asked for but how likely each of these is after the messages."""
    place: str = ""
    """Of an answer that is a picture: see ``Sample.place``."""
    judged: str = ""
    """Of a question to a judge: the digest of all that decides it, kept with the reply."""


class ToolCall(msgspec.Struct, frozen=True):
    """One function call that the model asked for."""

    name: str
    arguments: str
    """The arguments as the model wrote them (JSON text, possibly broken)."""
    id: str = ""
