"""Reading data files: JSON lines, JSON, CSV and parquet, as typed rows that know their line.

``rows`` gives decoded rows, ``samples`` turns them into samples. Everything that is wrong with a
file is a ``DataError`` that names the file, the line (the row, where a format has no lines), the
field, what was found and what was expected.

A JSON line ends at ``\\n`` and nowhere else: texts may hold U+0085 or U+2028. Files are UTF-8,
with or without byte order mark.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, NoReturn, TypeVar

import msgspec

from steelyard.core import DataError, Json, MissingExtra, Sample

RowT = TypeVar("RowT")
MadeT = TypeVar("MadeT")

_BOM = b"\xef\xbb\xbf"
_LONGEST_CELL = 2**31 - 1
_SHOWN_CHARACTERS = 80


class Located(NamedTuple, Generic[RowT]):
    """A row and the line it starts on (its number, in formats without lines); both from 1."""

    line: int
    row: RowT


class BadField(ValueError):
    """A row that was decoded but cannot be used; ``built`` adds file and line."""

    def __init__(self, field: str, found: object, expected: str) -> None:
        super().__init__(field, found, expected)
        self.field = field
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        found = "missing" if self.found is None else repr(self.found)
        if len(found) > _SHOWN_CHARACTERS:
            found = found[:_SHOWN_CHARACTERS] + "..."
        return f"field `{self.field}` is {found}; expected {self.expected}"


def samples(
    path: Path,
    row_type: type[RowT],
    build: Callable[[int, RowT], Sample],
    *,
    columns: Sequence[str] = (),
) -> Iterator[Sample]:
    """``build(index, row)`` for every row of ``path``, index from 0; ids must be unique."""
    line_of: dict[str, int] = {}
    for line, sample in built(path, row_type, build, columns=columns):
        if sample.id in line_of:
            first = line_of[sample.id]
            _fail(path, line, f"id {sample.id!r} was already used ({_place(path, first)})")
        line_of[sample.id] = line
        yield sample


def built(
    path: Path,
    row_type: type[RowT],
    build: Callable[[int, RowT], MadeT],
    *,
    columns: Sequence[str] = (),
) -> Iterator[Located[MadeT]]:
    """``build(index, row)`` for every row of ``path``, index from 0, with its line."""
    for index, (line, row) in enumerate(rows(path, row_type, columns=columns)):
        try:
            made = build(index, row)
        except BadField as error:
            _fail(path, line, str(error), error)
        yield Located(line, made)


def rows(
    path: Path, row_type: type[RowT], *, columns: Sequence[str] = ()
) -> Iterator[Located[RowT]]:
    """The rows of ``path``, checked against ``row_type`` (a msgspec struct, or ``dict``).

    The suffix decides the format: ``.jsonl``, ``.json`` (a list of rows, or an object whose values
    are rows), ``.csv`` and ``.parquet``. ``columns`` names the columns of a CSV file without
    header. A file without rows is an error.
    """
    suffix = path.suffix.lower()
    found: Iterator[Located[RowT]]
    if suffix == ".jsonl":
        found = _jsonl(path, row_type)
    elif suffix == ".csv":
        found = _csv(path, row_type, columns)
    elif suffix == ".json":
        found = _json(path, row_type)
    elif suffix == ".parquet":
        found = _converted(path, _parquet_rows(path, row_type), row_type)
    else:
        raise DataError(f"{path}: expected a .jsonl, .json, .csv or .parquet file")
    empty = True
    try:
        for located in found:
            empty = False
            yield located
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from error
    if empty:
        raise DataError(f"{path}: the file has no rows")


_NOT_UTF8 = (
    "not UTF-8 text. If it is Chinese text in GB18030 (GBK), convert it: "
    "iconv -f GB18030 -t UTF-8 OLD > NEW"
)


def _jsonl(path: Path, row_type: type[RowT]) -> Iterator[Located[RowT]]:
    decode = msgspec.json.Decoder(row_type).decode
    with path.open("rb") as file:
        for line, text in enumerate(file, 1):
            content = text.removeprefix(_BOM) if line == 1 else text
            if content.isspace() or not content:
                continue
            try:
                row = decode(content)
            except UnicodeDecodeError as error:
                _fail(path, line, _NOT_UTF8, error)
            except msgspec.DecodeError as error:
                _fail(path, line, str(error), error)
            yield Located(line, row)


def _csv(path: Path, row_type: type[RowT], columns: Sequence[str]) -> Iterator[Located[RowT]]:
    csv.field_size_limit(_LONGEST_CELL)
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file, strict=True)
            names = columns or _header(path, next(table, []), row_type)
            line = table.line_num + 1
            for cells in table:
                if cells:
                    record = _paired(path, line, names, cells)
                    yield Located(line, _record(path, line, record, row_type))
                line = table.line_num + 1
    except csv.Error as error:
        _fail(path, line, f"broken CSV ({error})", error)
    except UnicodeDecodeError as error:
        _fail(path, _first_foreign_line(path), _NOT_UTF8, error)


def _first_foreign_line(path: Path) -> int:
    """The number of the first line that is not UTF-8."""
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                text.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _header(path: Path, cells: Sequence[str], row_type: type[RowT]) -> tuple[str, ...]:
    """Column names; those that differ from a field of ``row_type`` only in case are that field."""
    fields = {name.lower(): name for name in getattr(row_type, "__struct_encode_fields__", ())}
    names = tuple(fields.get(cell.strip().lower(), cell.strip()) for cell in cells)
    for name in names:
        if names.count(name) > 1:
            _fail(path, 1, f"two columns are called {name!r}")
    return names


def _paired(path: Path, line: int, names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(names) != len(cells):
        _fail(path, line, f"{len(cells)} columns; expected {len(names)} ({', '.join(names)})")
    return dict(zip(names, cells, strict=True))


def _converted(path: Path, found: Iterator[Json], row_type: type[RowT]) -> Iterator[Located[RowT]]:
    for number, record in enumerate(found, 1):
        yield Located(number, _record(path, number, record, row_type))


def _record(path: Path, line: int, record: Json, row_type: type[RowT]) -> RowT:
    try:
        return msgspec.convert(record, row_type, strict=False)
    except msgspec.ValidationError as error:
        _fail(path, line, str(error), error)


def _json(path: Path, row_type: type[RowT]) -> Iterator[Located[RowT]]:
    """Rows of a list or an object, decoded one by one: the file is in memory, its rows are not."""
    content = path.read_bytes().removeprefix(_BOM)
    try:
        found = msgspec.json.decode(content, type=list[msgspec.Raw] | dict[str, msgspec.Raw])
    except UnicodeDecodeError as error:
        _fail(path, _first_foreign_line(path), _NOT_UTF8, error)
    except msgspec.ValidationError as error:
        wanted = "expected a list of rows, or an object whose values are rows"
        raise DataError(f"{path}: {wanted}") from error
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: {error}") from error
    decode = msgspec.json.Decoder(row_type, strict=False).decode
    for number, text in enumerate(found.values() if isinstance(found, dict) else found, 1):
        try:
            row = decode(text)
        except UnicodeDecodeError as error:
            _fail(path, number, _NOT_UTF8, error)
        except msgspec.DecodeError as error:
            _fail(path, number, str(error), error)
        yield Located(number, row)


def _parquet_rows(path: Path, row_type: type[RowT]) -> Iterator[dict[str, Json]]:
    """Rows with the columns that ``row_type`` names; a file without one of them is an error."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("reading parquet files", "data") from error
    wanted = list(getattr(row_type, "__struct_encode_fields__", ())) or None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=wanted):
                yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: not a readable parquet file ({error})") from error


def _fail(path: Path, line: int, what: str, cause: Exception | None = None) -> NoReturn:
    raise DataError(f"{path}, {_place(path, line)}: {what}") from cause


def _place(path: Path, line: int) -> str:
    has_lines = path.suffix.lower() in (".jsonl", ".csv")
    return f"line {line}" if has_lines else f"row {line}"
