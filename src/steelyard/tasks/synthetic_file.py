"""Where the settings of synthetic load come from: a file, then what the command line says.

A file is ``.json``, or ``.py`` with an assignment ``synthetic_config = {...}``. A Python file is
read and never run, since data folders are passed around: values have to be written out (numbers,
text, lists, ``{...}`` or ``dict(...)``).
"""

import ast
import re
from decimal import Decimal
from pathlib import Path

import msgspec

from steelyard.core import ConfigError, Json
from steelyard.tasks.data import Data
from steelyard.tasks.synthetic import DEFAULT, Kind, Settings

VARIABLE = "synthetic_config"
FILES = (f"synthetic/{VARIABLE}.py", f"synthetic/{VARIABLE}.json")
_LENGTH = re.compile(r"(\d+)(?:-(\d+))?")


class Options(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal", kw_only=True
):
    """What a command line may say about synthetic rows; ``None`` leaves it as it was."""

    config: str = ""
    """A settings file, in place of the one in the data folders."""
    type: Kind | None = None
    request_count: int | None = None
    seed: int | None = None
    input: int | str | None = None
    """``256``, or ``50-500`` for lengths spread evenly from 50 to 500."""
    output: int | str | None = None
    prefix_len: int | None = None
    prefixes: int | None = None
    prefix_share: Decimal | None = None


def settings_of(data: Data, kind: Kind | None = None) -> Settings:
    """The settings of a run; ``kind`` stands above every file. ``ConfigError`` names the field.

    The file is the one that the options name, else the first of ``FILES`` in the data folders;
    without one the rows are those of ``synthetic.DEFAULT``.
    """
    options = data.options(Options)
    path = _given(options.config) if options.config else data.find_any(FILES)
    raw = _lowered(_read(path)) if path else _built_in(data.rows)
    where = str(path or "the built-in settings")
    if options != Options():
        where += ", with the options given"
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: {VARIABLE} is {raw!r}; expected names and values")
    try:
        return msgspec.convert(_overridden(raw, options, kind), Settings)
    except msgspec.ValidationError as error:
        what, _, place = str(error).rpartition(" - at `$.")
        field = f", field `{place.rstrip('`')}`: {what}" if what else f": {error}"
        raise ConfigError(f"{where}{field}") from error


def _built_in(rows: int | None) -> dict[str, Json]:
    settings: dict[str, Json] = msgspec.to_builtins(DEFAULT)
    return settings if rows is None else {**settings, "RequestCount": rows}


def _overridden(raw: dict[str, Json], options: Options, kind: Kind | None) -> dict[str, Json]:
    """``raw`` with the options in their places."""
    top = {
        "Type": kind or options.type,
        "RequestCount": options.request_count,
        "Seed": options.seed,
    }
    part = {
        "Input": _lengths("Input", options.input),
        "Output": _lengths("Output", options.output),
        "PrefixLen": options.prefix_len,
        "Prefixes": options.prefixes,
        "PrefixShare": options.prefix_share,
    }
    changed = {**raw, **_said(top)}
    if _said(part):
        section = "TokenIdConfig" if changed.get("Type") == "tokenid" else "StringConfig"
        changed[section] = {**(changed.get(section) or {}), **_said(part)}
    return changed


def _said(values: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in values.items() if value is not None}


def _lengths(name: str, asked: int | str | None) -> Json:
    """A length or a range, as settings write it."""
    if asked is None:
        return None
    found = _LENGTH.fullmatch(str(asked))
    if not found:
        raise ConfigError(f"data set option {name}={asked!r}: expected a length (256) or 50-500")
    least, most = found.groups()
    if most is None:
        return {"Method": "fixed", "Params": {"Value": int(least)}}
    return {"Method": "uniform", "Params": {"MinValue": int(least), "MaxValue": int(most)}}


def _given(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"data set option Config={name!r}: no such file")
    return path


def _read(path: Path) -> Json:
    try:
        content = path.read_bytes()
        if path.suffix.lower() == ".json":
            return msgspec.json.decode(content)
        return _written_out(path, ast.parse(content))
    except (OSError, ValueError, SyntaxError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error


def _written_out(path: Path, module: ast.Module) -> Json:
    """The value assigned to the variable, without running anything."""
    for statement in reversed(module.body):
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == VARIABLE for target in statement.targets
        ):
            try:
                return ast.literal_eval(_AsDisplays().visit(statement.value))
            except ValueError as error:
                raise ConfigError(
                    f"{path}, line {statement.lineno}: the values of {VARIABLE} have to be written "
                    f"out, since the file is not run ({error})"
                ) from error
    raise ConfigError(f"{path}: nothing is assigned to {VARIABLE}")


class _AsDisplays(ast.NodeTransformer):
    """``dict(a=1)`` becomes ``{"a": 1}``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        plain = isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args
        names = [keyword.arg for keyword in node.keywords]
        if not plain or None in names:
            return node
        return ast.Dict(
            keys=[ast.Constant(name) for name in names],
            values=[keyword.value for keyword in node.keywords],
        )


def _lowered(value: Json) -> Json:
    """``value`` with the names of types and methods in lower case, as AISBench reads them."""
    if not isinstance(value, dict):
        return value
    return {
        name: inner.lower()
        if name in ("Type", "Method") and isinstance(inner, str)
        else _lowered(inner)
        for name, inner in value.items()
    }
