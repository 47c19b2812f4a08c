"""Numbers as people read them."""

from collections.abc import Mapping

_MINUTE_S = 60
_HOUR_S = 3600


def count(number: int) -> str:
    """``12,345``."""
    return f"{number:,}"


def rate(per_second: float) -> str:
    """``3.4/s``; whole numbers from 100 on."""
    return f"{per_second:,.0f}/s" if per_second >= 99.95 else f"{per_second:.1f}/s"


def clock(seconds: float) -> str:
    """A duration in its two largest units: ``4.2s``, ``1m 05s``, ``2h 03m``."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m {whole % _MINUTE_S:02}s"
    minutes = round(seconds / _MINUTE_S)
    return f"{minutes // 60:,}h {minutes % 60:02}m"


def kinds(failures: Mapping[str, int]) -> str:
    """Failure counts, the most frequent first: ``status 500: 9, timeout: 5``."""
    ordered = sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{kind}: {count(number)}" for kind, number in ordered)
