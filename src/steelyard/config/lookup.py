"""Finding model presets by name, the way ``--models`` means them.

A name is a glob on the file's stem, upper and lower case alike. The user's folders are searched
before the built-in one, at any depth, so an edited copy of a preset takes the original's place.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from steelyard.config.checks import near
from steelyard.config.handles import handles
from steelyard.config.kinds import NOT_HERE
from steelyard.config.model_entries import read_models
from steelyard.config.program import Program
from steelyard.config.standins import stand_ins
from steelyard.config.translate import old_style
from steelyard.core import ConfigError, Json, ModelSpec, NoSuchName

_BUILTIN = Path(__file__).parent / "models"


class Places(msgspec.Struct, frozen=True):
    """Where presets lie; every folder exists."""

    models: tuple[Path, ...]
    """All folders, best first; the built-in one is the last."""
    datasets: tuple[Path, ...] = ()
    """The user's folders only: the catalogue knows the built-in one."""


class FoundModel(msgspec.Struct, frozen=True):
    """A name that was asked for, and what it means."""

    name: str
    """The stem of the file."""
    path: Path
    specs: tuple[ModelSpec, ...]
    notices: tuple[str, ...] = ()
    """An ambiguous name, values left out of an old-style file."""


def places(config_dir: str | None, cwd: Path) -> Places:
    """The folders that are searched: ``--config-dir``, then ``./steelyard``, then the package's.

    Raises ``ConfigError`` when ``config_dir`` is given and is no folder.
    """
    roots = [cwd / "steelyard"]
    if config_dir:
        if not (cwd / config_dir).is_dir():
            raise ConfigError(
                f"--config-dir {config_dir}: no such folder. Name the one that holds models/ and "
                "datasets/."
            )
        roots.insert(0, cwd / config_dir)
    return Places(
        models=(*(root / "models" for root in roots if (root / "models").is_dir()), _BUILTIN),
        datasets=tuple(root / "datasets" for root in roots if (root / "datasets").is_dir()),
    )


def find_models(names: Sequence[str], where: Places) -> tuple[FoundModel, ...]:
    """The presets called ``names``, in that order.

    Several files for one name: the first counts, and a notice lists them. Nothing found is
    ``NoSuchName`` with the nearest names; a file that cannot be used is ``ConfigError``.
    """
    return tuple(_found(name, where) for name in names)


def _found(name: str, where: Places) -> FoundModel:
    paths = matching(name, where)
    models = read_models(_entries(config_program(where), paths[0]), f"{paths[0]}: models")
    notices = models.notices
    if len(paths) > 1:
        others = ", ".join(map(str, paths[1:]))
        notices = (f"model {name!r}: {paths[0]} is used; {others} match too", *notices)
    return FoundModel(paths[0].stem, paths[0], models.specs, notices)


def matching(name: str, where: Places) -> tuple[Path, ...]:
    """The files that ``name`` may mean, best first.

    A file hides those of the same name in later folders. Raises ``NoSuchName``.
    """
    found: list[Path] = []
    stems: set[str] = set()
    for folder in where.models:
        paths = _presets(folder)
        hidden = {path.stem.lower() for path in found}
        stems.update(path.stem for path in paths)
        found.extend(
            path
            for path in paths
            if path.stem.lower() not in hidden and fnmatchcase(path.stem.lower(), name.lower())
        )
    if found:
        return tuple(found)
    if name in NOT_HERE:
        raise ConfigError(f"model {name!r}: {NOT_HERE[name]}.")
    raise NoSuchName("model preset", name, near(name, sorted(stems)))


def _presets(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if not path.stem.startswith("_"))


def config_program(where: Places) -> Program:
    """What runs config files, with presets of other tools answered from ``where``."""
    busy: list[Path] = []

    def models(name: str) -> list[dict[str, Json]]:
        """Old-style dicts of a preset. A file that imports its own name means the one it hides."""
        from copy import deepcopy

        paths = [path for folder in where.models for path in _presets(folder)]
        fitting = [path for path in paths if path.stem == name and path not in busy]
        path = fitting[0] if fitting else matching(name, where)[0]
        busy.append(path)
        entries = _entries(program, path)
        busy.remove(path)
        return [
            old_style(entry) if isinstance(entry, ModelSpec) else deepcopy(entry)
            for entry in entries
        ]

    program = Program(stand_ins(models, lambda name: handles(name, where.datasets)))
    return program


def _entries(program: Program, path: Path) -> list[Json]:
    entries = program.run(path).get("models")
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path}: a model preset defines `models`, a list of one or more.")
    return entries
