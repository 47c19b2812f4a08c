"""Numbers inside a page: columns as little-endian bytes in base64, 30 to 40 characters a request.

Nothing is computed here. Times become whole ticks of 10 microseconds (longer ones only beyond six
hours, so that they fit 32 bits), counts the narrowest integers that hold them, series float32.
Unknown stays unknown: NaN, or for times the least 32-bit integer, or for counts -1.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = Sequence[float] | NDArray[np.floating | np.integer]
else:
    Numbers = Sequence

_TICK_S = 1e-5
_NO_TIME = -(2**31)
_MOST_TICKS = 2**31 - 1
_WIDTHS: tuple[tuple[Literal["i1", "i2", "i4"], int], ...] = (
    ("i1", 2**7 - 1),
    ("i2", 2**15 - 1),
    ("i4", 2**31 - 1),
)


class Packed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column: ``value = stored * scale``, unknown where ``stored`` is ``missing`` or NaN."""

    kind: Literal["i1", "i2", "i4", "f4"]
    """Signed integers of so many bytes, or float32."""
    base64: str
    scale: float = 1.0
    missing: int | None = None


def packed_times(values: Numbers, *, longest_s: float) -> Packed:
    """Seconds, exact to half a tick, in a run whose times stay within ``longest_s`` of zero."""
    import numpy as np

    seconds = np.asarray(values, dtype=np.float64)
    tick_s = max(_TICK_S, longest_s / _MOST_TICKS)
    ticks = np.where(np.isnan(seconds), _NO_TIME, np.rint(seconds / tick_s))
    return Packed(kind="i4", base64=_base64(ticks.astype("<i4")), scale=tick_s, missing=_NO_TIME)


def packed_counts(values: Numbers) -> Packed:
    """Whole numbers from 0; anything negative, and NaN, is unknown. ``ValueError`` beyond 2^31."""
    import numpy as np

    numbers = np.asarray(values)
    if numbers.dtype.kind == "f":
        numbers = np.nan_to_num(numbers, nan=-1.0)
    whole = np.maximum(numbers.astype(np.int64), -1)
    most = int(whole.max(initial=0))
    for kind, limit in _WIDTHS:
        if most <= limit:
            return Packed(kind=kind, base64=_base64(whole.astype(f"<{kind}")), missing=-1)
    raise ValueError(f"{most} is too large for a page: expected counts below 2^31")


def packed_floats(values: Numbers) -> Packed:
    """Any numbers as float32; NaN is unknown."""
    import numpy as np

    return Packed(kind="f4", base64=_base64(np.asarray(values).astype("<f4")))


def _base64(stored: "NDArray[np.generic]") -> str:
    return b64encode(stored.tobytes()).decode("ascii")
