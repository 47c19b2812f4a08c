"""The plan file: what a folder's stored answers were made from.

One entry per job, with a digest (or, where that is short, the value itself) of every part that
makes an answer what it is: task version, prompt, examples, data, sampling, model options. Answers
may be continued only by a job with equal parts.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from steelyard.core import DataError
from steelyard.store.atomic import write_atomic

_DIGEST_LENGTH = 64


class JobEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job as its stored answers know it."""

    model: str
    """The model's abbr: with ``dataset`` the name of the job's files."""
    dataset: str
    """The task's name."""
    catalogue: str
    """The name that was asked for (``mmlu_gen``)."""
    parts: Mapping[str, str]
    """Digest or short value by the name that people read (``prompt``, ``data``)."""
    mixed: tuple[str, ...] = ()
    """What differed when answers were continued all the same (``--reuse-anyway``)."""


class PlanFile(msgspec.Struct, frozen=True):
    """All jobs that ever ran in one folder."""

    jobs: tuple[JobEntry, ...] = ()

    def find(self, model: str, dataset: str) -> JobEntry | None:
        """The entry of one job; ``None`` when the folder does not know it."""
        pair = (model, dataset)
        return next((job for job in self.jobs if (job.model, job.dataset) == pair), None)


def read_plan(path: Path) -> PlanFile:
    """The plan at ``path``; an empty one when there is none. Raises ``DataError``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlanFile)
    except FileNotFoundError:
        return PlanFile()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is not a plan file ({error}). Restore it; or delete it to continue without a "
            "check that the stored answers were made in the same way."
        ) from error


def write_plan(path: Path, plan: PlanFile) -> None:
    """Put ``plan`` at ``path``; raises ``DiskError``."""
    write_atomic(path, msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n")


def merged(plan: PlanFile, entries: Iterable[JobEntry]) -> PlanFile:
    """``plan`` with ``entries`` in place of those for the same jobs, new ones at the end."""
    jobs = {(job.model, job.dataset): job for job in (*plan.jobs, *entries)}
    return PlanFile(tuple(jobs.values()))


def changed(old: JobEntry, new: JobEntry) -> tuple[str, ...]:
    """The parts in which two entries differ, with both values where they are readable."""
    names = dict.fromkeys((*new.parts, *old.parts))
    return tuple(
        name + _values(old.parts.get(name, ""), new.parts.get(name, ""))
        for name in names
        if old.parts.get(name) != new.parts.get(name)
    )


def _values(old: str, new: str) -> str:
    if len(old) == _DIGEST_LENGTH or len(new) == _DIGEST_LENGTH:
        return ""
    return f" ({old or 'none'}, now {new or 'none'})"
