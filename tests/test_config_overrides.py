"""Changing a preset from the command line.

- Every flag has its setting; ``--set`` reaches all others, by our names and by the old ones.
- Values are read as JSON where that can be meant, and as text where text is wanted.
- An unknown key is answered with near ones; keys are never taken from a command line.
"""

import pytest

from steelyard.config import Overrides, override
from steelyard.core import ConfigError, Json, Load, ModelSpec, Sampling

SPEC = ModelSpec(
    abbr="m",
    backend="openai_chat",
    options={"base_url": "http://localhost:8080", "model": "", "stream": False},
    sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
)


def changed(*sets: str, spec: ModelSpec = SPEC) -> ModelSpec:
    return override(spec, Overrides(sets=sets)).spec


def refusal(*sets: str) -> str:
    with pytest.raises(ConfigError) as error:
        changed(*sets)
    return str(error.value)


def at(spec: ModelSpec, path: str) -> Json:
    value: Json = spec
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name)
    return value


def test_nothing_asked_is_nothing_changed() -> None:
    assert override(SPEC, Overrides()).spec == SPEC


def test_every_flag_has_its_setting() -> None:
    done = override(
        SPEC,
        Overrides(
            base_url="https://x",
            model="qwen",
            api_key_env="MY_KEY",
            concurrency=8,
            max_tokens=64,
            temperature=0.7,
            timeout_s=30.0,
            retries=0,
            repeats=3,
            senders=2,
        ),
    )
    assert done.spec == ModelSpec(
        abbr="m",
        backend="openai_chat",
        options={
            "base_url": "https://x",
            "model": "qwen",
            "stream": False,
            "api_key_env": "MY_KEY",
        },
        sampling=Sampling(max_tokens=64, extra={"temperature": 0.7}),
        load=Load(concurrency=8, timeout_s=30.0, retries=0, senders=2),
        repeats=3,
    )


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("concurrency=8", "load.concurrency", 8),
        ("load.concurrency=8", "load.concurrency", 8),
        ("batch_size=8", "load.concurrency", 8),
        ("retries=3", "load.retries", 3),
        ("load.retries=3", "load.retries", 3),
        ("retry=3", "load.retries", 2),
        ("request_rate=0.5", "load.request_rate", 0.5),
        ("timeout_s=null", "load.timeout_s", None),
        ("max_tokens=9", "sampling.max_tokens", 9),
        ("max_out_len=9", "sampling.max_tokens", 9),
        ("sampling.max_tokens=None", "sampling.max_tokens", None),
        ("repeats=5", "repeats", 5),
        ("generation_kwargs.num_return_sequences=5", "repeats", 5),
        ("generation_kwargs.top_p=0.9", "sampling.extra.top_p", 0.9),
        ("sampling.extra.top_p=0.9", "sampling.extra.top_p", 0.9),
        ("generation_kwargs.stop=END", "sampling.extra.stop", "END"),
        ('generation_kwargs.stop=["a", "b"]', "sampling.extra.stop", ["a", "b"]),
        ("generation_kwargs.ignore_eos=True", "sampling.extra.ignore_eos", True),
        (
            "generation_kwargs.chat_template_kwargs.enable_thinking=false",
            "sampling.extra.chat_template_kwargs",
            {"enable_thinking": False},
        ),
        ('generation_kwargs={"seed": 1}', "sampling.extra", {"seed": 1}),
        ("temperature=0", "sampling.extra.temperature", 0),
        ("ca_file=ca.pem", "options.ca_file", "ca.pem"),
        ("options.ca_file=1234", "options.ca_file", "1234"),
        ("verify_tls=false", "options.verify_tls", False),
        ("options.verify_tls=False", "options.verify_tls", False),
        ("connect_timeout_s=3", "options.connect_timeout_s", 3),
        ("model=123", "options.model", "123"),
        ("headers.X-Team=7", "options.headers", {"X-Team": "7"}),
        ("options.headers.X-Team=blue", "options.headers", {"X-Team": "blue"}),
        ("url=https://x/y", "options.base_url", "https://x/y"),
        ("host_port=9000", "options.base_url", "http://localhost:9000"),
        ("host_ip=::1", "options.base_url", "http://[::1]:8080"),
        ("enable_ssl=true", "options.base_url", "https://localhost:8080"),
        ("abbr=second", "abbr", "second"),
        ("label=Qwen 3", "label", "Qwen 3"),
        ("summarizer_abbr=Qwen 3", "label", "Qwen 3"),
        ("clean=strip_reasoning", "clean", "strip_reasoning"),
        ("pred_postprocessor=extract_non_reasoning_content", "clean", "strip_reasoning"),
        ("backend=openai_completions", "backend", "openai_completions"),
    ],
)
def test_set_reaches(text: str, path: str, value: Json) -> None:
    done = at(changed(text), path)
    assert done == value
    assert type(done) is type(value)


