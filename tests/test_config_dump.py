"""The config file that every run writes.

- Read back, it asks for exactly the same.
- It can be read by people: defaults are left out, names stand for plain data sets.
- No secret is ever in it; it reads environment variables in their places, and says which.
"""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.config import (
    Combination,
    ConfigFile,
    DatasetRef,
    load_config,
    places,
    shown_command,
    without_secrets,
    write_config,
)
from steelyard.core import ConfigError, Json, Load, ModelSpec, Sampling

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,11}", fullmatch=True)
TEXTS = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MODELS = st.builds(
    ModelSpec,
    abbr=NAMES,
    backend=st.sampled_from(["openai_chat", "my.own_backend"]),
    options=st.fixed_dictionaries({"model": TEXTS}, optional={"limit": JSON}),
    sampling=st.builds(
        Sampling,
        max_tokens=st.none() | st.integers(1, 9999),
        extra=st.dictionaries(st.sampled_from(["top_p", "stop", "guided", "日本"]), JSON),
    ),
    clean=st.sampled_from(["", "strip_reasoning"]),
    load=st.builds(Load, concurrency=st.integers(1, 500), timeout_s=st.none() | st.floats(1, 9)),
    repeats=st.integers(1, 9),
    label=TEXTS,
)
REFS = st.builds(
    DatasetRef,
    name=NAMES,
    member=st.just("") | NAMES,
    abbr=st.just("") | NAMES,
    data_dir=TEXTS,
    rows=st.sampled_from([None, "[0:8]", 5, 0.25]),
    num_prompts=st.none() | st.integers(1, 99),
) | st.builds(DatasetRef, path=NAMES, data_type=st.sampled_from(["", "mcq", "qa"]), template=TEXTS)


@st.composite
def configs(draw: st.DrawFn) -> ConfigFile:
    models = draw(st.lists(MODELS, min_size=1, max_size=3, unique_by=lambda one: one.abbr))
    datasets = draw(st.lists(REFS, min_size=1, max_size=3))
    pairs = [Combination((models[0],), tuple(datasets)), Combination(tuple(models), (REF,))]
    return ConfigFile(
        models=tuple(models),
        datasets=tuple(datasets),
        combinations=tuple(draw(st.sampled_from([[], pairs]))),
        work_dir=draw(st.none() | NAMES),
        max_num_workers=draw(st.none() | st.integers(1, 64)),
        arguments=draw(st.dictionaries(NAMES, st.integers() | st.booleans() | NAMES, max_size=3)),
    )


REF = DatasetRef(name="elsewhere")
SPEC = ModelSpec(abbr="m-1", backend="openai_chat", options={"model": "qwen"})


def config(*models: ModelSpec, **more: Json) -> ConfigFile:
    return ConfigFile(models=models, datasets=(DatasetRef(name="gsm8k_gen"),), **more)


def read_back(text: str, folder: Path) -> ConfigFile:
    path = folder / "dumped.py"
    path.write_text(text, encoding="utf-8")
    return load_config(path, places(None, folder))


@given(configs())
def test_read_back_it_asks_for_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: ConfigFile
) -> None:
    folder = tmp_path_factory.mktemp("dump")
    assert read_back(write_config(one, "steelyard run x"), folder) == one


def test_it_reads_like_a_file_that_a_person_wrote(tmp_path: Path) -> None:
    one = config(
        ModelSpec(
            abbr="qwen",
            backend="openai_chat",
            options={"base_url": "http://10.0.0.1:8000", "model": "qwen", "stream": True},
            sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
            clean="strip_reasoning",
        ),
        work_dir="outputs/default",
        arguments={"num_prompts": 8},
    )
    assert (
        write_config(one, "steelyard run --models a --num-prompts 8")
        == """\
# What this run was asked to do. To run it again: steelyard run THIS_FILE
# steelyard run --models a --num-prompts 8

from steelyard.core import ModelSpec, Sampling

models = [
    ModelSpec(
        abbr="qwen",
        backend="openai_chat",
        options={"base_url": "http://10.0.0.1:8000", "model": "qwen", "stream": True},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        clean="strip_reasoning",
    ),
]

datasets = [
    "gsm8k_gen",
]

work_dir = "outputs/default"

arguments = {"num_prompts": 8}
"""
    )


def test_pairs_refer_to_the_lists_above_them(tmp_path: Path) -> None:
    one = config(SPEC, combinations=(Combination((SPEC,), (DatasetRef(name="gsm8k_gen"),)),))
    assert '{"models": [models[0]], "datasets": [datasets[0]]}' in write_config(one, "")


def test_an_api_key_stays_a_variables_name() -> None:
    text = write_config(
        config(ModelSpec(abbr="m", backend="x", options={"api_key_env": "MY_KEY"})), ""
    )
    assert "# Secrets are read from the environment: MY_KEY\n" in text
    assert '"api_key_env": "MY_KEY"' in text


SECRETS = {
    "base_url": "https://user:hush-1@host:1/x",
    "proxy": "http://me:hush-2@proxy:3128",
    "headers": {
        "Authorization": "Basic hush-3",
        "X-Api-Key": "hush-4",
        "Cookie": "session=hush-5",
        "X-Auth-Token": "hush-6",
        "X-Team": "blue",
    },
}


