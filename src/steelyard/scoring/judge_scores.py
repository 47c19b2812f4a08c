"""From an answer and what a judge said of it to a score.

Only the answer is judged, never the reasoning before it. Where there is no answer, no judge is
asked: nothing to judge is ``invalid``, whoever looks at it.
"""

from collections.abc import Callable, Mapping, Sequence

from steelyard.core import Judgement, Reply, Sample, Score, Together
from steelyard.scoring.clean import strip_reasoning
from steelyard.scoring.judging import in_both_orders
from steelyard.scoring.marking import is_cut

NOT_YET = Judgement(outcome="unjudged", why="the judge was not asked yet")
_OPENS = ("<think>", "<thinking>", "<thought>")


def text_to_judge(reply: Reply, clean: Callable[[str], str]) -> str:
    """The answer alone: reasoning that came apart is not part of it, nor what ``clean`` removes."""
    return strip_reasoning(clean(reply.text))


def without_judge(reply: Reply, text: str) -> Judgement | None:
    """The judgement of a reply without an answer; ``None`` where there is one to judge."""
    if text and not text.lstrip().lower().startswith(_OPENS):
        return None
    why = "the answer is empty"
    if text:
        why = "the reasoning never ends, so there is no answer"
    if is_cut(reply):
        why = "cut at the token limit before there was an answer"
    return Judgement(outcome="invalid", value=0.0, answer="invalid", why=why)


def by_rule(score: Score) -> Judgement | None:
    """The judgement of a cascade's rule where it accepts the answer; ``None`` where it does not."""
    if score.value != 1:
        return None
    why = f"accepted by the rule {score.scorer}"
    return Judgement(outcome="right", value=1.0, answer=score.answer, why=why)


def judgement(said: Sequence[Judgement | None], together: Together | None = None) -> Judgement:
    """What was said to the questions about one answer, in their order, together.

    ``together``: see ``Judging.together``.
    """
    each = [NOT_YET if one is None else one for one in said]
    if len(each) == 1:
        return each[0]
    return together(each) if together else in_both_orders(*each)


def judged_score(
    reply: Reply, sample: Sample, found: Judgement, judge_id: str, features: Mapping[str, float]
) -> Score:
    """The score that a judgement makes. A request that failed has no answer to judge.

    ``features`` are the answer's own (``Task.features``).
    """
    if reply.failure is not None:
        why = f"{reply.failure.kind}: {reply.failure.detail}"
        found = Judgement(outcome="failed", why=why)
    return Score(
        key=reply.key,
        scorer=judge_id,
        outcome=found.outcome,
        value=found.value,
        answer=found.answer,
        why=found.why,
        subset=sample.subset,
        truncated=is_cut(reply),
        parts={**features, **found.parts},
    )
