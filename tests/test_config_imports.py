"""What the imports of an old-style config file bring.

- A preset comes the same way whatever the form of the import, and is found as by ``--models``.
- Classes are names; what is built from them is read for what it says.
- Every load starts from the unchanged preset.
"""

from pathlib import Path

import pytest

from old_style import CONFIGS, PLAIN, load, refusal
from steelyard.config import DatasetRef


def test_a_data_file_of_ones_own_in_the_full_form(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
from ais_bench.benchmark.datasets import CustomDataset
from ais_bench.benchmark.openicl.icl_evaluator import AccEvaluator
from ais_bench.benchmark.openicl.icl_inferencer import GenInferencer
from ais_bench.benchmark.openicl.icl_prompt_template import PromptTemplate
from ais_bench.benchmark.openicl.icl_retriever import ZeroRetriever

models = general
datasets = [
    dict(
        abbr='mine', type=CustomDataset, path='mine.jsonl', meta_path='',
        reader_cfg=dict(input_columns=['question'], output_column='answer'),
        infer_cfg=dict(
            prompt_template=dict(type=PromptTemplate, template=TEMPLATE),
            retriever=dict(type=ZeroRetriever), inferencer=dict(type=GenInferencer),
        ),
        eval_cfg=dict(evaluator=dict(type=AccEvaluator), pred_role='BOT'),
    )
    for TEMPLATE in ('{question}', dict(round=[dict(role='HUMAN', prompt='Q: {question}'),
                                               dict(role='BOT', prompt='{answer}')]))
]
""",
    )
    assert [ref.template for ref in config.datasets] == ["{question}", "Q: {question}"]
    assert {(ref.path, ref.abbr) for ref in config.datasets} == {("mine.jsonl", "mine")}


def test_an_unknown_preset_is_reported_with_the_line_that_imports_it(tmp_path: Path) -> None:
    text = f"from {CONFIGS}.datasets.gsm8k.gsm8k_gen_4_shot_str import gsm8k_datasets\n"
    said = refusal(tmp_path, text, base="")
    assert said.startswith(f"{tmp_path / 'run.py'}, line 1: ")
    assert "Did you mean gsm8k_gen_4_shot_cot_str" in said


@pytest.mark.parametrize(
    "imported",
    [
        f"import {CONFIGS}.models.vllm_api.vllm_api_general as preset\nmodels = preset.models",
        f"from {CONFIGS}.models.vllm_api import vllm_api_general\nmodels = vllm_api_general.models",
        f"from {CONFIGS}.models.vllm_api.vllm_api_general import *",
        "from opencompass.configs.models.vllm_api.vllm_api_general import models",
    ],
)
def test_every_form_of_import_brings_the_preset(imported: str, tmp_path: Path) -> None:
    config = load(
        tmp_path,
        f"{imported}\nfrom {CONFIGS}.datasets.gsm8k.gsm8k_gen import *\n"
        "datasets = gsm8k_datasets\n",
        base="",
    )
    assert config.models[0].abbr == "vllm-api-general"
    assert config.datasets == (DatasetRef(name="gsm8k_gen"),)


def test_a_preset_of_the_users_is_imported_in_place_of_ours(tmp_path: Path) -> None:
    folder = tmp_path / "steelyard" / "models"
    folder.mkdir(parents=True)
    (folder / "vllm_api_general_chat.py").write_text(
        f"from {CONFIGS}.models.vllm_api.vllm_api_general_chat import models\n"
        "models[0]['host_port'] = 9999\n",
        encoding="utf-8",
    )
    config = load(tmp_path, PLAIN)
    assert config.models[0].options["base_url"] == "http://localhost:9999"


def test_each_load_starts_from_the_unchanged_preset(tmp_path: Path) -> None:
    load(tmp_path, PLAIN + "models[0]['generation_kwargs']['top_p'] = 0.5\n")
    assert load(tmp_path, PLAIN).models[0].sampling.extra == {"temperature": 0.01}


def test_a_preset_imported_twice_is_the_same_list(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        f"from {CONFIGS}.models.vllm_api.vllm_api_general_chat import models\n"
        f"from {CONFIGS}.datasets.gsm8k.gsm8k_gen_4_shot_cot_str import any_datasets as datasets\n"
        "general[0]['max_out_len'] = 7\ngsm8k_datasets[0]['abbr'] = 'renamed'\n",
    )
    assert config.models[0].sampling.max_tokens == 7
    assert config.datasets[0].abbr == "renamed"
