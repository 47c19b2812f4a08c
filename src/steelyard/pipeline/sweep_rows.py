"""Which rows each load of a sweep asks: the next ones of the data, begun again at its end."""

from collections.abc import Sequence
from typing import overload

from msgspec.structs import replace

from steelyard.core import Sample


class Portion(Sequence[Sample]):
    """``count`` rows of a data set from row ``first`` on, from its beginning again after its end.

    A row that is in it more than once has an id of its own each time.
    """

    def __init__(self, rows: Sequence[Sample], first: int, count: int) -> None:
        self._rows = rows
        self._first = first
        self._count = count

    @property
    def repeated(self) -> bool:
        """Whether it, or a portion before it, has gone beyond the end of the data."""
        return self._first + self._count > len(self._rows)

    def before(self, count: int) -> tuple[Sample, ...]:
        """Up to ``count`` rows that are not in it: of all others those that are asked last."""
        rows = self._rows
        free = min(count, max(0, len(rows) - self._count))
        return tuple(rows[(self._first - 1 - k) % len(rows)] for k in range(free))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self._row(place) for place in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._row(index % self._count)

    def _row(self, place: int) -> Sample:
        sample = self._rows[(self._first + place) % len(self._rows)]
        again = place // len(self._rows)
        return replace(sample, id=f"{sample.id}~{again + 1}") if again else sample
