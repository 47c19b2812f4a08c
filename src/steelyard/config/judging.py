"""Who judges, what they are asked, and which jobs they judge.

A data set may bring its own question for a judge (``Task.judges``); ``--judge-prompt`` puts another
in its place, and has answers of any other data set judged as well.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from steelyard.config.checks import near
from steelyard.core import ConfigError, Judge, Judging, ModelSpec, Task

if TYPE_CHECKING:
    from steelyard.scoring.judging import FormJudge

_SCALE = re.compile(r"score:(-?\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")
_NAMES = (
    "verifier",
    "letter_verifier",
    "compass_verifier",
    "compass_verifier_steps",
    "compass_verifier_published",
    "score",
)


class JudgeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What a command says about judging all its jobs."""

    model: ModelSpec | None = None
    """Who is asked; ``None``: nobody was named."""
    prompt: str = ""
    """What is asked, in place of what data sets bring: a name, ``score:LOW-HIGH``, or a file."""
    cascade: bool | None = None
    """Whether the data sets' own rules go first; ``None``: as each data set says."""
    audit: float = 0.0


def judging(choice: JudgeChoice, task: Task) -> Judging | None:
    """How answers to ``task`` are judged; ``None`` when they are not, or nobody was named.

    Raises ``ConfigError`` for a prompt that cannot be used.
    """
    judges: tuple[Judge, ...] = judges_named(choice.prompt) if choice.prompt else task.judges
    if not judges or choice.model is None or task.candidates is not None:
        return None
    if task.draws and (choice.prompt or choice.cascade):
        flag = f"--judge-prompt {choice.prompt}" if choice.prompt else "--cascade"
        raise ConfigError(
            f"{flag}: the answers of {task.name} are pictures, which only its own judges look at."
        )
    cascade = task.cascade if choice.cascade is None else choice.cascade
    audit = choice.audit if cascade else 0.0
    return Judging(
        model=choice.model,
        judges=judges,
        together=None if choice.prompt else task.together,
        cascade=cascade,
        audit=audit,
    )


def judges_of_labels(prompt: str, *, pairs: bool) -> "tuple[FormJudge, ...]":
    """Who is asked about answers that people labelled: of pairs both orders.

    ``prompt`` as ``--judge-prompt`` has it, empty for the usual one; raises ``ConfigError``.
    """
    from steelyard import scoring

    named = prompt or ("pairwise" if pairs else "verifier")
    comparing: Mapping[str, FormJudge] = {
        "pairwise": scoring.pairwise(),
        "graded_pairwise": scoring.graded_pairwise(),
        "mt_bench_pairwise": scoring.mt_bench_pairwise(),
    }
    judge = comparing.get(named) or judges_named(named)[0]
    if pairs is not (judge.against is not None):
        rows = "two answers" if pairs else "one answer"
        fit = (*comparing, "a file that reads pairwise") if pairs else ("verifier", "score:1-5")
        raise ConfigError(
            f"--judge-prompt {prompt}: the rows hold {rows} each, which is not what this judge "
            f"judges. Fitting: {', '.join(fit)}."
        )
    return scoring.both_orders(judge) if pairs else (judge,)


def judges_named(prompt: str) -> "tuple[FormJudge, ...]":
    """The judges that ``--judge-prompt`` names: of a comparison both orders.

    Raises ``ConfigError``.
    """
    from steelyard import scoring

    scale = _SCALE.fullmatch(prompt)
    if scale:
        low, high = float(scale[1]), float(scale[2])
        if low >= high:
            raise ConfigError(f"--judge-prompt {prompt}: the scale has to rise, as in score:1-10.")
        return (scoring.score(low, high),)
    makers: Mapping[str, FormJudge] = {
        "verifier": scoring.verifier(),
        "letter_verifier": scoring.letter_verifier(),
        "compass_verifier": scoring.compass_verifier_judge(),
        "compass_verifier_steps": scoring.compass_verifier_judge(steps=True),
        "compass_verifier_published": scoring.compass_verifier_judge(published=True),
        "score": scoring.score(),
    }
    if prompt in makers:
        return (makers[prompt],)
    path = Path(prompt)
    if not path.is_file():
        close = near(prompt, _NAMES)
        hint = f" Near: {', '.join(close)}." if close else ""
        raise ConfigError(
            f"--judge-prompt {prompt}: neither a known judge ({', '.join(_NAMES)}, score:1-5) nor "
            f"a file.{hint}"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--judge-prompt {path}: cannot be read ({error}).") from error
    judge = scoring.own_judge(text, str(path))
    return (judge,) if judge.against is None else scoring.both_orders(judge)


class Environment(msgspec.Struct, frozen=True):
    """A judge as OpenCompass's environment variables name it; empty what is not set."""

    base_url: str
    model: str
    api_key_env: str


def judge_in(environ: Mapping[str, str]) -> Environment:
    """What ``OC_JUDGE_API_BASE``, ``OC_JUDGE_MODEL`` and ``OC_JUDGE_API_KEY`` say.

    Of several addresses the first counts.
    """
    return Environment(
        base_url=environ.get("OC_JUDGE_API_BASE", "").split(",")[0].strip(),
        model=environ.get("OC_JUDGE_MODEL", ""),
        api_key_env="OC_JUDGE_API_KEY" if environ.get("OC_JUDGE_API_KEY") else "",
    )


def refuse_repeats(judge: ModelSpec) -> None:
    """A judge says one thing of an answer; ``calibrate`` asks more often."""
    if judge.repeats != 1:
        raise ConfigError(
            f"judge {judge.abbr}: num_return_sequences is {judge.repeats}. A judge is asked once "
            "about an answer; how far it agrees with itself is what steelyard calibrate measures."
        )
