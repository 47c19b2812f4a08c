"""Where data files are: the folders that are searched, in order, and what ships with the package.

Nothing is downloaded. A data set names its file relative to a data folder
(``gsm8k/test.jsonl``, the layout other tools use too) and says where it can be had; the first
folder that has the file wins.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, get_args, get_type_hints

import msgspec

from steelyard.core import ConfigError, DataError, Json, MissingData

OptionsT = TypeVar("OptionsT", bound=msgspec.Struct)

_DEMO = Path(__file__).parent / "builtin" / "demo"


class Data(msgspec.Struct, frozen=True):
    """What data sets may know about a run: where files are, and what was asked of them."""

    roots: tuple[Path, ...] = ()
    """Data folders in search order."""
    tokenizer: Path | None = None
    """The model's ``tokenizer.json``, or the folder that holds it; read when it is needed."""
    settings: Mapping[str, Json] = {}
    """Options for the data set; values may be text, as on a command line."""
    rows: int | None = None
    """How many rows the run can use; data that is made up makes as many unless told a number."""

    def find(self, wanted: str, source: str) -> Path:
        """The file ``wanted`` in the first folder that has it; ``MissingData`` names ``source``."""
        found = self.find_any((wanted,))
        if found is None:
            raise MissingData(wanted, tuple(str(root) for root in self.roots), source)
        return found

    def find_any(self, wanted: tuple[str, ...]) -> Path | None:
        """The first of several file names in the first folder that has one; ``None``: no folder."""
        for path in (root / name for root in self.roots for name in wanted):
            try:
                if path.is_file():
                    return path
            except OSError as error:
                raise DataError(f"cannot look into {path.parent}: {error.strerror}") from error
        return None

    def options(self, options_type: type[OptionsT]) -> OptionsT:
        """``settings`` as an options struct with a default for every field.

        Names may be written ``RequestCount`` or ``request_count``. ``ConfigError`` names what is
        unknown or impossible.
        """
        known = {_plain(name): name for name in options_type.__struct_encode_fields__}
        given: dict[str, Json] = {}
        for name, value in self.settings.items():
            if _plain(name) not in known:
                raise ConfigError(
                    f"data set option {name!r} is not known here; known: "
                    f"{', '.join(known.values())}."
                )
            given[known[_plain(name)]] = value
        try:
            return msgspec.convert(given, options_type, strict=False)
        except msgspec.ValidationError as error:
            what, _, place = str(error).rpartition(" - at `$.")
            name = place.rstrip("`")
            choices = get_args(get_type_hints(options_type).get(name))
            if choices and all(isinstance(one, str) for one in choices):
                what += f"; expected {' or '.join(choices)}"
            raise ConfigError(
                f"data set option {name}={given[name]!r}: {what}."
                if name in given
                else f"data set options: {error}."
            ) from error


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def data_roots(explicit: str | None, environ: Mapping[str, str], cwd: Path) -> tuple[Path, ...]:
    """The data folders, best first; they need not exist.

    ``explicit`` (``--data-dir``), then ``STEELYARD_DATA``, ``COMPASS_DATA_CACHE`` and
    ``AIS_BENCH_DATASETS_CACHE`` of ``environ``, then the usual places below ``cwd``. Only a folder
    asked for by flag that does not exist is a ``ConfigError``.
    """
    if explicit and not (cwd / explicit).is_dir():
        raise ConfigError(
            f"--data-dir {explicit}: no such folder. Name the folder that holds the data sets' "
            "folders (gsm8k, mmlu...)."
        )
    candidates = (
        explicit,
        environ.get("STEELYARD_DATA"),
        *_with_child(environ.get("COMPASS_DATA_CACHE"), "data"),
        *_with_child(environ.get("AIS_BENCH_DATASETS_CACHE"), "ais_bench/datasets"),
        "ais_bench/datasets",
        "datasets",
    )
    return tuple(dict.fromkeys(cwd / folder for folder in candidates if folder))


def packaged(name: str) -> Path:
    """A data file that ships with the package (see ``builtin/demo``)."""
    return _DEMO / name


def _with_child(folder: str | None, child: str) -> tuple[str, ...]:
    return (folder, f"{folder}/{child}") if folder else ()
