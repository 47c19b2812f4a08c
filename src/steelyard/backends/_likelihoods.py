"""How likely a text is, from a service that gives the log-probabilities of its prompt (vLLM).

Every candidate is a request of its own: prompt and candidate together are the prompt, and
``prompt_logprobs: 0`` asks for the log-probability of each of its tokens. One token is generated,
because no service generates none, and dropped. Read is a list with an entry for each token of the
prompt, the first one null:

    [null, {"9906": {"logprob": -9.1, "rank": 310, "decoded_token": "Hello"}}, ...]

The token that stands in the prompt comes first in its entry. The candidate's own tokens are those
at the end that spell it, blanks aside. Where they cannot be told apart (no token texts, a token
that reaches from the prompt into the candidate), only the whole text has figures.
"""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Generic, NamedTuple, NoReturn, TypeVar

import msgspec

from steelyard.backends import _failures
from steelyard.backends._failures import Unreadable
from steelyard.backends._service import Service
from steelyard.core import Candidate, Failure, Likelihood, Reply, Request, Sampling, Timing

T = TypeVar("T")

ASKED = {"prompt_logprobs": 0}
"""What asks for the figures, in a request body."""


class Token(msgspec.Struct, frozen=True, gc=False):
    """One token in an entry of ``prompt_logprobs``."""

    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


Entries = list[dict[str, Token] | None]
"""``prompt_logprobs`` as it comes."""


class Scoring(Generic[T]):
    """Asks for likelihoods, a candidate at a time; ``service`` scores one candidate."""

    def __init__(self, service: Service[T]) -> None:
        self._service = service

    async def ask(self, request: Request) -> Reply:
        """The likelihoods of all candidates; one that fails fails the request."""
        replies: list[Reply] = []
        found: list[Likelihood] = []
        for number, candidate in enumerate(request.candidates, start=1):
            reply = await self._service.ask(_about(request, candidate))
            replies.append(reply)
            try:
                found.append(_found(reply, candidate))
            except Unreadable as trouble:
                failure = _of_candidate(trouble.failure, number, len(request.candidates))
                return Reply(key=request.key, timing=_timing(replies), failure=failure)
        return Reply(
            key=request.key,
            timing=_timing(replies),
            prompt_tokens=_sum(reply.prompt_tokens for reply in replies),
            output_tokens=_sum(reply.output_tokens for reply in replies),
            token_source=replies[0].token_source,
            model=replies[0].model,
            likelihoods=tuple(found),
        )


def continuation(request: Request) -> str:
    """What stands behind the prompt of a request with a single candidate."""
    (candidate,) = request.candidates
    return candidate.lead + candidate.text


def entries(given: Entries | None, document: bytes) -> Entries:
    """``given``, which must be there; ``Unreadable`` says what ``document`` is instead."""
    if given is None:
        detail = (
            "the service gave no prompt_logprobs, so the options have no likelihoods (vLLM gives "
            f"them): {_failures.excerpt(document)}"
        )
        raise _failures.protocol(detail)
    return given


def streamed(_: object) -> NoReturn:
    """A stream in place of the whole answer that was asked for."""
    raise _failures.protocol("the service streamed its answer; prompt_logprobs come in one piece")


def likelihood(given: Entries, text: str) -> Likelihood:
    """The figures of a prompt that ends with ``text``; ``Unreadable`` without usable ones."""
    tokens = [next(iter(entry.values())) for entry in given if entry]
    if not tokens or not all(isfinite(token.logprob) for token in tokens):
        raise _failures.protocol("no log-probability, or one that is not a number, for a token")
    own = tokens[len(tokens) - _own_tokens([token.decoded_token for token in tokens], text) :]
    ranks = [token.rank for token in own]
    return Likelihood(
        total=sum(token.logprob for token in own),
        tokens=len(own),
        whole_total=sum(token.logprob for token in tokens),
        whole_tokens=len(tokens),
        greedy=all(rank == 1 for rank in ranks) if own and None not in ranks else None,
    )


def _about(request: Request, candidate: Candidate) -> Request:
    sampling = Sampling(max_tokens=1, extra=request.sampling.extra)
    return msgspec.structs.replace(request, candidates=(candidate,), sampling=sampling)


def _found(reply: Reply, candidate: Candidate) -> Likelihood:
    if reply.failure is not None:
        raise Unreadable(reply.failure)
    return likelihood(reply.logprobs, candidate.text)


def _of_candidate(failure: Failure, number: int, total: int) -> Failure:
    detail = f"option {number} of {total}: {failure.detail}"
    return msgspec.structs.replace(failure, detail=detail)


def _timing(replies: Sequence[Reply]) -> Timing:
    """From the first candidate to the last."""
    first, last = replies[0].timing, replies[-1].timing
    return Timing(
        queued_ns=first.queued_ns,
        sent_ns=first.sent_ns,
        first_byte_ns=first.first_byte_ns,
        done_ns=last.done_ns,
    )


def _sum(counts: Iterator[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


class _Tail(NamedTuple):
    """The last tokens of a prompt."""

    length: int
    """How many they are."""
    spelt: str
    """Their text without blanks."""
    first: str
    """The text of the first of them."""


def _own_tokens(texts: Sequence[str | None], text: str) -> int:
    """How many tokens at the end are ``text``; 0 when no number of them is.

    Token texts may lack the blank in front of a word, so blanks are left out of the comparison.
    """
    wanted = "".join(text.split())
    tail = _tail(texts, len(wanted))
    if not wanted or tail is None or tail.spelt != wanted:
        return 0
    count = tail.length
    if text[0].isspace() and not tail.first[:1].isspace():
        before = texts[: len(texts) - count]
        while before and (before[-1] or "").isspace():
            count, before = count + 1, before[:-1]
    return count


def _tail(texts: Sequence[str | None], length: int) -> _Tail | None:
    """As many last tokens as it takes for ``length`` characters; ``None``: there are not enough."""
    spelt = ""
    for count, text in enumerate(reversed(texts), start=1):
        if text is None:
            return None
        spelt = "".join(text.split()) + spelt
        if len(spelt) >= length:
            return _Tail(count, spelt, text)
    return None
