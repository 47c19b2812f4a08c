"""Where data files are: the folders that are searched, in order, and what ships with the package.

Nothing is downloaded. A data set names its file relative to a data folder
(``gsm8k/test.jsonl``, the layout other tools use too) and says where it can be had; the first
folder that has the file wins.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from steelyard.core import ConfigError, DataError, MissingData

_DEMO = Path(__file__).parent / "builtin" / "demo"


class Data(msgspec.Struct, frozen=True):
    """The data folders of one run, in search order."""

    roots: tuple[Path, ...] = ()

    def find(self, wanted: str, source: str) -> Path:
        """The file ``wanted`` in the first folder that has it; ``MissingData`` names ``source``."""
        for root in self.roots:
            path = root / wanted
            try:
                if path.is_file():
                    return path
            except OSError as error:
                raise DataError(f"cannot look into {path.parent}: {error.strerror}") from error
        raise MissingData(wanted, tuple(str(root) for root in self.roots), source)


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
