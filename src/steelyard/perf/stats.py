"""The statistics that a table of latencies can have, by name."""

from collections.abc import Sequence

DEFAULT_STATS = ("Average", "Min", "Max", "Median", "P75", "P90", "P99")
"""The columns of the statistics table unless others are asked for."""

MOST_STATS = 8


def chosen_stats(asked: Sequence[str]) -> tuple[str, ...]:
    """The statistics among ``asked`` that exist, the first eight of them; none left: ``Average``.

    Average, Min, Max, Median and P1 to P99, in any case; repeated ones count once.
    """
    known = {name.lower(): name for name in ("Average", "Min", "Max", "Median")}
    known |= {f"p{percent}": f"P{percent}" for percent in range(1, 100)}
    found = dict.fromkeys(known[name.lower()] for name in asked if name.lower() in known)
    return tuple(found)[:MOST_STATS] or ("Average",)


def fraction(stat: str) -> float | None:
    """The percentile that a statistic is, as a fraction: ``P90`` is 0.9; ``None`` for others."""
    if stat == "Median":
        return 0.5
    return int(stat[1:]) / 100 if stat[0] == "P" else None
