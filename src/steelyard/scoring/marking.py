"""From a reply to a score: which text is marked, and what the verdict is called."""

from collections.abc import Callable

from steelyard.core import Outcome, Reply, Sample, Score, Scorer, Verdict

_CUT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
"""Finish reasons that mean "the token limit", as OpenAI, vLLM and TGI, as Anthropic and Google, as
OpenAI's Responses interface and as Mistral say it; case does not matter."""


def prediction(reply: Reply) -> str:
    """The whole text of a reply: ``reasoning</think>answer`` when reasoning came apart."""
    if not reply.reasoning:
        return reply.text
    return f"{reply.reasoning}</think>{reply.text}" if reply.text else reply.reasoning


def mark(reply: Reply, sample: Sample, scorer: Scorer, clean: Callable[[str], str]) -> Score:
    """The score of one reply; what is marked is its prediction, cleaned.

    A failed request has no value, and neither has a reply to a sample without target (outcome
    ``unjudged``): nobody knows whether it is right. An answer that the scorer cannot read is worth
    nothing and called ``unparsed``, so that it can be counted apart.
    """
    value: float | None = None
    if reply.failure is not None:
        outcome: Outcome = "failed"
        verdict = Verdict(0.0, why=f"{reply.failure.kind}: {reply.failure.detail}")
    elif sample.target is None:
        outcome = "unjudged"
        verdict = Verdict(0.0, why="the data has no target")
    else:
        verdict = scorer(clean(prediction(reply)), sample)
        value, outcome = verdict.value, _outcome(verdict)
    return Score(
        key=reply.key,
        scorer=scorer.id,
        outcome=outcome,
        value=value,
        answer=verdict.answer,
        why=verdict.why,
        subset=sample.subset,
        truncated=reply.finish.lower() in _CUT,
    )


def _outcome(verdict: Verdict) -> Outcome:
    if verdict.value == 1:
        return "right"
    if verdict.value > 0:
        return "partial"
    return "wrong" if verdict.answer is not None else "unparsed"