def test_secrets_are_read_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = ModelSpec(
        abbr="m-1",
        backend="openai_chat",
        options=SECRETS,
        sampling=Sampling(
            extra={
                "tools": [{"url": "x", "api_key": "hush-7"}],
                "stop_token": "</s>",
                "keywords": "plain",
                "schema": {"token": {"type": "string"}},
            }
        ),
    )
    text = write_config(config(secret), "")
    assert "hush" not in text
    assert '"X-Team": "blue"' in text
    for plain in ('"stop_token": "</s>"', '"keywords": "plain"', '"type": "string"'):
        assert plain in text
    assert '"https://" + from_environment("STEELYARD_SECRET_M_1_BASE_URL") + "@host:1/x"' in text
    with pytest.raises(ConfigError, match=r"line \d+: environment variable STEELYARD_SECRET_M_1_"):
        read_back(text, tmp_path)
    values = {
        "BASE_URL": "user:hush-1",
        "PROXY": "me:hush-2",
        "HEADERS_AUTHORIZATION": "Basic hush-3",
        "HEADERS_X_API_KEY": "hush-4",
        "HEADERS_COOKIE": "session=hush-5",
        "HEADERS_X_AUTH_TOKEN": "hush-6",
        "TOOLS_API_KEY": "hush-7",
    }
    for name, value in values.items():
        assert f"STEELYARD_SECRET_M_1_{name}" in text.partition("\n\n")[0]
        monkeypatch.setenv(f"STEELYARD_SECRET_M_1_{name}", value)
    assert read_back(text, tmp_path).models == (secret,)


def test_two_models_do_not_share_a_variable_for_different_secrets() -> None:
    one, two = (
        ModelSpec(abbr=abbr, backend="openai_chat", options={"headers": {"X-Key": abbr}})
        for abbr in ("m-1", "m_1")
    )
    text = write_config(config(one, two), "")
    assert 'from_environment("STEELYARD_SECRET_M_1_HEADERS_X_KEY")' in text
    assert 'from_environment("STEELYARD_SECRET_M_1_HEADERS_X_KEY_2")' in text


def test_an_old_style_key_does_not_reach_the_dump(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(
        "models = [dict(type='VLLMCustomAPIChat', abbr='m-dump', api_key='sk-hush')]\n"
        "datasets = ['gsm8k_gen']\n",
        encoding="utf-8",
    )
    one = load_config(path, places(None, tmp_path))
    assert os.environ.pop("STEELYARD_API_KEY_M_DUMP") == "sk-hush"
    text = write_config(one, "steelyard run old.py")
    assert "hush" not in text
    assert read_back(text, tmp_path) == one


def test_secrets_among_the_arguments_are_hidden() -> None:
    text = write_config(config(SPEC, arguments={"set": ["headers.X=hush", "a=1"]}), "")
    assert "hush" not in text
    assert '"a=1"' in text


def test_a_spec_can_be_shown_without_its_secrets() -> None:
    shown = without_secrets(ModelSpec(abbr="m", backend="x", options=SECRETS))
    assert "hush" not in repr(shown)
    assert shown.options["base_url"] == "https://***@host:1/x"
    assert shown.options["headers"]["X-Team"] == "blue"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "--models", "a b"], "run --models 'a b'"),
        (["--api-key-env", "MY_KEY"], "--api-key-env MY_KEY"),
        (["--max-tokens", "9"], "--max-tokens 9"),
        (["--api-key", "hush"], "--api-key '***'"),
        (["--token=hush"], "'--token=***'"),
        (["--base-url", "http://u:hush@h:1/x"], "--base-url 'http://***@h:1/x'"),
        (["--base-url=http://u:hush@h"], "'--base-url=http://***@h'"),
        (["--base-url", "u:hush@h:1"], "--base-url '***@h:1'"),
        (["--set", "proxy=http://u:hush@p"], "--set 'proxy=http://***@p'"),
        (["--set", "headers.X-Any=hush"], "--set 'headers.X-Any=***'"),
        (["--set", "options.headers.Cookie=a=hush"], "--set 'options.headers.Cookie=***'"),
        (["--set", 'headers={"Authorization": "hush"}'], "--set 'headers=***'"),
        (["--set", "generation_kwargs={'api_key': 'hush'}"], "--set 'generation_kwargs=***'"),
        (["--set", "generation_kwargs.top_p=0.9"], "--set generation_kwargs.top_p=0.9"),
        (["--set", "max_tokens=9"], "--set max_tokens=9"),
        (["--set", "tokenizer_path=/x"], "--set tokenizer_path=/x"),
    ],
)
def test_a_command_line_is_kept_without_its_secrets(words: list[str], expected: str) -> None:
    assert shown_command(words) == expected


@given(st.lists(st.text()))
def test_any_command_line_can_be_kept(words: list[str]) -> None:
    text = write_config(config(SPEC), shown_command(words))
    compile(text.encode(), "dump", "exec")


def test_file_names_that_are_no_text_can_be_kept(tmp_path: Path) -> None:
    odd = b"\xff.jsonl".decode("utf-8", "surrogateescape")
    one = ConfigFile(models=(SPEC,), datasets=(DatasetRef(path=odd),))
    assert read_back(write_config(one, odd), tmp_path) == one
