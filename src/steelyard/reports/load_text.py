"""The two tables of a load test as text: for the screen, as CSV and as JSON.

Names, columns and units of the files are those of AISBench, so what reads its files reads these:

    <dataset>.csv   Performance Parameters,Stage,Average,…,N   values as text with their unit
    <dataset>.json  {metric: {stage: "value unit"}}

Values are rounded here, when they become text, and nowhere before.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from steelyard.reports.tables import table

UNSUPPORTED = "*"
"""Behind a percentile that is too far out for the number of requests."""


class _Interval(Protocol):
    """A 95 % interval; ``None``: there is none."""

    @property
    def low(self) -> float | None:
        """Lower end of the interval."""

    @property
    def high(self) -> float | None:
        """Upper end of the interval."""


class _Row(Protocol):
    """What every row of both tables says."""

    @property
    def name(self) -> str:
        """``TTFT``, ``Request Throughput``."""

    @property
    def unit(self) -> str:
        """``ms``, ``token/s``, ``req/s`` or nothing."""

    @property
    def stage(self) -> str:
        """``total``, ``steady``, ``stable``."""


class Value(_Interval, Protocol):
    """One statistic with its interval."""

    @property
    def value(self) -> float:
        """The statistic."""

    @property
    def supported(self) -> bool:
        """Whether the data can bound it."""


class StatRow(_Row, Protocol):
    """One row of the statistics table."""

    @property
    def n(self) -> int:
        """Requests that the row rests on."""

    @property
    def values(self) -> Mapping[str, Value]:
        """By the title of the column."""


class CommonRow(_Row, _Interval, Protocol):
    """One row of the table of common metrics."""

    @property
    def value(self) -> float | None:
        """``None``: it cannot be computed."""


def with_unit(value: float, unit: str) -> str:
    """``2048.2945 ms``; whole numbers without a decimal point, other counts with four."""
    text = f"{value:.0f}" if float(value).is_integer() and not unit else f"{value:.4f}"
    return f"{text} {unit}".rstrip()


def load_csv(stats: Sequence[StatRow]) -> str:
    """The statistics table as a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_head(stats))
    writer.writerows(_stat_cells(row) for row in stats)
    return text.getvalue()


def load_json(common: Iterable[CommonRow]) -> bytes:
    """The common metrics as a JSON file; those without a value are left out."""
    found: dict[str, dict[str, str | int]] = {}
    for row in common:
        if row.value is not None:
            found.setdefault(row.name, {})[row.stage] = _common_value(row)
    return msgspec.json.format(msgspec.json.encode(found), indent=4) + b"\n"


