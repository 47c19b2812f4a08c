"""``steelyard gen-config``: a config file for the two-stage flow of infer, then judge."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from steelyard import backends, config
from steelyard.cli.options import Opt as opt
from steelyard.cli.options import parse
from steelyard.config import Wish
from steelyard.core import ConfigError, ModelSpec

ABOUT = """Writes a config file that asks a model the core suite (AIME 2025, GPQA, IFEval,
LiveCodeBench, MMLU-Pro, HLE) and has its answers judged by CompassVerifier or any other model.
Nothing is asked, and no server needs to run.

  steelyard gen-config my_model -a http://localhost:10000 -j http://localhost:20000 -o e2e.py
  steelyard run e2e.py -w DIR
Step by step, with one server at a time:
  steelyard gen-config my_model --mode infer -a http://localhost:10000 -o infer.py
  steelyard run infer.py -w DIR
  steelyard gen-config my_model --mode eval -j http://localhost:20000 -o judge.py
  steelyard run judge.py -w DIR -r TIMESTAMP"""

_WHAT = "what the file does"
_WHO = "who is asked"


class GenConfigOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of ``steelyard gen-config``."""

    task_name: Annotated[
        str | None,
        opt(
            help="name of the model in this evaluation: the folder of its answers; the same for "
            "both stages",
            positional=True,
            metavar="TASK",
            group=_WHAT,
        ),
    ] = None
    mode: Annotated[
        Literal["all", "e2e", "infer", "eval"],
        opt(
            help="all (e2e): ask, judge, report; infer: only ask; eval: judge stored answers and "
            "report",
            short="-m",
            group=_WHAT,
        ),
    ] = "all"
    datasets: Annotated[
        tuple[str, ...],
        opt(
            help="part of the suite: aime2025 gpqa ifeval code mmlu_pro hle, with blanks or commas "
            "(default: all)",
            short="-d",
            metavar="NAME",
            group=_WHAT,
        ),
    ] = ()
    thinking: Annotated[
        Literal["default", "on", "off"],
        opt(
            help="whether the model is told to think first (chat_template_kwargs.enable_thinking); "
            "default: nothing is said",
            group=_WHAT,
        ),
    ] = "default"
    max_tokens: Annotated[
        int, opt(help="output tokens per answer at most (64000)", metavar="N", low=1, group=_WHAT)
    ] = 64000
    concurrency: Annotated[
        int,
        opt(
            help="requests in flight to the model at most (256)",
            metavar="N",
            low=1,
            high=100000,
            group=_WHAT,
        ),
    ] = 256
    output_file: Annotated[
        str | None,
        opt(
            help="where the file goes (default: standard output)",
            short="-o",
            metavar="FILE",
            group=_WHAT,
        ),
    ] = None
    api_server: Annotated[
        str | None,
        opt(help="address of the model's service", short="-a", metavar="URL", group=_WHO),
    ] = None
    judger_server: Annotated[
        str | None,
        opt(
            help="address of the judge's service (default: $OC_JUDGE_API_BASE)",
            short="-j",
            metavar="URL",
            group=_WHO,
        ),
    ] = None
    model: Annotated[
        str | None,
        opt(
            help="name of the served model (asked from the service when the run begins)",
            metavar="NAME",
            group=_WHO,
        ),
    ] = None
    judge_model: Annotated[
        str | None,
        opt(
            help="name of the served judge (default: $OC_JUDGE_MODEL, else asked likewise)",
            metavar="NAME",
            group=_WHO,
        ),
    ] = None


def main(arguments: Sequence[str]) -> int:
    """Write the file; returns the exit code."""
    options = parse(GenConfigOptions, arguments, program="steelyard gen-config", about=ABOUT)
    if not options.task_name:
        raise ConfigError(
            "no task name: it names the model in this evaluation, for example "
            "steelyard gen-config my_model -a http://localhost:10000 -j http://localhost:20000."
        )
    told = config.judge_in(os.environ)
    wish = Wish(
        task=options.task_name,
        stage="all" if options.mode == "e2e" else options.mode,
        datasets=options.datasets or ("all",),
        api_server=options.api_server or "",
        judger_server=options.judger_server or told.base_url,
        model=options.model or "",
        judge_model=options.judge_model or told.model,
        judge_api_key_env=told.api_key_env,
        thinking=options.thinking,
        max_tokens=options.max_tokens,
        concurrency=options.concurrency,
    )
    for flag, address in (
        ("--api-server", wish.api_server),
        ("--judger-server", wish.judger_server),
    ):
        _check(flag, address)
    command = config.shown_command(["steelyard", "gen-config", *arguments])
    text = config.suite_config(wish, "".join(c if c.isprintable() else "?" for c in command))
    if wish.task in config.SUITE and not options.datasets:
        print(
            f"note: {wish.task} is taken as the model's name in this evaluation, and the file asks "
            f"the whole suite; -d {wish.task} takes that data set alone",
            file=sys.stderr,
        )
    if options.output_file is None:
        sys.stdout.write(text)
        return 0
    _write(Path(options.output_file), text)
    again = " -r TIMESTAMP" if wish.stage == "eval" else ""
    print(f"{options.output_file}: run it with  steelyard run {options.output_file} -w DIR{again}")
    return 0


def _check(flag: str, address: str) -> None:
    """Raise ``ConfigError`` for what is no address, rather than when the file is run."""
    if not address:
        return
    url = address if "://" in address else f"http://{address}"
    try:
        backends.open_backend(
            ModelSpec(abbr="model", backend="openai_chat", options={"base_url": url})
        )
    except ConfigError as error:
        raise ConfigError(f"{flag}: {error}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--output-file {path}: cannot be written ({error.strerror}).") from error
