"""What the report of a run says: a row per metric and data set, a cell per model.

Does not live here: what it looks like (summary_text.py), where the numbers come from.
"""

from collections.abc import Mapping

import msgspec

from steelyard.core import Metric
from steelyard.reports.results import Results


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one model, and the requests behind it."""

    value: float | None
    """``None`` when nothing was answered."""
    total: int
    """Requests of the whole job."""
    answered: int
    low: float | None = None
    high: float | None = None
    failed: int = 0
    unasked: int = 0
    unparsed: int = 0
    unjudged: int = 0
    """Of ``unparsed``: answers whose judge gave no verdict; the value does not rest on them."""
    truncated: int = 0
    failures: Mapping[str, int] = {}

    @property
    def marked(self) -> bool:
        """Whether the value rests on less than the whole job."""
        return self.failed > 0 or self.unasked > 0 or self.unjudged > 0


class Row(msgspec.Struct, frozen=True):
    """One metric of one data set or group (version ``-``)."""

    dataset: str
    version: str
    metric: str
    mode: str
    cells: tuple[Cell | None, ...]
    """One per model; ``None`` when the model was not asked."""


class Note(msgspec.Struct, frozen=True):
    """Something else that a reader of the scores must know."""

    text: str
    dataset: str = ""
    model: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two models on the same samples."""

    dataset: str
    a: str
    b: str
    diff: float
    """Score of ``a`` minus score of ``b``, with its 95 % interval."""
    low: float
    high: float
    p: float
    verdict: str
    """``no clear difference``, ``a better``..."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report shows."""

    stamp: str
    """When it was made."""
    labels: tuple[str, ...]
    """Column headers, one per model."""
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[Note, ...] = ()


def cell(results: Results, metric: Metric | None = None) -> Cell:
    """The cell of one of the metrics of ``results``; without one, of a job that has no score."""
    return Cell(
        value=metric.value if metric else None,
        low=metric.low if metric else None,
        high=metric.high if metric else None,
        total=results.total,
        answered=results.answered,
        failed=results.failed,
        unasked=results.unasked,
        unparsed=results.unparsed,
        unjudged=results.judge.unjudged if results.judge else 0,
        truncated=results.truncated,
        failures=results.failures,
    )
