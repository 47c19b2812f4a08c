"""Every option of ``steelyard run``: name, type, default and help in one place."""

from typing import Annotated, Literal

import msgspec

from steelyard.cli.options import Opt as opt

_WHAT = "what is evaluated"
_MODEL = "how the model is reached (instead of editing a preset)"
_LOCAL = "a model in this process"
_LOAD = "load tests (--mode perf)"
_CUSTOM = "own data"
_RUN = "how it runs"
_OUT = "what it writes"


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of ``steelyard run`` and ``ais_bench``."""

    config: Annotated[
        str | None,
        opt(
            help="Python file with models and datasets; takes the place of --models/--datasets",
            positional=True,
            metavar="CONFIG.py",
            group=_WHAT,
        ),
    ] = None
    models: Annotated[
        tuple[str, ...],
        opt(
            help="model presets, by name or glob (the first match counts)",
            metavar="NAME",
            group=_WHAT,
        ),
    ] = ()
    datasets: Annotated[
        tuple[str, ...],
        opt(
            help="data set tasks, by name or glob (the first match counts)",
            metavar="NAME",
            group=_WHAT,
        ),
    ] = ()
    summarizer: Annotated[
        Literal["example", "default_perf", "stable_stage"],
        opt(
            help="example: accuracy; default_perf: load tests, whole run and steady window; "
            "stable_stage: load tests, only the stretch at full concurrency",
            group=_WHAT,
        ),
    ] = "example"
    mode: Annotated[
        Literal["all", "infer", "eval", "viz", "perf", "perf_viz"],
        opt(
            help="all: infer, mark, report; infer: only ask; eval: mark stored answers again; "
            "viz: only the report; perf: load test; perf_viz: the figures of a stored load test "
            "again (eval, viz and perf_viz need --reuse)",
            short="-m",
            group=_WHAT,
        ),
    ] = "all"
    num_prompts: Annotated[
        int | None,
        opt(help="only the first N rows of every data set", metavar="N", low=1, group=_WHAT),
    ] = None
    merge_ds: Annotated[
        bool,
        opt(help="run the sub-data sets of a family (mmlu, ceval...) as one task", group=_WHAT),
    ] = False
    scorer: Annotated[
        str | None,
        opt(
            help="mark by another rule: a named variant (fixed) or FILE.py:function",
            metavar="RULE",
            group=_WHAT,
        ),
    ] = None
    search: Annotated[
        bool,
        opt(
            help="print where the named presets and data sets are defined, and stop",
            short="-s",
            group=_WHAT,
        ),
    ] = False
    dry_run: Annotated[
        bool,
        opt(
            help="print the plan, counts, first prompts and a token estimate; send nothing",
            group=_WHAT,
        ),
    ] = False

    base_url: Annotated[
        str | None, opt(help="address of the service", metavar="URL", group=_MODEL)
    ] = None
    model: Annotated[
        str | None,
        opt(
            help="name of the served model (asked from /v1/models when absent)",
            metavar="NAME",
            group=_MODEL,
        ),
    ] = None
    api_key_env: Annotated[
        str | None,
        opt(help="environment variable that holds the API key", metavar="VARIABLE", group=_MODEL),
    ] = None
    model_path: Annotated[
        str | None,
        opt(
            help="folder with weights, for a model in this process (hf_chat_model, hf_base_model)",
            metavar="DIR",
            group=_LOCAL,
        ),
    ] = None
    batch_size: Annotated[
        int | None,
        opt(
            help="sequences that are computed together at most (a served model: --concurrency)",
            metavar="N",
            low=1,
            high=100000,
            group=_LOCAL,
        ),
    ] = None
    max_seq_len: Annotated[
        int | None,
        opt(
            help="tokens of prompt and answer together at most; longer prompts are cut and counted",
            metavar="N",
            low=2,
            group=_LOCAL,
        ),
    ] = None
    dtype: Annotated[
        str | None,
        opt(
            help="auto (as stored), float32, float16 or bfloat16",
            metavar="TYPE",
            group=_LOCAL,
        ),
    ] = None
    device: Annotated[
        str | None,
        opt(
            help="cpu, cuda, cuda:1... (default: the accelerator, if there is one)",
            metavar="NAME",
            group=_LOCAL,
        ),
    ] = None
    concurrency: Annotated[
        int | None,
        opt(help="requests in flight at most", metavar="N", low=1, high=100000, group=_MODEL),
    ] = None
    max_tokens: Annotated[
        int | None, opt(help="output tokens per answer at most", metavar="N", low=1, group=_MODEL)
    ] = None
    temperature: Annotated[
        float | None, opt(help="sampling temperature", metavar="T", low=0, group=_MODEL)
    ] = None
    repeats: Annotated[
        int | None,
        opt(
            help="independent requests per row (num_return_sequences): avg@n, pass@k, cons@k",
            metavar="N",
            low=1,
            group=_MODEL,
        ),
    ] = None
    timeout: Annotated[
        float | None,
        opt(
            help="seconds for one attempt (default: automatic, see the docs)",
            metavar="S",
            low=0.001,
            high=86400,
            group=_MODEL,
        ),
    ] = None
    retries: Annotated[
        int | None,
        opt(
            help="extra tries after a failure that may pass",
            metavar="N",
            low=0,
            high=1000,
            group=_MODEL,
        ),
    ] = None
    set: Annotated[
        tuple[str, ...],
        opt(
            help="any other field of the preset, e.g. generation_kwargs.top_p=0.9 ca_file=ca.pem",
            metavar="KEY=VALUE",
            group=_MODEL,
        ),
    ] = ()

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
