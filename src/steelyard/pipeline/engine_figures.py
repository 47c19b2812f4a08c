"""What the service's own counters say of a load test: speculative decoding, prefix cache.

Written to ``spec_decode_<host>_<port>.json`` where the service drafts tokens, in the shape that
AISBench gives it.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from steelyard import store
from steelyard.perf.counters import EngineFigures, Speculation, engine_figures
from steelyard.pipeline.load_files import LoadFiles
from steelyard.pipeline.server_metrics import Scrape, ServerMetrics, read_server_metrics


def engine_lines(files: LoadFiles, *, spec_decode: bool) -> tuple[str, ...]:
    """What a terminal shows of the counters; with ``spec_decode`` also why there are none.

    Writes the file of speculative decoding when there is something for it, or was to be.
    """
    metrics = read_server_metrics(files)
    if metrics is None:
        return ()
    reason = metrics.after.error or metrics.before.error
    found = engine_figures(metrics.before.text, metrics.after.text) if not reason else None
    speculation = found.speculation if found is not None else None
    if speculation is not None or spec_decode:
        _write_speculation(files, metrics, speculation, reason)
    lines = list(_lines(found)) if found is not None else []
    if speculation is None and spec_decode:
        why = reason or "the service has no such counters, or they did not move"
        lines.append(f"Speculative decoding [{_place(metrics.after)}]: N/A, {why}")
    return tuple(lines)


def _lines(found: EngineFigures) -> Iterator[str]:
    if found.speculation is not None:
        one = found.speculation
        yield (
            f"Speculative decoding: {one.accepted_tokens:,.0f} of {one.draft_tokens:,.0f} drafted "
            f"tokens accepted{_percent(one.acceptance_rate)}, acceptance length "
            f"{_number(one.acceptance_length)}"
        )
        rates = one.per_position_acceptance_rates
        if rates:
            shown = ", ".join(f"{place}: {rate:.3f}" for place, rate in rates.items())
            yield f"  accepted by position: {shown}"
    if found.prefix_cache_hit_rate is not None:
        yield f"Prefix cache: {found.prefix_cache_hit_rate:.2f} % of the looked-up tokens were hits"
    if found.preemptions:
        yield f"Preemptions: {found.preemptions:,.0f} (the service ran out of cache memory)"


def _percent(rate: float | None) -> str:
    return "" if rate is None else f" ({rate:.2f} %)"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _place(scrape: Scrape) -> str:
    return urlsplit(scrape.url).netloc or scrape.url or "no service"


def _write_speculation(
    files: LoadFiles, metrics: ServerMetrics, found: Speculation | None, reason: str
) -> None:
    url = metrics.after.url
    place = urlsplit(url)
    host, port = place.hostname or "unknown", place.port or 80
    document = {
        "status": "na" if found is None else "ok",
        "url": url,
        "error": reason,
        "data": found,
        "raw": {"before": metrics.before.text, "after": metrics.after.text},
    }
    path = files.details.parent.parent / f"spec_decode_{host.replace(':', '_')}_{port}.json"
    store.write_atomic(path, msgspec.json.encode(document))
