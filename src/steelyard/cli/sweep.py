"""``steelyard sweep``: from a command line to a series of load tests, and to an exit code."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from steelyard import store
from steelyard.cli.options import parse
from steelyard.core import SteelyardError

if TYPE_CHECKING:
    from steelyard.cli.asked import Asked
    from steelyard.cli.sweep_options import SweepOptions
    from steelyard.pipeline import RunResult
    from steelyard.pipeline.prepare import Prepared
    from steelyard.pipeline.sweep_plan import SweepPlan

ABOUT = """Load tests at one load after the other; with --find the search for the highest load that
still meets the objectives, confirmed by repeated runs. One table, one page with throughput
against latency, and every load test with files and a page of its own.

  steelyard sweep --models vllm_api_stream_chat --datasets synthetic_gen --base-url URL \\
      --concurrencies 1 2 4 8 16 32 --slo ttft=500ms,tpot=50ms
  steelyard sweep … --rates 1 2 4 8 --burstiness 1
  steelyard sweep … --find concurrency --slo ttft=500ms,tpot=50ms

Exit code 1: more than 1 % of the requests of a series failed, or a search found no load."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    from steelyard.cli.run import tell_programs
    from steelyard.cli.sweep_options import NOT_HERE, SweepOptions

    options = parse(
        SweepOptions, arguments, program="steelyard sweep", about=ABOUT, without=NOT_HERE
    )
    try:
        return _sweep(options, list(arguments))
    except SteelyardError as error:
        if options.json:
            tell_programs(error)
        raise


def _sweep(options: "SweepOptions", given: list[str]) -> int:
    from steelyard.cli.asked import asked
    from steelyard.cli.sweep_options import sweep_plan

    plan = sweep_plan(options)
    wanted = asked(replace(options, mode="perf", num_prompts=None))
    from steelyard.pipeline.prepare_load import prepare_load

    prepared = prepare_load(plan.paced(job, plan.first, 1) for job in wanted.plan.jobs)
    return _carry_out(plan, wanted, prepared, given)


def _carry_out(
    plan: "SweepPlan", wanted: "Asked", prepared: "tuple[Prepared, ...]", given: list[str]
) -> int:
    from steelyard import config
    from steelyard.cli import load_options
    from steelyard.cli.run import DEFAULT_WORK_DIR
    from steelyard.cli.watching import told, watcher
    from steelyard.pipeline import Finished, Notice, Settings
    from steelyard.pipeline.sweep import run_sweep

    options = wanted.options
    now = datetime.now().astimezone()
    folder = store.new_run(Path(options.work_dir or wanted.file.work_dir or DEFAULT_WORK_DIR), now)
    command = config.shown_command(["steelyard", "sweep", *given])
    folder.write_config(now, config.write_config(wanted.file, command))
    settings = Settings(
        warmups=1 if options.num_warmups is None else options.num_warmups,
        debug=options.debug,
        measuring=load_options.measuring(options),
    )
    with closing(watcher(json=options.json)) as shown:
        tell = told(shown)
        for text in wanted.plan.notices:
            tell(Notice(text=text))
        try:
            code, detail = _verdict(run_sweep(plan, prepared, folder, settings, tell))
        except KeyboardInterrupt:
            code, detail = 130, "Interrupted. The loads that were finished are kept."
        tell(Finished(exit_code=code, folder=str(folder.root), detail=detail))
    return code


def _verdict(result: "RunResult") -> tuple[int, str]:
    if result.complete:
        return 0, ""
    rows = "\n".join(f"  {text}" for text in result.unfinished)
    return 1, f"Incomplete:\n{rows}"
