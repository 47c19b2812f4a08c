"""Config files of our own style, and what both styles share.

- The file is a Python program; it defines ``models`` and ``datasets``, and may define ``work_dir``.
- Whatever is wrong is said with file, place, value and expectation.
- Imports of the file reach the files beside it, and nothing else sees them.
"""

import sys
from pathlib import Path

import pytest

from steelyard.config import ConfigFile, DatasetRef, load_config, places
from steelyard.core import ConfigError, Load, ModelSpec

MODEL = 'models = [ModelSpec(abbr="m", backend="openai_chat")]\n'
HEAD = "from steelyard.config import DatasetRef\nfrom steelyard.core import Load, ModelSpec\n"
DATA = 'datasets = ["gsm8k_gen"]\n'


def load(folder: Path, text: str, name: str = "run.py") -> ConfigFile:
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return load_config(path, places(None, folder))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(folder, text)
    return str(error.value)


def test_models_and_data_sets_are_what_the_file_says(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        'models = [ModelSpec(abbr="m", backend="openai_chat", load=Load(concurrency=4))]\n'
        'datasets = ["gsm8k_gen", DatasetRef(name="mmlu_gen", num_prompts=5)]\n'
        'work_dir = "outputs/here"\n'
        'arguments = {"num_prompts": 8}\n',
    )
    assert config == ConfigFile(
        models=(ModelSpec(abbr="m", backend="openai_chat", load=Load(concurrency=4)),),
        datasets=(DatasetRef(name="gsm8k_gen"), DatasetRef(name="mmlu_gen", num_prompts=5)),
        work_dir="outputs/here",
        arguments={"num_prompts": 8},
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"path": "my.jsonl"}, DatasetRef(path="my.jsonl")),
        (
            {"path": "my.csv", "data_type": "qa", "infer_method": "gen", "meta_path": "my.json"},
            DatasetRef(path="my.csv", data_type="qa", meta_path="my.json"),
        ),
        ({"path": "my.jsonl", "abbr": "mine", "test_range": "[0:8]"},
         DatasetRef(path="my.jsonl", abbr="mine", rows="[0:8]")),
        ({"path": "my.jsonl", "template": "Q: {question}\nA: {answer}"},
         DatasetRef(path="my.jsonl", template="Q: {question}\nA: ")),
        ({"path": "my.jsonl", "data_type": "qa", "human_prompt": "{question}!"},
         DatasetRef(path="my.jsonl", data_type="qa", template="Question: {question}!\nAnswer: ")),
        ({"path": "my.jsonl", "data_type": "mcq", "bot_prompt": "So: {answer}"},
         DatasetRef(path="my.jsonl", data_type="mcq",
                    template="Question: {question}\n{choices}\nSo: ")),
        ({"path": "my.jsonl", "meta_path": "", "template": None}, DatasetRef(path="my.jsonl")),
        ({"path": "my.jsonl", "evaluator": "AccEvaluator"}, DatasetRef(path="my.jsonl")),
        ({"name": "gsm8k_gen", "rows": 100}, DatasetRef(name="gsm8k_gen", rows=100)),
    ],
)  # fmt: skip
def test_a_dict_describes_a_file_of_the_users(
    entry: dict[str, object], expected: DatasetRef, tmp_path: Path
) -> None:
    assert load(tmp_path, f"{MODEL}datasets = [{entry!r}]\n").datasets == (expected,)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"path": "a.jsonl", "data_typ": "qa"}, "there is no 'data_typ'. Did you mean 'data_type'"),
        ({"path": "a.jsonl", "data_type": "essay"}, "Invalid enum value 'essay'"),
        ({"path": "a.jsonl", "infer_method": "ppl"}, "Invalid enum value 'ppl'"),
        ({"path": "a.jsonl", "test_range": "all of it"}, "test_range is 'all of it'"),
        ({"path": "a.jsonl", "test_range": [0, 8]}, "at `$.rows`"),
        ({"path": "a.jsonl", "evaluator": "BleuEvaluator"}, "the evaluator BleuEvaluator"),
        ({"path": "a.jsonl", "human_prompt": "x"}, "Give data_type"),
        ({"path": "a.jsonl", "num_prompts": 0}, "num_prompts is 0"),
        ({"path": "a.jsonl", "abbr": "a.b"}, "expected a name without dot"),
        ({"path": "a.jsonl", "name": "gsm8k_gen"}, "either name (of a data set) or path"),
        ({"abbr": "gsm8k"}, "written out in full"),
        ({"abbr": "gsm8k", "type": "GSM8KDataset", "path": "x"}, "Near: gsm8k_gen"),
        ("", "either name (of a data set) or path"),
        (5, "is of type int; expected a dict"),
    ],
)
def test_a_data_set_entry_that_cannot_be_used_is_an_error(
    entry: object, message: str, tmp_path: Path
) -> None:
    said = refusal(tmp_path, f"{MODEL}datasets = [{entry!r}]\n")
    assert said.startswith(f"{tmp_path / 'run.py'}: datasets[0]")
    assert message in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DATA, "the file defines no `models`"),
        (MODEL.replace("models", "model") + DATA, "It defines `model`: is that the one?"),
        (MODEL, "the file defines no `datasets`"),
        ("models = []\n" + DATA, "`models` is empty; expected a list of one or more"),
        ("models = ModelSpec(abbr='m', backend='x')\n" + DATA, "`models` is of type ModelSpec"),
        ("models = [5]\n" + DATA, "models[0] is of type int; expected a ModelSpec"),
        ("models = [ModelSpec(abbr='m', backend='x', repeats='2')]\n" + DATA, "at `$.repeats`"),
        ("models = [ModelSpec(abbr='m', backend='x', repeats=0)]\n" + DATA, "repeats is 0"),
        ("models = [ModelSpec(abbr='a/b', backend='x')]\n" + DATA, "abbr is 'a/b'"),
        ("models = [ModelSpec(abbr='m', backend='x', load=Load(retries=-1))]\n" + DATA,
         "load.retries is -1"),
        ("models = [ModelSpec(abbr='m', backend='x', clean='strip')]\n" + DATA,
         "no reply cleaner is called 'strip'"),
        ("models = [ModelSpec(abbr='m', backend='x', options={'stream': 1})]\n" + DATA,
         "options.stream is 1; expected True or False"),
        (MODEL + DATA + "work_dir = 5\n", "work_dir is 5; expected text"),
        (MODEL + DATA + "arguments = 5\n", "arguments is of type int"),
        (MODEL + DATA + "model_dataset_combinations = 5\n", "combinations is of type int"),
        (MODEL + DATA + "model_dataset_combinations = [{'models': models}]\n",
         "expected the keys models and datasets"),
        (MODEL + DATA + "model_dataset_combinations = [{'models': "
         "[ModelSpec(abbr='m', backend='y')], 'datasets': datasets}]\n", "is not one of `models`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, text)
    assert said.startswith(f"{tmp_path / 'run.py'}: ")
    assert message in said


def test_a_wrong_value_is_said_with_its_model(tmp_path: Path) -> None:
    said = refusal(tmp_path, "models = [ModelSpec(abbr='m', backend='x', repeats=0)]\n" + DATA)
    assert said == (
        f"{tmp_path / 'run.py'}: models[0] ('m'): repeats is 0; expected a whole number from 1 on."
    )


def test_a_missing_file_is_answered_with_a_near_one(tmp_path: Path) -> None:
    (tmp_path / "my_run.py").touch()
    with pytest.raises(ConfigError, match=r"no such file\. Did you mean .*my_run\.py\?"):
        load_config(tmp_path / "my_runs.py", places(None, tmp_path))


def test_an_error_in_the_program_has_its_line_but_not_the_lines_text(tmp_path: Path) -> None:
    said = refusal(tmp_path, 'api_key = "sk-secret"; 1 / 0\n')
    assert said == f"{tmp_path / 'run.py'}, line 3: ZeroDivisionError: division by zero"


def test_a_data_string_is_never_evaluated(tmp_path: Path) -> None:
    marker = tmp_path / "was-run"
    attack = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    refusal(tmp_path, f"{MODEL}datasets = [{{'path': 'a.jsonl', 'test_range': {attack!r}}}]\n")
    assert not marker.exists()


def test_relative_imports_are_files_beside_the_config_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "served.py").write_text(HEAD + MODEL, encoding="utf-8")
    (tmp_path / "common.py").write_text('work_dir = "outputs/common"\n', encoding="utf-8")
    config = load(
        tmp_path,
        "from .parts.served import models\nfrom .common import *\nfrom . import common\n"
        f"{DATA}assert common.work_dir == work_dir\n",
    )
    assert config.models[0].abbr == "m"
    assert config.work_dir == "outputs/common"


def test_an_error_in_an_imported_file_names_both_lines(tmp_path: Path) -> None:
    (tmp_path / "common.py").write_text("\nnonsense\n", encoding="utf-8")
    said = refusal(tmp_path, "from .common import models\n")
    assert said.startswith(f"{tmp_path / 'run.py'}, line 3: {tmp_path / 'common.py'}, line 2: ")


def test_a_relative_import_of_nothing_is_an_error(tmp_path: Path) -> None:
    assert f"there is no file {tmp_path / 'absent.py'}" in refusal(
        tmp_path, "from .absent import x\n"
    )
    assert f"there is no file {tmp_path / 'absent.py'}" in refusal(
        tmp_path, "from . import absent\n"
    )


def test_nothing_of_a_config_file_stays_in_the_interpreter(tmp_path: Path) -> None:
    before = set(sys.modules), list(sys.meta_path), __import__
    (tmp_path / "common.py").write_text("x = 1\n", encoding="utf-8")
    load(
        tmp_path,
        "from .common import x\nfrom mmengine.config import read_base\n"
        f"import ais_bench.benchmark.models\n{MODEL}{DATA}",
    )
    assert not {name for name in sys.modules if name.split(".")[0] in ("ais_bench", "mmengine")}
    assert (set(sys.modules) - before[0]) & {"run", "common"} == set()
    assert (list(sys.meta_path), __import__) == before[1:]


def test_without_pairs_every_model_meets_every_data_set(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "models = [ModelSpec(abbr=name, backend='openai_chat') for name in 'ab']\n"
        "datasets = ['gsm8k_gen', 'mmlu_gen']\n",
    )
    assert [(model.abbr, ref.name) for model, ref in config.pairs()] == [
        ("a", "gsm8k_gen"),
        ("a", "mmlu_gen"),
        ("b", "gsm8k_gen"),
        ("b", "mmlu_gen"),
    ]


def test_with_pairs_only_these_meet_and_each_once(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "models = [ModelSpec(abbr=name, backend='openai_chat') for name in 'ab']\n"
        "datasets = ['gsm8k_gen', 'mmlu_gen']\n"
        "model_dataset_combinations = [\n"
        "    dict(models=[models[0]], datasets=datasets),\n"
        "    dict(models=models, datasets=[datasets[1]]),\n"
        "]\n",
    )
    assert [(model.abbr, ref.name) for model, ref in config.pairs()] == [
        ("a", "gsm8k_gen"),
        ("a", "mmlu_gen"),
        ("b", "mmlu_gen"),
    ]
