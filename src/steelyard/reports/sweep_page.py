"""The page of a sweep: latency against throughput, one point for each load that was tried.

The same frame as the page of one load test. Nothing is computed here; which points are the best
trade-offs follows from the two axes shown, so the browser marks them.
"""

import msgspec

from steelyard.reports.page_frame import Around, page_html


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """One choice for the horizontal axis."""

    name: str
    """Short, for the switch: ``Requests``."""
    title: str
    """Long: ``request throughput``."""
    unit: str
    """``req/s``."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """One choice for the vertical axis."""

    name: str
    """Short, for the switch: ``TTFT P99``."""
    title: str
    limit_ms: float | None = None
    """What the SLO allows; ``None``: it says nothing about this one."""


class SweepPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What one load came to."""

    label: str
    """The load: ``32``, ``4/s``."""
    throughputs: tuple[float | None, ...]
    """One for each of the page's throughputs, in their units; ``None``: unknown."""
    latencies_ms: tuple[float | None, ...]
    """One for each of the page's latencies."""
    meets_slo: bool | None = None
    """``None``: there is no SLO, or too little is known."""
    details: tuple[tuple[str, str], ...] = ()
    """What else to show of the point: (label, value)."""


class SweepPage(Around, frozen=True, kw_only=True):
    """Everything that the page of a sweep shows."""

    throughputs: tuple[Throughput, ...]
    """At least one; the first is shown first."""
    latencies: tuple[Latency, ...]
    """At least one; the first is shown first."""
    points: tuple[SweepPoint, ...]
    """In the order of the load, which a line joins them by."""


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    """The data block, as ``sweep_page.js`` reads it."""

    throughputs: tuple[Throughput, ...]
    latencies: tuple[Latency, ...]
    points: tuple[SweepPoint, ...]


def sweep_page(page: SweepPage) -> str:
    """The page as one HTML file; a point without the values of the axes shown is left out.

    ``ValueError`` when a point has not one value for each throughput and latency.
    """
    for point in page.points:
        found = (len(point.throughputs), len(point.latencies_ms))
        expected = (len(page.throughputs), len(page.latencies))
        if found != expected or 0 in expected:
            raise ValueError(f"point {point.label}: {found} values, expected {expected}")
    data = _Data(throughputs=page.throughputs, latencies=page.latencies, points=page.points)
    return page_html(page, "Steelyard load sweep", data, ("sweep_page.js",))
