"""The core suite of LMDeploy's two-stage guide, and a config file that runs it.

Answers come from one service, judgements from another. The file can be for both stages, for the
first (``infer``) or for the second (``eval``); the name of the task ties them together, because it
names the folder of the answers. Limits and repeats: InternLM/lmdeploy, ``eval/config.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from steelyard.config.checks import FOLDER_NAME, near, require
from steelyard.config.dump import literal, reading_secrets
from steelyard.config.refs import DatasetRef
from steelyard.core import ConfigError, Json, Load, ModelSpec, Sampling

Stage: TypeAlias = Literal["all", "infer", "eval"]
Thinking: TypeAlias = Literal["default", "on", "off"]

SUITE: Mapping[str, DatasetRef] = {
    "aime2025": DatasetRef(name="aime2025_judge_gen", abbr="aime2025_repeat_32", repeats=32),
    "gpqa": DatasetRef(name="gpqa_judge_gen", abbr="GPQA_diamond_repeat_4", repeats=4),
    "ifeval": DatasetRef(name="ifeval_gen", abbr="IFEval"),
    "code": DatasetRef(name="livecodebench_v6_gen", abbr="lcb_code_generation_repeat_6", repeats=6),
    "mmlu_pro": DatasetRef(name="mmlu_pro_judge_gen"),
    "hle": DatasetRef(name="hle_judge_gen", abbr="hle_llmjudge"),
}
"""The guide's names of its data sets, with its number of answers to each question."""
_ABOUT: Mapping[str, str] = {
    "aime2025": "30 problems x 32, judged",
    "gpqa": "198 questions x 4, by rule, judged where the rule finds no right answer",
    "ifeval": "541 prompts, by rules",
    "code": "LiveCodeBench v6, 175 problems x 6, by their tests, in a sandbox (bubblewrap)",
    "mmlu_pro": "12,032 questions in 14 fields, judged",
    "hle": "the questions without a picture, judged",
}
JUDGE = "CompassVerifier"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the generated file is to do."""

    task: str
    """The model's abbr: the folder of its answers."""
    stage: Stage = "all"
    datasets: tuple[str, ...] = ("all",)
    """Names of ``SUITE``; each may hold several, with commas."""
    api_server: str = ""
    """Address of the model; needed unless only judging."""
    judger_server: str = ""
    """Address of the judge; needed unless only asking."""
    model: str = ""
    """Served name; empty: asked from the service when the run begins."""
    judge_model: str = ""
    judge_api_key_env: str = ""
    thinking: Thinking = "default"
    max_tokens: int = 64000
    concurrency: int = 256
    """The guide runs eight processes with 32 requests each."""


def suite_config(wish: Wish, command: str) -> str:
    """The text of the config file; ``command`` is the command line that asked for it.

    Raises ``ConfigError`` for unknown data sets, a missing address and an unusable name.
    """
    require(FOLDER_NAME, wish.task, "task name")
    chosen = _chosen(wish.datasets)
    if wish.stage != "eval" and not wish.api_server:
        raise ConfigError("--api-server is missing: the address of the model to be evaluated.")
    if wish.stage != "infer" and not wish.judger_server:
        raise ConfigError(
            "--judger-server is missing: the address of the judge (or set OC_JUDGE_API_BASE; or "
            "write the first stage alone with --mode infer)."
        )
    secrets: dict[str, str] = {}
    """Of addresses, by the variable that the file reads in their place."""
    body = [*_model(wish, secrets), "", *_datasets(chosen)]
    if wish.stage != "infer":
        body += ["", *_judge(wish, secrets)]
    parts = [
        *_head(wish, command),
        *([f"# Secrets are read from the environment: {', '.join(secrets)}"] if secrets else []),
        "",
        f"from steelyard.config import DatasetRef{', from_environment' if secrets else ''}",
        "from steelyard.core import Load, ModelSpec, Sampling",
        "",
        *body,
    ]
    if wish.stage != "all":
        parts += ["", f"arguments = {literal({'mode': wish.stage}, 0)}"]
    return "\n".join(parts) + "\n"


