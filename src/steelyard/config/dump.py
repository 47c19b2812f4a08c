"""The config file of a run: ``configs/<time>_<pid>.py``, readable and rerunnable.

    steelyard run outputs/default/20250628_172032/configs/20250628_172032_4469.py

It holds what was resolved: presets with every override applied. Secrets are not in it; where one
was, the file reads an environment variable, named at its top.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from steelyard.config.refs import Combination, ConfigFile, DatasetRef
from steelyard.config.secrets import is_secret_name, keep, replace_secrets, shown_word, split_url
from steelyard.core import Json, ModelSpec

_WIDTH = 90
_IMPORTS = {
    "steelyard.config": ("DatasetRef", "from_environment"),
    "steelyard.core": ("Load", "ModelSpec", "Price", "Sampling", "Traffic"),
}


class _FromEnvironment(msgspec.Struct, frozen=True):
    """A text whose secret part is read from an environment variable."""

    before: str
    variable: str
    after: str


class _Code(msgspec.Struct, frozen=True):
    """A piece of Python, written as it is."""

    text: str


def write_config(config: ConfigFile, command: str) -> str:
    """The text of a config file that asks for the same as ``config``.

    ``command`` is the command line as ``shown_command`` gives it. ``config.arguments`` are options
    of the command that are not already in the models and data sets.
    """
    kept: dict[str, str] = {}
    models = [reading_secrets(model, kept) for model in config.models]
    body = _listed("models", models) + _listed("datasets", map(_entry, config.datasets))
    if config.judge is not None:
        body += _assigned("judge", reading_secrets(config.judge, kept))
    if config.combinations:
        pairs = [_pair(one, config) for one in config.combinations]
        body += _listed("model_dataset_combinations", pairs)
    if config.work_dir is not None:
        body += _assigned("work_dir", config.work_dir)
    if config.max_num_workers is not None:
        body += _assigned("infer", {"runner": {"max_num_workers": config.max_num_workers}})
    if config.arguments:
        body += _assigned("arguments", _shown(config.arguments))
    asked = (*config.models, *([config.judge] if config.judge else []))
    keys = [str(model.options.get("api_key_env", "")) for model in asked]
    needed = dict.fromkeys(name for name in (*keys, *kept) if name)
    return "\n".join((*_head(command, needed), *_imports(body))) + "\n" + body


def _head(command: str, variables: Iterable[str]) -> list[str]:
    shown = "".join(char if char.isprintable() else "?" for char in command)
    lines = [
        "# What this run was asked to do. To run it again: steelyard run THIS_FILE",
        f"# {shown}",
    ]
    names = ", ".join(variables)
    return [*lines, f"# Secrets are read from the environment: {names}"] if names else lines


def _imports(body: str) -> list[str]:
    lines = [""]
    for module, names in _IMPORTS.items():
        used = [name for name in names if f"{name}(" in body]
        if used:
            lines.append(f"from {module} import {', '.join(used)}")
    return lines


def reading_secrets(model: ModelSpec, kept: dict[str, str]) -> ModelSpec:
    """``model`` for ``literal``, which reads its secrets from variables; ``kept`` gets them."""

    def read_instead(path: str, text: str) -> _FromEnvironment:
        url = split_url(text)
        is_whole = url is None or is_secret_name(path.rpartition(".")[2])
        secret = text if url is None or is_whole else url.secret
        variable = keep(secret, f"STEELYARD_SECRET_{model.abbr}_{path}", kept)
        if url is None or is_whole:
            return _FromEnvironment("", variable, "")
        return _FromEnvironment(url.before, variable, url.after)

    return replace_secrets(model, read_instead)


def _entry(ref: DatasetRef) -> str | DatasetRef:
    return ref.name if ref == DatasetRef(name=ref.name) else ref


def _pair(one: Combination, config: ConfigFile) -> dict[str, Json]:
    """Lists that name entries of ``models`` and ``datasets`` where these have them."""
    models = [_Code(f"models[{config.models.index(model)}]") for model in one.models]
    datasets = [
        _Code(f"datasets[{config.datasets.index(ref)}]") if ref in config.datasets else _entry(ref)
        for ref in one.datasets
    ]
    return {"models": models, "datasets": datasets}


def _shown(value: Json) -> Json:
    """Command arguments with secrets hidden, should there be any."""
    if isinstance(value, Mapping):
        return {name: _shown(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(inner) for inner in value]
    return shown_word(value) if isinstance(value, str) else value


def _listed(name: str, items: Iterable[Json]) -> str:
    """An assignment of a list, one entry after the other."""
    return f"\n{name} = {_broken('[', [literal(item, 4) for item in items], ']', 0)}\n"


def _assigned(name: str, value: Json) -> str:
    return f"\n{name} = {literal(value, 0)}\n"


def literal(value: Json, indent: int) -> str:
    """``value`` as Python source, over several lines when it is long."""
    match value:
        case _Code(text):
            return text
        case _FromEnvironment(before, variable, after):
            words = (literal(before, 0), f'from_environment("{variable}")', literal(after, 0))
            return " + ".join(word for word in words if word != '""')
        case msgspec.Struct():
            items = [
                f"{field.name}={literal(getattr(value, field.name), indent + 4)}"
                for field in msgspec.structs.fields(value)
                if not _is_default(getattr(value, field.name), field)
            ]
            return _joined(f"{type(value).__name__}(", items, ")", indent)
        case Mapping():
            items = [
                f"{literal(name, 0)}: {literal(inner, indent + 4)}" for name, inner in value.items()
            ]
            return _joined("{", items, "}", indent)
        case list() | tuple():
            return _joined("[", [literal(inner, indent + 4) for inner in value], "]", indent)
        case str():
            quoted = repr(value)
            return quoted if '"' in quoted else f'"{quoted[1:-1]}"'
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case _:
            return repr(value)


def _is_default(value: Json, field: msgspec.structs.FieldInfo) -> bool:
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    return field.default is not msgspec.NODEFAULT and bool(value == field.default)


def _joined(start: str, items: Sequence[str], end: str, indent: int) -> str:
    line = f"{start}{', '.join(items)}{end}"
    if len(line) + indent <= _WIDTH and "\n" not in line:
        return line
    return _broken(start, items, end, indent)


def _broken(start: str, items: Sequence[str], end: str, indent: int) -> str:
    inner = "".join(f"{' ' * (indent + 4)}{item},\n" for item in items)
    return f"{start}\n{inner}{' ' * indent}{end}"
