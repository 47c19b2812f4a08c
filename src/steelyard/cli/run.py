"""``steelyard run`` (``ais_bench``): from a command line to a plan, a run, an exit code."""

import asyncio
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard import store
from steelyard.cli.options import parse
from steelyard.cli.run_options import RunOptions
from steelyard.core import ConfigError, Plan

if TYPE_CHECKING:
    from steelyard.cli.asked import Asked
    from steelyard.pipeline import RunResult, Settings
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
    if options.search:
        from steelyard.cli.search import print_locations

        return print_locations(options)
    from steelyard.cli.asked import asked

    wanted = asked(options)
    options = wanted.options
    from steelyard.pipeline.prepare import prepare

    prepared = prepare(
        wanted.plan.jobs, marked=options.mode in ("all", "eval"), rows=options.mode != "viz"
    )
    if options.dry_run:
        from steelyard.cli.dry_run import print_plan

        return print_plan(wanted.plan, prepared)
    return _carry_out(options, wanted, prepared, list(arguments))


def _carry_out(
    options: RunOptions, wanted: "Asked", prepared: "tuple[Prepared, ...]", given: list[str]
) -> int:
    from steelyard import engine
    from steelyard.cli.board import listener
    from steelyard.pipeline import Finished, Settings, run_plan

    work_dir = Path(options.work_dir or wanted.file.work_dir or DEFAULT_WORK_DIR)
    now = datetime.now().astimezone()
    folder = _folder(options, work_dir, now)
    folder.write_config(now, wanted.config_text(given))
    tell = listener(json=options.json)
    settings = Settings(
        max_num_workers=options.max_num_workers or wanted.file.max_num_workers or 1,
        warmups=options.num_warmups,
        debug=options.debug,
        reuse_anyway=options.reuse_anyway,
        details=options.dump_eval_details,
        extract_rate=options.dump_extract_rate,
    )
    again = _again(given, folder.stamp)
    try:
        carried_out = run_plan(wanted.plan, prepared, folder, settings, tell)
        result = engine.run(carried_out, connections=_connections(wanted.plan, settings))
    except (KeyboardInterrupt, asyncio.CancelledError):
        detail = f"Interrupted. What was finished is kept. Continue with:\n  {again}"
        tell(Finished(exit_code=130, folder=str(folder.root), detail=detail))
        return 130
    code, detail = _verdict(result, again, wanted.plan)
    tell(Finished(exit_code=code, folder=str(folder.root), detail=detail))
    return code


def _folder(options: RunOptions, work_dir: Path, now: datetime) -> store.RunFolder:
    if options.reuse is not None:
        return store.find_run(work_dir, options.reuse or None)
    if options.mode in ("eval", "viz"):
        raise ConfigError(
            f"--mode {options.mode} works on a finished run: add --reuse (the newest run in "
            f"{work_dir}) or --reuse STAMP."
        )
    return store.new_run(work_dir, now)


def _verdict(result: "RunResult", again: str, plan: Plan) -> tuple[int, str]:
    if result.complete:
        return 0, ""
    rows = "\n".join(f"  {text}" for text in result.unfinished)
    hint = f"\nAsk what is missing again with:\n  {again}" if plan.mode in ("all", "infer") else ""
    return 1, f"Incomplete:\n{rows}{hint}"


def _again(given: list[str], stamp: str) -> str:
    """The command that continues this run."""
    kept: list[str] = []
    skip = False
    for index, word in enumerate(given):
        if skip:
            skip = False
            continue
        if word in ("-r", "--reuse"):
            following = given[index + 1] if index + 1 < len(given) else "-"
            skip = not following.startswith("-")
            continue
        if not word.startswith("--reuse="):
            kept.append(word)
    program = Path(sys.argv[0]).name
    lead = ["ais_bench"] if program == "ais_bench" else ["steelyard", "run"]
    return shlex.join([*lead, *kept, "--reuse", stamp])


def _connections(plan: Plan, settings: "Settings") -> int:
    """Connections that may be open at once: what the busiest jobs together may ask."""
    loads = sorted((job.model.load.concurrency for job in plan.jobs), reverse=True)
    return sum(loads[: settings.max_num_workers])
