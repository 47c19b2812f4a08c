"""Every option of ``steelyard sweep``: its own few, and those of ``run`` that fit a load test."""

from typing import Annotated, Literal

from steelyard.cli.options import Opt as opt
from steelyard.cli.run_options import RunOptions
from steelyard.core import ConfigError
from steelyard.perf.search import Span
from steelyard.pipeline.sweep_plan import LoadKind, SweepPlan

_SWEEP = "which loads (one of --concurrencies, --rates, --find)"
_NO_LOW, _NO_HIGH = 1.0, 512.0
_PRECISION = 0.05

NOT_HERE = frozenset(
    {
        "summarizer", "mode", "merge_ds", "scorer", "search", "dry_run", "repeats", "retries",
        "request_rate", "ramp_up_strategy", "ramp_up_start_rps", "ramp_up_end_rps",
        "use_timestamp", "pressure", "pressure_time", "reuse", "reuse_anyway", "max_num_workers",
        "disable_cb", "max_workers_per_gpu", "dump_eval_details", "dump_extract_rate", "runner",
        "ray_address", "ray_cpus",
    }
)  # fmt: skip
"""Options of ``run`` that a sweep does not have: it paces itself and marks nothing."""


class SweepOptions(RunOptions, frozen=True, kw_only=True):
    """The command line of ``steelyard sweep``."""

    concurrencies: Annotated[
        tuple[str, ...],
        opt(
            help="a load test with each of these numbers of requests in flight",
            metavar="N",
            group=_SWEEP,
        ),
    ] = ()
    rates: Annotated[
        tuple[str, ...],
        opt(
            help="a load test at each of these rates, in requests per second",
            metavar="R",
            group=_SWEEP,
        ),
    ] = ()
    find: Annotated[
        Literal["concurrency", "rate"] | None,
        opt(
            help="search the highest load that meets --slo: exactly (concurrency), to 5 % (rate)",
            group=_SWEEP,
        ),
    ] = None
    attainment: Annotated[
        float | None,
        opt(
            help="share of the requests that must meet all objectives for a load to meet them "
            "(0.99)",
            metavar="SHARE",
            low=0.01,
            high=1,
            group=_SWEEP,
        ),
    ] = None
    from_: Annotated[
        float | None,
        opt(help="with --find: the lowest load (1)", metavar="L", low=0.001, group=_SWEEP),
    ] = None
    to: Annotated[
        float | None,
        opt(
            help="with --find: the highest load (512)",
            metavar="L",
            low=0.001,
            high=64000,
            group=_SWEEP,
        ),
    ] = None
    confirm: Annotated[
        int | None,
        opt(
            help="with --find: how often the answer is tried again (2)",
            metavar="N",
            low=0,
            high=100,
            group=_SWEEP,
        ),
    ] = None
    num_prompts: Annotated[
        int | None,
        opt(
            help="requests per load (10 for each in flight, or --seconds of the rate; 60 at least)",
            metavar="N",
            low=1,
            group=_SWEEP,
        ),
    ] = None
    seconds: Annotated[
        float | None,
        opt(
            help="how long each rate is kept up, but 60 requests at least (30)",
            metavar="S",
            low=1,
            high=86400,
            group=_SWEEP,
        ),
    ] = None


def sweep_plan(options: SweepOptions) -> SweepPlan:
    """Which loads are tried; raises ``ConfigError`` for what does not go together."""
    kind, loads = _loads(options)
    _check(options, kind)
    return SweepPlan(
        kind=kind,
        loads=loads,
        span=None if loads else _span(options, kind),
        attainment=0.99 if options.attainment is None else options.attainment,
        num_prompts=options.num_prompts,
        seconds=options.seconds or 30.0,
        places=options.concurrency,
    )


def _loads(options: SweepOptions) -> tuple[LoadKind, tuple[float, ...]]:
    """The kind of load, and the series; an empty one is a search."""
    given = [bool(options.concurrencies), bool(options.rates), options.find is not None]
    if sum(given) != 1:
        raise ConfigError(
            "which loads? Give one of --concurrencies 1 2 4 8, --rates 1 2 4 and "
            "--find concurrency|rate."
        )
    if options.find is not None:
        return options.find, ()
    if options.rates:
        return "rate", tuple(_number("--rates", text) for text in options.rates)
    return "concurrency", tuple(_number("--concurrencies", text) for text in options.concurrencies)


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"{flag} {text}: expected a number") from error


def _span(options: SweepOptions, kind: LoadKind) -> Span:
    return Span(
        low=_NO_LOW if options.from_ is None else options.from_,
        high=_NO_HIGH if options.to is None else options.to,
        precision=_PRECISION if kind == "rate" else None,
        confirmations=2 if options.confirm is None else options.confirm,
    )


def _check(options: SweepOptions, kind: LoadKind) -> None:
    """Refuse options that change nothing: whoever gave them meant something else."""
    if options.find is not None and not options.slo:
        raise ConfigError("--find needs objectives: --slo ttft=500ms,tpot=50ms (or e2el, itl).")
    idle = {
        "--attainment": options.attainment is not None and not options.slo,
        "--from": options.from_ is not None and options.find is None,
        "--to": options.to is not None and options.find is None,
        "--confirm": options.confirm is not None and options.find is None,
        "--seconds": options.seconds is not None and kind == "concurrency",
        "--concurrency": options.concurrency is not None and kind == "concurrency",
        "--burstiness": options.burstiness is not None and kind == "concurrency",
    }
    needs = {
        "--attainment": "it needs --slo",
        "--seconds": "it goes with rates; for a concurrency say --num-prompts",
        "--concurrency": "the sweep sets it itself",
        "--burstiness": "it goes with rates",
    }
    for flag, useless in idle.items():
        if useless:
            raise ConfigError(
                f"{flag} has no effect here: {needs.get(flag, 'it goes with --find')}."
            )
