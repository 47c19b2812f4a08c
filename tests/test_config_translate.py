"""What becomes of an old-style model entry, key by key.

- Every key has a place, is left out with the reason, or is refused; an unknown one is an error.
- Values are checked against their ranges before anything is sent, and the error says which one.
- A key in plain text becomes the name of an environment variable.
"""

import os

import pytest

from steelyard import backends
from steelyard.config.model_entries import read_models
from steelyard.config.translate import old_style, translated
from steelyard.core import ConfigError, Json, Load, ModelSpec, Sampling, Traffic

VARIABLE = "STEELYARD_API_KEY_M"


@pytest.fixture(autouse=True)
def _no_key_stays():
    yield
    for name in [name for name in os.environ if name.startswith("STEELYARD_API_KEY_")]:
        del os.environ[name]


def entry(**more: Json) -> dict[str, Json]:
    return {"type": "VLLMCustomAPIChat", "abbr": "m", **more}


def spec(**more: Json) -> ModelSpec:
    return translated(entry(**more), "file.py: models[0]").spec


def notices(**more: Json) -> tuple[str, ...]:
    return translated(entry(**more), "file.py: models[0]").notices


def refusal(given: dict[str, Json]) -> str:
    with pytest.raises(ConfigError) as error:
        translated(given, "file.py: models[0]")
    return str(error.value)


FULL = {
    "attr": "service",
    "path": "",
    "model": "qwen",
    "stream": True,
    "request_rate": 0,
    "use_timestamp": False,
    "retry": 2,
    "api_key": "",
    "host_ip": "10.0.0.1",
    "host_port": 8000,
    "url": "",
    "max_out_len": 512,
    "batch_size": 7,
    "trust_remote_code": False,
    "generation_kwargs": {"temperature": 0.01, "ignore_eos": False},
    "response_anomaly": {"model_name": "", "msprobe_config_path": ""},
    "pred_postprocessor": {"type": "extract_non_reasoning_content"},
}


def test_a_full_entry_is_this_spec_and_leaves_nothing_to_say() -> None:
    done = translated(entry(**FULL), "here")
    assert done.notices == ()
    assert done.spec == ModelSpec(
        abbr="m",
        backend="openai_chat",
        options={"base_url": "http://10.0.0.1:8000", "stream": True, "model": "qwen"},
        sampling=Sampling(max_tokens=512, extra={"temperature": 0.01}),
        clean="strip_reasoning",
        load=Load(concurrency=7, retries=1),
    )


def test_what_an_entry_does_not_say_is_our_default_but_for_the_length() -> None:
    done = spec()
    assert done.load == Load()
    assert done.sampling == Sampling(max_tokens=4096)
    assert done.options == {"base_url": "http://localhost:8080", "stream": False}


@pytest.mark.parametrize(
    ("type_", "backend", "stream"),
    [
        ("VLLMCustomAPI", "openai_completions", False),
        ("VLLMCustomAPIStream", "openai_completions", True),
        ("VLLMCustomAPIChat", "openai_chat", False),
        ("VLLMCustomAPIChatStream", "openai_chat", True),
        ("VllmMultiturnAPIChatStream", "openai_chat", True),
        ("TGICustomAPI", "tgi", False),
        ("TGICustomAPIStream", "tgi", True),
        ("TritonCustomAPI", "triton", False),
        ("TritonCustomAPIStream", "triton", True),
        ("MindieStreamApi", "mindie", True),
        ("OpenAISDK", "openai_chat", False),
        ("ais_bench.benchmark.models.VLLMCustomAPI", "openai_completions", False),
    ],
)
def test_the_class_decides_the_backend(type_: str, backend: str, stream: bool) -> None:
    done = spec(type=type_)
    assert (done.backend, done.options["stream"]) == (backend, stream)


def test_a_class_that_streams_does_not_when_told_so() -> None:
    assert spec(type="MindieStreamApi", stream=False).options["stream"] is False


def test_a_real_class_counts_by_its_name() -> None:
    assert spec(type=type("VLLMCustomAPI", (), {})).backend == "openai_completions"


