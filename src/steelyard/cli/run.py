"""``steelyard run`` (``ais_bench``): from a command line to a plan, a run, an exit code."""

import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from steelyard import store
from steelyard.cli.options import parse
from steelyard.cli.run_options import RunOptions
from steelyard.core import ConfigError, Plan, SteelyardError

if TYPE_CHECKING:
    from steelyard.cli.asked import Asked
    from steelyard.pipeline import RunResult
    from steelyard.pipeline.prepare import Prepared

ABOUT = """Asks models the questions of data sets, keeps every reply, marks the answers, and reports
each score with its 95 % interval. Interrupted or partly failed runs are continued with --reuse.

  steelyard run --models vllm_api_general_chat --datasets gsm8k_gen --base-url http://localhost:8000
  steelyard run … --reuse              continue the newest run: ask what is missing or failed
  steelyard run … --mode eval --reuse  mark the stored answers again
  steelyard run my_config.py           models and data sets from a Python file"""

DEFAULT_WORK_DIR = "outputs/default"


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    options = parse(RunOptions, arguments, program="steelyard run", about=ABOUT)
    try:
        return _run(options, list(arguments))
    except SteelyardError as error:
        if options.json:
            tell_programs(error)
        raise


def tell_programs(error: SteelyardError) -> None:
    """The last event of a run that was refused or broke off."""
    from steelyard.cli.exits import exit_code
    from steelyard.cli.watching import JsonLines
    from steelyard.pipeline import Finished

    with suppress(OSError):
        JsonLines()(Finished(exit_code=exit_code(error), folder="", detail=str(error)))


def _run(options: RunOptions, given: list[str]) -> int:
    if options.search:
        from steelyard.cli.search import print_locations

        return print_locations(options)
    from steelyard.cli.asked import asked

    if options.mode == "perf" and options.reuse is not None:
        print("note: a load test is not continued; with --reuse its figures are computed again")
        options = replace(options, mode="perf_viz")
    wanted = asked(options)
    options = wanted.options
    prepared = _prepared(wanted.plan, options)
    if options.dry_run:
        from steelyard.cli.dry_run import print_plan

        return print_plan(wanted.plan, prepared, json=options.json)
    return _carry_out(options, wanted, prepared, given)


def _prepared(plan: Plan, options: RunOptions) -> "tuple[Prepared, ...]":
    """The jobs with their rows, as far as the mode needs them."""
    if options.mode == "perf":
        from steelyard.pipeline.prepare_load import prepare_load

        return prepare_load(plan.jobs)
    from steelyard.cli import judging
    from steelyard.pipeline.prepare import prepare

    return prepare(
        plan.jobs,
        marked=options.mode in judging.JUDGING,
        rows=options.mode not in ("viz", "perf_viz") or options.dry_run,
    )


def _carry_out(
    options: RunOptions, wanted: "Asked", prepared: "tuple[Prepared, ...]", given: list[str]
) -> int:
    from steelyard.cli import load_options
    from steelyard.cli.watching import told, watcher
    from steelyard.pipeline import Cluster, Finished, Settings, run_plan

    work_dir = Path(options.work_dir or wanted.file.work_dir or DEFAULT_WORK_DIR)
    now = datetime.now().astimezone()
    folder = _folder(options, work_dir, now)
    folder.write_config(now, wanted.config_text(given))
    on_ray = Cluster(address=options.ray_address or "", cpus=options.ray_cpus)
    settings = Settings(
        max_num_workers=options.max_num_workers or wanted.file.max_num_workers or 1,
        warmups=_warmups(options),
        debug=options.debug,
        reuse_anyway=options.reuse_anyway,
        details=options.dump_eval_details,
        extract_rate=options.dump_extract_rate,
        judge_again=options.judge_again,
        cluster=on_ray if options.runner == "ray" else None,
        measuring=load_options.measuring(options),
    )
    goes_on = again("run", given, folder.stamp)
    with closing(watcher(json=options.json)) as shown:
        tell = told(shown)
        try:
            result = run_plan(wanted.plan, prepared, folder, settings, tell)
            code, detail = _verdict(result, goes_on, wanted.plan)
        except ConfigError:
            if options.reuse is None:  # refused when everything was known: nothing was asked
                folder.discard_unused()
            raise
        except KeyboardInterrupt:
            code = 130
            detail = f"Interrupted. What was finished is kept. {_goes_on(wanted.plan)}\n  {goes_on}"
        tell(Finished(exit_code=code, folder=str(folder.root), detail=detail))
    return code


def _warmups(options: RunOptions) -> int:
    """An accuracy run would ask a question twice; a load test would measure a cold service."""
    if options.num_warmups is not None:
        return options.num_warmups
    return 1 if options.mode == "perf" else 0


def _folder(options: RunOptions, work_dir: Path, now: datetime) -> store.RunFolder:
    if options.reuse is not None:
        return store.find_run(work_dir, options.reuse or None)
    if options.mode in ("judge", "eval", "viz", "perf_viz"):
        raise ConfigError(
            f"--mode {options.mode} works on a finished run: add --reuse (the newest run in "
            f"{work_dir}) or --reuse STAMP."
        )
    return store.new_run(work_dir, now)


def _verdict(result: "RunResult", again: str, plan: Plan) -> tuple[int, str]:
    if result.complete:
        return 0, ""
    rows = "\n".join(f"  {text}" for text in result.unfinished)
    asks = plan.mode in ("all", "infer", "judge", "infer_judge")
    asks = asks or (plan.mode == "eval" and any(job.judging for job in plan.jobs))
    again = with_judge_again(again, result)
    hint = f"\nAsk what is missing again with:\n  {again}" if asks else ""
    return 1, f"Incomplete:\n{rows}{hint}"


def with_judge_again(command: str, result: "RunResult") -> str:
    """``command``, which asks once more where nothing but verdicts is missing."""
    wanted = all("--judge-again" in text for text in result.unfinished)
    return f"{command} --judge-again" if wanted and "--judge-again" not in command else command


def _goes_on(plan: Plan) -> str:
    if plan.mode in ("perf", "perf_viz"):
        return "The figures of what had ended (a load test is not continued):"
    return "Continue with:"


def again(command: str, given: Sequence[str], stamp: str) -> str:
    """The command that continues a run, without secrets."""
    from steelyard import config

    words = iter(given[: given.index("--")] if "--" in given else given)
    kept: list[str] = []
    for word in words:
        if word in ("-r", "--reuse"):
            value = next(words, "")
            if value.startswith("-"):
                kept.append(value)
        elif not word.startswith(("--reuse=", "-r")):
            kept.append(word)
    program = ["ais_bench"] if Path(sys.argv[0]).name == "ais_bench" else ["steelyard", command]
    positional = given[given.index("--") :] if "--" in given else []
    return config.shown_command([*program, *kept, "--reuse", stamp, *positional])
