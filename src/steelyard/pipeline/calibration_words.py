"""A calibration in words: the tables of figures, and what there is to say beside them."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from steelyard import reports
from steelyard.pipeline.calibration_report import CalibrationReport
from steelyard.pipeline.judge_words import LACKS, cost
from steelyard.reports import Style
from steelyard.scoring.calibration_figures import Calibration, Figure

Row: TypeAlias = tuple[str, str, str, str]
"""Name, value, interval, what it rests on."""
Cells: TypeAlias = tuple[str, str]
"""Value and interval."""

_HEAD = ("figure", "value", "95 % interval", "n")
_PEOPLE = "people \\ judge"
_WHAT = {"correctness": "answers", "score": "answers", "pairwise": "pairs of answers"}
_LAST = ("tie", "order", "unparsed", "judge_failed", "unjudged")
"""Columns of the matrix that stand at its end."""


def screen(report: CalibrationReport) -> str:
    """What a terminal shows."""
    return "\n".join((title(report), "", *_body(report, "simple")))


def markdown(report: CalibrationReport) -> str:
    """``calibration.md``."""
    return "\n".join((f"# {title(report)}", "", *_body(report, "pipe"), ""))


def title(report: CalibrationReport) -> str:
    """Who was held against what."""
    times = f", each asked {report.repeats} times" if report.repeats > 1 else ""
    what = f"{report.rows:,} {_WHAT[report.kind]} of {report.file}, labelled by people{times}"
    if report.judge is None:
        return what
    served = f" ({report.judge.served})" if report.judge.served else ""
    return f"{report.judge.abbr}{served}, {report.judge.judge}: {what}"


def _body(report: CalibrationReport, style: Style) -> Iterator[str]:
    rows = [*_rows(report.figures, report.kind)]
    if rows:
        yield reports.table(style, _HEAD, rows, right=(1, 3))
    if report.figures.confusion:
        yield ""
        yield _matrix(report.figures, style)
    if report.figures.labels:
        yield ""
        yield _labels(report.figures, style)
    yield ""
    bullet = "- " if style == "pipe" else ""
    yield from (f"{bullet}{reports.one_line(text)}" for text in notes(report))


def _rows(found: Calibration, kind: str) -> Iterator[Row]:
    kappa = "quadratically weighted kappa" if kind == "score" else "Cohen's kappa"
    yield from _row("agreement", found.agreement)
    yield from _row("agreement on accepting", found.agreement_on_accepting)
    yield from _row(kappa, found.kappa, _number)
    yield from _row("Spearman's rho", found.spearman, _number)
    yield from _row("mean absolute difference", found.mean_absolute_difference, _number)
    if found.mean_difference is not None:
        yield "judge minus people", f"{found.mean_difference:+.3f}", "", ""
    if found.macro_f1 is not None:
        yield "macro F1", f"{found.macro_f1:.3f}", "", ""
    for name, one in zip(("first", "second"), found.agreement_in_order, strict=False):
        yield from _row(f"agreement, answer_1 shown {name}", one)
    yield from _row("agreement in both orders", found.agreement_in_both)
    yield from _row("longer answer preferred", found.longer_preferred)
    yield from _row("wrong answers accepted, longer ones", found.wrong_accepted_longer)
    yield from _row("wrong answers accepted, shorter ones", found.wrong_accepted_shorter)
    yield from _row("same verdict every time", found.same_every_time)
    yield from _row("two verdicts are the same", found.same_pairs)
    yield from _row("unparsed", found.unparsed)


def _row(
    name: str, one: Figure | None, written: Callable[[Figure], Cells] | None = None
) -> Iterator[Row]:
    """A share in percent unless ``written`` says otherwise; nothing where there is no figure."""
    if one is not None:
        yield (name, *(written or _share)(one), f"{one.n:,}")


def _share(one: Figure) -> Cells:
    low, high = (None if end is None else 100 * end for end in (one.low, one.high))
    return f"{100 * one.value:.1f} %", _interval(low, high, 1)


def _number(one: Figure) -> Cells:
    return f"{one.value:.3f}", _interval(one.low, one.high, 3)


def _interval(low: float | None, high: float | None, digits: int) -> str:
    return "" if low is None or high is None else f"[{low:.{digits}f}, {high:.{digits}f}]"


def _matrix(found: Calibration, style: Style) -> str:
    columns = _ordered({column for counts in found.confusion.values() for column in counts})
    rows = [
        (label, *(f"{found.confusion[label].get(column, 0):,}" for column in columns))
        for label in _ordered(set(found.confusion))
    ]
    return reports.table(style, (_PEOPLE, *columns), rows, right=range(1, len(columns) + 1))


def _ordered(names: set[str]) -> list[str]:
    """Numbers by size, words by letter, what is no verdict at the end."""

    def place(name: str) -> tuple[int, float, str]:
        if name in _LAST:
            return 1 + _LAST.index(name), 0.0, name
        number = name.replace(".", "", 1).lstrip("-")
        return 0, float(name) if number.isdecimal() else 0.0, name

    return sorted(names, key=place)


def _labels(found: Calibration, style: Style) -> str:
    rows = [
        (label, *_with_interval(one.precision), *_with_interval(one.recall), f"{one.f1:.3f}")
        for label, one in ((label, found.labels[label]) for label in _ordered(set(found.labels)))
    ]
    head = ("label", "precision", "95 % interval", "recall", "95 % interval", "F1")
    return reports.table(style, head, rows, right=(1, 3, 5))


def _with_interval(one: Figure | None) -> Cells:
    return ("-", "") if one is None else _share(one)


def notes(report: CalibrationReport) -> Iterator[str]:
    """What a reader must know beside the figures."""
    found, account = report.figures, report.judge
    if found.position:
        yield _position(found)
    for outcome, words in LACKS.items():
        if number := found.outcomes.get(outcome):
            reason = account.reasons.get(outcome, "")[:200] if account else ""
            yield (
                f"{number:,} of {found.asked:,} {_WHAT[report.kind]} {words}; no other figure has "
                f"them. For example: {reason}"
            )
    if report.not_asked:
        yield (
            f"not asked about {report.not_asked:,} {_WHAT[report.kind]}: an answer is empty, or "
            "its reasoning never ends; no figure has them"
        )
    if report.left_out:
        yield f"left out: {report.left_out:,} rows whose annotators have no majority"
    if account is not None:
        yield cost([account])


def _position(found: Calibration) -> str:
    n, same = (int(found.position[name]) for name in ("n", "consistent"))
    first, second = (int(found.position[name]) for name in ("first", "second"))
    p = found.position["p_value"]
    chance = f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"
    return (
        f"Position: {same:,} of {n:,} pairs have the same verdict in both orders; of the others "
        f"{first:,} go to the answer shown first and {second:,} to the one shown second ({chance} "
        "for a difference like this without a position bias). A pair whose verdicts differ counts "
        "as a tie"
    )
