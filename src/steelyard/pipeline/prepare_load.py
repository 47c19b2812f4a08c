"""The rows of load tests: read once, kept on disk, so that their number costs no memory.

A load test is not continued, so nothing is digested; rows must only be told apart by their ids.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from steelyard.core import ConfigError, DataError, Job, Sample, Traffic
from steelyard.engine import offsets_s, target_rate
from steelyard.pipeline.prepare import Prepared, RowTotals, chosen_or_refused, claim_files
from steelyard.pipeline.row_file import RowFile
from steelyard.tasks.tokenizer import open_tokenizer

_MOST_SPARE = 1000


def prepare_load(jobs: Iterable[Job]) -> tuple[Prepared, ...]:
    """Read the rows of every job; no more than the job covers and some to warm up with.

    Raises ``DataError`` or ``ConfigError`` for what is wrong with data or plan.
    """
    jobs = tuple(jobs)
    claim_files(jobs)
    prepared = tuple(_prepared(job) for job in jobs)
    for item in prepared:
        check_load(item)
    return prepared


def check_load(item: Prepared) -> None:
    """Refuse a load that cannot be sent or measured; raises ``ConfigError``."""
    model, name, totals = item.job.model, item.name, item.totals
    load = model.load
    unstamped = len(item.samples) - (totals.stamped if totals else 0)
    if load.use_timestamp and unstamped:
        raise ConfigError(
            f"{name}: use_timestamp needs a time stamp in every row, but {unstamped:,} of "
            f"{len(item.samples):,} have none. Use a trace or a timestamp column, or pace with "
            "--request-rate."
        )
    if load.use_timestamp and load.pressure_s:
        raise ConfigError(f"{name}: --pressure and use_timestamp exclude each other.")
    shaped = load.traffic not in (None, Traffic())
    if not load.use_timestamp and not load.pressure_s and (shaped or target_rate(load) > 0):
        offsets_s(1, load)
    if model.tokenizer:
        open_tokenizer(Path(model.tokenizer).expanduser())


def _prepared(job: Job) -> Prepared:
    reading = _Reading(job)
    samples = RowFile(reading.chosen())
    chosen_or_refused(job, samples, reading.seen)
    return Prepared(
        job=job,
        samples=samples,
        parts={},
        prompt_version="",
        rows_in_data=reading.seen,
        spare=tuple(reading.spare),
        totals=reading.totals(),
    )


class _Reading:
    """One pass over a data set."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._ids: set[str] = set()
        self.seen = 0
        self.spare: list[Sample] = []
        self._requests = 0
        self._longest = 1
        self._stamped = 0
        self._earliest_ms: float | None = None

    def chosen(self) -> Iterator[Sample]:
        """The rows that the job covers."""
        for sample in self._covered():
            turns = 1 if self._job.task.dialogue == "last" else 1 + len(sample.turns)
            self._requests += turns
            self._longest = max(self._longest, turns)
            if sample.due_ms is not None:
                self._stamped += 1
                self._earliest_ms = min(self._earliest_ms or sample.due_ms, sample.due_ms)
            yield sample

    def totals(self) -> RowTotals:
        """What the chosen rows are together."""
        return RowTotals(
            requests=self._requests,
            dialogues=self._longest > 1,
            stamped=self._stamped,
            earliest_ms=self._earliest_ms,
        )

    def _covered(self) -> Iterator[Sample]:
        job = self._job
        if job.rows is not None:
            everything = tuple(self._rows())
            wanted = set(places := job.rows(len(everything)))
            self.spare = [one for k, one in enumerate(everything) if k not in wanted][:_MOST_SPARE]
            yield from (everything[place] for place in places)
            return
        taken: Counter[str] = Counter()
        for sample in self._rows():
            if job.limit is None or taken[sample.subset] < job.limit:
                taken[sample.subset] += 1
                yield sample
            elif len(self.spare) < _MOST_SPARE:
                self.spare.append(sample)
            elif not job.task.group:
                return

    def _rows(self) -> Iterator[Sample]:
        """All rows, each with an id of its own."""
        name = self._job.task.name
        for sample in self._job.task.samples():
            self.seen += 1
            if sample.id in self._ids or "#" in sample.id:
                why = "holds a '#', which ids may not" if "#" in sample.id else "occurs twice"
                raise DataError(f"data set {name!r}, row {self.seen}: id {sample.id!r} {why}.")
            self._ids.add(sample.id)
            yield sample
        if not self.seen:
            raise DataError(f"data set {name!r} is empty: its file has no rows.")
