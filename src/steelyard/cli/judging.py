"""From the options of a judge to who judges, and what cannot be judged."""

import os

from steelyard import backends, config
from steelyard.cli.judge_options import JudgeOptions
from steelyard.cli.run_options import RunOptions
from steelyard.config import JudgeChoice, Overrides, Places
from steelyard.core import ConfigError, Mode, ModelSpec, Plan
from steelyard.pipeline.judge_words import of_judge

JUDGING = ("all", "judge", "infer_judge", "eval")
"""Modes in which a judge may be asked."""
NAME_ONE = (
    "Say where it is with --judge-url URL (any OpenAI-compatible service), or name a preset with "
    "--judge."
)
_PRESET = "judge"


def judge_model(
    options: JudgeOptions, given: ModelSpec | None, where: Places, mode: Mode
) -> tuple[ModelSpec | None, tuple[str, ...]]:
    """Who judges: a preset that is named, the one ``given`` by a config file, or the environment's.

    With notices about what has no effect. Raises ``ConfigError``.
    """
    told = config.judge_in(os.environ)
    overrides = Overrides(
        base_url=options.judge_url,
        model=options.judge_model,
        api_key_env=options.judge_api_key_env,
        concurrency=options.judge_concurrency,
        request_rate=options.judge_rate,
        sets=options.judge_set,
    )
    model = given
    if options.judge is not None or (model is None and (overrides.base_url or overrides.sets)):
        (model, *more) = config.find_models([options.judge or _PRESET], where)[0].specs
        if more:
            raise ConfigError(f"--judge {options.judge}: the preset holds more than one model.")
    elif model is None and (told.base_url or mode == "viz"):
        (model,) = config.find_models([_PRESET], where)[0].specs
        defaults = Overrides(
            base_url=told.base_url or None,
            model=told.model or None,
            api_key_env=told.api_key_env or None,
        )
        model = config.override(model, defaults).spec
    if model is None:
        return None, ()
    try:
        done = config.override(model, overrides)
        backends.check(done.spec)
        if mode in JUDGING:
            backends.open_backend(done.spec)  # reads keys and certificates; connects to nothing yet
    except ConfigError as error:
        raise ConfigError(of_judge(model.abbr, str(error))) from error
    config.refuse_repeats(done.spec)
    return done.spec, done.notices


def choice(options: RunOptions, model: ModelSpec | None) -> JudgeChoice:
    """What the options say about judging."""
    return JudgeChoice(
        model=None if options.mode in ("infer", "perf", "perf_viz") else model,
        prompt=options.judge_prompt or "",
        cascade=True if options.cascade else None,
        audit=options.audit,
    )


def check(options: RunOptions, plan: Plan, model: ModelSpec | None) -> None:
    """Refuse what can never be judged; ``ConfigError`` says what to do."""
    if options.mode in ("infer", "perf", "perf_viz"):
        return
    for job in plan.jobs:
        if job.judging is None and (job.task.judges or options.judge_prompt) and model is None:
            raise ConfigError(f"{job.dataset} is marked by a judge, and none is named. {NAME_ONE}")
    if not any(job.judging for job in plan.jobs):
        if options.mode in ("judge", "infer_judge"):
            raise ConfigError(
                f"--mode {options.mode}: none of these data sets is judged. Choose one that is "
                "(…_llmjudge), or say what a judge is asked with --judge-prompt."
            )
        if options.cascade or options.audit or options.judge_again:
            raise ConfigError(
                "--cascade, --audit and --judge-again need a judge: name one with --judge-url, "
                "and for data sets without a question for a judge --judge-prompt."
            )
    elif options.audit and not any(job.judging and job.judging.cascade for job in plan.jobs):
        raise ConfigError("--audit needs a cascade: add --cascade.")


def idle(options: RunOptions, plan: Plan) -> tuple[str, ...]:
    """What is said of a judge that is named and asked about nothing."""
    named = [name for name in ("judge", "judge_url") if getattr(options, name)]
    if not named or options.mode not in JUDGING or any(job.judging for job in plan.jobs):
        return ()
    flag = f"--{named[-1].replace('_', '-')}"
    by_rule = dict.fromkeys(job.dataset for job in plan.jobs if job.task.candidates is None)
    if not by_rule:  # likelihoods are nothing for a judge
        return (f"{flag} has no effect",)
    first, *others = by_rule
    sets = f"{first} and {len(others)} more are" if others else f"{first} is"
    advice = "--judge-prompt verifier has any data set judged"
    return (f"{flag} has no effect: {sets} marked by rule; {advice}",)
