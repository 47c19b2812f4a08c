"""From messages to token ids: chat template or plain text, and what is cut when it is too long."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.backends._request import plain_prompt
from steelyard.core import Candidate, ConfigError, Message, Request

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


DEFAULT_MAX_TOKENS = 512
"""Limit of an answer when nobody says one."""


class Prompted(NamedTuple):
    """A prompt as token ids."""

    ids: list[int]
    cut: int
    """Tokens that were left out because the prompt was too long."""


def chat_text(tokenizer: "PreTrainedTokenizerBase", request: Request) -> str:
    """The dialogue in the tokenizer's chat template, with the opening of the model's turn.

    ``ConfigError`` when there is no template, or the template refuses the dialogue.
    """
    if not tokenizer.chat_template:
        raise ConfigError(
            f"{tokenizer.name_or_path}: the tokenizer has no chat template. Use hf_base_model, or "
            "name a tokenizer that has one with --set tokenizer_path=FOLDER."
        )
    try:
        text = tokenizer.apply_chat_template(
            merged(request.messages), tokenize=False, add_generation_prompt=True
        )
    except Exception as error:
        raise ConfigError(
            f"request {request.key}: the chat template refuses the dialogue ({error})"
        ) from error
    return str(text)


def chat_ids(tokenizer: "PreTrainedTokenizerBase", request: Request) -> list[int]:
    """``chat_text`` as token ids; a template writes its special tokens itself."""
    return token_ids(tokenizer, [chat_text(tokenizer, request)], special=False)[0]


def plain_text(_: "PreTrainedTokenizerBase", request: Request) -> str:
    """All texts of the dialogue one after the other, as a text to go on with."""
    return plain_prompt(request, "")


def plain_ids(tokenizer: "PreTrainedTokenizerBase", request: Request) -> list[int]:
    """``plain_text`` as token ids, with the marks that the tokenizer puts around a text.

    A text that begins with the first mark gets no other one.
    """
    text = plain_text(tokenizer, request)
    return token_ids(tokenizer, [text], special=not begins_marked(tokenizer, text))[0]


def begins_marked(tokenizer: "PreTrainedTokenizerBase", text: str) -> bool:
    """Whether the mark that the tokenizer has for the beginning of a text stands there already."""
    mark: str | None = tokenizer.bos_token
    return bool(mark) and text.startswith(str(mark))


def token_ids(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], *, special: bool
) -> list[list[int]]:
    """Each text as token ids, with the tokenizer's marks around it if ``special``."""
    found: list[list[int]] = tokenizer(list(texts), add_special_tokens=special)["input_ids"]
    return found


def merged(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The turns that are not empty; neighbours of one role are one turn, a line each."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if not isinstance(message.content, str):
            raise ConfigError(
                "a question with pictures or other parts cannot be put to a local text model"
            )
        if not message.content:
            continue
        if turns and turns[-1]["role"] == message.role:
            turns[-1]["content"] += "\n" + message.content
        else:
            turns.append({"role": message.role, "content": message.content})
    return turns


def fitted(ids: list[int], room: int, *, middle: bool) -> Prompted:
    """``ids`` in at most ``room`` tokens: the end is kept, or with ``middle`` both halves."""
    cut = len(ids) - room
    if cut <= 0:
        return Prompted(ids, 0)
    if not middle:
        return Prompted(ids[cut:], cut)
    head = room // 2
    return Prompted(ids[:head] + ids[len(ids) - (room - head) :], cut)


def opening(candidate: Candidate) -> Candidate:
    """``candidate`` at the beginning of a turn."""
    if candidate.lead.strip():
        return Candidate(text=candidate.text, lead=candidate.lead.lstrip())
    return Candidate(text=candidate.text.lstrip())


class Manner(NamedTuple):
    """How one kind of local model writes a request."""

    ids: Callable[["PreTrainedTokenizerBase", Request], list[int]]
    """As token ids that are to be answered."""
    text: Callable[["PreTrainedTokenizerBase", Request], str]
    """As the text that candidates follow."""
    special: bool
    """The tokenizer's own marks belong in front of that text."""
    own_turn: bool
    """A candidate opens a turn of its own: blanks in front of it are left out."""


CHAT = Manner(chat_ids, chat_text, special=False, own_turn=True)
PLAIN = Manner(plain_ids, plain_text, special=True, own_turn=False)
