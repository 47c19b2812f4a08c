"""The measure stage: from the stored lines of a load test to its figures and files.

Everything is computed from the files, so it can be done again, with other statistics, another
stage or other objectives, as often as anyone likes (``perf_viz``), also of a run that was killed.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from steelyard import reports, store
from steelyard.core import DataError
from steelyard.perf.figures import Figures
from steelyard.pipeline.engine_figures import engine_lines
from steelyard.pipeline.events import LoadMeasured, Notice
from steelyard.pipeline.load_files import LoadFiles, RunNote, read_note
from steelyard.pipeline.logs import JobLog
from steelyard.pipeline.measuring import Measuring
from steelyard.pipeline.prepare import Prepared
from steelyard.pipeline.state import RunState
from steelyard.reports import load_text

if TYPE_CHECKING:
    from steelyard.pipeline.load_columns import Measured, TokenSources


def measure_and_tell(run: RunState, item: Prepared, files: LoadFiles, log: JobLog) -> None:
    """Compute and write the figures of one load test, and tell them.

    Raises ``DataError`` when nothing usable is stored.
    """
    note = read_note(files)
    result = measure(files, note, run.settings.measuring)
    figures = result.figures
    for text in result.notes:
        log.line("WARNING", text)
    failed = sum(figures.failures.values())
    run.note_failed(item, failed, result.requests)
    if note.status != "finished" and item.name not in run.trouble:
        run.trouble[item.name] = (
            f"the load test did not end ({note.status}); its figures are partial"
        )
    if not figures.stats:
        run.trouble.setdefault(item.name, "CALC-DATA-001: no request was answered")
    if result.missing:
        run.tell(Notice(text=result.missing, level="info", job=item.name))
    run.tell(
        LoadMeasured(
            job=item.name,
            screen=screen(item.name, result, files),
            files=tuple(map(str, result.files)),
            figures=figures,
        )
    )


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What measuring one load test gave."""

    figures: Figures
    notes: tuple[str, ...]
    """What a reader must know, the worst first."""
    engine: tuple[str, ...]
    """What the service's own counters say."""
    files: tuple[Path, ...]
    requests: int
    missing: str = ""
    """A file that could not be written, and what to install for it."""


def measure(files: LoadFiles, note: RunNote, measuring: Measuring) -> Result:
    """Compute the figures and write every file of the load test; raises ``DataError``."""
    from steelyard.pipeline.load_columns import read_beats, read_columns
    from steelyard.pipeline.load_h5 import write_h5
    from steelyard.pipeline.load_page import write_page
    from steelyard.tasks.tokenizer import open_tokenizer

    if not store.parts(files.details):
        raise DataError(f"{files.details}: no request of this load test was stored.")
    tokenizer = open_tokenizer(Path(note.tokenizer).expanduser()) if note.tokenizer else None
    with TemporaryDirectory(prefix=".measure-", dir=files.details.parent) as scratch:
        measured = read_columns(files, note.zero_ns, Path(scratch), tokenizer)
        beats = read_beats(files)
        figures = measuring.figures(measured, note, beats)
        notes = tuple(_notes(note, measured, figures))
        written = list(_write_texts(files, figures))
        written.append(write_page(files, note, measured, figures, notes))
        missing = ""
        h5 = write_h5(files, measured, Path(scratch))
        if h5 is None:
            missing = (
                f"{files.path('_details.h5').name} was not written: it needs the package h5py "
                "(pip install 'steelyard[perf]'); --mode perf_viz --reuse writes it afterwards"
            )
        else:
            written.append(h5)
    return Result(
        figures=figures,
        notes=notes,
        engine=engine_lines(files, spec_decode=measuring.spec_decode),
        files=tuple(written),
        requests=measured.columns.n,
        missing=missing,
    )


def _write_texts(files: LoadFiles, figures: Figures) -> Iterator[Path]:
    texts = {
        ".csv": load_text.load_csv(figures.stats).encode(),
        ".json": load_text.load_json(figures.common),
        "_figures.json": msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n",
    }
    for ending, text in texts.items():
        path = files.path(ending)
        store.write_atomic(path, text)
        yield path


def _notes(note: RunNote, measured: "Measured", figures: Figures) -> Iterator[str]:
    """What a reader must know, the worst first."""
    ended = measured.columns.n
    if note.status != "finished":
        ends = {
            "running": "the process was killed or is still sending",
            "interrupted": "it was interrupted",
            "stopped": f"it was stopped: {note.detail}",
        }
        planned = f" of {note.planned:,}" if note.planned and not note.dialogues else ""
        yield (
            f"INCOMPLETE RUN: {ends[note.status]}; the figures are those of the {ended:,}{planned} "
            "requests that had ended"
        )
    client = figures.client
    if client is not None and client.client_bound:
        reasons, advice = "; ".join(client.reasons), " ".join(client.advice)
        yield f"CLIENT-BOUND: {reasons}. {advice}"
    failed = sum(figures.failures.values())
    if failed:
        kinds = reports.kinds(figures.failures)
        yield f"{failed:,} of {ended:,} requests failed ({kinds}) and are in no latency"
    if not note.stream:
        yield "the answers were not streamed: end-to-end figures only, nothing about tokens in time"
    if figures.no_window:
        yield figures.no_window
    yield from _token_notes(measured.sources, note)
    yield from figures.notes


def _token_notes(sources: "TokenSources", note: RunNote) -> Iterator[str]:
    """Where token counts come from, when it is not the service for all of them."""
    if sources.counted_by_tokenizer:
        yield (
            f"the service gave no token count of {sources.counted_by_tokenizer:,} answers; their "
            "texts were counted with the tokenizer (prompts without what a chat template adds)"
        )
    if sources.uncounted:
        named = "" if note.tokenizer else " Name the model's tokenizer.json with --tokenizer."
        yield (
            f"the service gave no token count of {sources.uncounted:,} answers, so figures per "
            f"token leave them out.{named}"
        )


def screen(name: str, result: Result, files: LoadFiles) -> str:
    """What a terminal shows of one load test."""
    figures = result.figures
    parts = [f"Performance Results of task [{name}]:"]
    parts += [f"! {text}" for text in result.notes]
    if figures.stats:
        parts.append(load_text.load_screen(figures.stats, figures.common))
        parts.append(_footnotes(figures))
    parts += result.engine
    parts.append(f"Performance Result files located in {files.details.parent}.")
    return "\n".join(part for part in parts if part)


def _footnotes(figures: Figures) -> str:
    lines = []
    if any(not one.supported for row in figures.stats for one in row.values.values()):
        lines.append(
            f"{load_text.UNSUPPORTED} too few requests for this percentile: it may lie further out"
        )
    if figures.window is not None:
        lines.append(f"Window: {figures.window.why}")
    if figures.goodput is not None:
        lines.append(load_text.goodput_text(figures.goodput))
    return "\n".join(lines)
