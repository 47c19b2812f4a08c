"""What came back and what it was worth: reply, score, metric."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from steelyard.core.wire import Json, ToolCall

FailureKind: TypeAlias = Literal[
    "connect",  # no connection: DNS, TLS, unreachable host, proxy
    "refused",  # nothing listens on that address and port
    "timeout",  # no complete answer in time
    "status",  # the service answered with an HTTP error status
    "broken_stream",  # the connection ended in mid-answer
    "protocol",  # an answer that is not what the protocol says
    "cancelled",  # the run was stopped while the request was in flight
    "model",  # a local model could not compute it
    "picture",  # a picture is missing, or what is there is none
]

Outcome: TypeAlias = Literal[
    "right",
    "wrong",
    "partial",  # some of the marks, half of a tie
    "invalid",  # a judge says that there is no answer to judge: cut off, repetitive, refused
    "unparsed",  # nothing could be read: out of the answer, or out of the judge's reply
    "unjudged",  # there was nothing to mark it by
    "judge_failed",  # the judge could not be asked
    "failed",  # the model could not be asked
]

TokenSource: TypeAlias = Literal["usage", "tokenizer"]
ArrivalClock: TypeAlias = Literal["kernel", "event loop"]


class Timing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The clock of one request as the sending side saw it (monotonic, one clock per machine)."""

    queued_ns: int
    """When the engine took the request up (before waiting for a place in flight)."""
    sent_ns: int
    """Just before the request's first byte was handed to the kernel (last attempt)."""
    done_ns: int
    """When the answer was complete, or when the failure was known."""
    first_byte_ns: int | None = None
    """First byte of the response, headers included; ``None`` when nothing came."""
    due_ns: int | None = None
    """When a load schedule wanted it sent; ``None`` when nothing was scheduled."""
    gaps_us: tuple[int, ...] = ()
    """Sending to first content event, then content event to content event. Empty: not streamed.

    Content means answer or reasoning text; the role-only and the usage event count for nothing.
    """
    others_us: tuple[int, ...] = ()
    """Sending to each event without content (role, finish reason, usage), in order."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request has no answer. A fact about the run, never a score of zero."""

    kind: FailureKind
    detail: str
    """What a person needs to read: the server's own words where it said any."""
    status: int | None = None
    """HTTP status when ``kind`` is ``status``."""
    retry_after_s: float | None = None
    """What the service asked for in ``Retry-After``."""


class Likelihood(msgspec.Struct, frozen=True, kw_only=True):
    """How likely a model finds one candidate, in nats (natural logarithm)."""

    total: float
    """Sum of the log-probabilities of the candidate's own tokens."""
    tokens: int
    """How many those are; 0 when they cannot be told apart from the rest of the text."""
    whole_total: float
    """The same over the whole text: prompt, lead and candidate, without its first token."""
    whole_tokens: int
    greedy: bool | None = None
    """Whether greedy decoding would have said the candidate; ``None``: it cannot be told."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came back for one request: an answer or a failure, always timed. Unknown is ``None``."""

    key: str
    timing: Timing
    text: str = ""
    reasoning: str = ""
    """Reasoning that the service sent apart from the answer (``reasoning_content``...)."""
    finish: str = ""
    """The service's finish reason (``stop``, ``length``...); empty when it gave none."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    token_source: TokenSource | None = None
    prompt_cut: int = 0
    """Tokens that the prompt lost because it was longer than the model takes."""
    logprobs: Json = None
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    """The model name that the service put into its reply."""
    attempts: int = 1
    likelihoods: tuple[Likelihood, ...] = ()
    """Of the candidates that were asked for, in their order; there is no text then."""
    drawn: bytes = b""
    """An answer that is a picture, as it came. Whoever stores the reply puts it into a file of its
    own; ``text`` is then the file's path, seen from the record file."""
    failure: Failure | None = None


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """How a sending process was doing for a moment; noted a few times a second."""

    at_ns: int
    """When it was noted (monotonic); the moment began with the beat before it."""
    cpu_ns: int
    """CPU time, user and system, that the process has used since it began."""
    turns_us: tuple[int, ...]
    """Sampled turns of the event loop: how long what arrived first may have waited to be noticed.

    About fifty a second, in order.
    """
    in_flight: int
    """Requests under way at ``at_ns``."""
    sender: int = 0
    """Which sender process it is."""


class Verdict(msgspec.Struct, frozen=True):
    """What a scorer says of one answer."""

    value: float
    """0 to 1."""
    answer: str | None = None
    """What was read out of the text; ``None`` when nothing could be read (unparsed)."""
    why: str = ""
    parts: Mapping[str, float] = {}
    """Numbers beside the value, for a data set's own figures (``Task.figures``)."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a judge's reply says of one answer."""

    outcome: Outcome
    value: float | None = None
    """0 to 1; ``None`` when the judge gave no verdict that can be read: never a zero in its place.
    """
    answer: str | None = None
    """What was read out of the judge's reply, in the judge's own terms (``correct``, ``7``)."""
    why: str = ""
    """Where in the reply it was read, or why nothing was."""
    parts: Mapping[str, float] = {}
    """What it is made of, 0 to 1: of a rubric each criterion, of a comparison the verdict in each
    order (``grade``, ``grade_swapped``), also where only one could be read."""


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One marked reply; one line of ``<dataset>.scores.jsonl``."""

    key: str
    scorer: str
    """``name@version``."""
    outcome: Outcome
    value: float | None = None
    """``None`` when the request failed or was not judged: never a zero in its place."""
    answer: str | None = None
    why: str = ""
    subset: str = ""
    truncated: bool = False
    """The answer was cut at the token limit (finish reason ``length``)."""
    parts: Mapping[str, float] = {}
    """See ``Verdict``; of a judged answer those of the judgement, and ``Task.features``."""


class Metric(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell of a report, with its 95 % interval."""

    name: str
    value: float
    n: int
    """How many observations the value rests on (answered samples; not failed ones)."""
    unit: str = "%"
    scale: float = 100.0
    """The largest possible value; ``value / scale`` lies in 0..1 for proportions."""
    better: Literal["higher", "lower"] = "higher"
    n_failed: int = 0
    n_unparsed: int = 0
    low: float | None = None
    high: float | None = None
    subset: str = ""
