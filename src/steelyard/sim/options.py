"""Every knob of the simulated endpoint, and the checks that need no network."""

from typing import Literal

import msgspec

from steelyard.core import ConfigError
from steelyard.sim.dialects import DialectName
from steelyard.sim.faults import Fault
from steelyard.sim.latency import ZERO, Distribution

MODEL = "steelyard-sim"

ReasoningField = Literal["reasoning_content", "reasoning", "think"]

JudgeName = Literal["fair", "obedient"]

ModelsPage = Literal["dialect", "list", "empty", "error"]


class SimOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the simulated endpoint behaves."""

    host: str = "127.0.0.1"
    """Address or host name to listen on."""
    port: int = 8080
    """0 takes a free port."""
    tls_cert: str = ""
    """PEM file with the certificate chain; with ``tls_key`` the endpoint speaks HTTPS."""
    tls_key: str = ""
    model: str = MODEL
    """Name of the served model."""
    dialect: DialectName = "openai"
    ttft: Distribution = ZERO
    """Arrival of a request to its first token, ns."""
    itl: Distribution = ZERO
    """Token to token, ns; a reply that does not stream takes as long as its stream would."""
    tokens: Distribution | None = None
    """Length that answers are padded to; ``None`` pads nothing and gives filler 64 tokens."""
    reasoning: Distribution = ZERO
    """Reasoning tokens in front of an answer."""
    reasoning_field: ReasoningField = "reasoning_content"
    """Where reasoning goes in chat; ``think`` writes it into the text, as other protocols do."""
    events_per_write: int | None = None
    """Tokens that leave in one write; ``None`` is what the dialect does."""
    seed: int = 0
    accuracy: float = 1.0
    """Share of right answers in mode ``independent``."""
    repeat_accuracy: Literal["exact", "independent"] = "exact"
    """``exact``: the answers that the caller chose. ``independent``: drawn for every request."""
    judge: JudgeName | None = None
    """Judges' questions are answered with a verdict. ``fair`` compares; ``obedient`` also says what
    it is told to, where that stands outside the texts."""
    judge_noise: float = 0.0
    """Share of the judge's own verdicts that are the opposite of what it found."""
    judge_unparsable: float = 0.0
    """Share of judgements without a verdict."""
    judge_quotes: float = 0.0
    """Share of judgements that quote the answer first."""
    faults: tuple[Fault, ...] = ()
    fault_after: int = 0
    """The first so many requests do not fail."""
    fault_first: int | None = None
    """Only the first so many requests may fail."""
    require_key: str = ""
    """Environment variable whose value has to come as Bearer key."""
    strict_model: bool = False
    """A model name that is not served is an error, whatever the dialect."""
    context_tokens: int | None = None
    """Longest prompt plus ``max_tokens``; more is refused (``context_length_exceeded``)."""
    max_concurrency: int | None = None
    """Requests that are answered at once; the others wait their turn."""
    models_page: ModelsPage = "dialect"
    """What ``/v1/models`` shows; ``error`` is a status 500."""
    keep_streams: bool = False
    """Dialect ``llamacpp``: a new request does not cut the running stream."""
    log: str = ""
    """File for the truth: one JSON line per request, see ``truth``."""


def check(options: SimOptions) -> None:
    """Raise ``ConfigError`` for what cannot be meant."""
    if bool(options.tls_cert) != bool(options.tls_key):
        raise ConfigError("HTTPS needs both a certificate (--tls-cert) and its key (--tls-key).")
    if not 0 <= options.port <= 65535:
        raise ConfigError(f"--port {options.port}: ports go from 0 (any free one) to 65535.")
    if not 0 <= options.accuracy <= 1:
        raise ConfigError(f"--accuracy {options.accuracy:g}: a share lies between 0 and 1.")
    shares = {
        "--judge-noise": options.judge_noise,
        "--judge-unparsable": options.judge_unparsable,
        "--judge-quotes": options.judge_quotes,
    }
    for flag, share in shares.items():
        if not 0 <= share <= 1:
            raise ConfigError(f"{flag} {share:g}: a share lies between 0 and 1.")
        if share and options.judge is None:
            raise ConfigError(f"{flag} says how a judge answers; add --judge fair or obedient.")
    at_least_one = {
        "--max-concurrency": options.max_concurrency,
        "--context-tokens": options.context_tokens,
        "--events-per-write": options.events_per_write,
    }
    for flag, value in at_least_one.items():
        if value is not None and value < 1:
            raise ConfigError(f"{flag} {value}: at least 1, or leave it out.")