TableText: TypeAlias = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""Titles, and rows of cells."""

_INTERVALS_OF = ("Average", "Median", "P90", "P99")


def load_screen(stats: Sequence[StatRow], common: Sequence[CommonRow]) -> str:
    """All tables for a terminal: units in a column of their own, figures as short as they mean."""
    parts = []
    if stats:
        head, rows = stat_table(stats)
        parts.append(table("simple", head, rows, right=range(3, len(head))))
        head, rows = stat_intervals(stats)
        if rows:
            parts.append(table("simple", head, rows))
    head, rows = common_table(common)
    if rows:
        parts.append(table("simple", head, rows, right=(3,)))
    return "\n\n".join(parts)


def stat_table(stats: Sequence[StatRow]) -> TableText:
    """The statistics table, shortened."""
    head = ("Performance Parameters", "Unit", *_head(stats)[1:])
    return head, tuple(map(_screen_cells, stats))


def stat_intervals(stats: Sequence[StatRow]) -> TableText:
    """The 95 % intervals of the statistics; without rows when there are none."""
    kept = [row for row in stats if any(_has_interval(row, name) for name in _INTERVALS_OF)]
    head = ("95 % interval of", "Unit", "Stage", *_INTERVALS_OF)
    rows = tuple(
        (row.name, row.unit, row.stage, *(_stat_interval(row, name) for name in _INTERVALS_OF))
        for row in kept
    )
    return head, rows


def common_table(common: Sequence[CommonRow]) -> TableText:
    """The table of common metrics, shortened, with intervals."""
    head = ("Common Metric", "Unit", "Stage", "Value", "95 % interval")
    rows = tuple(
        (row.name, row.unit, row.stage, short(row.value), _interval(row))
        for row in common
        if row.value is not None
    )
    return head, rows


def short(value: float) -> str:
    """``12,035``, ``20.13``, ``0.415``: four figures or more, and thousands set apart."""
    size = abs(value)
    if float(value).is_integer() or size >= 10_000:
        return f"{value:,.0f}"
    if size >= 1000:
        return f"{value:,.1f}"
    return f"{value:.2f}" if size >= 10 else f"{value:.3f}"


class SloRow(Protocol):
    """How many requests met one objective."""

    @property
    def name(self) -> str:
        """``ttft``; ``all`` for all together."""

    @property
    def limit_ms(self) -> float | None:
        """The objective; ``None`` for all together."""

    @property
    def met(self) -> int:
        """Requests that met it."""

    @property
    def missed(self) -> int:
        """Requests that did not, failed ones among them."""

    @property
    def undecided(self) -> int:
        """Requests of which it cannot be said."""

    @property
    def share(self) -> Value | None:
        """met / (met + missed)."""


class GoodputRow(Protocol):
    """Requests that met every objective."""

    @property
    def requests_per_s(self) -> Value | None:
        """Per second of the run."""

    @property
    def together(self) -> SloRow:
        """All objectives together."""

    @property
    def each(self) -> Sequence[SloRow]:
        """One by one."""


def goodput_text(goodput: GoodputRow) -> str:
    """Goodput and the share of every objective, in a few lines."""
    rate = goodput.requests_per_s
    head = "Goodput: " + (f"{rate.value:.4f} req/s" if rate else "cannot be computed")
    if rate is not None:
        head += f"  {_interval(rate)}"
    return "\n".join((head, *map(_slo_text, (goodput.together, *goodput.each))))


def _slo_text(row: SloRow) -> str:
    name = "all objectives" if row.limit_ms is None else f"{row.name} <= {row.limit_ms:g} ms"
    text = f"  {name}: {row.met:,} of {row.met + row.missed:,} requests"
    if row.share is not None:
        text += f" ({100 * row.share.value:.2f} %"
        if row.share.low is not None and row.share.high is not None:
            text += f", 95 % [{100 * row.share.low:.2f}, {100 * row.share.high:.2f}]"
        text += ")"
    return text + (f", {row.undecided:,} cannot be told" if row.undecided else "")


def _head(stats: Sequence[StatRow]) -> tuple[str, ...]:
    columns = dict.fromkeys(name for row in stats for name in row.values)
    return ("Performance Parameters", "Stage", *columns, "N")


def _stat_cells(row: StatRow) -> tuple[str, ...]:
    values = [with_unit(one.value, row.unit) for one in row.values.values()]
    return (row.name, row.stage, *values, str(row.n))


def _screen_cells(row: StatRow) -> tuple[str, ...]:
    values = [
        short(one.value) + ("" if one.supported else UNSUPPORTED) for one in row.values.values()
    ]
    return (row.name, row.unit, row.stage, *values, f"{row.n:,}")


def _common_value(row: CommonRow) -> str | int:
    value = row.value or 0.0
    if not row.unit and float(value).is_integer():
        return int(value)
    return with_unit(value, row.unit)


def _has_interval(row: StatRow, name: str) -> bool:
    one = row.values.get(name)
    return one is not None and one.low is not None and one.high is not None


def _stat_interval(row: StatRow, name: str) -> str:
    return _interval(row.values[name]) if _has_interval(row, name) else "-"


def _interval(one: Value | CommonRow) -> str:
    if one.low is None or one.high is None:
        return "-"
    return f"[{short(one.low)}, {short(one.high)}]"
