"""A load in words: how hard a service was asked, on one line."""

from steelyard.core import Load
from steelyard.engine import target_rate
from steelyard.pipeline.load_files import RunNote


def load_words(note: RunNote) -> str:
    """``64 in flight, 1,000 requests``; ``Poisson arrivals, 20 req/s, at most 64 in flight...``."""
    load = note.load
    number = "" if note.planned is None else f", {note.planned:,} requests"
    if load.use_timestamp:
        return f"time stamps of the data{number}"
    if load.pressure_s:
        joins = f", {load.request_rate:g} more a second" if load.request_rate else ""
        return f"pressure: {load.concurrency:,} clients{joins}, {load.pressure_s:g} s"
    if target_rate(load) > 0:
        return f"{_arrivals(load)}, at most {load.concurrency:,} in flight{number}"
    return f"{load.concurrency:,} in flight{number}"


def _arrivals(load: Load) -> str:
    traffic = load.traffic
    if traffic is not None and traffic.ramp_up_strategy is not None:
        start, end = traffic.ramp_up_start_rps, traffic.ramp_up_end_rps
        return f"{traffic.ramp_up_strategy} ramp from {start:g} to {end:g} req/s"
    shape = traffic.burstiness if traffic is not None else 0.0
    kinds = {0.0: "even arrivals", 1.0: "Poisson arrivals"}
    kind = kinds.get(shape, f"Gamma arrivals (burstiness {shape:g})")
    return f"{kind}, {load.request_rate:g} req/s"
