"""From a reply to a score: which text is marked, and what the verdict is called."""

from collections.abc import Callable

from steelyard.core import (
    DataError,
    LikelihoodScorer,
    Marking,
    Outcome,
    Reply,
    Sample,
    Score,
    Verdict,
)

_CUT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
"""Finish reasons that mean "the token limit", as OpenAI, vLLM and TGI, as Anthropic and Google, as
OpenAI's Responses interface and as Mistral say it; case does not matter."""


def prediction(reply: Reply) -> str:
    """The whole text of a reply: ``reasoning</think>answer`` when reasoning came apart."""
    if not reply.reasoning:
        return reply.text
    return f"{reply.reasoning}</think>{reply.text}" if reply.text else reply.reasoning


def is_cut(reply: Reply) -> bool:
    """Whether a reply was cut at its token limit."""
    return reply.finish.lower() in _CUT


def mark(reply: Reply, sample: Sample, scorer: Marking, clean: Callable[[str], str]) -> Score:
    """The score of one reply; what is marked is its prediction, cleaned, or its likelihoods.

    A failed request has no value, and neither has a reply to a sample without target (outcome
    ``unjudged``): nobody knows whether it is right. An answer that the scorer cannot read is worth
    nothing and called ``unparsed``, so that it can be counted apart. A rule for likelihoods that
    meets a text, or the other way round, is a ``DataError``, not a wrong answer.
    """
    value: float | None = None
    if reply.failure is not None:
        outcome: Outcome = "failed"
        verdict = Verdict(0.0, why=f"{reply.failure.kind}: {reply.failure.detail}")
    elif sample.target is None:
        outcome = "unjudged"
        verdict = Verdict(0.0, why="the data has no target")
    else:
        verdict = _verdict(reply, sample, scorer, clean)
        value, outcome = verdict.value, _outcome(verdict)
    return Score(
        key=reply.key,
        scorer=scorer.id,
        outcome=outcome,
        value=value,
        answer=verdict.answer,
        why=verdict.why,
        subset=sample.subset,
        truncated=is_cut(reply),
        parts=verdict.parts,
    )


def _verdict(reply: Reply, sample: Sample, scorer: Marking, clean: Callable[[str], str]) -> Verdict:
    if isinstance(scorer, LikelihoodScorer):
        if reply.likelihoods:
            return scorer.compare(reply.likelihoods, sample)
        raise DataError(
            f"the stored reply to sample {sample.id!r} has no likelihoods, which the rule "
            f"{scorer.id} compares: it was asked for as text. Ask again in a new run, or mark "
            "these replies under the data set's name that asks for text (..._gen_...)."
        )
    if reply.likelihoods:
        raise DataError(
            f"the stored reply to sample {sample.id!r} is likelihoods of the options and no text, "
            f"so the rule {scorer.id} has nothing to read. Mark it under the data set's name that "
            "compares likelihoods (..._ppl_...), or ask again in a new run."
        )
    return scorer(clean(prediction(reply)), sample)


def _outcome(verdict: Verdict) -> Outcome:
    if verdict.value == 1:
        return "right"
    if verdict.value > 0:
        return "partial"
    return "wrong" if verdict.answer is not None else "unparsed"
