"""A simulated judge for tests: asked in this process, or over the wire."""

from collections.abc import Sequence

from sim_client import CHAT, content, post, streamed
from steelyard.core import Judgement, Message, Sample
from steelyard.scoring import (
    compass_verifier_judge,
    graded_pairwise,
    letter_verifier,
    mt_bench,
    mt_bench_pairwise,
    own_judge,
    pairwise,
    rubric,
    score,
    verifier,
)
from steelyard.scoring.judge_readings import Criterion
from steelyard.scoring.judging import FormJudge
from steelyard.sim import Answers, SimOptions
from steelyard.sim.ask import Ask
from steelyard.sim.judge_mind import JudgeMind
from steelyard.sim.mind import Mind
from steelyard.sim.options import JudgeName
from steelyard.sim.tally import Tally
from steelyard.sim.wire import Manners

FENCE = "k3v9q0zt71mx"
CRITERIA = (Criterion("accuracy", "Is it right?", 3), Criterion("style", "Is it readable?"))
OWN = (
    "name: strict\nreads: score 1-5 whole\n---\nHow good is this, from 1 to 5?\n"
    "{question}\n{reference}\n{candidate}\nTwo sentences, then a last line 'Score: <number>'.\n"
)
FORMS: dict[str, FormJudge] = {
    "verifier": verifier(),
    "letters": letter_verifier(),
    "compass": compass_verifier_judge(),
    "compass published": compass_verifier_judge(published=True),
    "compass steps": compass_verifier_judge(steps=True),
    "compass steps published": compass_verifier_judge(steps=True, published=True),
    "score": score(),
    "score of whole numbers": score(0, 5, whole=True),
    "rubric": rubric(CRITERIA),
    "own": own_judge(OWN, "strict.txt"),
    "pairwise": pairwise(),
    "pairwise swapped": pairwise(swapped=True),
    "graded pairwise": graded_pairwise(),
    "graded pairwise swapped": graded_pairwise(swapped=True),
}
MT_BENCH: dict[str, FormJudge] = {
    f"{'rated' if rated else 'compared'} {turn} {reference} {published}": (
        mt_bench(turn=turn, reference=reference, published=published)
        if rated
        else mt_bench_pairwise(turn=turn, reference=reference, published=published, swapped=True)
    )
    for turn in (1, 2)
    for reference in (False, True)
    for published in (False, True)
    for rated in (False, True)
}
"""Of these the simulated judge understands the texts; all other words order nothing."""


class LocalJudge:
    """The mind of the simulated judge, without a network around it."""

    def __init__(
        self, judge: JudgeName, answers: Answers | None = None, options: SimOptions | None = None
    ) -> None:
        known, options = answers or Answers(), options or SimOptions(judge=judge)
        self._mind = JudgeMind(
            judge, options, known, Mind(options, known, Tally(known, "")), Tally(known, "")
        )

    def reply(self, messages: Sequence[Message]) -> str:
        """What it says to ``messages``."""
        prompt = "\n".join(str(message.content) for message in messages)
        return "".join(self._mind.decide(Ask(prompt=prompt), Manners(), 0).output.content)

    def judgement(self, form: FormJudge, sample: Sample, answer: str) -> Judgement:
        """What its verdict on ``answer`` is worth."""
        return form.verdict(self.reply(form.question(sample, answer, FENCE)))


def asked(url: str, messages: Sequence[Message], *, stream: bool = False) -> str:
    """What the endpoint at ``url`` says to ``messages``."""
    turns = [{"role": message.role, "content": message.content} for message in messages]
    got = post(url, CHAT, {"messages": turns, "stream": stream})
    assert got.status == 200, got.body
    return streamed(got.events) if stream else content(got.json)
