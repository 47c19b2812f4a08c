"""Everything that is known about a job before anything is sent: its rows and its digests.

A job's digests cover task version, prompt, examples, data content, sampling and model options;
they decide whether stored replies may be continued (``--reuse``). Where a service is reached and
how hard it is asked do not count: a model that moved to another port is the same model.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from steelyard import store
from steelyard.core import (
    ConfigError,
    DataError,
    Job,
    Json,
    ModelSpec,
    Request,
    Sample,
    Task,
    by_content,
)
from steelyard.tasks import candidates, requests

NEUTRAL_OPTIONS = frozenset(
    {
        "api_key_env",
        "base_url",
        "batch_padding",
        "batch_size",
        "ca_file",
        "client_cert",
        "client_key",
        "connect_timeout_s",
        "device",
        "proxy",
        "run_cfg",
        "stream",
        "trust_env",
        "verify_tls",
    }
)
"""Backend options that cannot change an answer."""


class RowTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of a job are together."""

    requests: int
    """Requests of one repeat, all turns of dialogues."""
    dialogues: bool
    """Whether any row has more than one turn."""
    stamped: int
    """Rows with a time stamp."""
    earliest_ms: float | None
    """The first of the time stamps."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A job with its rows: in memory, or of a load test on disk."""

    job: Job
    samples: Sequence[Sample]
    parts: Mapping[str, str]
    """Digest of everything about the task that makes an answer what it is."""
    prompt_version: str
    """Six hex digits over prompt and examples: the table's ``version``."""
    rows_in_data: int = 0
    """Rows of the whole data set; the job may cover fewer."""
    spare: tuple[Sample, ...] = ()
    """Some rows that the job does not cover: for warming up without asking a row twice."""
    totals: RowTotals | None = None
    """Counted while the rows of a load test were read."""

    @property
    def name(self) -> str:
        """``model/dataset``, the way people are told about the job."""
        return f"{self.job.model.abbr}/{self.job.task.name}"

    @property
    def total(self) -> int:
        """How many requests the whole job is, all turns of dialogues."""
        totals = self.totals
        requests = totals.requests if totals else sum(map(self._turns, self.samples))
        return requests * self.job.model.repeats

    def requests(self, model: ModelSpec) -> Iterator[Request]:
        """All requests, repeats of one row next to each other."""
        return requests(self.job.task, self.samples, sampling=model.sampling, repeats=model.repeats)

    def keys(self) -> Iterator[str]:
        """The keys of all requests."""
        return (
            key
            for sample in self.samples
            for repeat in range(self.job.model.repeats)
            for key in dialogue_keys(f"{sample.id}#{repeat}", self._turns(sample) - 1)
        )

    def _turns(self, sample: Sample) -> int:
        """How many requests ``sample`` becomes."""
        return 1 if self.job.task.dialogue == "last" else 1 + len(sample.turns)


def dialogue_keys(first: str, turns: int) -> Iterator[str]:
    """The keys of a dialogue that begins with request ``first`` and has ``turns`` after it."""
    yield first
    for turn in range(1, turns + 1):
        yield f"{first}.{turn}"


_Needed: TypeAlias = Literal["nothing", "target", "references"]


class _Loaded(msgspec.Struct, frozen=True):
    samples: tuple[Sample, ...]
    parts: Mapping[str, str]


def prepare(jobs: Iterable[Job], *, marked: bool, rows: bool = True) -> tuple[Prepared, ...]:
    """Load the rows of every job, each task once.

    ``marked``: the run will mark answers, so every row needs a target. Without ``rows`` nothing is
    read: a report needs only names.
    Raises ``DataError`` or ``ConfigError`` for what is wrong with data or plan.
    """
    loaded: dict[tuple[int, _Needed], _Loaded] = {}
    found: list[Prepared] = []
    jobs = tuple(jobs)
    claim_files(jobs)
    for job in jobs:
        if not rows:
            found.append(Prepared(job=job, samples=(), parts={}, prompt_version=""))
            continue
        which = id(job.task), _needed(job) if marked else "nothing"
        if which not in loaded:
            loaded[which] = _load(job.task, which[1])
        task = loaded[which]
        _refuse_own_sampling(job, task.samples)
        _refuse_unknown_fields(job, task.samples)
        found.append(
            Prepared(
                job=job,
                samples=_slice(job, task.samples),
                parts=task.parts,
                prompt_version=prompt_version(task.parts),
                rows_in_data=len(task.samples),
            )
        )
    return tuple(found)


def own_sampling(samples: Sequence[Sample]) -> str:
    """Names of the values that rows have of their own (``Sample.sampling``); empty: none."""
    return ", ".join(sorted({name for sample in samples for name in sample.sampling}))


def _refuse_own_sampling(job: Job, samples: Sequence[Sample]) -> None:
    """Raise ``ConfigError`` where rows have values that a model of this machine does not read."""
    own = own_sampling(samples)
    if not own:
        return
    from steelyard.backends import devices

    if devices(job.model) is not None:
        raise ConfigError(
            f"{job.dataset}: its rows are asked with a {own} of their own, and "
            f"{job.model.abbr} is computed on this machine with one for all. Serve the model, or "
            "leave out the data set's option."
        )


