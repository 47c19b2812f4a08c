"""Every option of ``steelyard calibrate``: its own few, and those of a judge."""

from typing import Annotated

from steelyard.cli.judge_options import JudgeOptions
from steelyard.cli.options import Opt as opt

_WHAT = "what is held against the judge"
_RUN = "how it runs"


class CalibrateOptions(JudgeOptions, frozen=True, kw_only=True):
    """The command line of ``steelyard calibrate``."""

    file: Annotated[
        str | None,
        opt(
            help="answers that people labelled: .jsonl, .csv or .json",
            positional=True,
            metavar="FILE",
            group=_WHAT,
        ),
    ] = None
    num_prompts: Annotated[
        int | None, opt(help="only the first N rows", metavar="N", low=1, group=_WHAT)
    ] = None
    repeats: Annotated[
        int,
        opt(
            help="ask every question so often, to see how far the judge agrees with itself (1)",
            metavar="N",
            low=1,
            high=1000,
            group=_WHAT,
        ),
    ] = 1
    config_dir: Annotated[
        str | None,
        opt(
            help="folder with models/ of your own, searched first",
            metavar="DIR",
            group=_RUN,
        ),
    ] = None
    reuse: Annotated[
        str | None,
        opt(
            help="continue a calibration: its time stamp, or without one the newest",
            short="-r",
            metavar="STAMP",
            bare="",
            group=_RUN,
        ),
    ] = None
    work_dir: Annotated[
        str,
        opt(
            help="parent of the folders (default: outputs/calibrations)",
            short="-w",
            metavar="DIR",
            group=_RUN,
        ),
    ] = "outputs/calibrations"
    debug: Annotated[bool, opt(help="logs to the terminal, tracebacks shown", group=_RUN)] = False
    json: Annotated[
        bool, opt(help="one JSON event per line on standard output, for programs", group=_RUN)
    ] = False
