"""From a typed options struct to a command line: one field is one option.

A field ``num_prompts: Annotated[int | None, Opt(help="...")] = None`` becomes ``--num-prompts N``.
``bool`` is a switch, ``tuple[str, ...]`` takes several values, ``Literal`` gives choices. Plain
argparse underneath, because ``--models A B --datasets C D`` needs options with several values.
"""

import argparse
import difflib
import math
import sys
from collections.abc import Collection, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NoReturn,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from steelyard.core import ConfigError

Options = TypeVar("Options", bound=msgspec.Struct)


class Opt(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says about one field."""

    help: str
    short: str = ""
    metavar: str = ""
    group: str = "options"
    bare: str | None = None
    """Value when the option is given without one (``--reuse``); ``None``: a value is needed."""
    low: float | None = None
    high: float | None = None
    positional: bool = False
    hidden: bool = False


class _Parser(argparse.ArgumentParser):
    """Argparse with a suggestion for a mistyped option."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong on one line and leave with exit code 2."""
        if message.startswith("unrecognized arguments:"):
            unknown = message.partition(":")[2].split()[0]
            known = [name for action in self._actions for name in action.option_strings]
            near = difflib.get_close_matches(unknown.partition("=")[0], known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            message = f"there is no option {unknown}.{hint}"
            if not unknown.startswith("-"):
                message = f"{unknown!r} is one value too many; which option is it for?"
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def parse(
    kind: type[Options],
    arguments: Sequence[str],
    *,
    program: str,
    about: str,
    without: Collection[str] = (),
) -> Options:
    """Read ``arguments`` into ``kind``; wrong usage ends the program with exit code 2.

    Fields in ``without`` are no options of this program and keep their defaults.
    Raises ``ConfigError`` for a number out of its range.
    """
    parser = _Parser(
        prog=program,
        description=about,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fields = [field for field in _fields(kind) if field.name not in without]
    groups: dict[str, argparse._ArgumentGroup] = {}
    for field in fields:
        group = field.opt.group
        if group not in groups:
            groups[group] = parser.add_argument_group(group)
        _add(groups[group], field)
    options = kind(**vars(parser.parse_args(list(arguments))))
    check_ranges(options)
    return options


def check_ranges(options: msgspec.Struct) -> None:
    """Raise ``ConfigError`` for a number out of its range."""
    for field in _fields(type(options)):
        _check_range(field, getattr(options, field.name))


class _Field(msgspec.Struct, frozen=True):
    name: str
    type: Any
    default: Any
    opt: Opt

    @property
    def flag(self) -> str:
        """``from_`` is ``--from``: a word of Python's own needs another name."""
        return "--" + self.name.rstrip("_").replace("_", "-")


@cache
def _fields(kind: type[msgspec.Struct]) -> list[_Field]:
    """The options of ``kind``: its own before those that it has from another."""
    hints = get_type_hints(kind, include_extras=True)
    found = []
    own = kind.__annotations__
    for field in sorted(msgspec.structs.fields(kind), key=lambda field: field.name not in own):
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            raise TypeError(f"{kind.__name__}.{field.name} has no Opt")
        inner, opt = get_args(hint)
        default = None if field.default is msgspec.NODEFAULT else field.default
        found.append(_Field(field.name, inner, default, opt))
    return found


def _plain(hint: object) -> object:
    """``int | None`` → ``int``."""
    if get_origin(hint) in (Union, UnionType):
        return next(part for part in get_args(hint) if part is not NoneType)
    return hint


def _add(group: argparse._ArgumentGroup, field: _Field) -> None:
    opt = field.opt
    text = argparse.SUPPRESS if opt.hidden else opt.help.replace("%", "%%")
    plain = _plain(field.type)
    if opt.positional:
        group.add_argument(
            field.name, nargs="?", default=field.default, metavar=opt.metavar, help=text
        )
        return
    names = [opt.short, field.flag] if opt.short else [field.flag]
    more: dict[str, Any] = {"dest": field.name, "default": field.default, "help": text}
    if plain is bool:
        group.add_argument(*names, action="store_true", **more)
        return
    more["metavar"] = opt.metavar or field.name.upper()
    if get_origin(plain) is tuple:
        group.add_argument(*names, action=_Extend, nargs="+", **more)
    elif get_origin(plain) is Literal:
        more["metavar"] = None
        group.add_argument(*names, choices=get_args(plain), **more)
    elif opt.bare is not None:
        group.add_argument(*names, nargs="?", const=opt.bare, **more)
    else:
        more["type"] = plain
        group.add_argument(*names, **more)


class _Extend(argparse.Action):
    """Collects values of an option that may be repeated, as a tuple."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[str] | None,
        option_string: str | None = None,
    ) -> None:
        """Add to what the same option gave before."""
        setattr(namespace, self.dest, (*getattr(namespace, self.dest), *(values or ())))


def _check_range(field: _Field, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    low = -math.inf if field.opt.low is None else field.opt.low
    high = math.inf if field.opt.high is None else field.opt.high
    if not (low <= value <= high and math.isfinite(value)):
        lower = f"at least {low:g}" if low > -math.inf else "a finite number"
        upper = f" and at most {high:g}" if high < math.inf else ""
        raise ConfigError(f"{field.flag} {value:g} is out of range: {lower}{upper}.")


def option_table(kind: type[msgspec.Struct]) -> list[tuple[str, str]]:
    """Every option with its help text: the source of the documentation's tables."""
    return [
        (field.opt.metavar if field.opt.positional else field.flag, field.opt.help)
        for field in _fields(kind)
    ]
