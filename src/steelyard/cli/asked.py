"""From options to a plan: models, data sets, overrides, notices."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from steelyard import backends, config, scoring, tasks
from steelyard.cli import judging, load_options
from steelyard.cli.options import check_ranges
from steelyard.cli.run_options import RunOptions
from steelyard.config import ConfigFile, DatasetRef, Overrides, Places, Wanted
from steelyard.core import ConfigError, Json, ModelSpec, Plan


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a command line, and its config file if it names one, asks for."""

    plan: Plan
    file: ConfigFile
    """Models with every override applied, and data sets: what the config dump says."""
    options: RunOptions
    """The options, with those that only the config file gives filled in."""

    def config_text(self, arguments: list[str]) -> str:
        """The rerunnable config file of this command."""
        shown = config.shown_command(["steelyard", "run", *arguments])
        return config.write_config(self.file, shown)


def asked(options: RunOptions) -> Asked:
    """Read names, files and overrides; raises ``ConfigError`` or ``DataError``."""
    cwd = Path.cwd()
    where = config.places(options.config_dir, cwd)
    found = _from_file(options, where) if options.config else _from_names(options, where)
    options = _completed(options, found.arguments)
    where = config.places(options.config_dir, cwd)  # the file may name the folder
    found, notices = _overridden(options, found)
    for model in found.models:
        backends.check(model)
        if options.mode in ("all", "infer", "infer_judge", "perf"):
            backends.open_backend(model)  # reads keys and certificates; connects to nothing yet
    judge, more = judging.judge_model(options, found.judge, where, options.mode)
    found = msgspec.structs.replace(found, judge=judge)
    if options.mode == "perf":
        load_options.check(options, found.models)
    wanted = Wanted(
        mode=options.mode,
        num_prompts=options.num_prompts,
        merge=options.merge_ds,
        scorer=options.scorer,
        judge=judging.choice(options, judge),
        notices=(*found.notices, *notices, *more, *_idle(options)),
    )
    data = tasks.Data(tasks.data_roots(options.data_dir, os.environ, cwd))
    plan = config.make_plan(found.pairs(), wanted, data=data, where=where)
    _check_likelihoods(plan)
    _check_pictures(plan)
    judging.check(options, plan, judge)
    idle = judging.idle(options, plan)
    plan = msgspec.structs.replace(plan, notices=(*plan.notices, *idle))
    for job in plan.jobs:
        if job.by_rule and options.mode in (judging.JUDGING if job.judging else ("all", "eval")):
            scoring.check(job.task.scorer)
    kept = msgspec.structs.replace(found, arguments=_kept(options), notices=())
    return Asked(plan=plan, file=kept, options=options)


def _check_likelihoods(plan: Plan) -> None:
    """Refuse tasks of likelihoods where nobody can give any; ``ConfigError`` says what to do."""
    for job in plan.jobs:
        if job.task.candidates is None:
            continue
        if plan.mode in ("perf", "perf_viz"):
            raise ConfigError(
                f"{job.dataset} asks how likely its options are and not for answers, so there is "
                f"no speed to measure. Use a data set that asks for answers (..._gen_...), or "
                "--mode all."
            )
        if plan.mode in ("all", "infer", "infer_judge"):
            backends.check_candidates(job.model, job.dataset)


def _check_pictures(plan: Plan) -> None:
    """Refuse pictures where nobody makes them or looks at them; ``ConfigError`` says what to do."""
    for job in plan.jobs:
        if job.task.draws and plan.mode in ("all", "infer", "infer_judge", "perf"):
            backends.check_pictures(job.model, job.dataset, draws=True)
        if job.task.draws and job.judging is not None and plan.mode != "viz":
            backends.check_pictures(job.judging.model, job.dataset, draws=False)


_KEPT = (
    "mode", "num_prompts", "merge_ds", "scorer", "data_dir", "config_dir", "num_warmups",
    "summarizer", "slo", "stats", "compat_metrics", "spec_decode", "judge_prompt", "cascade",
    "audit",
)  # fmt: skip
"""Options that a config dump keeps; models and data sets hold the rest."""


def _kept(options: RunOptions) -> dict[str, Json]:
    defaults = RunOptions()
    values = {name: getattr(options, name) for name in _KEPT}
    return {name: value for name, value in values.items() if value != getattr(defaults, name)}


