"""``steelyard calibrate``: from a file of labelled answers to the figures of a judge."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard import store
from steelyard.cli.options import parse
from steelyard.core import ConfigError, DataError, SteelyardError

if TYPE_CHECKING:
    from steelyard.cli.calibrate_options import CalibrateOptions
    from steelyard.pipeline import RunResult
    from steelyard.pipeline.calibrate import CalibrationPlan

ABOUT = """How far a judge can be trusted: it is asked about answers that people labelled, and
its verdicts are held against the labels.

  steelyard calibrate labels.jsonl --judge-url http://localhost:8000
  steelyard calibrate scores.csv --judge-url … --judge-prompt score:1-5
  steelyard calibrate pairs.jsonl --judge-url …     two answers a row, judged in both orders
  steelyard calibrate … --repeats 5                 also how far the judge agrees with itself
  steelyard calibrate … --reuse                     continue the newest: ask what is missing

Rows hold question, answer, reference and label (correct, incorrect, invalid), or a number as
label, or answer_1, answer_2 and label (1, 2, tie). LLMBar's and PandaLM's files are read as they
are."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    from steelyard.cli.calibrate_options import CalibrateOptions
    from steelyard.cli.run import tell_programs

    options = parse(CalibrateOptions, arguments, program="steelyard calibrate", about=ABOUT)
    try:
        return _carry_out(options, list(arguments))
    except SteelyardError as error:
        if options.json:
            tell_programs(error)
        raise


def _carry_out(options: "CalibrateOptions", given: list[str]) -> int:
    from steelyard.cli.run import again
    from steelyard.cli.watching import told, watcher
    from steelyard.pipeline import Finished, Notice, Settings
    from steelyard.pipeline.calibrate import calibrate

    plan, notices = _planned(options, given)
    folder = _folder(options)
    settings = Settings(debug=options.debug, judge_again=options.judge_again)
    goes_on = again("calibrate", given, folder.stamp)
    with closing(watcher(json=options.json)) as shown:
        tell = told(shown)
        for text in notices:
            tell(Notice(text=text))
        try:
            code, detail = _verdict(calibrate(plan, folder, settings, tell), goes_on)
        except KeyboardInterrupt:
            code = 130
            detail = f"Interrupted. What was finished is kept. Continue with:\n  {goes_on}"
        tell(Finished(exit_code=code, folder=str(folder.root), detail=detail))
    return code


def _planned(
    options: "CalibrateOptions", given: list[str]
) -> "tuple[CalibrationPlan, tuple[str, ...]]":
    """What is asked of whom, and what a person should know before."""
    from steelyard import config
    from steelyard.cli import judging
    from steelyard.core import Judging
    from steelyard.pipeline.calibrate import CalibrationPlan
    from steelyard.tasks.labelled_answers import holds_pairs, label_kind, labelled_answers

    if options.file is None:
        raise ConfigError("nothing to judge: name a file of labelled answers (.jsonl, .csv, .json)")
    path = Path(options.file)
    where = config.places(options.config_dir, Path.cwd())
    model, notices = judging.judge_model(options, None, where, "judge")
    if model is None:
        raise ConfigError(f"no judge is named. {judging.NAME_ONE}")
    judges = config.judges_of_labels(options.judge_prompt or "", pairs=holds_pairs(path))
    rows, left_out = labelled_answers(path, judges[0])
    if not rows:
        raise DataError(f"{path}: in none of the {left_out} rows do most annotators agree.")
    return CalibrationPlan(
        path=path,
        rows=rows[: options.num_prompts],
        left_out=left_out,
        kind=label_kind(judges[0]),
        judging=Judging(model=model, judges=judges),
        repeats=options.repeats,
        command=config.shown_command(["steelyard", "calibrate", *given]),
    ), notices


def _folder(options: "CalibrateOptions") -> store.RunFolder:
    work_dir = Path(options.work_dir)
    if options.reuse is not None:
        return store.find_run(work_dir, options.reuse or None)
    return store.new_run(work_dir, datetime.now().astimezone())


def _verdict(result: "RunResult", goes_on: str) -> tuple[int, str]:
    if result.complete:
        return 0, ""
    from steelyard.cli.run import with_judge_again

    rows = "\n".join(f"  {text}" for text in result.unfinished)
    command = with_judge_again(goes_on, result)
    return 1, f"Incomplete:\n{rows}\nAsk what is missing again with:\n  {command}"
