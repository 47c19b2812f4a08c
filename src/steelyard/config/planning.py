"""From models and data set references to a plan: which jobs there are.

Tasks are made here, but no row is read: that is the pipeline's first step.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from steelyard.config.judging import JudgeChoice, judging
from steelyard.config.lookup import Places
from steelyard.config.refs import DatasetRef
from steelyard.config.rows import chosen_rows, read_rows
from steelyard.config.rules import rule_chooser
from steelyard.core import ConfigError, Job, Mode, ModelSpec, Plan, Task
from steelyard.tasks import Data, catalogue, merged

SPARE_ROWS = 64
"""Rows that made-up data has beyond those that are measured: for warming up."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a command asks of all its jobs."""

    mode: Mode
    num_prompts: int | None = None
    merge: bool = False
    scorer: str | None = None
    judge: JudgeChoice = JudgeChoice()
    notices: tuple[str, ...] = ()


class _Part(msgspec.Struct, frozen=True):
    """One task of a data set reference, and which of its rows."""

    task: Task
    name: str
    """The catalogue name that it came from."""
    rows: Callable[[int], Sequence[int]] | None
    limit: int | None


def make_plan(
    pairs: Iterable[tuple[ModelSpec, DatasetRef]], wanted: Wanted, *, data: Data, where: Places
) -> Plan:
    """The jobs of ``pairs``, model by model in their order.

    Raises ``ConfigError`` and ``DataError`` for names, files and rules that cannot be used.
    """
    choose = rule_chooser(wanted.scorer)
    notices = list(wanted.notices)
    made: dict[tuple[DatasetRef, str], tuple[_Part, ...]] = {}
    jobs: list[Job] = []
    for model, ref in pairs:
        key = (ref, model.tokenizer)
        if key not in made:
            parts = _parts(ref, wanted, _data_for(model, ref, wanted, data), where)
            marked = [(part, *choose(part.task)) for part in parts]
            notices.extend(dict.fromkeys(text for _, _, text in marked if text))
            if wanted.num_prompts is not None and parts[0].rows is not None:
                notices.append(f"{ref.name}: test_range chooses the rows, --num-prompts does not")
            made[key] = tuple(msgspec.structs.replace(part, task=task) for part, task, _ in marked)
        repeats = model.repeats if ref.repeats is None else ref.repeats
        jobs.extend(
            Job(
                model=msgspec.structs.replace(model, repeats=repeats),
                task=part.task,
                dataset=part.name,
                rows=part.rows,
                limit=part.limit,
                judging=judging(wanted.judge, part.task),
            )
            for part in made[key]
        )
    _refuse_unknown_rule(wanted.scorer, jobs)
    return Plan(mode=wanted.mode, jobs=_once(jobs), notices=tuple(notices))


def _data_for(model: ModelSpec, ref: DatasetRef, wanted: Wanted, data: Data) -> Data:
    """``data`` with what only this model and this data set have."""
    settings: dict[str, str] = {}
    for text in ref.options:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(
                f"data set option {text!r}: expected key=value, for example RequestCount=1000."
            )
        settings[name.strip()] = value.strip()
    tokenizer = Path(model.tokenizer).expanduser() if model.tokenizer else None
    limit = ref.num_prompts if ref.num_prompts is not None else wanted.num_prompts
    rows = None if limit is None else limit + SPARE_ROWS
    return msgspec.structs.replace(data, tokenizer=tokenizer, settings=settings, rows=rows)


def _once(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """``jobs`` without those that are asked for again under another name."""
    found: dict[tuple[object, ...], Job] = {}
    for job in jobs:
        task = job.task
        judges = tuple(judge.id for judge in job.judging.judges) if job.judging else ()
        same = (job.model.abbr, task.name, task.prompt, task.scorer.id, judges, job.rows, job.limit)
        found.setdefault(same, job)
    return tuple(found.values())


def _refuse_unknown_rule(rule: str | None, jobs: Sequence[Job]) -> None:
    """A variant that no task of the plan has is a typing error."""
    known = {name for job in jobs for name in job.task.variants}
    if rule is not None and ":" not in rule and not rule.endswith(".py") and rule not in known:
        raise ConfigError(
            f"--scorer {rule}: no data set of this run has a marking rule of that name (there is "
            f"{', '.join(sorted(known)) or 'none'}). For a rule of your own: FILE.py:function."
        )


def _parts(ref: DatasetRef, wanted: Wanted, data: Data, where: Places) -> tuple[_Part, ...]:
    found = _custom(ref) if ref.path else _from_catalogue(ref, data, where)
    is_load_test = wanted.mode in ("perf", "perf_viz")
    if is_load_test and not ref.path and not ref.abbr and len(found) == 1:
        found = tuple((name, _renamed(task)) for name, task in found)
    limit = ref.num_prompts if ref.num_prompts is not None else wanted.num_prompts
    chosen = read_rows(ref.rows, ref.name or ref.path)
    rows = None if chosen is None else partial(chosen_rows, chosen)
    if (wanted.merge or is_load_test) and len(found) > 1:
        if rows is not None:
            raise ConfigError(
                f"{ref.name}: test_range chooses rows of single sub-data sets; it cannot be used "
                "with --merge-ds. Use --num-prompts, or leave out --merge-ds."
            )
        whole = merged([task for _, task in found])
        return (_Part(_named(whole, ref), found[0][0], None, limit),)
    if ref.abbr and len(found) > 1:
        raise ConfigError(
            f"{ref.name} is {len(found)} sub-data sets and cannot take the one abbr {ref.abbr!r}."
        )
    return tuple(_Part(_named(task, ref), name, rows, limit) for name, task in found)


def _renamed(task: Task) -> Task:
    """``task`` under the name that its load test's files have: ``syntheticdataset``."""
    plain = task.name.replace("-", "").replace("_", "").lower()
    return msgspec.structs.replace(task, name=task.merged_name or f"{plain}dataset")


def _named(task: Task, ref: DatasetRef) -> Task:
    return msgspec.structs.replace(task, name=ref.abbr) if ref.abbr else task


def _custom(ref: DatasetRef) -> tuple[tuple[str, Task], ...]:
    from steelyard.tasks.custom import custom_task

    if ref.options:
        raise ConfigError(f"{ref.path}: data of your own takes no options (--set-data).")
    task = custom_task(
        Path(ref.path),
        meta_path=Path(ref.meta_path) if ref.meta_path else None,
        data_type=ref.data_type or None,
        template=ref.template,
    )
    return ((task.name, task),)


def _from_catalogue(ref: DatasetRef, data: Data, where: Places) -> tuple[tuple[str, Task], ...]:
    roots = ref.data_roots()
    entry = catalogue.find(ref.name, where.datasets)[0]
    found = tuple(
        (entry.name, task)
        for task in entry.make(msgspec.structs.replace(data, roots=roots) if roots else data)
    )
    if not ref.member:
        return found
    chosen = tuple((name, task) for name, task in found if task.name == ref.member)
    if not chosen:
        raise ConfigError(f"{ref.name} has no sub-data set {ref.member!r}.")
    return chosen
