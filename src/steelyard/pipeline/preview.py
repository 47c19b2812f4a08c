"""A dry run: what would be asked, without asking."""

from collections.abc import Iterable

import msgspec

from steelyard.core import Message, Request
from steelyard.pipeline.cases import Docket
from steelyard.pipeline.prepare import Prepared

_CHARACTERS_PER_TOKEN = 4.0
_CJK = (0x2E80, 0x9FFF)


class JobPreview(msgspec.Struct, frozen=True, kw_only=True):
    """One job as it would run."""

    name: str
    rows: int
    repeats: int
    requests: int
    scorer: str
    prompt_version: str
    max_tokens: int | None
    """The largest limit of an answer; ``None``: some are limited by the service alone. 0 where
    nothing is to be generated."""
    output_tokens: int | None
    """The limits of all answers together; ``None`` as above."""
    prompt_tokens: int
    """Estimate for all requests together: 4 characters a token, 1 for Chinese characters."""
    first: tuple[Message, ...]
    """The first request's messages."""
    judge: str = ""
    """Who judges; empty: nobody."""
    judge_questions: int = 0
    """Questions to the judge at most. A cascade's rule spares it some, and what is stored all."""


def preview(prepared: Prepared) -> JobPreview:
    """Look at ``prepared`` without asking anything."""
    asked = list(prepared.requests(prepared.job.model))
    given = [0 if one.candidates else one.sampling.max_tokens for one in asked]
    limits = [limit for limit in given if limit is not None]
    all_limited = len(limits) == len(asked)
    judging = prepared.job.judging
    docket = Docket(prepared) if judging is not None else None
    return JobPreview(
        name=prepared.name,
        rows=len(prepared.samples),
        repeats=prepared.job.model.repeats,
        requests=len(asked),
        scorer=docket.judge_id if docket else prepared.job.task.scorer.id,
        prompt_version=prepared.prompt_version,
        max_tokens=max(limits) if all_limited else None,
        output_tokens=sum(limits) if all_limited else None,
        prompt_tokens=sum(map(_prompt_tokens, asked)),
        first=asked[0].messages,
        judge=judging.model.abbr if judging else "",
        judge_questions=len(docket.samples) * len(docket.judging.judges) if docket else 0,
    )


def _prompt_tokens(request: Request) -> int:
    """Every candidate is asked for with the whole prompt."""
    return estimated_tokens(request.messages) * max(1, len(request.candidates))


def estimated_tokens(messages: Iterable[Message]) -> int:
    """A rough count without a tokenizer; good to about a third either way."""
    characters = wide = 0
    for message in messages:
        parts = message.content
        texts = [parts] if isinstance(parts, str) else [str(part.get("text", "")) for part in parts]
        for text in texts:
            characters += len(text)
            if not text.isascii():
                wide += sum(_CJK[0] <= ord(letter) <= _CJK[1] for letter in text)
    return round((characters - wide) / _CHARACTERS_PER_TOKEN + wide)
