"""The catalogue: which data set names there are, and the file that stands behind each.

A data set is a file with functions decorated ``@task("name", "alias")``, in ``builtin/`` or in a
folder of the user's. Dropping the file there is all it takes. The user's folders come first, so a
copy of a built-in file, edited, takes the place of the original.

Names are found by scanning the decorators in the text of the files, so names have to be written
out there; a file is imported only when one of its names is asked for. A file that cannot be
imported therefore stops exactly the runs that need it, with its name, line and error.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeAlias

import msgspec

from steelyard.core import ConfigError, NoSuchName, SteelyardError, Task
from steelyard.tasks.data import Data

Maker: TypeAlias = Callable[[Data], Task | Iterable[Task]]

_BUILTIN = Path(__file__).parent / "builtin"
_DECORATOR = re.compile(r"^@(?:\w+\.)*task\(([^)]*)\)", re.MULTILINE)
_STRING = re.compile(r"""(["'])(.+?)\1""")
_UNUSABLE = re.compile(r"[./\\#\s]|^$")


class Recipe(msgspec.Struct, frozen=True):
    """What ``@task`` makes of a function: the names it answers to, the first one being its own."""

    names: tuple[str, ...]
    make: Maker
    options: type[msgspec.Struct] | None = None
    """What the data set can be told (``Data.settings``); ``None``: nothing."""


def task(
    name: str, *aliases: str, options: type[msgspec.Struct] | None = None
) -> Callable[[Maker], Recipe]:
    """Decorate a function that makes a data set's task, or its tasks, one per sub-data set.

    ``options`` is the type that the function reads its settings with (``Data.options``); settings
    for a data set without options are refused.
    """
    return lambda make: Recipe((name, *aliases), make, options)


class Entry(msgspec.Struct, frozen=True):
    """A name that can be evaluated."""

    name: str
    """The name that was asked for: it may be an alias."""
    path: Path
    """The file that defines it."""

    def make(self, data: Data) -> tuple[Task, ...]:
        """The tasks behind the name; rows are read later. ``ConfigError`` says what is broken."""
        with _blamed_on(self.path):
            recipes = [
                one for one in vars(_imported(self.path)).values() if isinstance(one, Recipe)
            ]
            recipe = next((one for one in recipes if self.name in one.names), None)
            if recipe and recipe.options is None and data.settings:
                raise ConfigError(
                    f"data set {self.name} has no options, but was given "
                    f"{', '.join(data.settings)}."
                )
            made = recipe.make(data) if recipe else ()
            tasks = (made,) if isinstance(made, Task) else tuple(made)
        _check(self, tasks)
        return tasks


def find(pattern: str, extra_dirs: Sequence[Path] = ()) -> tuple[Entry, ...]:
    """The entries whose name matches ``pattern``, a glob; upper and lower case are one.

    ``extra_dirs`` are searched before the built-in data sets and hide built-in names. A data set
    that matches under several of its names comes once. Nothing found is ``NoSuchName`` with the
    nearest names; a name that one folder defines twice is a ``ConfigError``.
    """
    wanted = pattern.lower()
    found: list[Entry] = []
    hidden: set[str] = set()
    for folder in (*extra_dirs, _BUILTIN):
        defined = _definitions(folder)
        for definition in defined:
            free = (name for name in definition.names if name.lower() not in hidden)
            name = next((name for name in free if fnmatchcase(name.lower(), wanted)), None)
            if name is not None:
                _refuse_second(name, defined)
                found.append(Entry(name, definition.path))
        hidden.update(name.lower() for one in defined for name in one.names)
    if not found:
        raise NoSuchName("data set", pattern, _nearest(wanted, names(extra_dirs)))
    return tuple(found)


def names(extra_dirs: Sequence[Path] = ()) -> tuple[str, ...]:
    """Every name that can be asked for, aliases included."""
    folders = (*extra_dirs, _BUILTIN)
    found = (name for folder in folders for one in _definitions(folder) for name in one.names)
    return tuple(dict.fromkeys(found))


class _Definition(NamedTuple):
    path: Path
    names: tuple[str, ...]


def _definitions(folder: Path) -> list[_Definition]:
    """Every decorated function below ``folder``, read from the text of its file."""
    return [
        _Definition(path, tuple(found[1] for found in _STRING.findall(decorator)))
        for path in sorted(folder.absolute().rglob("*.py"))
        for decorator in _DECORATOR.findall(path.read_text(encoding="utf-8", errors="replace"))
    ]


def _refuse_second(name: str, defined: Iterable[_Definition]) -> None:
    paths = [one.path for one in defined for other in one.names if other.lower() == name.lower()]
    if len(paths) > 1:
        raise ConfigError(
            f"the data set name {name!r} is defined {len(paths)} times: "
            f"{', '.join(map(str, paths))}. Rename or remove all but one."
        )


def _nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    from difflib import get_close_matches

    return tuple(get_close_matches(name, known, n=3))


def _imported(path: Path) -> ModuleType:
    """The module of a data set file: part of this package, or loaded from where it lies."""
    if path.parent == _BUILTIN:
        return import_module(f"steelyard.tasks.builtin.{path.stem}")
    from importlib.util import module_from_spec, spec_from_file_location

    name = f"steelyard_data_set:{path}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    """Whatever goes wrong in a data set file is reported with the file's name and line."""
    try:
        yield
    except SteelyardError:
        raise
    except Exception as error:
        line = error.lineno if isinstance(error, SyntaxError) else _line_in(path, error)
        where = f"{path}, line {line}" if line else str(path)
        raise ConfigError(
            f"{where}: the data set file cannot be used ({type(error).__name__}: {error})"
        ) from error


def _line_in(path: Path, error: Exception) -> int | None:
    """The line of ``path`` that was running last when ``error`` came up."""
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == str(path):
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _check(entry: Entry, tasks: tuple[Task, ...]) -> None:
    """Refuse what a data set file must not hand out."""
    abbrs = [task.name for task in tasks if isinstance(task, Task)]
    if not tasks or len(abbrs) != len(tasks):
        raise ConfigError(f"{entry.path}: {entry.name!r} must make one or more tasks")
    for abbr in abbrs:
        if _UNUSABLE.search(abbr):
            raise ConfigError(
                f"{entry.path}: {entry.name!r} makes a task called {abbr!r}; task names become "
                "file names and must be without dot, slash, # and blank"
            )
        if abbrs.count(abbr) > 1:
            raise ConfigError(f"{entry.path}: {entry.name!r} makes two tasks called {abbr!r}")
