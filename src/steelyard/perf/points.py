"""What one load of a sweep came to: the few figures that loads are compared by.

The figures are those of the steady window where there is one, else of the whole run; ``stage`` says
which. Of a schedule TTFT and E2EL count from when a request was due, as its user would count.

A load meets its objectives when at least ``attainment`` of the requests met all of them. Failed
requests met none. Where the limit of the measurement was the client, there is no verdict about the
service.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from steelyard.perf.figures import Common, Estimate, Figures, SloShare, Stage, Stat
from steelyard.perf.pareto import pareto
from steelyard.perf.search import Verdict


class Point(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One load test of a sweep."""

    load: float
    """Requests in flight, or requests per second."""
    run: int = 1
    """Which run of this load it is, from 1."""
    name: str
    """The name of its files."""
    requests: int
    """Requests that ended, failures included."""
    failed: int
    failures: Mapping[str, int] = {}
    """By kind."""
    stage: Stage
    """What the figures below are of; requests, failures and objectives are written out."""
    requests_per_s: Estimate | None = None
    output_tokens_per_s: Estimate | None = None
    ttft_p50_ms: Estimate | None = None
    ttft_p99_ms: Estimate | None = None
    tpot_p50_ms: Estimate | None = None
    tpot_p99_ms: Estimate | None = None
    e2el_p50_ms: Estimate | None = None
    e2el_p99_ms: Estimate | None = None
    attainment: Estimate | None = None
    """Share of the requests (of the steady window, or of the whole run) that met all objectives;
    ``None`` without objectives, and when nothing can be said."""
    attainment_n: int = 0
    """Requests that the share rests on."""
    undecided: int = 0
    """Requests of which it cannot be said whether they met the objectives."""
    verdict: Verdict | None = None
    """``None`` without objectives, and when it cannot be told."""
    close: bool = False
    """The verdict may be chance: the interval of the share reaches across what was asked for."""
    client_bound: bool = False
    """Never where nothing was answered: that is no matter of measuring."""
    client_reasons: tuple[str, ...] = ()
    pareto: bool = False
    """No other load has more throughput at no more latency (``marked``)."""

    @property
    def answered(self) -> int:
        """Requests that were answered."""
        return self.requests - self.failed


def point(figures: Figures, *, load: float, run: int, name: str, attainment: float | None) -> Point:
    """The point of one load test; ``attainment`` is ``None`` when there are no objectives."""
    stage = stage_of(figures)
    stats = {row.name: row for row in figures.stats if row.stage == stage}
    rates = {row.name: row for row in figures.common if row.stage == stage}
    failed = sum(figures.failures.values())
    answered = _value(figures.common, "Success Requests")
    client = figures.client if answered else None
    plain = Point(
        load=load,
        run=run,
        name=name,
        requests=failed + answered,
        failed=failed,
        failures=figures.failures,
        stage=stage,
        requests_per_s=_rate(rates.get("Request Throughput")),
        output_tokens_per_s=_rate(rates.get("Output Token Throughput")),
        ttft_p50_ms=_stat(_due_or_sent(stats, "TTFT"), "Median", "P50"),
        ttft_p99_ms=_stat(_due_or_sent(stats, "TTFT"), "P99"),
        tpot_p50_ms=_stat(stats.get("TPOT"), "Median", "P50"),
        tpot_p99_ms=_stat(stats.get("TPOT"), "P99"),
        e2el_p50_ms=_stat(_due_or_sent(stats, "E2EL"), "Median", "P50"),
        e2el_p99_ms=_stat(_due_or_sent(stats, "E2EL"), "P99"),
        client_bound=client is not None and client.client_bound,
        client_reasons=() if client is None else client.reasons,
    )
    return plain if attainment is None else _judged(plain, _share(figures), attainment)


def stage_of(figures: Figures) -> Stage:
    """The stage that the figures of a point come from: the window where there is one."""
    stages = {row.stage for row in figures.common}
    if "steady" in stages:
        return "steady"
    return "stable" if "stable" in stages else "total"


def marked(points: Sequence[Point]) -> tuple[Point, ...]:
    """``points`` with ``pareto`` set, by ``pareto_axes``."""
    throughput, latency = pareto_axes(points)
    best = pareto(
        [
            (_known(one, throughput), _known(one, latency)) if _is_fair(one) else (None, None)
            for one in points
        ]
    )
    return tuple(replace(one, pareto=mark) for one, mark in zip(points, best, strict=True))


def pareto_axes(points: Sequence[Point]) -> tuple[str, str]:
    """The fields that make trade-offs: output tokens per second and the P99 of TTFT.

    Where one of the two is unknown of any point: requests per second, and the P99 of E2EL. Points
    without answers, and those whose limit was the client, are no trade-off of the service.
    """
    fair = [one for one in points if _is_fair(one)]
    counted = all(one.output_tokens_per_s is not None for one in fair)
    streamed = all(one.ttft_p99_ms is not None for one in fair)
    return (
        "output_tokens_per_s" if counted else "requests_per_s",
        "ttft_p99_ms" if streamed else "e2el_p99_ms",
    )


def _is_fair(one: Point) -> bool:
    return one.answered > 0 and not one.client_bound


def _known(one: Point, field: str) -> float | None:
    found: Estimate | None = getattr(one, field)
    return None if found is None else found.value


def _judged(plain: Point, share: SloShare | None, attainment: float) -> Point:
    """The point with its verdict: one that holds however undecided requests would have ended."""
    if not plain.answered:
        return replace(plain, verdict="missed")
    if share is None:
        return plain
    decided = share.met + share.missed
    every = decided + share.undecided
    verdict: Verdict | None = None
    if plain.client_bound:
        verdict = "client"
    elif every and share.met / every >= attainment:
        verdict = "met"
    elif every and (share.met + share.undecided) / every < attainment:
        verdict = "missed"
    found = share.share
    return replace(
        plain,
        attainment=found,
        attainment_n=decided,
        undecided=share.undecided,
        verdict=verdict,
        close=verdict in ("met", "missed") and found is not None and _holds(found, attainment),
    )


def _holds(share: Estimate, attainment: float) -> bool:
    """Whether the interval, if there is one, has ``attainment`` in it."""
    if share.low is None or share.high is None:
        return False
    return share.low < attainment <= share.high


def _share(figures: Figures) -> SloShare | None:
    if figures.goodput is None:
        return None
    return figures.goodput.in_window or figures.goodput.together


def _due_or_sent(stats: dict[str, Stat], name: str) -> Stat | None:
    return stats.get(f"{name} (from due)") or stats.get(name)


def _stat(row: Stat | None, *names: str) -> Estimate | None:
    if row is None:
        return None
    return next((row.values[name] for name in names if name in row.values), None)


def _rate(row: Common | None) -> Estimate | None:
    if row is None or row.value is None:
        return None
    return Estimate(row.value, row.low, row.high)


def _value(common: Iterable[Common], name: str) -> int:
    """A count of the whole run; 0 when nothing was answered and there are no metrics."""
    for row in common:
        if (row.name, row.stage) == (name, "total") and row.value is not None:
            return int(row.value)
    return 0
