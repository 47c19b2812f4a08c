"""What every protocol takes out of a request: generation parameters, a plain prompt."""

from steelyard.core import ConfigError, Json, Message, Request, Sampling

_OURS = frozenset({"num_return_sequences", "lora_data_map_file"})
"""Generation arguments with a meaning of their own for the evaluation; no service knows them."""


def parameters(sampling: Sampling) -> dict[str, Json]:
    """``sampling.extra`` as it goes to the service."""
    return {name: value for name, value in sampling.extra.items() if name not in _OURS}


def capped_parameters(sampling: Sampling) -> dict[str, Json]:
    """``parameters`` with the output limit as TGI, Triton and MindIE call it."""
    found = parameters(sampling)
    if sampling.max_tokens is not None:
        found["max_new_tokens"] = sampling.max_tokens
    return found


def plain_prompt(request: Request, separator: str = "\n") -> str:
    """All message texts, ``separator`` between them; roles are lost.

    ``ConfigError`` for content that is not text: leaving it out would change the question.
    """
    return separator.join(
        text for message in request.messages for text in _texts(message, request.key)
    )


def _texts(message: Message, key: str) -> list[str]:
    if isinstance(message.content, str):
        return [message.content]
    for part in message.content:
        if part.get("type") != "text":
            raise ConfigError(
                f"request {key}: this backend takes plain text, but the message holds a part of "
                f"type {part.get('type')!r}. Use a chat backend (openai_chat) for it."
            )
    return [part["text"] for part in message.content]
