"""Secrets: kept out of every file we write, handed over by environment variable.

A config file of the user's may hold a key in plain text (old style: ``api_key="sk-..."``). It is
moved into a variable of this process, and from then on only the variable's name travels. Header
values, passwords in URLs and the like stay in the spec in memory; dumps and plans carry a stand-in.
"""

import os
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TypeAlias

import msgspec

from steelyard.core import ConfigError, Json, ModelSpec

HIDDEN = "***"

_SMELLS = re.compile(
    r"auth|(?:^|[-_?&]|api)keys?(?![a-z])|token|cookie|secret|passw|credential|signature",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"_env$|_file$|^client_key$|tokens$|tokenizer|_tokens?_|^(bos|eos|pad|stop)_token"
)
_USERINFO = re.compile(r"(?<=//)[^/@\s]+(?=@)|^[^/@:\s]+:[^/@\s]+(?=@)")
_QUERY = re.compile(r"[?&]([\w-]+)=([^&#\s]+)")
_JSON_FIELD = re.compile(r"[\"']([\w-]+)[\"']\s*:")

Replace: TypeAlias = Callable[[str, str], Json]
"""Gets a setting's path and its secret text; returns what stands in its place."""


class Split(msgspec.Struct, frozen=True):
    """A text with a secret inside, such as a URL with a password."""

    before: str
    secret: str
    after: str


def split_url(text: str) -> Split | None:
    """User name and password in a URL, or a key in its query; ``None`` when it has neither."""
    found = _USERINFO.search(text)
    if found:
        start, stop = found.span()
    else:
        asked = (one.span(2) for one in _QUERY.finditer(text) if is_secret_name(one[1]))
        start, stop = next(asked, (0, 0))
    return Split(text[:start], text[start:stop], text[stop:]) if stop else None


def is_secret_name(name: str) -> bool:
    """``True`` when a header or field of that name holds a secret, by the look of it."""
    return bool(_SMELLS.search(name)) and not _PLAIN.search(name)


def replace_secrets(spec: ModelSpec, replace: Replace) -> ModelSpec:
    """``spec`` with ``replace(path, text)`` in the place of every secret text."""
    extra = _replaced(spec.sampling.extra, (), replace)
    return msgspec.structs.replace(
        spec,
        options=_replaced(spec.options, (), replace),
        sampling=msgspec.structs.replace(spec.sampling, extra=extra),
    )


def _replaced(value: Json, path: tuple[str, ...], replace: Replace) -> Json:
    if isinstance(value, Mapping):
        return {name: _replaced(inner, (*path, name), replace) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, path, replace) for inner in value]
    is_secret = isinstance(value, str) and value and (is_secret_name(path[-1]) or split_url(value))
    return replace(".".join(path), value) if is_secret else value


def without_secrets(spec: ModelSpec) -> ModelSpec:
    """``spec`` as it may be shown or stored: secrets hidden, addresses readable."""

    def hidden(path: str, text: str) -> str:
        url = split_url(text)
        if is_secret_name(path.rpartition(".")[2]) or url is None:
            return HIDDEN
        return f"{url.before}{HIDDEN}{url.after}"

    return replace_secrets(spec, hidden)


def keep(secret: str, name: str, environ: MutableMapping[str, str]) -> str:
    """The variable of ``environ`` that now holds ``secret``: ``name`` in capitals.

    A variable of that name with another value is not overwritten; a number is appended instead.
    """
    wanted = variable = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    count = 1
    while environ.get(variable, secret) != secret:
        count += 1
        variable = f"{wanted}_{count}"
    environ[variable] = secret
    return variable


def from_environment(name: str) -> str:
    """The value of environment variable ``name``: what dumped configs say in a secret's place.

    Raises ``ConfigError`` when it is not set.
    """
    value = os.environ.get(name)
    if value is None:
        raise ConfigError(
            f"environment variable {name} is not set. It holds a secret of this configuration "
            "(a key, a header, a password), which is never written into files."
        )
    return value


def shown_command(words: Sequence[str]) -> str:
    """A command line as it may be stored: secrets hidden, quoted for a shell."""
    import shlex

    before = ("", *words)
    shown = [
        HIDDEN if _is_secret_option(option) else shown_word(word)
        for option, word in zip(before, words, strict=False)
    ]
    return " ".join(map(shlex.quote, shown))


def shown_word(word: str) -> str:
    """One word of a command line, without the value of a secret setting or a password in a URL."""
    option, _, value = word.partition("=")
    if value and (_is_secret_setting(option) or _holds_secret(value)):
        return f"{option}={HIDDEN}"
    return "=".join(_USERINFO.sub(HIDDEN, part) for part in word.split("="))


def _is_secret_option(word: str) -> bool:
    return word.startswith("--") and is_secret_name(word[2:].replace("-", "_"))


def _is_secret_setting(key: str) -> bool:
    *path, name = key.split(".")
    return _is_secret_option(key) or is_secret_name(name) or "headers" in path


def _holds_secret(value: str) -> bool:
    """A JSON or Python dict with a secret field."""
    return any(is_secret_name(name) for name in _JSON_FIELD.findall(value))
