"""The options of ``steelyard run``: how loads are made, how it runs, and what it writes.

What is evaluated stands in ``plan_options``.
"""

from typing import Annotated, Literal

from steelyard.cli.options import Opt as opt
from steelyard.cli.plan_options import PlanOptions

_LOAD = "load tests (--mode perf)"
_CUSTOM = "own data"
_JUDGE = "a judge"
_RUN = "how it runs"
_OUT = "what it writes"


class RunOptions(PlanOptions, frozen=True, kw_only=True):
    """The command line of ``steelyard run`` and ``ais_bench``."""

    request_rate: Annotated[
        float | None,
        opt(
            help="mean requests per second (0: as fast as places in flight allow)",
            metavar="R",
            low=0,
            high=64000,
            group=_LOAD,
        ),
    ] = None
    burstiness: Annotated[
        float | None,
        opt(
            help="shape of the arrivals: 0 even, 1 Poisson, below 1 burstier, above 1 more even",
            metavar="B",
            low=0,
            group=_LOAD,
        ),
    ] = None
    ramp_up_strategy: Annotated[
        Literal["linear", "exponential"] | None,
        opt(help="how the rate grows over the run", group=_LOAD),
    ] = None
    ramp_up_start_rps: Annotated[
        float | None, opt(help="rate at the start of the ramp", metavar="R", low=0, group=_LOAD)
    ] = None
    ramp_up_end_rps: Annotated[
        float | None, opt(help="rate at its end", metavar="R", low=0, group=_LOAD)
    ] = None
    use_timestamp: Annotated[
        bool,
        opt(help="send when the time stamps of the data say (trace replay)", group=_LOAD),
    ] = False
    pressure: Annotated[
        bool,
        opt(
            help="clients that ask again and again, --request-rate new ones a second until there "
            "are --concurrency",
            group=_LOAD,
        ),
    ] = False
    pressure_time: Annotated[
        int,
        opt(help="how long, in seconds (15)", metavar="S", low=1, high=86400, group=_LOAD),
    ] = 15
    slo: Annotated[
        str | None,
        opt(
            help="objectives to report goodput for: ttft=500ms,tpot=50ms (also e2el, itl)",
            metavar="SLO",
            group=_LOAD,
        ),
    ] = None
    stats: Annotated[
        tuple[str, ...],
        opt(
            help="columns of the table of latencies, at most 8: Average Min Max Median P1...P99",
            metavar="NAME",
            group=_LOAD,
        ),
    ] = ()
    compat_metrics: Annotated[
        bool,
        opt(help="also figures by AISBench's rules, under names of their own", group=_LOAD),
    ] = False
    spec_decode: Annotated[
        bool,
        opt(
            help="counters of speculative decoding from the service's /metrics; says why when "
            "there are none",
            group=_LOAD,
        ),
    ] = False
    tokenizer: Annotated[
        str | None,
        opt(
            help="the model's tokenizer.json or its folder: for prompts of exact lengths, and for "
            "token counts that the service does not give",
            metavar="PATH",
            group=_LOAD,
        ),
    ] = None
    set_data: Annotated[
        tuple[str, ...],
        opt(
            help="options of synthetic data and traces, e.g. RequestCount=1000 (see the docs)",
            metavar="KEY=VALUE",
            group=_LOAD,
        ),
    ] = ()
    seed: Annotated[
        int | None,
        opt(help="of arrival times (0)", metavar="N", low=0, group=_LOAD),
    ] = None

    custom_dataset_path: Annotated[
        str | None, opt(help="own data file, .jsonl or .csv", metavar="FILE", group=_CUSTOM)
    ] = None
    custom_dataset_meta_path: Annotated[
        str | None,
        opt(
            help="its meta file (default: FILE.meta.json if there is one)",
            metavar="FILE",
            group=_CUSTOM,
        ),
    ] = None
    custom_dataset_data_type: Annotated[
        Literal["mcq", "qa"] | None,
        opt(help="kind of rows (default: guessed from the first row)", group=_CUSTOM),
    ] = None
    custom_dataset_infer_method: Annotated[
        Literal["gen"] | None, opt(help="gen is the only method", group=_CUSTOM)
    ] = None
    data_dir: Annotated[
        str | None,
        opt(
            help="folder with the data sets (before $STEELYARD_DATA, $COMPASS_DATA_CACHE, "
            "./ais_bench/datasets, ./datasets)",
            metavar="DIR",
            group=_CUSTOM,
        ),
    ] = None
    config_dir: Annotated[
        str | None,
        opt(
            help="folder with models/ and datasets/ of your own, searched first",
            metavar="DIR",
            group=_CUSTOM,
        ),
    ] = None

    cascade: Annotated[
        bool,
        opt(
            help="the data set's own rule first; the judge marks what the rule does not accept",
            group=_JUDGE,
        ),
    ] = False
    audit: Annotated[
        float,
        opt(
            help="of a cascade: share of what the rule accepts that the judge is asked about too; "
            "it changes no score, the report says how far they agree",
            metavar="SHARE",
            low=0,
            high=1,
            group=_JUDGE,
        ),
    ] = 0.0

    reuse: Annotated[
        str | None,
        opt(
            help="continue a run: its time stamp, or without one the newest",
            short="-r",
            metavar="STAMP",
            bare="",
            group=_RUN,
        ),
    ] = None
    reuse_anyway: Annotated[
        bool,
        opt(
            help="continue although prompt, data, sampling or model changed; the report says so",
            group=_RUN,
        ),
    ] = False
    max_num_workers: Annotated[
        int | None,
        opt(
            help="tasks that run at the same time (default: 1)",
            metavar="N",
            low=1,
            high=1024,
            group=_RUN,
        ),
    ] = None
    runner: Annotated[
        Literal["local", "ray"],
        opt(
            help="where local models are computed: in processes of this machine (local), or as "
            "tasks of a Ray cluster with shared storage (ray)",
            group=_RUN,
        ),
    ] = "local"
    ray_address: Annotated[
        str | None,
        opt(
            help="the Ray cluster (default: $RAY_ADDRESS, else the one that runs on this machine)",
            metavar="HOST:PORT",
            group=_RUN,
        ),
    ] = None
    ray_cpus: Annotated[
        int,
        opt(
            help="CPUs of the Ray cluster that one task takes (1)",
            metavar="N",
            low=1,
            high=4096,
            group=_RUN,
        ),
    ] = 1
    num_warmups: Annotated[
        int | None,
        opt(
            help="requests sent before each task and thrown away (load tests 1, else 0)",
            metavar="N",
            low=0,
            group=_RUN,
        ),
    ] = None
    senders: Annotated[
        int | None,
        opt(
            help="sender processes per task (default: one per 500 in flight, as cores allow)",
            metavar="N",
            low=1,
            high=256,
            group=_RUN,
        ),
    ] = None
    disable_cb: Annotated[
        bool, opt(help="accepted for compatibility; nothing changes", group=_RUN)
    ] = False
    max_workers_per_gpu: Annotated[
        int, opt(help="accepted for compatibility; nothing changes", metavar="N", low=1, group=_RUN)
    ] = 1
    debug: Annotated[
        bool,
        opt(help="one task at a time, logs to the terminal, tracebacks shown", group=_RUN),
    ] = False

    work_dir: Annotated[
        str | None,
        opt(
            help="parent of the run folders (default: outputs/default)",
            short="-w",
            metavar="DIR",
            group=_OUT,
        ),
    ] = None
    dump_eval_details: Annotated[
        bool, opt(help="put every row's verdict into results/*.json", group=_OUT)
    ] = False
    dump_extract_rate: Annotated[
        bool, opt(help="also report the share of answers that could be read", group=_OUT)
    ] = False
    json: Annotated[
        bool, opt(help="one JSON event per line on standard output, for programs", group=_OUT)
    ] = False
