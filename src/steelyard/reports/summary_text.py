"""What the report of a run looks like: on a screen, as text, Markdown and CSV.

Every score stands with its 95 % interval. One that does not rest on all requests of its job carries
``*`` and a note that says what happened. Then come the counts behind the scores, and how models
compare on the same samples. Numbers are only written here, never computed.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from steelyard.reports.numbers import count, kinds
from steelyard.reports.summary import Cell, Comparison, Summary
from steelyard.reports.tables import Style, table
from steelyard.reports.text import one_line

_HEAD = ("dataset", "version", "metric", "mode")
_NONE = "-"
_COUNTS_ON_SCREEN = 20
_RULE = 128
_LEAST_P = 0.001


class _Replies(NamedTuple):
    """The requests of one job (or group), which all its metrics rest on."""

    dataset: str
    label: str
    cell: Cell


def screen(summary: Summary) -> str:
    """The report for a terminal, without a newline at its end.

    Of a long table of counts only the jobs are shown in which something went wrong.
    """
    replies = _replies(summary)
    if len(replies) <= _COUNTS_ON_SCREEN:
        return _report(summary, "simple", replies)
    odd = [job for job in replies if _is_odd(job.cell)]
    rest = f"Not listed: {count(len(replies) - len(odd))} with every reply whole and readable."
    return f"{_report(summary, 'simple', odd)}\n\n{rest}"


def markdown_file(summary: Summary) -> str:
    """``summary_<stamp>.md``."""
    return _report(summary, "pipe", _replies(summary)) + "\n"


def csv_file(summary: Summary) -> str:
    """``summary_<stamp>.csv``: bare scores, then what belongs to them, model by model."""
    extra = ("low", "high", "answered", "failed", "unparsed")
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(
        (
            *_HEAD,
            *summary.labels,
            *(f"{label} {name}" for label in summary.labels for name in extra),
        )
    )
    for row in summary.rows:
        lines.writerow(
            (
                *(row.dataset, row.version, row.metric, row.mode),
                *(_score(cell) for cell in row.cells),
                *(field for cell in row.cells for field in _csv_fields(cell)),
            )
        )
    return text.getvalue()


def text_file(summary: Summary) -> str:
    """``summary_<stamp>.txt``: the time and the three forms under one another."""
    forms = (
        ("plain text", _report(summary, "simple", _replies(summary))),
        ("markdown", markdown_file(summary).rstrip()),
        ("csv", csv_file(summary).rstrip()),
    )
    parts = [f"{name}\n{'^' * _RULE}\n{form}\n{'$' * _RULE}\n" for name, form in forms]
    return "\n".join((f"{summary.stamp}\n", *parts))


def _report(summary: Summary, style: Style, counted: Sequence[_Replies]) -> str:
    notes = list(_notes(summary, mark="\\*" if style == "pipe" else "*"))
    parts = (
        _scores(summary, style),
        _lines(notes, style),
        _counts(counted, style) if counted else "",
        _lines(map(_comparison, summary.comparisons), style),
    )
    return "\n\n".join(filter(None, parts))


def _lines(lines: Iterable[str], style: Style) -> str:
    bullet = "- " if style == "pipe" else ""
    return "\n".join(f"{bullet}{one_line(line)}" for line in lines)


def _scores(summary: Summary, style: Style) -> str:
    head = (*_HEAD, *summary.labels)
    columns = [
        _aligned([row.cells[model] for row in summary.rows]) for model in range(len(summary.labels))
    ]
    rows = [
        (row.dataset, row.version, row.metric, row.mode, *cells)
        for row, *cells in zip(summary.rows, *columns, strict=True)
    ]
    return table(style, head, rows, right=range(len(_HEAD), len(head)))


def _aligned(cells: Sequence[Cell | None]) -> list[str]:
    """The texts of one model's column, equally long, so that its scores stand in line."""
    scores = [_score(cell) for cell in cells]
    details = [_interval(cell) + _mark(cell) for cell in cells]
    widths = [max(map(len, texts), default=0) for texts in (scores, details)]
    return [
        f"{score:>{widths[0]}}{detail:<{widths[1]}}"
        for score, detail in zip(scores, details, strict=True)
    ]


