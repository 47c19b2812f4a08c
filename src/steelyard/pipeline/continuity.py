"""Whether stored answers may be continued or marked: the check behind ``--reuse``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from steelyard import store
from steelyard.core import ModelSpec, PlanMismatch
from steelyard.pipeline.prepare import Prepared, model_parts
from steelyard.store import JobEntry, PlanFile, RunFolder


def continue_plan(
    folder: RunFolder,
    prepared: Sequence[Prepared],
    models: Mapping[str, ModelSpec],
    *,
    anyway: bool,
) -> tuple[str, ...]:
    """Check every job of ``models`` against what ``folder`` was made with, then note it there.

    Returns what a person should know; raises ``PlanMismatch`` unless ``anyway``.
    """
    old = store.read_plan(folder.plan)
    entries: list[JobEntry] = []
    notices: list[str] = []
    for item in prepared:
        model = models.get(item.job.model.abbr)
        if model is None:
            continue
        entry = _entry(item, {**item.parts, **model_parts(model)})
        before = old.find(entry.model, entry.dataset)
        if before is not None and store.parts(_predictions(folder, item)):
            changed = store.changed(before, entry)
            if changed and not anyway:
                raise PlanMismatch(folder.root, item.name, changed)
            mixed = tuple(dict.fromkeys((*before.mixed, *changed)))
            entry = msgspec.structs.replace(entry, mixed=mixed)
            if changed:
                notices.append(f"{item.name}: continued although {', '.join(changed)} changed")
        entries.append(entry)
    if old.jobs and entries and not any(old.find(e.model, e.dataset) for e in entries):
        known = ", ".join(f"{job.model}/{job.dataset}" for job in old.jobs[:4])
        notices.append(
            f"none of these tasks is in {folder.root} yet (it holds {known}"
            f"{', ...' if len(old.jobs) > 4 else ''}); they run from the start. A run with "
            "--merge-ds is continued with --merge-ds."
        )
    store.write_plan(folder.plan, store.merged(old, entries))
    return tuple(notices)


def check_data(folder: RunFolder, prepared: Sequence[Prepared], *, anyway: bool) -> None:
    """Stored answers may only be marked against the data they were asked from.

    Raises ``PlanMismatch`` unless ``anyway``. Prompts and sampling may differ: they are history.
    """
    old: PlanFile = store.read_plan(folder.plan)
    for item in prepared:
        before = old.find(item.job.model.abbr, item.job.task.name)
        then, now = (before.parts.get("data") if before else None), item.parts.get("data")
        if then and now and then != now and not anyway:
            raise PlanMismatch(folder.root, item.name, ("data",))


def mixtures(folder: RunFolder) -> dict[tuple[str, str], tuple[str, ...]]:
    """What was mixed with ``--reuse-anyway``, by model and data set."""
    jobs = store.read_plan(folder.plan).jobs
    return {(job.model, job.dataset): job.mixed for job in jobs if job.mixed}


def _entry(item: Prepared, parts: Mapping[str, str]) -> JobEntry:
    job = item.job
    return JobEntry(
        model=job.model.abbr, dataset=job.task.name, catalogue=job.dataset, parts=dict(parts)
    )


def _predictions(folder: RunFolder, item: Prepared) -> Path:
    return folder.predictions(item.job.model.abbr, item.job.task.name)
