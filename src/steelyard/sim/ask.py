"""What a request wants, whatever protocol it came in, and how a request is turned away."""

import msgspec


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for, whatever protocol it came in."""

    prompt: str
    """All text of the request, the turns of a dialogue joined by line ends."""
    stream: bool = False
    model: str = ""
    """The model name that was asked for; empty when the request gave none."""
    max_tokens: int | None = None
    min_tokens: int = 0
    ignore_eos: bool = False
    stop: tuple[str, ...] = ()
    wants_usage: bool = False
    """A stream is to end with a usage event."""
    wants_details: bool = False
    """Finish reason and token count are wanted (TGI)."""
    scored: str | None = None
    """The text whose tokens' log-probabilities are wanted (``prompt_logprobs``)."""
    pictures: tuple[str, ...] = ()
    """Digests of the pictures that came with it, in their order."""
    id: str = ""
    """The request's own name for itself (Triton)."""

    @property
    def prompt_tokens(self) -> int:
        """An estimate: four characters a token."""
        return max(1, (len(self.prompt) + 3) // 4)


class Refused(Exception):
    """The request cannot be served; the answer is an HTTP error."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(status, message, code)
        self.status = status
        self.message = message
        self.code = code
        """A short name for programs (``context_length_exceeded``); mostly empty."""