def _refuse_unknown_fields(job: Job, samples: Sequence[Sample]) -> None:
    """Raise ``ConfigError`` where a judge of one's own names a field that no row has.

    The turns of a dialogue get further fields when they are judged.
    """
    if job.judging is None:
        return
    from steelyard.scoring.judging import FormJudge

    own = (judge for judge in job.judging.judges if isinstance(judge, FormJudge))
    wanted = {name for judge in own for name in (*judge.data_fields, judge.against) if name}
    if not wanted or any(sample.turns for sample in samples):
        return
    known = {name for sample in samples for name in sample.meta}
    missing = sorted(wanted - known)
    if missing:
        has = f"Its rows have {', '.join(sorted(known))}" if known else "Its rows have none"
        raise ConfigError(
            f"{job.dataset}: the judge's question names {{{missing[0]}}}, which is no field of the "
            f"data. {has}; besides, {{question}}, {{reference}} and {{candidate}} are understood."
        )


def claim_files(jobs: Iterable[Job]) -> None:
    """Raise ``ConfigError`` when two jobs would write the same files.

    Two names may still be one file: a file's name cannot hold every letter.
    """
    owners: dict[Path, Job] = {}
    for job in jobs:
        folder = store.RunFolder(Path())
        files = [folder.predictions(job.model.abbr, job.task.name)]
        if job.judging is not None:
            files.append(folder.judgements(job.model.abbr, job.marked_name))
        for path in files:
            first = owners.setdefault(path, job)
            if first is job:
                continue
            both = " and ".join(f"{one.dataset} by {one.model.abbr}" for one in (first, job))
            raise ConfigError(
                f"{both}: both would write the files of {job.model.abbr}/{job.task.name}. Run them "
                "one at a time, or give one of the models another abbr."
            )


def chosen_or_refused(job: Job, chosen: Sequence[Sample], rows: int) -> None:
    """Raise ``ConfigError`` when none of the data's ``rows`` was chosen."""
    if not chosen:
        raise ConfigError(
            f"data set {job.task.name!r} has {rows} rows and the chosen range holds none of them. "
            "Widen test_range or --num-prompts."
        )


def _slice(job: Job, samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    if job.rows is None:
        chosen = _first(job.limit, samples)
    else:
        chosen = tuple(samples[row] for row in job.rows(len(samples)))
    chosen_or_refused(job, chosen, len(samples))
    return chosen


def _first(limit: int | None, samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The first rows; of a merged task the first of every sub-data set."""
    if limit is None:
        return samples
    taken: Counter[str] = Counter()
    chosen = []
    for sample in samples:
        if taken[sample.subset] < limit:
            taken[sample.subset] += 1
            chosen.append(sample)
    return tuple(chosen)


def _needed(job: Job) -> _Needed:
    """What answers are marked beside."""
    judging = job.judging
    if judging is None or judging.cascade:
        return "target"
    needs_reference = any(judge.needs_reference for judge in judging.judges)
    return "references" if needs_reference else "nothing"


def _lacks(sample: Sample, needed: _Needed) -> bool:
    """Whether a sample has no right answer: to its question, or of a dialogue to every turn."""
    if needed == "references":
        answers = (sample.target or sample.given, *(turn.given for turn in sample.turns))
        return None in answers
    return needed == "target" and sample.target is None


def _load(task: Task, needed: _Needed) -> _Loaded:
    samples = tuple(task.samples())
    if not samples:
        raise DataError(f"data set {task.name!r} is empty: its file has no rows.")
    seen: set[str] = set()
    for row, sample in enumerate(samples, start=1):
        if sample.id in seen or "#" in sample.id:
            raise DataError(
                f"data set {task.name!r}, row {row}: id {sample.id!r} "
                + ("holds a '#', which ids may not." if "#" in sample.id else "occurs twice.")
            )
        seen.add(sample.id)
        if _lacks(sample, needed):
            raise DataError(
                f"data set {task.name!r}, row {row} (id {sample.id!r}) has no right answer, so "
                "nothing can be marked. Add the answer column, or run with --mode infer (only ask) "
                "or --mode perf (measure speed)."
            )
    shots = task.shots()
    parts = {
        "task version": str(task.version),
        "prompt": store.digest(task.prompt),
        **({} if task.dialogue == "every" else {"dialogue": task.dialogue}),
        "examples": store.digest(shots),
        **_scored(task, samples),
        "data": store.digest([_by_content(sample) for sample in samples]),
    }
    return _Loaded(samples, parts)


def _by_content(sample: Sample) -> Sample:
    """``sample`` without where its pictures lie."""
    if isinstance(sample.question, str):
        return sample
    return msgspec.structs.replace(sample, question=by_content(sample.question))


def _scored(task: Task, samples: Iterable[Sample]) -> dict[str, str]:
    """The digest of all candidates; nothing for a task that asks for answers."""
    if task.candidates is None:
        return {}
    return {"candidates": store.digest([candidates(task, sample) for sample in samples])}


def prompt_version(parts: Mapping[str, str]) -> str:
    """The table's ``version``: six hex digits over prompt and examples."""
    return store.digest([parts.get("prompt", ""), parts.get("examples", "")])[:6]


def model_parts(model: ModelSpec) -> dict[str, str]:
    """What a model adds to a job: digests, and numbers as they are, so that people can see them."""
    options: dict[str, Json] = {
        name: value for name, value in model.options.items() if name not in NEUTRAL_OPTIONS
    }
    served = options.pop("model", "")
    parts = {
        "model options": store.digest({"backend": model.backend, "options": options}),
        "sampling max_tokens": str(model.sampling.max_tokens),
    }
    for name, value in model.sampling.extra.items():
        plain = isinstance(value, int | float)
        parts[f"sampling {name}"] = str(value) if plain else store.digest(value)
    if served:
        parts["model"] = str(served)
    return parts
