"""A model's options as the typed value that its backend declares."""

from typing import TypeVar

import msgspec

from steelyard.core import ConfigError, ModelSpec

OptionsT = TypeVar("OptionsT", bound=msgspec.Struct)


def read_options(spec: ModelSpec, kind: type[OptionsT]) -> OptionsT:
    """``spec.options`` as ``kind``; ``ConfigError`` names model, option and remedy."""
    for name in spec.options:
        if name not in kind.__struct_fields__:
            raise ConfigError(_unknown(spec, name, kind.__struct_fields__))
    try:
        return msgspec.convert(dict(spec.options), kind)
    except msgspec.ValidationError as error:
        raise ConfigError(_mistyped(spec, str(error))) from None


def _unknown(spec: ModelSpec, name: str, known: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=2)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return (
        f"model {spec.abbr}: backend {spec.backend} has no option {name!r}. {hint}"
        f"Known options: {', '.join(known)}."
    )


def _mistyped(spec: ModelSpec, complaint: str) -> str:
    """``complaint`` is msgspec's: Expected `bool`, got `str` - at `$.stream`."""
    expectation, _, place = complaint.partition(" - at `$")
    option = place.rstrip("`").lstrip(".")
    where = f"option {option!r} of backend {spec.backend}" if option else f"backend {spec.backend}"
    return f"model {spec.abbr}: {where}: {expectation[:1].lower()}{expectation[1:]}."
