"""Asking for one stage of one job, told from start to end: the board, the log, how it ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from steelyard.core import DiskError, SteelyardError
from steelyard.pipeline.events import JobEnded, Notice
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.state import RunState
from steelyard.pipeline.tally import Tally


@asynccontextmanager
async def told(run: RunState, job: str, tally: Tally, log: JobLog) -> AsyncIterator[None]:
    """Tell how the block goes, under the name of ``tally``.

    Disk trouble ends the run; any other only this block, and ``run`` keeps what ``job`` lacks.
    """
    run.tallies.append(tally)
    status: Literal["finished", "stopped", "interrupted"] = "interrupted"
    detail = ""
    try:
        yield
        status = "finished"
    except DiskError as error:
        status, detail = "stopped", str(error)
        raise
    except SteelyardError as error:
        status, detail = "stopped", str(error)
        run.trouble[job] = detail
    finally:
        run.tallies.remove(tally)
        if detail:
            log.line("ERROR", f"stopped: {detail}")
        if tally.cut:
            tally.notes.append(
                f"{tally.cut:,} prompts were longer than the model takes and were cut"
            )
        for note in tally.notes:
            log.line("WARNING", note)
            run.tell(Notice(text=f"{tally.job}: {note}", level="warning"))
        for kind, count in sorted(tally.failed.items()):
            log.line("WARNING", f"failed, {kind}: {count}")
        log.line("INFO", f"{status}: {tally.answered} answered, {tally.failed.total()} failed")
        run.tell(tally.progress())
        run.tell(
            JobEnded(
                job=tally.job,
                stage=tally.stage,
                status=status,
                answered=tally.answered,
                failed=dict(tally.failed),
                detail=detail,
                elapsed_s=round(tally.elapsed_s, 3),
            )
        )
