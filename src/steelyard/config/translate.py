"""Old-style model entries (``dict(type=VLLMCustomAPIChat, abbr=...)``) to ``ModelSpec`` and back.

``table`` says what becomes of every key; this module walks it. Deviations from AISBench: ``retry``
counts attempts there and extra tries here, so 2 becomes 1; an entry without ``batch_size`` or
``retry`` gets our defaults (32 in flight, 2 extra tries); ``ignore_eos=False`` is not sent.
"""

import os
import re
from collections.abc import Mapping

import msgspec

from steelyard.config.address import base_url, old_address
from steelyard.config.checks import TABLE, require, unknown
from steelyard.config.kinds import KINDS, NOT_HERE, Kind
from steelyard.config.secrets import keep
from steelyard.config.settings import Checked, checked, setting, with_setting
from steelyard.config.standins import named
from steelyard.config.table import is_idle, rules
from steelyard.core import ConfigError, Json, ModelSpec

_BEARER = re.compile(r"bearer\s+(\S+)$", re.IGNORECASE)


def translated(entry: Mapping[str, Json], where: str) -> Checked:
    """The model that an old-style ``entry`` describes.

    ``where`` opens error messages. A key in plain text is moved into an environment variable of
    this process. Raises ``ConfigError`` for unknown or refused keys and for values out of range.
    """
    require(TABLE, entry, where)
    class_name, kind = _kind(entry, where)
    given = {"max_out_len": kind.max_out_len, **entry}
    served = kind.stream is not None
    if served:
        given = {"stream": kind.stream, **given}
    abbr = given.get("abbr") or _made_up_abbr(class_name, given)
    where = f"{where} ({abbr!r})"
    known = rules(kind.backend, kind.keys)
    spec = ModelSpec(abbr=abbr, backend=kind.backend, options={"base_url": ""} if served else {})
    notices = []
    for key, value in given.items():
        if key not in known:
            raise unknown(f"{where}, a {class_name}", key, known)
        rule = known[key]
        require(rule.check, value, f"{where}: {key}")
        if rule.to and value is not None:
            spec = _merged(spec, rule.to, rule.convert(value))
        elif rule.why and not is_idle(value, rule.idle):
            notices.append(f"{where}: {key} is left out: {rule.why}")
    if served:
        spec = _with_key(with_setting(spec, "options.base_url", base_url(given)), given)
    done = checked(spec, where)
    return Checked(done.spec, (*notices, *done.notices))


def _kind(entry: Mapping[str, Json], where: str) -> tuple[str, Kind]:
    name = named(entry.get("type"))
    if name in KINDS:
        return name, KINDS[name]
    if name in NOT_HERE:
        raise ConfigError(f"{where}: type {name}: {NOT_HERE[name]}.")
    if not name:
        raise ConfigError(f"{where}: type is missing. Known: {', '.join(KINDS)}.")
    raise unknown(f"{where}: type", name, KINDS)


def _made_up_abbr(class_name: str, given: Mapping[str, Json]) -> str:
    """OpenCompass allows a model without ``abbr`` and makes one of class and model name."""
    served = given.get("model") or given.get("path") or ""
    return re.sub(r"[^\w-]+", "_", f"{class_name}_{served}").strip("_")


def _merged(spec: ModelSpec, path: str, value: Json) -> ModelSpec:
    """A dict adds to what earlier keys put in the same place; an empty text leaves it alone."""
    before = setting(spec, path)
    if isinstance(value, dict) and before:
        value = {**before, **value}
    return spec if value == "" and before else with_setting(spec, path, value)


def _with_key(spec: ModelSpec, given: Mapping[str, Json]) -> ModelSpec:
    """The API key, wherever the entry has it, as the name of an environment variable."""
    if given.get("key") == "ENV":
        return with_setting(spec, "options.api_key_env", "OPENAI_API_KEY")
    key = given.get("api_key") or given.get("key") or ""
    headers = dict(spec.options.get("headers", {}))
    for name, value in list(headers.items()):
        bearer = _BEARER.match(value) if name.lower() == "authorization" else None
        if bearer:
            del headers[name]
            key = bearer[1]
            spec = with_setting(spec, "options.headers", headers)
    if not key:
        return spec
    variable = keep(key, f"STEELYARD_API_KEY_{spec.abbr}", os.environ)
    return with_setting(spec, "options.api_key_env", variable)


_LOCAL = {
    "hf_base_model": "HuggingFaceBaseModel",
    "hf_chat_model": "HuggingFacewithChatTemplate",
    "vllm_offline": "VLLMwithChatTemplate",
    "vllm_offline_base": "VLLM",
}
_CLASSES = {
    "openai_completions": "VLLMCustomAPI",
    "openai_chat": "VLLMCustomAPIChat",
    "tgi": "TGICustomAPI",
    "triton": "TritonCustomAPI",
    "mindie": "MindieStreamApi",
}


def old_style(spec: ModelSpec) -> dict[str, Json]:
    """``spec`` as an old-style entry: what a config file gets that imports a preset to change it.

    ``translated`` makes the same spec of it. Raises ``ConfigError`` for a backend of the user's,
    which has no old-style class.
    """
    if spec.backend in _LOCAL:
        return _old_local(spec)
    if spec.backend not in _CLASSES:
        raise ConfigError(
            f"{spec.abbr}: the backend {spec.backend!r} has no old-style class. Name the preset "
            "with --models, or write its ModelSpec into the config file."
        )
    options = dict(spec.options)
    given: dict[str, Json] = {
        "attr": "service",
        "type": _CLASSES[spec.backend],
        "abbr": spec.abbr,
        "path": "",
        **old_address(str(options.pop("base_url", ""))),
        "model": options.pop("model", ""),
        "stream": options.pop("stream", False),
        "api_key": "",
        "request_rate": spec.load.request_rate,
        "retry": spec.load.retries + 1,
        "batch_size": spec.load.concurrency,
        "max_out_len": spec.sampling.max_tokens,
        "trust_remote_code": False,
        "generation_kwargs": spec.sampling.extra,
        **_only_ours(spec),
        **options,
    }
    copied: dict[str, Json] = msgspec.to_builtins(given)
    return copied


def _old_local(spec: ModelSpec) -> dict[str, Json]:
    given: dict[str, Json] = {
        "attr": "local",
        "type": _LOCAL[spec.backend],
        "abbr": spec.abbr,
        "max_out_len": spec.sampling.max_tokens,
        "generation_kwargs": spec.sampling.extra,
        **_only_ours(spec),
        **spec.options,
    }
    copied: dict[str, Json] = msgspec.to_builtins(given)
    return copied


def _only_ours(spec: ModelSpec) -> dict[str, Json]:
    """Settings that most presets leave alone; what AISBench has no key for goes by our name."""
    given: dict[str, Json] = {}
    if spec.label:
        given["summarizer_abbr"] = spec.label
    if spec.clean:
        given["clean"] = spec.clean
    if spec.repeats != 1:
        given["repeats"] = spec.repeats
    if spec.load.timeout_s is not None:
        given["timeout_s"] = spec.load.timeout_s
    if spec.load.senders:
        given["senders"] = spec.load.senders
    return given