@pytest.mark.parametrize(
    ("given", "path", "value"),
    [
        ({"summarizer_abbr": "Qwen 3"}, "label", "Qwen 3"),
        ({"model_name": "qwen"}, "options.model", "qwen"),
        ({"model_name": "qwen", "model": ""}, "options.model", "qwen"),
        ({"query_per_second": 0.16}, "load.request_rate", 0.16),
        ({"request_rate": 0.0005}, "load.request_rate", 0.0),
        ({"retry": 1}, "load.retries", 0),
        ({"retry": 0}, "load.retries", 0),
        ({"retry": 10}, "load.retries", 9),
        ({"timeout": 30}, "load.timeout_s", 30),
        ({"timeout_s": 30}, "load.timeout_s", 30),
        ({"ca_file": "ca.pem"}, "options.ca_file", "ca.pem"),
        ({"headers": {"X-Team": "blue"}}, "options.headers", {"X-Team": "blue"}),
        ({"pred_postprocessor": {"type": "keep_reasoning_content"}}, "clean", "keep"),
        ({"generation_kwargs": {"seed": None}}, "sampling.extra", {"seed": None}),
        ({"generation_kwargs": {"num_return_sequences": 5}}, "repeats", 5),
        ({"generation_kwargs": {"ignore_eos": True}}, "sampling.extra", {"ignore_eos": True}),
        ({"generation_kwargs": {"n": 1}}, "sampling.extra", {"n": 1}),
    ],
)
def test_a_key_sets(given: dict[str, Json], path: str, value: Json) -> None:
    done: Json = spec(**given)
    for name in path.split("."):
        done = done[name] if isinstance(done, dict) else getattr(done, name)
    assert done == value


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"host_ip": "::1"}, "http://[::1]:8080"),
        ({"host_ip": "model.example", "host_port": 80}, "http://model.example:80"),
        ({"enable_ssl": True}, "https://localhost:8080"),
        ({"url": "https://x/y/", "host_ip": "unused"}, "https://x/y/"),
        ({"url": "gateway/llm"}, "http://gateway/llm"),
        ({"url": "gateway/llm", "enable_ssl": True}, "https://gateway/llm"),
    ],
)
def test_address_keys_make_one_base_url(given: dict[str, Json], url: str) -> None:
    assert spec(**given).options["base_url"] == url


def test_what_load_tests_need_has_its_place() -> None:
    assert spec(path="/models/qwen").tokenizer == "/models/qwen"
    assert spec(use_timestamp=True).load.use_timestamp is True
    shape = {"burstiness": 0.5, "ramp_up_strategy": "", "ramp_up_start_rps": None}
    assert spec(traffic_cfg=shape).load.traffic == Traffic(burstiness=0.5)


def test_a_misspelt_traffic_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown field `burst`"):
        spec(traffic_cfg={"burst": 1})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"trust_remote_code": True}, "is ever run"),
        ({"verbose": True}, "--debug"),
        ({"max_seq_len": 4096}, "not shortened"),
        ({"run_cfg": {"num_gpus": 1}}, "devices"),
        ({"custom_client": {"type": "SomeClient"}}, "interface"),
        ({"response_anomaly": {"model_name": "Qwen"}}, "abnormal outputs"),
        ({"type": "TGICustomAPI", "model": "qwen"}, "tgi has no such option"),
        ({"generation_kwargs": {"max_new_tokens": 9}}, "max_out_len"),
    ],
)
def test_what_is_left_out_is_said_with_the_reason(given: dict[str, Json], reason: str) -> None:
    (notice,) = notices(**given)
    assert notice.startswith("file.py: models[0] ('m'): ")
    assert reason in notice


