"""Old-style model entries, key by key: where each value goes, or why it goes nowhere.

The keys are those of AISBench's service models (older and newer releases) and of OpenCompass's
OpenAI models. A key that is not here is an error, so a misspelt one is never ignored.
"""

from collections.abc import Callable, Collection, Mapping

import msgspec

from steelyard.config.checks import (
    ANYTHING,
    FOLDER_NAME,
    HEADERS,
    KEY,
    SWITCH,
    TABLE,
    TEXT,
    Check,
    number,
    or_none,
    whole,
)
from steelyard.config.settings import DAY_S, SETTINGS, SHORT_NAMES
from steelyard.config.standins import named
from steelyard.core import Json

SECRET = frozenset({"api_key", "key"})
"""Keys that hold the API key in plain text."""

CLEANERS: Mapping[str, str] = {
    "extract_non_reasoning_content": "strip_reasoning",
    "extract_non_reasoning_content_raw": "strip_reasoning_raw",
    "keep_reasoning_content": "keep",
}
"""``pred_postprocessor`` function → our cleaner."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one key."""

    to: str = ""
    """The setting that it sets; empty when it sets none."""
    check: Check = ANYTHING
    """What the value may be, as written in the old style."""
    convert: Callable[[Json], Json] = lambda value: value
    """From the old style's meaning to ours."""
    why: str = ""
    """Why the value is left out, for the notice; with ``to`` empty."""
    idle: tuple[Json, ...] = (None, "", False)
    """Values that ask for nothing, alone or as all values of a dict: left out without a word."""


def _extra_tries(attempts: int) -> int:
    """AISBench counts attempts, and 0 would never send; ours counts tries after the first."""
    return max(attempts, 1) - 1


def _paced(rate: float) -> float:
    """AISBench paces from 0.001 requests per second on."""
    return rate if rate >= 0.001 else 0.0


def _text(value: Json) -> str:
    return value or ""


def _traffic(value: Json) -> Json:
    """``traffic_cfg`` without the values that stand for "off"; nothing in it is no shape at all."""
    kept = {name: inner for name, inner in (value or {}).items() if inner not in (None, "")}
    return kept or None


def is_idle(value: Json, idle: tuple[Json, ...] = (None, "", False)) -> bool:
    """``True`` when ``value`` asks for nothing: alone, or as every value of a dict."""
    if isinstance(value, dict):
        return all(is_idle(inner, idle) for inner in value.values())
    return value in idle


def refused(why: str, *idle: Json) -> Rule:
    """A key whose value would change answers in a way that is not supported."""
    accepted = (None, "", False, *idle)
    return Rule(check=Check(f"no value: {why}", lambda value: is_idle(value, accepted)))


def _cleaner(value: Json) -> str | None:
    """Our name for a ``pred_postprocessor``; ``None`` when we have no such cleaner."""
    if not value:
        return ""
    if not isinstance(value, dict):
        return CLEANERS.get(named(value))
    tags = (value.get("think_start_token", "<think>"), value.get("think_end_token", "</think>"))
    return CLEANERS.get(named(value.get("type"))) if tags == ("<think>", "</think>") else None


def _is_one_text(value: Json) -> bool:
    """OpenCompass also takes a list of addresses to choose from; one of them is one address."""
    if isinstance(value, list):
        return len(value) == 1 and isinstance(value[0], str)
    return isinstance(value, str)


def _has_plain_roles(value: Json) -> bool:
    """``True`` for chat roles without texts of their own: what every service does anyway."""
    if not value:
        return True
    if not isinstance(value, dict):
        return False
    turns = [*value.get("round", ()), *value.get("reserved_roles", ())]
    return all(isinstance(turn, dict) for turn in turns) and not any(
        turn.get(text) for turn in (value, *turns) for text in ("begin", "end", "prompt")
    )


_NO_CUT = "prompts are not shortened; one that is too long fails at the service and is counted"

