"""The ``models`` of a config file, entry by entry, to ``ModelSpec``."""

from collections.abc import Mapping, Sequence

import msgspec

from steelyard.config.settings import Checked, checked
from steelyard.config.translate import translated
from steelyard.core import ConfigError, Json, ModelSpec


class Models(msgspec.Struct, frozen=True):
    """All models of a list, each abbr once."""

    specs: tuple[ModelSpec, ...]
    notices: tuple[str, ...] = ()


def read_models(entries: Sequence[Json], where: str) -> Models:
    """The models that ``entries`` stand for: ``ModelSpec`` values and old-style dicts.

    An entry that repeats another one is dropped with a notice; two different models under one abbr
    would share their files and are a ``ConfigError``.
    """
    specs: dict[str, ModelSpec] = {}
    notices: list[str] = []
    for index, entry in enumerate(entries):
        place = f"{where}[{index}]"
        read = _read(entry, place)
        spec = read.spec
        notices.extend(read.notices)
        if spec.abbr not in specs:
            specs[spec.abbr] = spec
        elif specs[spec.abbr] == spec:
            notices.append(
                f"{place} ({spec.abbr!r}) repeats an earlier entry and is dropped. Lists copied "
                "with .copy() share their dicts: use copy.deepcopy to change them apart"
            )
        else:
            raise ConfigError(
                f"{place}: two different models are called {spec.abbr!r}; their files would "
                "overwrite one another. Give one of them another abbr."
            )
    return Models(tuple(specs.values()), tuple(notices))


def _read(entry: Json, where: str) -> Checked:
    if isinstance(entry, ModelSpec):
        return checked(entry, f"{where} ({entry.abbr!r})")
    if isinstance(entry, Mapping):
        return translated(entry, where)
    raise ConfigError(
        f"{where} is of type {type(entry).__name__}; expected a ModelSpec, or an old-style dict "
        "with type, abbr..."
    )