@pytest.mark.parametrize(
    "given",
    [
        {"traffic_cfg": {}},
        {"verbose": False},
        {"run_cfg": {"num_gpus": 0}},
        {"type": "TGICustomAPI", "model": ""},
        {"meta_template": {"round": [{"role": "HUMAN", "api_role": "HUMAN"}, {"role": "BOT"}]}},
        {"returns_tool_calls": False},
    ],
)
def test_values_that_ask_for_nothing_are_left_out_without_a_word(given: dict[str, Json]) -> None:
    assert notices(**given) == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; expected a whole number from 1 to 100000"),
        ({"batch_size": "8"}, "batch_size is '8'; expected a whole number"),
        ({"batch_size": True}, "batch_size is True; expected a whole number"),
        ({"host_port": 65536}, "host_port is 65536; expected a whole number from 1 to 65535"),
        ({"request_rate": -1}, "request_rate is -1; expected a number from 0 to 64000"),
        ({"retry": 1001}, "retry is 1001; expected a whole number from 0 to 1000"),
        ({"max_out_len": 0}, "max_out_len is 0; expected a whole number from 1 on"),
        ({"stream": "yes"}, "stream is 'yes'; expected True or False"),
        ({"abbr": ".hidden"}, "abbr is '.hidden'; expected a name without slash"),
        ({"abbr": "a/b"}, "abbr is 'a/b'; expected a name without slash"),
        ({"generation_kwargs": [1]}, "generation_kwargs is of type list; expected a dict"),
        ({"generation_kwargs": {"num_return_sequences": 0}}, "num_return_sequences is 0"),
        ({"generation_kwargs": {"n": 4}}, "Use num_return_sequences"),
        ({"generation_kwargs": {"lora_data_map_file": "a.json"}}, "adapter for each row"),
        ({"generation_kwargs": {"stop": object()}}, "Encoding objects of type object"),
        ({"returns_tool_calls": True}, "function calls are not supported"),
        ({"pred_postprocessor": {"type": "my_own"}}, "expected one of extract_non_reasoning"),
        (
            {"pred_postprocessor": {"type": "keep_reasoning_content", "think_end_token": "</t>"}},
            "expected one of extract_non_reasoning",
        ),
        (
            {"meta_template": {"round": [{"role": "HUMAN", "begin": "<s>"}]}},
            "roles without texts of their own",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error(given: dict[str, Json], message: str) -> None:
    said = refusal(entry(**given))
    assert said.startswith("file.py: models[0] (")
    assert message in said


def test_a_misspelt_key_is_an_error_that_names_the_right_one() -> None:
    said = refusal(entry(max_out_length=5))
    assert "there is no 'max_out_length'. Did you mean 'max_out_len'" in said


def test_a_misspelt_class_is_an_error_that_names_the_right_one() -> None:
    assert "Did you mean 'VLLMCustomAPIChat'" in refusal(entry(type="VLLMCustomApiChat"))


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"abbr": "m"}, "type is missing"),
        (entry(type="TurboMindModel"), "Serve the model"),
        (entry(type="VLLMCustomAPIOld"), "Use vllm_api_general"),
    ],
)
def test_classes_that_are_not_supported_say_what_to_do(given: dict[str, Json], advice: str) -> None:
    assert advice in refusal(given)


def test_an_entry_of_a_model_in_this_process_is_this_spec_and_goes_back() -> None:
    given = {
        "attr": "local",
        "type": "HuggingFacewithChatTemplate",
        "abbr": "tiny",
        "path": "weights",
        "tokenizer_path": "words",
        "model_kwargs": {"device_map": "auto", "torch_dtype": "torch.float16"},
        "tokenizer_kwargs": {"padding_side": "left"},
        "generation_kwargs": {"do_sample": False},
        "max_out_len": 100,
        "max_seq_len": 2048,
        "batch_size": 4,
        "batch_padding": True,
        "run_cfg": {"num_gpus": 2, "num_procs": 1},
        "stop_words": ["Q:"],
        "trust_remote_code": False,
    }
    found = translated(given, "file.py: models[0]")
    assert found.notices == ()
    spec = found.spec
    assert (spec.backend, spec.sampling.max_tokens) == ("hf_chat_model", 100)
    assert spec.options["path"] == "weights"
    assert spec.options["run_cfg"] == {"num_gpus": 2, "num_procs": 1}
    assert spec.tokenizer == ""
    assert "base_url" not in spec.options
    backends.check(spec)
    assert translated(old_style(spec), "again").spec == spec


