"""The ``datasets`` of a config file, entry by entry, to ``DatasetRef``.

An entry is a catalogue name, a ``DatasetRef``, a dict for a file of the user's (``custom``), or a
preset imported in the old style (``handles``).
"""

from collections.abc import Mapping, Sequence

import msgspec

from steelyard.config.checks import FILE_NAME, TABLE, near, require, whole
from steelyard.config.custom import read_custom
from steelyard.config.handles import Preset, Read, collapsed, read_handle
from steelyard.config.refs import DatasetRef
from steelyard.config.rows import read_rows
from steelyard.config.standins import named
from steelyard.core import ConfigError, Json


class Datasets(msgspec.Struct, frozen=True):
    """All data sets of a list."""

    refs: tuple[DatasetRef, ...]
    notices: tuple[str, ...] = ()
    judge: Json = None
    """The model entry of the judge that data sets name; all name the same."""


def read_datasets(entries: Sequence[Json], where: str) -> Datasets:
    """The references that ``entries`` stand for. Raises ``ConfigError`` with the entry's place."""
    read = [_read(entry, f"{where}[{index}]") for index, entry in enumerate(entries)]
    types = [entry.get("type") for entry in entries if isinstance(entry, Mapping)]
    presets = [preset for preset in types if isinstance(preset, Preset)]
    notices = dict.fromkeys(notice for one in read for notice in one.notices)
    judges = [one.judge for one in read if one.judge]
    if any(one != judges[0] for one in judges):
        raise ConfigError(
            f"{where}: data sets name different judges, and a run has one. Run them one after the "
            "other."
        )
    refs = collapsed([one.ref for one in read], presets)
    return Datasets(refs, tuple(notices), judges[0] if judges else None)


def _read(entry: Json, where: str) -> Read:
    if isinstance(entry, str):
        return Read(_checked(DatasetRef(name=entry), where))
    if isinstance(entry, DatasetRef):
        return Read(_checked(entry, where))
    require(TABLE, entry, where)
    kind = entry.get("type")
    if isinstance(kind, Preset):
        read = read_handle(entry, kind, where)
        return Read(_checked(read.ref, where), read.notices, read.judge)
    if named(kind) in ("", "CustomDataset") and ("path" in entry or "name" in entry):
        return Read(_checked(read_custom(entry, where), where))
    raise _written_out(entry, where)


def _checked(ref: DatasetRef, where: str) -> DatasetRef:
    """``ref`` with types and ranges verified."""
    try:
        plain = msgspec.convert(msgspec.to_builtins(ref), DatasetRef)
    except (msgspec.ValidationError, TypeError) as error:
        raise ConfigError(f"{where}: {error}.") from None
    if bool(plain.name) == bool(plain.path):
        raise ConfigError(f"{where}: expected either name (of a data set) or path (of a file).")
    if plain.abbr:
        require(FILE_NAME, plain.abbr, f"{where}: abbr")
    if plain.num_prompts is not None:
        require(whole(1), plain.num_prompts, f"{where}: num_prompts")
    if plain.repeats is not None:
        require(whole(1), plain.repeats, f"{where}: repeats")
    read_rows(plain.rows, where)
    return plain


def _written_out(entry: Mapping[str, Json], where: str) -> ConfigError:
    from steelyard.tasks.catalogue import names

    abbr = entry.get("abbr")
    close = near(f"{abbr}_gen", names()) if isinstance(abbr, str) else ()
    hint = f" Near: {', '.join(close)}." if close else ""
    return ConfigError(
        f"{where}: a data set written out in full (type {named(entry.get('type')) or 'missing'}) "
        "cannot be used. Give the name of a built-in data set, or a file of your own: "
        f'{{"path": "my.jsonl"}}.{hint}'
    )
