"""Rows with pictures in them: Arrow files as Hugging Face ``datasets`` saves them, and parquet.

Pictures are not kept in memory and not copied. Arrow writes them as they are, so a picture is a
span of bytes in the data's own file. Only where it is not (parquet, compressed Arrow) does it
become a file of its own in the cache, ``$XDG_CACHE_HOME/steelyard/pictures`` (``~/.cache``), named
by its content: written beside and renamed, so that it is whole or not there, and once for all runs.
"""

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from steelyard.core import DataError, Json, MissingExtra, Picture, picture_fault, picture_kind
from steelyard.tasks.files import BadField

Arrow: TypeAlias = Json
"""A value of pyarrow, which has no types to name: a batch, a column, a buffer."""

_ROWS_AT_ONCE = 16
"""Of parquet; a row with its pictures takes a few MB."""


class _State(msgspec.Struct, frozen=True):
    """``state.json`` of ``save_to_disk``: the files, in their order."""

    data_files: list[dict[str, Json]] = msgspec.field(name="_data_files")


class PictureRow(NamedTuple):
    """One row: its place, its plain columns, and its picture."""

    path: Path
    number: int
    """In its file, from 1."""
    columns: Mapping[str, Json]
    picture: Picture


def table_files(folder: Path) -> list[Path]:
    """The files of the table in ``folder``, in order; empty when there are none.

    ``state.json`` names those of ``save_to_disk``; else the folder's parquet files, or those in its
    ``data``, by name.
    """
    state = folder / "state.json"
    if state.is_file():
        return [folder / name for name in _named_in(state)]
    return sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet"))


def picture_rows(path: Path, columns: tuple[str, ...], picture: str) -> Iterator[PictureRow]:
    """The rows of one file: ``columns`` as they are, and the picture in the column ``picture``.

    That column is a struct with the picture's ``bytes``, as ``datasets`` keeps pictures.
    ``DataError`` names file and row of what is wrong, ``MissingExtra`` what to install.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra("reading Arrow and parquet files", "data") from error
    read = _of_parquet if path.suffix == ".parquet" else _of_arrow
    number = 0
    try:
        for batch, mapped in read(path, [*columns, picture]):
            cells = _cells(_bytes_column(path, batch, picture))
            plain = {name: batch.column(name) for name in columns}
            for row in range(batch.num_rows):
                number += 1
                values = {name: column[row].as_py() for name, column in plain.items()}
                try:
                    found = _picture(path, picture, cells[row], mapped)
                except BadField as error:
                    raise DataError(f"{path}, row {number}: {error}") from error
                yield PictureRow(path, number, values, found)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: not a readable {path.suffix[1:]} file ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error})") from error


def _named_in(state: Path) -> Iterator[str]:
    try:
        files = msgspec.json.decode(state.read_bytes(), type=_State).data_files
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{state}: not what datasets' save_to_disk writes ({error})") from error
    for one in files:
        name = one.get("filename")
        if not isinstance(name, str) or Path(name).name != name:
            raise DataError(f"{state}: {name!r} in _data_files is no file beside it")
        yield name


def _of_arrow(path: Path, wanted: list[str]) -> Iterator[tuple[Arrow, Arrow]]:
    """The batches of an Arrow stream, and the whole file as it is mapped into memory."""
    import pyarrow.ipc

    with pyarrow.memory_map(str(path)) as file:
        whole = file.read_buffer()
        with pyarrow.ipc.open_stream(whole) as stream:
            _refuse_without(path, stream.schema.names, wanted)
            for batch in stream:
                yield batch, whole


def _of_parquet(path: Path, wanted: list[str]) -> Iterator[tuple[Arrow, Arrow]]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        _refuse_without(path, file.schema_arrow.names, wanted)
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=wanted):
            yield batch, None


def _refuse_without(path: Path, names: list[str], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(
            f"{path}: there is no column {missing[0]!r}; its columns are {', '.join(names)}"
        )


def _bytes_column(path: Path, batch: Arrow, name: str) -> Arrow:
    """The bytes of a column of pictures."""
    import pyarrow

    column = batch.column(name)
    kind = column.type
    if pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        column = column.field("bytes")
        kind = column.type
    if not (pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)):
        raise DataError(
            f"{path}: column {name!r} holds {kind}; expected pictures, a struct with their `bytes`"
        )
    return column


def _cells(column: Arrow) -> list[Arrow]:
    """The bytes of every row as a view of where they lie; ``None`` where there are none.

    Arrow's layout of binary data: one buffer for all, and where each row begins in it.
    """
    import pyarrow

    _, starts, whole = column.buffers()
    wide = pyarrow.types.is_large_binary(column.type)
    begin = memoryview(starts).cast("b").cast("q" if wide else "i")[column.offset :]
    return [
        whole.slice(begin[row], begin[row + 1] - begin[row]) if column[row].is_valid else None
        for row in range(len(column))
    ]


def _picture(path: Path, column: str, buffer: Arrow, mapped: Arrow) -> Picture:
    """The picture in ``buffer``: a span of the file where that is ``mapped``, else of the cache."""
    if buffer is None:
        raise BadField(column, None, "the bytes of a picture, not only its path")
    data = bytes(buffer)
    if fault := picture_fault(data):
        raise BadField(column, data[:16], f"a picture, but {fault}")
    digest, size = sha256(data).hexdigest(), len(data)
    offset = buffer.address - mapped.address if mapped is not None else -1
    if mapped is not None and 0 <= offset <= mapped.size - size:
        return Picture(sha256=digest, path=str(path.absolute()), offset=offset, size=size)
    return Picture(sha256=digest, path=str(_unpacked(data, digest)), size=size)


def _unpacked(data: bytes, digest: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "steelyard" / "pictures" / digest[:2]
    path = folder / f"{digest}.{picture_kind(data)}"
    if not path.is_file() or path.stat().st_size != len(data):
        beside = folder / f".{digest}.{os.getpid()}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(data)
            beside.replace(path)
        except OSError as error:
            raise DataError(
                f"pictures cannot be unpacked to {folder}: {error.strerror}. Name another place "
                "with XDG_CACHE_HOME."
            ) from error
    return path