def _chosen(names: Iterable[str]) -> list[str]:
    """The data sets that are asked for."""
    wanted = [one for text in names for one in text.split(",") if one.strip()]
    wanted = list(dict.fromkeys(one.strip() for one in wanted))
    if "all" in wanted:
        return list(SUITE)
    for name in wanted:
        if name not in SUITE:
            close = near(name, tuple(SUITE))
            hint = f" Did you mean {close[0]}?" if close else ""
            known = ", ".join((*SUITE, "all"))
            raise ConfigError(f"data set {name!r} is not in the suite ({known}).{hint}")
    if not wanted:
        raise ConfigError(f"no data set is named. Known: {', '.join((*SUITE, 'all'))}.")
    return wanted


def _head(wish: Wish, command: str) -> list[str]:
    does = {
        "all": "Asks the model, has its answers judged, and reports.",
        "infer": "First stage: asks the model. The judge need not be there.",
        "eval": "Second stage: has stored answers judged, and reports. The model may be gone.",
    }[wish.stage]
    run = "steelyard run THIS_FILE -w DIR"
    again = {
        "all": f"#   {run}                  go on after an interruption: add -r",
        "infer": f"#   {run}                  go on after an interruption: add -r",
        "eval": f"#   {run} -r TIMESTAMP     the folder in DIR that the first stage made",
    }[wish.stage]
    return [f"# {does}", again, f"# Written by: {command}"]


def _model(wish: Wish, secrets: dict[str, str]) -> list[str]:
    lines = [f"# The model; {wish.task!r} names the folder of its answers in both stages."]
    if wish.stage == "eval":
        lines = [f"# Whose answers are judged: the first stage's task name, {wish.task!r}."]
        return [*lines, *_assigned("models", [_stored(wish)])]
    if not wish.model:
        lines.append("# An empty model name is asked from the service when the run begins.")
    if wish.thinking == "default":
        lines.append(
            "# Whether it thinks first is left to the served chat template "
            "(gen-config --thinking on|off)."
        )
    return [*lines, *_assigned("models", [reading_secrets(_asked(wish), secrets)])]


def _stored(wish: Wish) -> ModelSpec:
    return ModelSpec(abbr=wish.task, backend="openai_chat", clean="strip_reasoning")


def _asked(wish: Wish) -> ModelSpec:
    extra: dict[str, Json] = {"temperature": 0.6}
    if wish.thinking != "default":
        extra["chat_template_kwargs"] = {"enable_thinking": wish.thinking == "on"}
    return ModelSpec(
        abbr=wish.task,
        backend="openai_chat",
        options={"base_url": _with_scheme(wish.api_server), "model": wish.model, "stream": False},
        sampling=Sampling(max_tokens=wish.max_tokens, extra=extra),
        clean="strip_reasoning",
        load=Load(concurrency=wish.concurrency, retries=9),
    )


def _datasets(chosen: Sequence[str]) -> list[str]:
    lines = ["# The data sets, with the number of answers to each question.", "datasets = ["]
    for name in chosen:
        lines.append(f"    # {name}: {_ABOUT[name]}")
        lines.append(f"    {literal(SUITE[name], 4)},")
    return [*lines, "]"]


def _judge(wish: Wish, secrets: dict[str, str]) -> list[str]:
    options: dict[str, Json] = {
        "base_url": _with_scheme(wish.judger_server),
        "model": wish.judge_model,
        "stream": False,
    }
    if wish.judge_api_key_env:
        options["api_key_env"] = wish.judge_api_key_env
    judge = ModelSpec(
        abbr=JUDGE,
        backend="openai_chat",
        options=options,
        sampling=Sampling(max_tokens=8192, extra={"temperature": 0.001}),
        load=Load(concurrency=64, retries=9),
    )
    return [
        "# The judge. Its abbr is the second part of the names of judged results.",
        f"judge = {literal(reading_secrets(judge, secrets), 0)}",
    ]


def _assigned(name: str, items: Sequence[ModelSpec]) -> list[str]:
    inner = "".join(f"    {literal(item, 4)},\n" for item in items)
    return f"{name} = [\n{inner}]".split("\n")


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address}"