KEYS: Mapping[str, Rule] = {
    "attr": Rule(),
    "type": Rule(),
    "abbr": Rule(to="abbr", check=FOLDER_NAME),
    "summarizer_abbr": Rule(to="label", check=TEXT),
    "model": Rule(to="options.model", check=TEXT),
    "model_name": Rule(to="options.model", check=TEXT),
    "stream": Rule(to="options.stream", check=SWITCH),
    "batch_size": Rule(to="load.concurrency", check=whole(1, 100_000)),
    "request_rate": Rule(to="load.request_rate", check=number(0, 64_000), convert=_paced),
    "query_per_second": Rule(to="load.request_rate", check=number(0, 64_000), convert=_paced),
    "retry": Rule(to="load.retries", check=whole(0, 1000), convert=_extra_tries),
    "timeout": Rule(to="load.timeout_s", check=or_none(number(0, DAY_S, above=True))),
    "max_out_len": Rule(to="sampling.max_tokens", check=or_none(whole(1))),
    "generation_kwargs": Rule(to="sampling.extra", check=TABLE),
    "host_ip": Rule(check=TEXT),
    "host_port": Rule(check=whole(1, 65_535)),
    "url": Rule(check=TEXT),
    "enable_ssl": Rule(check=SWITCH),
    "api_key": Rule(check=KEY),
    "headers": Rule(to="options.headers", check=HEADERS),
    "pred_postprocessor": Rule(
        to="clean",
        check=Check(f"one of {', '.join(CLEANERS)}", lambda value: _cleaner(value) is not None),
        convert=_cleaner,
    ),
    "path": Rule(to="tokenizer", check=or_none(TEXT), convert=_text),
    "tokenizer_path": Rule(to="tokenizer", check=or_none(TEXT), convert=_text),
    "trust_remote_code": Rule(why="no code that comes with a model is ever run"),
    "traffic_cfg": Rule(to="load.traffic", check=or_none(TABLE), convert=_traffic),
    "use_timestamp": Rule(to="load.use_timestamp", check=SWITCH),
    "max_seq_len": Rule(why=_NO_CUT),
    "verbose": Rule(why="--debug shows more"),
    "rpm_verbose": Rule(why="the board shows the rate"),
    "run_cfg": Rule(why="a served model takes no devices here"),
    "custom_client": Rule(why="the type says which interface is spoken"),
    "response_anomaly": Rule(why="there is no detection of abnormal outputs"),
    "meta_template": Rule(
        check=Check("roles without texts of their own (begin, end, prompt)", _has_plain_roles)
    ),
    "returns_tool_calls": refused("function calls are not supported"),
}
"""Keys of AISBench's service models."""

OPENAI_KEYS: Mapping[str, Rule] = {
    **{name: KEYS[name] for name in KEYS if name not in ("host_ip", "host_port", "url")},
    "path": KEYS["model"],
    "openai_api_base": Rule(check=Check("one address", _is_one_text)),
    "key": Rule(check=KEY),
    "temperature": Rule(to="sampling.extra.temperature", check=or_none(number(0, 100))),
    "extra_body": Rule(to="sampling.extra", check=or_none(TABLE)),
    "openai_extra_kwargs": Rule(to="sampling.extra", check=or_none(TABLE)),
    "reasoning_effort": Rule(to="sampling.extra.reasoning_effort", check=or_none(TEXT)),
    "logprobs": Rule(to="sampling.extra.logprobs", check=or_none(SWITCH)),
    "top_logprobs": Rule(to="sampling.extra.top_logprobs", check=or_none(whole(0))),
    "org": Rule(to="options.headers.OpenAI-Organization", check=or_none(TEXT)),
    "openai_proxy_url": Rule(to="options.proxy", check=or_none(TEXT)),
    "max_completion_tokens": Rule(why="max_out_len is the limit"),
    "mode": Rule(why=_NO_CUT, idle=(None, "none")),
    "max_workers": Rule(why="batch_size is the concurrency"),
    "status_code_mappings": Rule(why="an HTTP error is a failed request"),
    "think_tag": refused("only </think> ends reasoning", "</think>"),
    "azure_endpoint": refused("Azure's own interface is not supported"),
    "azure_api_version": refused("Azure's own interface is not supported"),
}
"""Keys of OpenCompass's ``OpenAI`` and ``OpenAISDK``: there ``path`` is the served model."""


def rules(backend: str, keys: Mapping[str, Rule]) -> dict[str, Rule]:
    """``keys`` with our own names beside them: fields of a ``ModelSpec``, options of ``backend``.

    A key that sets an option which this backend does not have is left out.
    """
    from steelyard.backends import backend_options

    options = {name: f"options.{name}" for name in backend_options(backend)}
    ours = {
        name: Rule(to=path, check=SETTINGS.get(path, ANYTHING))
        for name, path in (*options.items(), *SHORT_NAMES.items())
    }
    theirs = {
        name: rule if _has_place(rule, options.values()) else _without_place(rule, backend)
        for name, rule in keys.items()
    }
    return {**ours, **theirs}


def _has_place(rule: Rule, options: Collection[str]) -> bool:
    return not rule.to.startswith("options.") or ".".join(rule.to.split(".")[:2]) in options


def _without_place(rule: Rule, backend: str) -> Rule:
    return Rule(check=rule.check, why=f"{backend} has no such option")
