"""Options that say what is evaluated and how the model is reached."""

from typing import Annotated, Literal

from steelyard.cli.judge_options import JudgeOptions
from steelyard.cli.options import Opt as opt

_WHAT = "what is evaluated"
_MODEL = "how the model is reached (instead of editing a preset)"
_LOCAL = "a model in this process"


class PlanOptions(JudgeOptions, frozen=True, kw_only=True):
    """Models, data and how the models are reached."""

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
        Literal["all", "infer", "judge", "infer_judge", "eval", "viz", "perf", "perf_viz"],
        opt(
            help="all: infer, judge where there is a judge, mark, report; infer: only ask; judge: "
            "only have stored answers judged; infer_judge: both; eval: judge what is not judged, "
            "mark stored answers again, report; viz: only the report; perf: load test; perf_viz: "
            "the figures of a stored load test again (judge, eval, viz and perf_viz need --reuse)",
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
            help="folder with weights, for a model in this process (hf_chat_model, vllm_offline)",
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
