"""Reading a config file: ``steelyard run FILE.py``.

New style: ``models = [ModelSpec(...)]``, ``datasets = ["gsm8k_gen", {"path": "my.jsonl"}]`` and, if
wanted, ``judge = ModelSpec(...)`` and ``work_dir``. Old style: what AISBench and OpenCompass run,
imports included (``standins``).
Both may be mixed. The file is a program of the user's and runs as one; texts in it are never
evaluated.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from steelyard.config.checks import TABLE, TEXT, near, require, whole
from steelyard.config.dataset_entries import Datasets, read_datasets
from steelyard.config.lookup import Places, config_program
from steelyard.config.model_entries import Models, read_models
from steelyard.config.refs import Combination, ConfigFile
from steelyard.config.standins import named
from steelyard.config.table import is_idle
from steelyard.core import ConfigError, Json

_PAIRS = "model_dataset_combinations"


def load_config(path: Path, where: Places) -> ConfigFile:
    """What the config file at ``path`` asks for; presets that it imports are found in ``where``.

    Raises ``ConfigError`` naming file, place, value and what is expected; an API key in plain text
    is moved into an environment variable of this process.
    """
    if not path.is_file():
        close = near(path.name, [one.name for one in path.parent.glob("*.py")])
        hint = f" Did you mean {path.parent / close[0]}?" if close else ""
        raise ConfigError(f"config file {path}: no such file.{hint}")
    names = config_program(where).run(path)
    models = read_models(_listed(names, "models", path), f"{path}: models")
    datasets = read_datasets(_listed(names, "datasets", path), f"{path}: datasets")
    judge = _judge(names, datasets, path)
    work_dir = names.get("work_dir")
    if work_dir is not None:
        require(TEXT, work_dir, f"{path}: work_dir")
    arguments = names.get("arguments", {})
    require(TABLE, arguments, f"{path}: arguments")
    return ConfigFile(
        models=models.specs,
        datasets=datasets.refs,
        judge=judge.specs[0] if judge else None,
        combinations=_combinations(names, path, models),
        work_dir=work_dir,
        max_num_workers=_max_num_workers(names, path),
        arguments=arguments,
        notices=(
            *models.notices,
            *datasets.notices,
            *(judge.notices if judge else ()),
            *_left_out(names, path),
        ),
    )


def _judge(names: Mapping[str, Json], datasets: Datasets, path: Path) -> Models | None:
    """The variable ``judge``, a model like those of ``models``; else the judge of the data sets."""
    given = names.get("judge", datasets.judge)
    return None if given is None else read_models([given], f"{path}: judge")


def _listed(names: Mapping[str, Json], name: str, path: Path) -> Sequence[Json]:
    if name not in names:
        close = [one for one in near(name, names) if not one.startswith("_")]
        hint = f" It defines `{close[0]}`: is that the one?" if close else ""
        raise ConfigError(f"{path}: the file defines no `{name}`.{hint}")
    entries = names[name]
    if not isinstance(entries, list | tuple) or not entries:
        kind = type(entries).__name__
        shown = "empty" if isinstance(entries, list | tuple) else f"of type {kind}"
        raise ConfigError(f"{path}: `{name}` is {shown}; expected a list of one or more.")
    return entries


def _combinations(names: Mapping[str, Json], path: Path, models: Models) -> tuple[Combination, ...]:
    given = names.get(_PAIRS) or ()
    where = f"{path}: {_PAIRS}"
    if not isinstance(given, list | tuple):
        raise ConfigError(f"{where} is of type {type(given).__name__}; expected a list of dicts.")
    found = []
    for index, entry in enumerate(given):
        place = f"{where}[{index}]"
        require(TABLE, entry, place)
        if set(entry) != {"models", "datasets"}:
            raise ConfigError(f"{place}: expected the keys models and datasets.")
        paired = read_models(entry["models"], f"{place}.models").specs
        for spec in paired:
            if spec not in models.specs:
                raise ConfigError(
                    f"{place}: {spec.abbr!r} is not one of `models`. Every model of a pair stands "
                    "in `models` too, with the same values."
                )
        refs = read_datasets(entry["datasets"], f"{place}.datasets").refs
        found.append(Combination(paired, refs))
    return tuple(found)


def _runner(names: Mapping[str, Json], stage: str, path: Path) -> Mapping[str, Json]:
    """The old-style ``infer`` or ``eval`` dict's ``runner``; empty when the file has none."""
    given = names.get(stage)
    if not isinstance(given, Mapping):
        return {}
    runner = given.get("runner") or {}
    require(TABLE, runner, f"{path}: {stage}.runner")
    task = runner.get("task")
    if isinstance(task, Mapping) and named(task.get("type")) == "EmptyTask":
        raise ConfigError(
            f"{path}: {stage}.runner.task is EmptyTask, which skips the stage. Choose stages with "
            "--mode (infer, eval, viz) instead."
        )
    return dict(runner)


def _max_num_workers(names: Mapping[str, Json], path: Path) -> int | None:
    infer, _ = (_runner(names, stage, path) for stage in ("infer", "eval"))
    workers = infer.get("max_num_workers")
    if workers is not None:
        require(whole(1, 1024), workers, f"{path}: infer.runner.max_num_workers")
    return workers


def _left_out(names: Mapping[str, Json], path: Path) -> Iterable[str]:
    """Notices for variables of the old style that have no effect here."""
    summarizer = names.get("summarizer")
    if isinstance(summarizer, Mapping):
        if summarizer.get("attr") == "performance":
            yield f"{path}: summarizer: a performance summary is asked for; accuracy is reported"
        for key in ("dataset_abbrs", "summary_groups"):
            if not is_idle(summarizer.get(key), (None, [], ())):
                yield f"{path}: summarizer.{key} is left out: order and groups are our own"
    if not is_idle(names.get("response_anomaly")):
        yield f"{path}: response_anomaly is left out: there is no detection of abnormal outputs"
    if names.get("cli_args"):
        yield f"{path}: cli_args is left out: give options on the command line"