def _completed(options: RunOptions, given: Mapping[str, Json]) -> RunOptions:
    """``options`` with ``arguments`` of a config file where the command line says nothing."""
    for name in given:
        if name not in _KEPT:
            raise ConfigError(
                f"{options.config}: arguments: {name!r} cannot stand there; known: "
                f"{', '.join(_KEPT)}."
            )
    try:
        filled = msgspec.convert(given, RunOptions)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{options.config}: arguments: {error}.") from error
    defaults = RunOptions()
    free = {
        name: getattr(filled, name)
        for name in given
        if getattr(options, name) == getattr(defaults, name)
    }
    completed = msgspec.structs.replace(options, **free)
    check_ranges(completed)
    return completed


def _from_file(options: RunOptions, where: Places) -> ConfigFile:
    found = config.load_config(Path(options.config or ""), where)
    if options.models or options.datasets or options.custom_dataset_path:
        notice = f"{options.config} says what is run; --models, --datasets and custom data do not"
        return msgspec.structs.replace(found, notices=(*found.notices, notice))
    return found


def _from_names(options: RunOptions, where: Places) -> ConfigFile:
    if not options.models:
        raise ConfigError(
            "nothing to evaluate: name a model preset with --models (for an OpenAI-compatible "
            "service: vllm_api_general_chat) or give a config file."
        )
    if not options.datasets and not options.custom_dataset_path:
        raise ConfigError(
            "no data: name data sets with --datasets (for example gsm8k_gen) or a file of your "
            "own with --custom-dataset-path."
        )
    found = config.find_models(options.models, where)
    notices = [notice for one in found for notice in one.notices]
    if options.datasets and options.custom_dataset_path:
        notices.append("--custom-dataset-path has no effect beside --datasets")
    return ConfigFile(
        models=tuple(spec for one in found for spec in one.specs),
        datasets=tuple(_references(options)),
        notices=tuple(notices),
    )


def _references(options: RunOptions) -> list[DatasetRef]:
    if options.datasets:
        names = dict.fromkeys(options.datasets)
        return [DatasetRef(name=name, options=options.set_data) for name in names]
    return [
        DatasetRef(
            options=options.set_data,
            path=options.custom_dataset_path or "",
            meta_path=options.custom_dataset_meta_path or "",
            data_type=options.custom_dataset_data_type or "",
        )
    ]


def _overridden(options: RunOptions, found: ConfigFile) -> tuple[ConfigFile, list[str]]:
    overrides = Overrides(
        base_url=options.base_url,
        model=options.model,
        api_key_env=options.api_key_env,
        model_path=options.model_path,
        batch_size=options.batch_size,
        max_seq_len=options.max_seq_len,
        dtype=options.dtype,
        device=options.device,
        concurrency=options.concurrency,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        timeout_s=options.timeout,
        retries=options.retries,
        repeats=options.repeats,
        senders=options.senders,
        request_rate=options.request_rate,
        burstiness=options.burstiness,
        ramp_up_strategy=options.ramp_up_strategy,
        ramp_up_start_rps=options.ramp_up_start_rps,
        ramp_up_end_rps=options.ramp_up_end_rps,
        use_timestamp=options.use_timestamp or None,
        pressure_s=float(options.pressure_time) if options.pressure else None,
        seed=options.seed,
        tokenizer=options.tokenizer,
        sets=options.set,
    )
    changed: dict[str, ModelSpec] = {}
    notices: list[str] = []
    for spec in found.models:
        done = config.override(spec, overrides)
        if changed.setdefault(spec.abbr, done.spec) != done.spec:
            raise ConfigError(
                f"two different models are called {spec.abbr!r}, so their files would be mixed. "
                "Name one of them, or give one another abbr."
            )
        notices.extend(done.notices)
    pairs = tuple(
        msgspec.structs.replace(one, models=tuple(changed[model.abbr] for model in one.models))
        for one in found.combinations
    )
    models = tuple(changed[spec.abbr] for spec in found.models)
    return msgspec.structs.replace(found, models=models, combinations=pairs), notices


def _idle(options: RunOptions) -> list[str]:
    """What people should know about flags that are accepted but change nothing."""
    notices = []
    if options.disable_cb:
        notices.append(
            "--disable-cb changes nothing here: --max-num-workers always works, and senders are "
            "set with --senders"
        )
    if options.max_workers_per_gpu != 1:
        notices.append("--max-workers-per-gpu changes nothing for served models")
    if options.runner == "local" and (options.ray_address or options.ray_cpus != 1):
        notices.append("--ray-address and --ray-cpus have no effect without --runner ray")
    return [*notices, *load_options.idle(options)]