def _score(cell: Cell | None) -> str:
    return _NONE if cell is None or cell.value is None else f"{cell.value:.2f}"


def _interval(cell: Cell | None) -> str:
    if cell is None or cell.low is None or cell.high is None:
        return ""
    return f" [{cell.low:.1f}, {cell.high:.1f}]"


def _mark(cell: Cell | None) -> str:
    return " *" if cell is not None and cell.marked else ""


def _csv_fields(cell: Cell | None) -> tuple[str | int, ...]:
    if cell is None:
        return ("",) * 5
    low, high = (f"{end:.2f}" if end is not None else "" for end in (cell.low, cell.high))
    return low, high, cell.answered, cell.failed, cell.unparsed


def _replies(summary: Summary) -> list[_Replies]:
    """What the scores rest on, once for each data set and model however many metrics there are."""
    found: dict[tuple[str, int], _Replies] = {}
    for row in summary.rows:
        for model, (label, cell) in enumerate(zip(summary.labels, row.cells, strict=True)):
            if cell is not None:
                found.setdefault((row.dataset, model), _Replies(row.dataset, label, cell))
    return list(found.values())


def _is_odd(cell: Cell) -> bool:
    return cell.marked or cell.unparsed > 0 or cell.truncated > 0


def _counts(counted: Iterable[_Replies], style: Style) -> str:
    head = ("dataset", "model", "answered", "failed", "unparsed", "truncated")
    rows = [
        (
            job.dataset,
            job.label,
            *map(
                count, (job.cell.answered, job.cell.failed, job.cell.unparsed, job.cell.truncated)
            ),
        )
        for job in counted
    ]
    return table(style, head, rows, right=range(2, len(head)))


def _notes(summary: Summary, *, mark: str) -> Iterator[str]:
    if any(_interval(cell) for row in summary.rows for cell in row.cells):
        yield "[low, high]: 95 % interval of the score."
    marked = [job for job in _replies(summary) if job.cell.marked]
    if marked:
        judged = any(job.cell.unjudged for job in marked)
        lack = "answered and judged" if judged else "answered"
        yield f"{mark} Not every request was {lack}; the score is that of the {lack} ones:"
    for job in marked:
        yield f"{mark} {job.dataset}, {job.label}: {_account(job.cell)}"
    for note in summary.notes:
        about = ", ".join(filter(None, (note.dataset, note.model)))
        yield f"{about}: {note.text}" if about else note.text


def _account(cell: Cell) -> str:
    """What became of the requests of one job, in words."""
    failed = f"failed {count(cell.failed)}"
    why = f" ({kinds(cell.failures)})" if cell.failures else ""
    facts = (
        f"answered {count(cell.answered)} of {count(cell.total)}",
        failed + why if cell.failed else "",
        f"not asked {count(cell.unasked)}" if cell.unasked else "",
        f"without a verdict {count(cell.unjudged)}" if cell.unjudged else "",
        f"unparsed {count(cell.unparsed)}" if cell.unparsed and not cell.unjudged else "",
        f"truncated at max_tokens {count(cell.truncated)}" if cell.truncated else "",
    )
    return ", ".join(filter(None, facts))


def _comparison(pair: Comparison) -> str:
    p = f"p < {_LEAST_P}" if pair.p < _LEAST_P else f"p = {pair.p:.2g}"
    return (
        f"{pair.dataset}: {pair.a} minus {pair.b} = {pair.diff:+.2f} "
        f"[{pair.low:+.1f}, {pair.high:+.1f}], {p}: {pair.verdict}"
    )
