"""Whether stored answers may be continued or marked: the check behind ``--reuse``."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from steelyard import store
from steelyard.core import ModelSpec, PlanMismatch
from steelyard.pipeline.events import Event, Notice
from steelyard.pipeline.prepare import Prepared, model_parts, prompt_version
from steelyard.store import JobEntry, PlanFile, RunFolder


def continue_plan(
    folder: RunFolder,
    prepared: Sequence[Prepared],
    models: Mapping[str, ModelSpec],
    *,
    anyway: bool,
) -> tuple[str, ...]:
    """Check every job against what ``folder`` was made with; then note those of ``models`` there.

    A model that is not in ``models`` cannot be asked: its stored answers will be marked all the
    same. Returns what a person should know; raises ``PlanMismatch`` unless ``anyway``.
    """
    old = store.read_plan(folder.plan)
    entries: list[JobEntry] = []
    notices: list[str] = []
    for item in prepared:
        model = models.get(item.job.model.abbr)
        before = old.find(item.job.model.abbr, item.job.task.name)
        entry = _entry(item, _asked(item.job.model, model), before)
        if before is not None and store.parts(_predictions(folder, item)):
            changed = store.changed(before, entry)
            if changed and not anyway:
                raise PlanMismatch(folder.root, item.name, changed)
            mixed = tuple(dict.fromkeys((*before.mixed, *changed)))
            entry = msgspec.structs.replace(entry, mixed=mixed)
            if changed:
                notices.append(f"{item.name}: continued although {', '.join(changed)} changed")
        if model is not None:
            entries.append(entry)
    if entries and (stranger := _nothing_shared(folder, old, prepared)):
        notices.append(f"{stranger}; they run from the start")
    store.write_plan(folder.plan, store.merged(old, entries))
    return tuple(notices)


def as_asked(
    folder: RunFolder,
    prepared: Sequence[Prepared],
    *,
    anyway: bool,
    tell: Callable[[Event], None],
) -> tuple[Prepared, ...]:
    """``prepared`` with the prompts' version that its stored answers came from.

    Prompts may differ, they are history. The data may not: raises ``PlanMismatch`` unless
    ``anyway``.
    """
    old = store.read_plan(folder.plan)
    if stranger := _nothing_shared(folder, old, prepared):
        tell(Notice(text=stranger))
    found = []
    for item in prepared:
        before = old.find(item.job.model.abbr, item.job.task.name)
        if before is not None:
            changed = {name for name in item.parts if item.parts[name] != before.parts.get(name)}
            if "data" in changed and not anyway:
                raise PlanMismatch(folder.root, item.name, ("data",))
            asked = ("prompt", "examples", "candidates")
            if prompts := [name for name in asked if name in changed]:
                text = f"marks answers that were asked for with another {' and '.join(prompts)}"
                tell(Notice(text=text, job=item.name))
            version = prompt_version(before.parts)
            item = msgspec.structs.replace(item, prompt_version=version)
        found.append(item)
    return tuple(found)


def mixtures(folder: RunFolder) -> dict[tuple[str, str], tuple[str, ...]]:
    """What was mixed with ``--reuse-anyway``, by model and data set."""
    jobs = store.read_plan(folder.plan).jobs
    return {(job.model, job.dataset): job.mixed for job in jobs if job.mixed}


def _nothing_shared(folder: RunFolder, old: PlanFile, prepared: Sequence[Prepared]) -> str:
    """What to say when a folder holds none of the jobs; empty when it does, or holds nothing."""
    if not old.jobs or any(old.find(item.job.model.abbr, item.job.task.name) for item in prepared):
        return ""
    known = ", ".join(f"{job.model}/{job.dataset}" for job in old.jobs[:4])
    return (
        f"none of these tasks is in {folder.root} (it holds {known}"
        f"{', ...' if len(old.jobs) > 4 else ''}; a run with --merge-ds is continued with "
        "--merge-ds)"
    )


def _asked(model: ModelSpec, named: ModelSpec | None) -> ModelSpec:
    """The job's own model, with the name that is served where somebody was asked for it."""
    return model if named is None else msgspec.structs.replace(model, options=named.options)


def _entry(item: Prepared, model: ModelSpec, before: JobEntry | None) -> JobEntry:
    job = item.job
    parts = {**item.parts, **model_parts(model)}
    if before is not None and not model.options.get("model") and "model" in before.parts:
        parts["model"] = before.parts["model"]  # nobody was asked which one is served now
    return JobEntry(model=job.model.abbr, dataset=job.task.name, catalogue=job.dataset, parts=parts)


def _predictions(folder: RunFolder, item: Prepared) -> Path:
    return folder.predictions(item.job.model.abbr, item.job.task.name)
