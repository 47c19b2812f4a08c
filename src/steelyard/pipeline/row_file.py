"""Rows of a data set on disk: a load test may have more of them than memory should hold."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import overload

import msgspec

from steelyard.core import Sample


class RowFile(Sequence[Sample]):
    """Rows in a nameless file that is gone with this object; a few bytes of each are in memory."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._file = TemporaryFile()  # noqa: SIM115
        self._ends = array("q", [0])
        self._decode = msgspec.json.Decoder(Sample).decode
        encode = msgspec.json.Encoder().encode
        end = 0
        for sample in samples:
            row = encode(sample)
            self._file.write(row)
            end += len(row)
            self._ends.append(end)
        self._file.flush()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self._row(place) for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._row(index % len(self))

    def __iter__(self) -> Iterator[Sample]:
        return (self._row(place) for place in range(len(self)))

    def _row(self, place: int) -> Sample:
        start, end = self._ends[place], self._ends[place + 1]
        self._file.seek(start)
        return self._decode(self._file.read(end - start))