def test_later_ones_win_and_go_after_the_flags() -> None:
    done = override(SPEC, Overrides(concurrency=4, sets=("concurrency=8", "batch_size=16")))
    assert done.spec.load.concurrency == 16


def test_parts_of_an_address_keep_the_rest_of_it() -> None:
    done = override(SPEC, Overrides(base_url="https://user:pw@x/llm/", sets=("host_port=9000",)))
    assert done.spec.options["base_url"] == "https://user:pw@x:9000/llm/"


def test_other_sampling_values_stay() -> None:
    assert changed("generation_kwargs.top_p=0.9").sampling.extra == {
        "temperature": 0.01,
        "top_p": 0.9,
    }


def test_the_preset_itself_is_not_changed() -> None:
    changed("generation_kwargs.top_p=0.9", "headers.X-Team=blue")
    assert SPEC.sampling.extra == {"temperature": 0.01}
    assert "headers" not in SPEC.options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("concurency=8", "there is no 'concurency'. Did you mean 'concurrency'"),
        ("top_p=0.9", "is generation_kwargs.top_p"),
        ("options.ca_fil=x", "Did you mean 'options.ca_file'"),
        ("load.concurrencies=1", "Did you mean 'load.concurrency'"),
        ("concurrency=0", "--set concurrency is 0; expected a whole number from 1 to 100000"),
        ("concurrency=many", "--set concurrency is 'many'; expected a whole number"),
        ("batch_size=1.5", "--set batch_size is 1.5; expected a whole number"),
        ("stream=maybe", "--set stream is 'maybe'; expected True or False"),
        ("host_port=99999", "expected a whole number from 1 to 65535"),
        ("abbr=a/b", "expected a name without slash"),
        ("clean=strip", "no reply cleaner is called 'strip'"),
        ("generation_kwargs.n=4", "num_return_sequences"),
        ("concurrency", "expected key=value"),
        ("=8", "expected key=value"),
        ("", "expected key=value"),
        ("type=VLLMCustomAPI", "there is no 'type'"),
    ],
)
def test_what_cannot_be_set_is_an_error(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize("text", ["api_key=sk-secret", "key=sk-secret"])
def test_an_api_key_is_refused_and_not_repeated(text: str) -> None:
    said = refusal(text)
    assert "--api-key-env" in said
    assert "sk-secret" not in said


def test_options_of_one_backend_are_not_those_of_another() -> None:
    tgi = ModelSpec(abbr="m", backend="tgi", options={"base_url": "http://x"})
    for asked, flag in (
        (Overrides(sets=("model=a",)), "--set model"),
        (Overrides(model="a"), "--model"),
    ):
        done = override(tgi, asked)
        assert done.notices == (f"{flag} has no effect on m: tgi has no such option",)
        assert done.spec.options == tgi.options


def test_idle_keys_say_why_they_have_no_effect() -> None:
    (notice,) = override(SPEC, Overrides(sets=("trust_remote_code=true",))).notices
    assert (
        notice
        == "--set trust_remote_code has no effect on m: no code that comes with a model is ever run"
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (Overrides(concurrency=0), "model m: load.concurrency is 0"),
        (Overrides(retries=-1), "model m: load.retries is -1"),
        (Overrides(max_tokens=0), "model m: sampling.max_tokens is 0"),
        (Overrides(timeout_s=0), "model m: load.timeout_s is 0"),
    ],
)
def test_flags_out_of_range_name_model_and_setting(overrides: Overrides, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        override(SPEC, overrides)
