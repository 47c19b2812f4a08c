"""Where a setting lives in a ``ModelSpec``, what it may be, and how to change one.

A setting is named by its path: ``load.concurrency``, ``sampling.max_tokens``, ``options.ca_file``,
``sampling.extra.top_p``, ``repeats``. Config files of either style and ``--set`` end here, so a
value is checked the same way wherever it was written.
"""

from collections.abc import Mapping, Sequence

import msgspec

from steelyard.config.checks import (
    FOLDER_NAME,
    HEADERS,
    SWITCH,
    TEXT,
    Check,
    number,
    or_none,
    require,
    whole,
)
from steelyard.core import ConfigError, Json, ModelSpec, NoSuchName, Price, Traffic

DAY_S = 86_400.0

_TRAFFIC = Check(
    "a dict such as {'burstiness': 1}, or None",
    lambda value: value is None or isinstance(value, Mapping | Traffic),
)

PRICE = Check(
    "a dict such as {'input': 0.5, 'output': 2, 'currency': 'USD'} per million tokens, or None",
    lambda value: value is None or isinstance(value, Mapping | Price),
)

SETTINGS: Mapping[str, Check] = {
    "abbr": FOLDER_NAME,
    "backend": TEXT,
    "label": TEXT,
    "clean": TEXT,
    "repeats": whole(1),
    "load.concurrency": whole(1, 100_000),
    "load.request_rate": number(0, 64_000),
    "load.retries": whole(0, 1000),
    "load.timeout_s": or_none(number(0, DAY_S, above=True)),
    "load.senders": whole(0, 256),
    "load.traffic": _TRAFFIC,
    "load.use_timestamp": SWITCH,
    "load.pressure_s": number(0, DAY_S),
    "load.seed": whole(0),
    "price": PRICE,
    "tokenizer": TEXT,
    "sampling.max_tokens": or_none(whole(1)),
    "options.base_url": TEXT,
    "options.headers": HEADERS,
    "options.model": TEXT,
    "options.stream": SWITCH,
    "options.api_key_env": TEXT,
    "options.ca_file": TEXT,
    "options.client_cert": TEXT,
    "options.client_key": TEXT,
    "options.proxy": TEXT,
    "options.verify_tls": SWITCH,
    "options.trust_env": SWITCH,
    "options.connect_timeout_s": number(0, DAY_S, above=True),
}
"""Settings that are checked here. Further backend options are checked by their backend."""

SHORT_NAMES: Mapping[str, str] = {
    path.rpartition(".")[2]: path for path in SETTINGS if not path.startswith("options.")
}
"""``concurrency`` → ``load.concurrency``; fields are unique across the parts of a spec."""

_LIMITS = ("max_tokens", "max_new_tokens", "max_completion_tokens")


def setting(spec: ModelSpec, path: str) -> Json:
    """The value at ``path``; ``None`` when nothing was set there."""
    value: Json = spec
    for name in path.split("."):
        if isinstance(value, msgspec.Struct):
            value = getattr(value, name)
        else:
            value = value.get(name) if isinstance(value, Mapping) else None
    return value


def with_setting(spec: ModelSpec, path: str, value: Json) -> ModelSpec:
    """``spec`` with the value at ``path`` changed; dicts on the way are made as needed."""
    changed: ModelSpec = _with(spec, path.split("."), value)
    return changed


def _with(held: Json, names: Sequence[str], value: Json) -> Json:
    if not names:
        return value
    first, *rest = names
    if isinstance(held, msgspec.Struct):
        return _replace(held, **{first: _with(getattr(held, first), rest, value)})
    table = held if isinstance(held, Mapping) else {}
    return {**table, first: _with(table.get(first), rest, value)}


_replace = msgspec.structs.replace


class Checked(msgspec.Struct, frozen=True):
    """A spec that can be planned with."""

    spec: ModelSpec
    notices: tuple[str, ...] = ()


def checked(spec: ModelSpec, where: str) -> Checked:
    """``spec`` with types and ranges verified and the sampling values that are ours in their place.

    ``where`` opens the error message (file and place). Backend options that are not in ``SETTINGS``
    are left to ``backends.check``. Raises ``ConfigError``.
    """
    try:
        plain = msgspec.convert(msgspec.to_builtins(spec), ModelSpec)
    except (msgspec.ValidationError, TypeError) as error:
        raise ConfigError(f"{where}: {error}. A ModelSpec holds text, numbers and dicts.") from None
    for path, check in SETTINGS.items():
        value = setting(plain, path)
        if value is not None or not path.startswith("options."):
            require(check, value, f"{where}: {path}")
    _refuse_unknown_cleaner(plain.clean, where)
    return _settled(plain, where)


def _refuse_unknown_cleaner(name: str, where: str) -> None:
    from steelyard.scoring.clean import cleaner

    try:
        cleaner(name)
    except NoSuchName as error:
        raise ConfigError(f"{where}: clean: {error}") from None


def _settled(spec: ModelSpec, where: str) -> Checked:
    """``generation_kwargs`` that mean something to the evaluation are not for the service.

    ``num_return_sequences`` becomes ``repeats``. ``ignore_eos: False`` says what is so anyway, and
    some services refuse the unknown field. A token limit among them would contradict
    ``max_tokens``.
    """
    extra = dict(spec.sampling.extra)
    repeats = spec.repeats
    field = f"{where}: generation_kwargs"
    if "num_return_sequences" in extra:
        repeats = extra.pop("num_return_sequences")
        require(whole(1), repeats, f"{field}.num_return_sequences")
    if extra.get("ignore_eos") is False:
        del extra["ignore_eos"]
    for name in ("n", "best_of"):
        if extra.get(name) not in (None, 1):
            raise ConfigError(
                f"{field}.{name}: several answers to one request are not marked. "
                "Use num_return_sequences (--repeats): independent requests."
            )
    if extra.pop("lora_data_map_file", None):
        raise ConfigError(
            f"{field}.lora_data_map_file: choosing an adapter for each row is not supported. "
            "Evaluate each adapter as a model of its own (model=...)."
        )
    notices = tuple(
        f"{field}.{name} is not sent; max_out_len (--max-tokens) is the limit"
        for name in _LIMITS
        if extra.pop(name, None) is not None
    )
    settled = _replace(spec, repeats=repeats, sampling=_replace(spec.sampling, extra=extra))
    return Checked(settled, notices)