def test_an_openai_sdk_entry_of_opencompass_is_this_spec() -> None:
    done = translated(
        {
            "abbr": "task",
            "type": "OpenAISDK",
            "path": "internlm/served-name",
            "key": "ENV",
            "openai_api_base": "http://10.0.0.1:23333/v1",
            "meta_template": {"round": [{"role": "HUMAN", "api_role": "HUMAN"}]},
            "query_per_second": 10,
            "temperature": 0.6,
            "max_out_len": 32768,
            "max_seq_len": 32768,
            "batch_size": 8,
            "retry": 10,
            "extra_body": {"chat_template_kwargs": {"enable_thinking": True}},
            "openai_extra_kwargs": {"top_p": 0.95},
            "pred_postprocessor": {"type": "extract_non_reasoning_content"},
            "verbose": False,
            "mode": "none",
        },
        "here",
    )
    assert done.spec == ModelSpec(
        abbr="task",
        backend="openai_chat",
        options={
            "base_url": "http://10.0.0.1:23333",
            "model": "internlm/served-name",
            "stream": False,
            "api_key_env": "OPENAI_API_KEY",
        },
        sampling=Sampling(
            max_tokens=32768,
            extra={
                "temperature": 0.6,
                "chat_template_kwargs": {"enable_thinking": True},
                "top_p": 0.95,
            },
        ),
        clean="strip_reasoning",
        load=Load(concurrency=8, retries=9, request_rate=10),
    )
    (notice,) = done.notices
    assert "max_seq_len is left out" in notice


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.openai.com/v1/", "https://api.openai.com"),
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com"),
        (["http://10.0.0.1/v1"], "http://10.0.0.1"),
        ("http://10.0.0.1/puyu/api/v1/", "http://10.0.0.1/puyu/api"),
    ],
)
def test_an_openai_base_is_a_base_url_and_v1(base: Json, url: str) -> None:
    assert spec(type="OpenAISDK", openai_api_base=base).options["base_url"] == url


def test_opencompass_models_without_abbr_are_named_after_class_and_model() -> None:
    done = translated({"type": "OpenAISDK", "path": "internlm2.5-latest"}, "here")
    assert done.spec.abbr == "OpenAISDK_internlm2_5-latest"


def test_an_api_key_becomes_an_environment_variable() -> None:
    done = translated(entry(api_key="sk-secret"), "here")
    assert done.spec.options["api_key_env"] == VARIABLE
    assert os.environ[VARIABLE] == "sk-secret"
    assert "sk-secret" not in repr(done)


def test_a_bearer_header_is_an_api_key() -> None:
    done = spec(headers={"authorization": "Bearer sk-secret", "X-Team": "blue"})
    assert done.options["headers"] == {"X-Team": "blue"}
    assert os.environ[done.options["api_key_env"]] == "sk-secret"


def test_another_models_variable_is_not_overwritten() -> None:
    first, second = spec(abbr="m-1", api_key="sk-1"), spec(abbr="m_1", api_key="sk-2")
    assert os.environ[first.options["api_key_env"]] == "sk-1"
    assert os.environ[second.options["api_key_env"]] == "sk-2"


@pytest.mark.parametrize(
    "given",
    [{"api_key": ["sk-secret"]}, {"key": 5}, {"headers": {"Authorization": ("sk-secret",)}}],
)
def test_no_error_shows_a_key(given: dict[str, Json]) -> None:
    said = refusal(entry(type="OpenAISDK", **given))
    assert "sk-secret" not in said
    assert "expected" in said


def test_a_repeated_entry_is_dropped_and_a_clashing_one_refused() -> None:
    read = read_models([entry(), entry()], "models")
    assert len(read.specs) == 1
    assert "copy.deepcopy" in read.notices[0]
    with pytest.raises(ConfigError, match="two different models are called 'm'"):
        read_models([entry(), entry(batch_size=3)], "models")
