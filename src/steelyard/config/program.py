"""Running a config file: it is a Python program of the user's, and runs as one.

The file gets its own ``import``: packages of other evaluation tools (``mmengine``, ``ais_bench``,
``opencompass``) are answered with stand-ins, whether they are installed or not, and relative
imports mean files beside the config file. Nothing outside the file sees this: no import hook is
installed and ``sys.modules`` is not touched.
"""

import builtins
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TypeAlias

from steelyard.core import ConfigError, Json, SteelyardError

StandIn: TypeAlias = Callable[[str], object]
"""Gets a dotted module name; returns what is imported in its place."""


class Program:
    """A config file and the files that it imports relatively; each runs once."""

    def __init__(self, stand_ins: Mapping[str, StandIn]) -> None:
        """``stand_ins``: by the name of a top-level package."""
        self._stand_ins = stand_ins
        self._modules: dict[Path, ModuleType] = {}

    def run(self, path: Path) -> Mapping[str, Json]:
        """The names that the file defines. Raises ``ConfigError`` with file, line and error."""
        return vars(self._module(path.resolve()))

    def _module(self, path: Path) -> ModuleType:
        if path not in self._modules:
            module = self._modules[path] = ModuleType(path.stem)
            vars(module).update(
                __file__=str(path),
                __builtins__={**vars(builtins), "__import__": self._import},
            )
            _execute(path, vars(module))
        return self._modules[path]

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> object:
        """What ``import`` calls in a config file (see ``builtins.__import__``)."""
        if level:
            return self._beside(Path(str((globals or {})["__file__"])), name, fromlist or (), level)
        top = name.partition(".")[0]
        if top in self._stand_ins:
            return self._stand_ins[top](name if fromlist else top)
        return builtins.__import__(name, globals, locals, fromlist or (), 0)

    def _beside(self, importer: Path, name: str, wanted: Sequence[str], level: int) -> ModuleType:
        """``from .name import wanted``: a file, or files of a folder."""
        target = importer.parents[level - 1].joinpath(*filter(None, name.split(".")))
        file = target.with_name(f"{target.name}.py")
        if name and file.is_file():
            return self._module(file)
        if not target.is_dir():
            raise ImportError(f"there is no file {file}")
        folder = ModuleType(target.name)
        for one in wanted:
            if not (target / f"{one}.py").is_file():
                raise ImportError(f"there is no file {target / one}.py")
            setattr(folder, one, self._module(target / f"{one}.py"))
        return folder


def _execute(path: Path, names: dict[str, object]) -> None:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    try:
        exec(compile(text, str(path), "exec", dont_inherit=True), names)
    except (Exception, SystemExit) as error:
        raise _blamed(path, error) from error


def _blamed(path: Path, error: BaseException) -> ConfigError:
    """``error`` with the file and line that it came from. The line's text is not quoted."""
    if isinstance(error, SyntaxError):
        line = error.lineno
        what = f"SyntaxError: {error.msg}"
    else:
        line = _line_in(path, error.__traceback__)
        is_ours = isinstance(error, SteelyardError)
        what = str(error) if is_ours else f"{type(error).__name__}: {error}"
    where = f"{path}, line {line}" if line else str(path)
    return ConfigError(f"{where}: {what}")


def _line_in(path: Path, trace: TracebackType | None) -> int | None:
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
