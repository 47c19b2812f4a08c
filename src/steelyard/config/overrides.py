"""Changing a preset from the command line: ``--base-url``, ``--concurrency``, ``--set key=value``.

A key of ``--set`` is a field of a ``ModelSpec`` (``concurrency``, ``load.concurrency``), an option
of the model's backend (``ca_file``, ``options.ca_file``), a sampling value
(``generation_kwargs.top_p``), or the name that the same thing has in the old style
(``batch_size``, ``max_out_len``, ``host_port``).
"""

from collections.abc import Mapping

import msgspec

from steelyard.config.address import ADDRESS_KEYS, base_url
from steelyard.config.checks import (
    ANYTHING,
    FOLDER_NAME,
    HEADERS,
    KEY,
    TABLE,
    TABLE_OR_NONE,
    TEXT,
    number,
    require,
    unknown,
)
from steelyard.config.local_table import LOCAL_KEYS, VLLM_KEYS
from steelyard.config.settings import PRICE, SETTINGS, Checked, checked, with_setting
from steelyard.config.table import KEYS, SECRET, Rule, rules
from steelyard.core import ConfigError, Json, ModelSpec


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says about every model; ``None`` says nothing."""

    base_url: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    concurrency: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    timeout_s: float | None = None
    retries: int | None = None
    repeats: int | None = None
    senders: int | None = None
    request_rate: float | None = None
    burstiness: float | None = None
    ramp_up_strategy: str | None = None
    ramp_up_start_rps: float | None = None
    ramp_up_end_rps: float | None = None
    use_timestamp: bool | None = None
    pressure_s: float | None = None
    seed: int | None = None
    tokenizer: str | None = None
    model_path: str | None = None
    batch_size: int | None = None
    max_seq_len: int | None = None
    dtype: str | None = None
    device: str | None = None
    sets: tuple[str, ...] = ()
    """``key=value`` texts; they go after the fields above, the last one wins."""


_PATHS: Mapping[str, str] = {
    "base_url": "options.base_url",
    "model": "options.model",
    "api_key_env": "options.api_key_env",
    "concurrency": "load.concurrency",
    "max_tokens": "sampling.max_tokens",
    "temperature": "sampling.extra.temperature",
    "timeout_s": "load.timeout_s",
    "retries": "load.retries",
    "repeats": "repeats",
    "senders": "load.senders",
    "request_rate": "load.request_rate",
    "burstiness": "load.traffic.burstiness",
    "ramp_up_strategy": "load.traffic.ramp_up_strategy",
    "ramp_up_start_rps": "load.traffic.ramp_up_start_rps",
    "ramp_up_end_rps": "load.traffic.ramp_up_end_rps",
    "use_timestamp": "load.use_timestamp",
    "pressure_s": "load.pressure_s",
    "seed": "load.seed",
    "tokenizer": "tokenizer",
    "model_path": "options.path",
    "batch_size": "options.batch_size",
    "max_seq_len": "options.max_seq_len",
    "dtype": "options.dtype",
    "device": "options.device",
}
"""Field of ``Overrides`` → the setting that it changes."""

_WORDS: Mapping[str, Json] = {"True": True, "False": False, "None": None}
_AS_WRITTEN = (TEXT, KEY, FOLDER_NAME)
_TABLES = (PRICE, TABLE, TABLE_OR_NONE, HEADERS, ANYTHING)
"""Values that ``--set`` can go into."""


def override(spec: ModelSpec, overrides: Overrides) -> Checked:
    """``spec`` with ``overrides`` applied, and notices about what has no effect.

    Raises ``ConfigError`` for an unknown key (naming the nearest) and for values out of range.
    """
    spec, notices = _with_flags(spec, overrides)
    for text in overrides.sets:
        key, equals, raw = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ConfigError("--set: expected key=value, for example generation_kwargs.top_p=0.9.")
        path, rule = _place(spec, key)
        value = _read(raw.strip(), rule)
        require(rule.check, value, f"--set {key}")
        if key in ADDRESS_KEYS:
            value = base_url({key: value}, before=spec.options.get("base_url", ""))
            spec = with_setting(spec, "options.base_url", value)
        elif path:
            spec = with_setting(spec, path, rule.convert(value))
        else:
            notices.append(f"--set {key} has no effect on {spec.abbr}: {rule.why}")
    done = checked(spec, f"model {spec.abbr}")
    return Checked(done.spec, (*notices, *done.notices))


def _with_flags(spec: ModelSpec, overrides: Overrides) -> tuple[ModelSpec, list[str]]:
    """``spec`` with the fields of ``overrides``; one that the backend has no option for is told."""
    from steelyard.backends import backend_options, devices

    options = {f"options.{name}" for name in backend_options(spec.backend)}
    local = devices(spec) is not None
    notices = []
    for field, path in _PATHS.items():
        value = getattr(overrides, field)
        if value is None:
            continue
        flag = "--" + field.replace("_", "-")
        if path == "options.batch_size" and not local:
            path = "load.concurrency"  # what a served model's batch_size means
        if path.startswith("options.") and path not in options:
            notices.append(
                f"{flag} has no effect on {spec.abbr}: {spec.backend} has no such option"
            )
        elif local and path.startswith("load."):
            notices.append(
                f"{flag} has no effect on {spec.abbr}: nothing is sent; --batch-size says how "
                "much is computed together"
            )
        else:
            spec = with_setting(spec, path, value)
    return spec, notices


def _place(spec: ModelSpec, key: str) -> tuple[str, Rule]:
    """The path that ``key`` means and what may stand there; the path is empty for idle keys."""
    if key in SECRET:
        raise ConfigError(
            f"--set {key}: everyone on this machine can read a command line. Put the key into an "
            "environment variable and name it with --api-key-env."
        )
    known = _known(spec)
    if key in known:
        return known[key].to, known[key]
    parts = key.split(".")
    for length in range(len(parts) - 1, 0, -1):
        table = known.get(".".join(parts[:length]))
        if table is not None and table.check in _TABLES and table.to:
            is_header = table.to == "options.headers"
            inner = Rule(check=KEY if is_header else ANYTHING)
            return ".".join((table.to, *parts[length:])), inner
    error = unknown(f"--set {key}", key, known)
    raise ConfigError(f"{error} A value for the request itself is generation_kwargs.{key}.")


def _known(spec: ModelSpec) -> dict[str, Rule]:
    """Every key of ``--set`` but the nested ones."""
    from steelyard.backends import devices

    local = devices(spec) is not None
    flat = rules(spec.backend, {**LOCAL_KEYS, **VLLM_KEYS} if local else KEYS)
    usable = {
        name: rule for name, rule in flat.items() if rule.to or rule.why or name in ADDRESS_KEYS
    }
    paths = {
        path: Rule(to=path, check=check)
        for path, check in SETTINGS.items()
        if not path.startswith("options.")
    }
    options = {
        f"options.{name}": rule for name, rule in usable.items() if rule.to == f"options.{name}"
    }
    return {
        **usable,
        **paths,
        **options,
        "temperature": Rule(to=_PATHS["temperature"], check=number(0, 100)),
        "sampling.extra": KEYS["generation_kwargs"],
    }


def _read(raw: str, rule: Rule) -> Json:
    """``raw`` as JSON where that can be meant, else as the text it is."""
    if rule.check in _AS_WRITTEN:
        return raw
    if raw in _WORDS:
        return _WORDS[raw]
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw
