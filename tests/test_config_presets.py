"""The presets that ship with the program, and how ``--models`` finds them.

- Every preset of AISBench that asks a service has one here, with its abbr.
- A name is a case-insensitive glob; the user's folders come before ours.
- A wrong name is answered with near ones, a broken file with its name, line and error.
"""

from pathlib import Path

import pytest

from steelyard import backends
from steelyard.config import Overrides, Places, find_models, override, places, search_rows
from steelyard.core import ConfigError, ModelSpec, NoSuchName

ABBRS = {
    "vllm_api_general": "vllm-api-general",
    "vllm_api_general_stream": "vllm-api-general-stream",
    "vllm_api_general_chat": "vllm-api-general-chat",
    "vllm_api_stream_chat": "vllm-api-stream-chat",
    "vllm_api_stream_chat_multiturn": "vllm-multiturn-api-chat-stream",
    "tgi_api_general": "tgi-api-general",
    "tgi_stream_api_general": "tgi-stream-api-general",
    "triton_api_general": "triton-api-general",
    "triton_stream_api_general": "triton-stream-api-general",
    "mindie_stream_api_general": "mindie-stream-api",
}
LOCAL = {"hf_chat_model": "hf-chat-model", "hf_base_model": "hf-base-model"}
PICTURES = {
    "picture_folder": ("picture-folder", "picture_folder"),
    "vllm_api_image_edits": ("vllm-api-image-edits", "openai_image_edits"),
}
VLLM = {"vllm_offline": "vllm-offline", "vllm_offline_base": "vllm-offline-base"}

PRESET = """
from steelyard.core import ModelSpec
models = [ModelSpec(abbr={abbr!r}, backend="openai_chat")]
"""


@pytest.fixture
def built_in(tmp_path: Path) -> Places:
    return places(None, tmp_path)


def preset(folder: Path, name: str, abbr: str = "mine") -> Path:
    path = folder / "models" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PRESET.format(abbr=abbr), encoding="utf-8")
    return path


def only(name: str, where: Places) -> ModelSpec:
    (found,) = find_models([name], where)
    (spec,) = found.specs
    return spec


@pytest.mark.parametrize(("name", "abbr"), ABBRS.items())
def test_every_preset_has_the_abbr_that_its_users_know(
    name: str, abbr: str, built_in: Places
) -> None:
    spec = only(name, built_in)
    assert spec.abbr == abbr
    assert spec.sampling.max_tokens == 512
    assert spec.sampling.extra == {"temperature": 0.01}
    assert spec.load.concurrency == 32
    assert spec.options["base_url"] == "http://localhost:8080"
    assert spec.options["stream"] is ("stream" in name)
    assert spec.clean == ("strip_reasoning" if spec.backend == "openai_chat" else "")


@pytest.mark.parametrize("name", ABBRS)
def test_every_preset_is_accepted_by_its_backend(name: str, built_in: Places) -> None:
    spec = only(name, built_in)
    if spec.backend == "triton":
        spec = override(spec, Overrides(model="qwen")).spec
    backends.check(spec)


@pytest.mark.parametrize(("name", "abbr"), LOCAL.items())
def test_presets_of_models_in_this_process_sample_as_aisbench_does(
    name: str, abbr: str, built_in: Places
) -> None:
    spec = only(name, built_in)
    assert (spec.abbr, spec.backend, spec.sampling.max_tokens) == (abbr, name, 512)
    assert spec.options["max_seq_len"] == 2048
    assert spec.options["run_cfg"] == {"num_gpus": 1}
    drawn = {"do_sample": True, "temperature": 0.5, "top_k": 10, "top_p": 0.95}
    assert spec.sampling.extra == {**drawn, "repetition_penalty": 1.03}
    backends.check(spec)


@pytest.mark.parametrize(("name", "abbr"), VLLM.items())
def test_presets_of_the_engine_are_greedy_as_aisbench_s(
    name: str, abbr: str, built_in: Places
) -> None:
    spec = only(name, built_in)
    assert (spec.abbr, spec.backend, spec.sampling.extra) == (abbr, name, {"temperature": 0})
    assert spec.options["model_kwargs"] == {"gpu_memory_utilization": 0.9}


@pytest.mark.parametrize(("name", "expected"), PICTURES.items())
def test_presets_of_pictures_send_nothing_that_only_texts_have(
    name: str, expected: tuple[str, str], built_in: Places
) -> None:
    spec = only(name, built_in)
    assert (spec.abbr, spec.backend) == expected
    assert (spec.sampling.max_tokens, spec.sampling.extra, spec.clean) == (None, {}, "")
    backends.check(spec)
    backends.check_pictures(spec, "gedit", draws=True)


def test_the_judge_s_preset_is_as_the_two_stage_guide_asks_its_judge(built_in: Places) -> None:
    spec = only("judge", built_in)
    assert (spec.abbr, spec.backend, spec.sampling.max_tokens) == ("judge", "openai_chat", 8192)
    assert spec.sampling.extra == {"temperature": 0.001}
    backends.check(spec)


def test_no_preset_is_without_this_test(built_in: Places) -> None:
    files = {path.stem for path in built_in.models[-1].glob("*.py")} - {"__init__"}
    assert files == {*ABBRS, *LOCAL, *VLLM, *PICTURES, "judge"}


def test_case_does_not_matter(built_in: Places) -> None:
    assert only("VLLM_Api_General", built_in).abbr == "vllm-api-general"


def test_models_come_in_the_order_of_their_names(built_in: Places) -> None:
    found = find_models(["tgi_api_general", "vllm_api_general"], built_in)
    assert [one.name for one in found] == ["tgi_api_general", "vllm_api_general"]


def test_of_several_matches_the_first_is_used_and_the_others_are_named(built_in: Places) -> None:
    (found,) = find_models(["vllm_api_general*"], built_in)
    assert found.name == "vllm_api_general"
    (notice,) = found.notices
    assert "vllm_api_general_chat.py" in notice
    assert "vllm_api_general_stream.py" in notice


def test_a_typing_error_is_answered_with_near_names(built_in: Places) -> None:
    with pytest.raises(NoSuchName) as error:
        find_models(["vllm_api_genral_chat"], built_in)
    assert error.value.near[0] == "vllm_api_general_chat"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("hf_qwenvl_model", "Serve the model"),
        ("vllm_api_old", "Use vllm_api_general"),
        ("vllm_api_function_call_chat", "function calls"),
    ],
)
def test_presets_that_are_not_here_say_what_to_do(name: str, advice: str, built_in: Places) -> None:
    with pytest.raises(ConfigError, match=advice):
        find_models([name], built_in)


def test_the_config_folder_comes_before_the_working_folder_before_ours(tmp_path: Path) -> None:
    preset(tmp_path / "given", "vllm_api_general", "from-config-dir")
    preset(tmp_path / "steelyard", "vllm_api_general", "from-working-folder")
    assert only("vllm_api_general", places("given", tmp_path)).abbr == "from-config-dir"
    assert only("vllm_api_general", places(None, tmp_path)).abbr == "from-working-folder"


def test_a_preset_of_the_users_hides_ours_without_a_word(tmp_path: Path) -> None:
    preset(tmp_path / "steelyard", "vllm_api_general")
    (found,) = find_models(["vllm_api_general"], places(None, tmp_path))
    assert found.notices == ()


def test_presets_are_found_at_any_depth(tmp_path: Path) -> None:
    preset(tmp_path / "steelyard", "vendor/inner/my_model")
    assert only("my_model", places(None, tmp_path)).abbr == "mine"


def test_two_files_of_one_name_in_a_folder_are_ambiguous(tmp_path: Path) -> None:
    preset(tmp_path / "steelyard", "a/my_model", "first")
    preset(tmp_path / "steelyard", "b/my_model", "second")
    (found,) = find_models(["my_model"], places(None, tmp_path))
    assert found.specs[0].abbr == "first"
    assert "b/my_model.py match" in found.notices[0]


def test_a_config_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config-dir nowhere: no such folder"):
        places("nowhere", tmp_path)


def test_an_old_style_preset_of_the_users_works(tmp_path: Path) -> None:
    path = tmp_path / "steelyard" / "models" / "my_old.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "from ais_bench.benchmark.models import VLLMCustomAPI\n"
        "models = [dict(attr='service', type=VLLMCustomAPI, abbr='old', host_ip='10.0.0.7',\n"
        "               host_port=8000, max_out_len=64, verbose=True)]\n",
        encoding="utf-8",
    )
    (found,) = find_models(["my_old"], places(None, tmp_path))
    assert found.specs[0].options["base_url"] == "http://10.0.0.7:8000"
    assert "verbose is left out" in found.notices[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models = [\n    oops\n]\n", r"broken\.py, line 2: NameError: name 'oops'"),
        ("x = 1\nmodels = (\n", r"broken\.py, line 2: SyntaxError"),
        ("import no_such_module_here\n", r"broken\.py, line 1: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", r"broken\.py, line 1: SystemExit"),
        ("model = []\n", r"broken\.py: a model preset defines `models`"),
        ("models = []\n", r"broken\.py: a model preset defines `models`"),
        ("models = [1]\n", r"broken\.py: models\[0\] is of type int"),
    ],
)
def test_a_broken_preset_is_reported_with_file_line_and_error(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "steelyard" / "models" / "broken.py"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        find_models(["broken"], places(None, tmp_path))


def test_a_broken_preset_does_not_disturb_the_others(tmp_path: Path) -> None:
    path = tmp_path / "steelyard" / "models" / "broken.py"
    path.parent.mkdir(parents=True)
    path.write_text("this is not Python", encoding="utf-8")
    assert only("vllm_api_general", places(None, tmp_path)).abbr == "vllm-api-general"


def test_search_shows_the_file_behind_each_name(tmp_path: Path) -> None:
    mine = preset(tmp_path / "steelyard", "my_model")
    rows = search_rows(
        ["my_model", "tgi_api_general"], ["gsm8k_gen"], "example", places(None, tmp_path)
    )
    assert [(row.task_type, row.name, row.path.name) for row in rows] == [
        ("--models", "my_model", "my_model.py"),
        ("--models", "tgi_api_general", "tgi_api_general.py"),
        ("--datasets", "gsm8k_gen", "gsm8k.py"),
        ("--summarizer", "example", "summary.py"),
    ]
    assert rows[0].path == mine
    assert all(row.path.is_absolute() for row in rows)


def test_search_does_not_run_the_files(tmp_path: Path) -> None:
    path = tmp_path / "steelyard" / "models" / "broken.py"
    path.parent.mkdir(parents=True)
    path.write_text("raise ValueError", encoding="utf-8")
    (row,) = search_rows(["broken"], [], "", places(None, tmp_path))
    assert row.path == path


def test_an_unknown_summarizer_is_an_error(built_in: Places) -> None:
    with pytest.raises(NoSuchName, match="example"):
        search_rows([], [], "exampel", built_in)
