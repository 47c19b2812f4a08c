"""A sweep: load tests at one load after the other, and the search for the highest good one.

Every load test is one like any other, with files and a page of its own; a sweep chooses the loads,
compares the figures, and writes a summary, however it ended. One that was interrupted has the
finished loads in it.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from steelyard.core import ConfigError, DiskError, Job, RunStopped, SteelyardError
from steelyard.perf.points import Point, marked, point
from steelyard.pipeline.claim import claimed
from steelyard.pipeline.events import Listener, Notice, Planned, PointMeasured, SweepReady
from steelyard.pipeline.load_all import load_files, send_one
from steelyard.pipeline.load_files import read_note
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.measure import Result, measure
from steelyard.pipeline.measuring import Measuring
from steelyard.pipeline.prepare import Prepared, RowTotals
from steelyard.pipeline.prepare_load import check_load
from steelyard.pipeline.run import RunResult
from steelyard.pipeline.state import RunState, Settings
from steelyard.pipeline.sweep_files import write_report
from steelyard.pipeline.sweep_plan import SweepPlan, written
from steelyard.pipeline.sweep_report import SweepReport, SweepStatus
from steelyard.pipeline.sweep_rows import Portion
from steelyard.pipeline.sweep_words import load_name, point_line, screen
from steelyard.store import RunFolder

_NEEDED_STATS = ("Median", "P99")


def run_sweep(
    plan: SweepPlan,
    prepared: Sequence[Prepared],
    folder: RunFolder,
    settings: Settings,
    listener: Listener,
) -> RunResult:
    """Sweep every job of ``prepared``, one after the other, in ``folder``.

    ``settings.measuring`` holds the objectives; a search needs some. Raises ``ConfigError`` before
    anything is sent, ``DiskError`` when records cannot be written, and what kept the only job from
    its first load. ``KeyboardInterrupt`` ends everything; the loads that were finished are
    summarised before.
    """
    measuring = _measuring(settings.measuring)
    if plan.span is not None and not measuring.slo:
        raise ConfigError("a search needs objectives: --slo ttft=500ms,tpot=50ms (or e2el, itl)")
    run = RunState(folder, replace(settings, measuring=measuring), listener)
    sweeps = [_Sweep(run, item, plan) for item in prepared]
    run.tell(
        Planned(
            folder=str(folder.root),
            mode="sweep",
            jobs=tuple(name for sweep in sweeps for name in sweep.names()),
        )
    )
    with claimed(folder.root) as claim:
        for sweep in sweeps:
            error = sweep.go(claim)
            if error is not None and not sweep.points and len(sweeps) == 1:
                raise error
    unfinished = tuple(f"{job}: {why}" for job, why in run.trouble.items())
    return RunResult(complete=not unfinished, unfinished=unfinished)


def _measuring(wanted: Measuring) -> Measuring:
    """``wanted`` with the statistics that loads are compared by."""
    if not wanted.stats:
        return replace(wanted, stage="steady")
    missing = [name for name in _NEEDED_STATS if name not in wanted.stats]
    return replace(wanted, stage="steady", stats=(*missing, *wanted.stats))


class _Sweep:
    """One job under way from load to load."""

    def __init__(self, run: RunState, item: Prepared, plan: SweepPlan) -> None:
        self.points: list[Point] = []
        self._run = run
        self._item = item
        self._plan = plan
        self._rows_taken = 0
        self._notes: list[str] = []
        """What a reader of the summary must know of how it was made."""
        self._told_missing = False
        check_load(replace(item, job=self._job(plan.first, 1)))

    def names(self) -> tuple[str, ...]:
        """The load tests that will be there, as far as that is known."""
        if self._plan.span is not None:
            return (self._item.name,)
        return tuple(f"{self._item.name}{self._plan.suffix(load, 1)}" for load in self._plan.series)

    def go(self, claim: int) -> SteelyardError | None:
        """Try loads until there is an answer, and write the summary; what stopped it, if so."""
        try:
            detail = self._tried(claim)
        except KeyboardInterrupt:
            self._summarise("interrupted", "")
            raise
        except DiskError:
            raise
        except SteelyardError as error:
            self._run.trouble[self._item.name] = str(error)
            self._summarise("stopped", str(error))
            return error
        self._summarise("finished", detail)
        self._judge()
        return None

    def _tried(self, claim: int) -> str:
        """Try loads as the plan wants them; why it ended early, or nothing."""
        while (load := self._plan.next(self.points)) is not None:
            self.points.append(self._tested(load, claim))
            early = self._early(self.points[-1])
            if early:
                return early
        return ""

    def _early(self, last: Point) -> str:
        """Why no other load is worth trying; empty: it is. Raises ``RunStopped`` when hopeless."""
        if not any(one.answered for one in self.points):
            raise RunStopped(f"no request was answered at {written(last.load)}, the lowest load")
        if self._plan.span is None:
            if last.answered:
                return ""
            left = [load for load in self._plan.series if load > last.load]
            higher = ", ".join(map(written, left))
            where = f"no request was answered at {written(last.load)}"
            return f"{where}; not tried: {higher}" if left else where
        if last.verdict is None:
            raise RunStopped(
                f"at {written(last.load)} it cannot be told whether the objectives were met: "
                f"{last.undecided:,} of {last.requests:,} answers lack what that needs. Token "
                "counts that a service does not give come from --tokenizer."
            )
        return ""

    def _tested(self, load: float, claim: int) -> Point:
        """Send and measure one load test."""
        run = self._run
        number = 1 + sum(one.load == load for one in self.points)
        item = self._prepared(load, number, rows=self._plan.requests_at(load))
        with run.log("performance", item) as log:
            status, detail = send_one(run, item, log, claim)
            if status == "stopped":
                raise RunStopped(detail)
            result = self._measured(item, log)
        found = point(
            result.figures,
            load=load,
            run=number,
            name=item.job.task.name,
            attainment=self._plan.attainment if run.settings.measuring.slo else None,
        )
        if self._plan.span is None:  # a search looks for loads that are too much
            run.note_failed(item, found.failed, found.requests)
        run.tell(
            PointMeasured(
                job=item.name,
                line=point_line(found, self._plan),
                files=tuple(map(str, result.files)),
                point=found,
            )
        )
        return found

    def _prepared(self, load: float, number: int, *, rows: int) -> Prepared:
        """The job of one load test."""
        item = self._item
        portion = Portion(item.samples, self._rows_taken, rows)
        self._rows_taken += rows
        if portion.repeated and not self._notes:
            self._notes.append(
                f"the data set has {len(item.samples):,} rows, fewer than the sweep asks: from "
                f"{load_name(self._plan.kind, load)} (load test {len(self.points) + 1}) on rows "
                "are asked again, which a prefix cache answers faster. More rows: --set-data "
                "RequestCount=N (synthetic data), or a larger data set"
            )
            self._run.tell(Notice(text=self._notes[-1], job=item.name))
        spare = portion.before(self._run.settings.warmups)
        one = replace(item, job=self._job(load, number), samples=portion, spare=spare, totals=None)
        dialogues = item.totals is None or item.totals.dialogues
        totals = RowTotals(
            requests=one.total if dialogues else rows,
            dialogues=dialogues and one.total > rows,
            stamped=0,
            earliest_ms=None,
        )
        return replace(one, totals=totals)

    def _job(self, load: float, number: int) -> Job:
        job = self._plan.paced(self._item.job, load, number)
        name = f"{job.task.name}{self._plan.suffix(load, number)}"
        return replace(job, task=replace(job.task, name=name))

    def _measured(self, item: Prepared, log: JobLog) -> Result:
        files = load_files(self._run, item)
        result = measure(files, read_note(files), self._run.settings.measuring)
        for text in result.notes:
            log.line("WARNING", text)
        if result.missing and not self._told_missing:
            self._told_missing = True
            self._run.tell(Notice(text=result.missing, level="info", job=item.name))
        return result

    def _summarise(self, status: SweepStatus, detail: str) -> None:
        """Write and show the summary, if there is anything to summarise."""
        if not self.points:
            return
        report = SweepReport(
            model=self._item.job.model.abbr,
            dataset=self._item.job.task.name,
            status=status,
            detail=detail,
            notes=tuple(self._notes),
            slo=self._run.settings.measuring.slo,
            plan=self._plan,
            points=marked(self.points),
            found=self._plan.found(self.points),
        )
        files = write_report(report, load_files(self._run, self._item))
        self._run.tell(
            SweepReady(
                job=self._item.name,
                screen=screen(report),
                files=tuple(map(str, files)),
                points=report.points,
                found=report.found,
            )
        )

    def _judge(self) -> None:
        """A search without an answer is incomplete."""
        found = self._plan.found(self.points)
        if found is not None and not found.confirmed:
            self._run.trouble[self._item.name] = "no load was found that meets the objectives"
