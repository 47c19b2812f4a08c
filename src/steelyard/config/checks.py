"""What a setting may be, and the words for it when it is something else."""

from collections.abc import Callable, Iterable

import msgspec

from steelyard.core import ConfigError, Json


class Check(msgspec.Struct, frozen=True):
    """One condition on a value."""

    expected: str
    """Ends the sentence "expected ..."."""
    fits: Callable[[Json], bool]
    shown: bool = True
    """``False``: the value may hold a secret and stays out of the error message."""


def whole(low: int, high: int | None = None) -> Check:
    """An integer from ``low`` to ``high``, both included."""

    def fits(value: Json) -> bool:
        return type(value) is int and low <= value and (high is None or value <= high)

    span = f"from {low} on" if high is None else f"from {low} to {high}"
    return Check(f"a whole number {span}", fits)


def number(low: float, high: float, *, above: bool = False) -> Check:
    """A number from ``low`` to ``high``; ``above``: ``low`` itself is excluded."""

    def fits(value: Json) -> bool:
        if type(value) not in (int, float):
            return False
        return bool(low < value <= high if above else low <= value <= high)

    return Check(f"a number {'above' if above else 'from'} {low:g} to {high:g}", fits)


def or_none(check: Check) -> Check:
    """``check``, or no value at all."""
    return msgspec.structs.replace(
        check,
        expected=f"{check.expected}, or None",
        fits=lambda value: value is None or check.fits(value),
    )


def _is_file_name(value: Json) -> bool:
    if not isinstance(value, str) or not value or not value.isprintable():
        return False
    return value == value.strip() and not set(value) & set("./\\")


def _is_folder_name(value: Json) -> bool:
    return isinstance(value, str) and value[:1] != "." and _is_file_name(value.replace(".", ""))


def _is_table(value: Json) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


TEXT = Check("text", lambda value: isinstance(value, str))
KEY = Check("text (is its environment variable set?)", TEXT.fits, shown=False)
SWITCH = Check("True or False", lambda value: isinstance(value, bool))
TABLE = Check("a dict with text keys", _is_table, shown=False)
TABLE_OR_NONE = or_none(TABLE)
HEADERS = Check(
    "a dict of texts",
    lambda value: _is_table(value) and all(isinstance(one, str) for one in value.values()),
    shown=False,
)
FILE_NAME = Check("a name without dot, slash or blank ends (it names files)", _is_file_name)
FOLDER_NAME = Check("a name without slash or blank ends (it names a folder)", _is_folder_name)
ANYTHING = Check("anything", lambda _: True)


def require(check: Check, value: Json, field: str) -> None:
    """Raise ``ConfigError`` when ``value`` does not fit; ``field`` says where it stands."""
    if not check.fits(value):
        shown = repr(value) if check.shown else f"of type {type(value).__name__}"
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        raise ConfigError(f"{field} is {shown}; expected {check.expected}.")


def unknown(field: str, name: str, known: Iterable[str]) -> ConfigError:
    """The error for ``name``, which is none of the ``known`` ones, with the nearest of them."""
    close = near(name, known)
    hint = f" Did you mean {' or '.join(repr(one) for one in close)}?" if close else ""
    return ConfigError(f"{field}: there is no {name!r}.{hint}")


def near(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of ``known`` that look like ``name``, the nearest first."""
    from difflib import get_close_matches

    exact = {one.lower(): one for one in known}
    return tuple(exact[found] for found in get_close_matches(name.lower(), exact, n=3))
