"""Service level objectives as they are written, ``ttft=500ms,tpot=50ms``, and as limits in ms."""

import re
from collections.abc import Mapping

import msgspec

from steelyard.core import ConfigError

_UNITS_MS = {"": 1.0, "ms": 1.0, "s": 1000.0, "us": 0.001, "µs": 0.001}
_LIMIT = re.compile(
    r"\s*(\w+)\s*=\s*((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-zµ]*)\s*", re.IGNORECASE
)
_EXAMPLE = "ttft=500ms,tpot=50ms,e2el=10s,itl=200ms"


class Slo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits in milliseconds; ``None``: no limit."""

    ttft_ms: float | None = None
    tpot_ms: float | None = None
    e2el_ms: float | None = None
    itl_ms: float | None = None

    @property
    def limits_ms(self) -> Mapping[str, float]:
        """The limits that are set, by name."""
        every = {
            "ttft": self.ttft_ms,
            "tpot": self.tpot_ms,
            "e2el": self.e2el_ms,
            "itl": self.itl_ms,
        }
        return {name: limit for name, limit in every.items() if limit is not None}


def parsed_slo(text: str) -> Slo:
    """The limits in ``ttft=500ms,tpot=50ms,e2el=10s,itl=200ms``; any of them, a bare number in ms.

    Raises ``ConfigError`` for anything else.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        match = _LIMIT.fullmatch(part)
        if match is None:
            raise ConfigError(f"SLO {part.strip()!r}: expected NAME=TIME as in {_EXAMPLE}")
        name, number, unit = match[1].lower(), float(match[2]), match[3].lower()
        if name not in ("ttft", "tpot", "e2el", "itl"):
            raise ConfigError(f"SLO {name!r}: expected ttft, tpot, e2el or itl, as in {_EXAMPLE}")
        if unit not in _UNITS_MS:
            raise ConfigError(f"SLO {name}: unit {unit!r}: expected ms, s or us, as in {_EXAMPLE}")
        if name in found:
            raise ConfigError(f"SLO {name}: given twice; one limit each, as in {_EXAMPLE}")
        if not 0 < number < float("inf"):
            raise ConfigError(f"SLO {name}: expected a time above 0, found {match[2]}{unit}")
        found[name] = number * _UNITS_MS[unit]
    return Slo(**{f"{name}_ms": limit for name, limit in found.items()})


def slo_text(slo: Slo) -> str:
    """The limits as ``parsed_slo`` reads them."""
    return ",".join(f"{name}={limit!r}ms" for name, limit in slo.limits_ms.items())
