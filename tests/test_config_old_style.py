"""Config files written for AISBench or OpenCompass, neither of which is installed.

- Their imports work: ``read_base``, classes, presets of models, data sets and summarizers.
- A preset may be renamed, restricted, copied and changed as its users are used to.
- What we do not follow is refused when it would change a score, and said when it would not.
"""

import os
from pathlib import Path

import pytest

from old_style import CONFIGS, PLAIN, load, refusal
from steelyard.config import DatasetRef
from steelyard.core import Load, ModelSpec, Sampling


def test_several_models_and_data_sets_with_changed_addresses(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "datasets = gsm8k_datasets + ceval_datasets\n"
        "models = general + stream\n"
        'models[0]["host_ip"] = "10.0.0.1"\n'
        'models[1]["host_port"] = 8081\n'
        'models[1]["batch_size"] = 1\n'
        'models[1]["api_key"] = ""\n'
        'work_dir = "outputs/default/"\n',
    )
    assert [
        (spec.abbr, spec.options["base_url"], spec.load.concurrency) for spec in config.models
    ] == [
        ("vllm-api-general-chat", "http://10.0.0.1:8080", 32),
        ("vllm-api-stream-chat", "http://localhost:8081", 1),
    ]
    assert [ref.name for ref in config.datasets] == [
        "gsm8k_gen_4_shot_cot_str",
        "ceval_gen_5_shot_str",
    ]
    assert config.work_dir == "outputs/default/"
    assert config.notices == ()


def test_repeats_are_asked_for_among_the_generation_values(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        PLAIN + "models[0]['generation_kwargs'] = dict(\n"
        "    temperature=0.01, ignore_eos=False, num_return_sequences=5,\n)\n",
    )
    assert config.models[0].repeats == 5
    assert config.models[0].sampling.extra == {"temperature": 0.01}


def test_a_whole_old_config_with_its_classes(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        f"""
from mmengine.config import read_base
from ais_bench.benchmark.models import VLLMCustomAPIChat
from ais_bench.benchmark.partitioners import NaivePartitioner
from ais_bench.benchmark.runners.local import LocalRunner
from ais_bench.benchmark.tasks import OpenICLInferTask
from ais_bench.benchmark.utils.model_postprocessors import extract_non_reasoning_content

with read_base():
    from {CONFIGS}.datasets.demo.demo_gsm8k_gen_4_shot_cot_chat_prompt import gsm8k_datasets as demo

models = [
    dict(
        attr="service",
        type=VLLMCustomAPIChat,
        abbr=f"port-{{port}}",
        path="",
        model="",
        stream=True,
        request_rate=0,
        retry=2,
        host_ip="localhost",
        host_port=port,
        max_out_len=1024,
        batch_size=16,
        trust_remote_code=False,
        generation_kwargs=dict(temperature=0.5, top_k=10, top_p=0.95, seed=None),
        pred_postprocessor=dict(type=extract_non_reasoning_content),
    )
    for port in (8080, 8081)
]
datasets = [*demo]
infer = dict(
    partitioner=dict(type=NaivePartitioner),
    runner=dict(type=LocalRunner, max_num_workers=2, task=dict(type=OpenICLInferTask)),
)
""",
        base="",
    )
    assert config.models[1] == ModelSpec(
        abbr="port-8081",
        backend="openai_chat",
        options={"base_url": "http://localhost:8081", "model": "", "stream": True},
        sampling=Sampling(
            max_tokens=1024,
            extra={"temperature": 0.5, "top_k": 10, "top_p": 0.95, "seed": None},
        ),
        clean="strip_reasoning",
        load=Load(concurrency=16, retries=1),
    )
    assert config.datasets == (DatasetRef(name="demo_gsm8k_gen_4_shot_cot_chat_prompt"),)
    assert config.max_num_workers == 2
    assert config.notices == ()


def test_an_opencompass_config_of_the_lmdeploy_kind(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
from mmengine.config import read_base
from opencompass.models import OpenAISDK
from opencompass.partitioners import NumWorkerPartitioner
from opencompass.runners import LocalRunner
from opencompass.tasks import OpenICLInferTask
from opencompass.utils.text_postprocessors import extract_non_reasoning_content

with read_base():
    from opencompass.configs.datasets.gsm8k.gsm8k_gen import gsm8k_datasets
    from opencompass.configs.datasets.mmlu.mmlu_gen import mmlu_datasets
    from opencompass.configs.summarizers.groups.mmlu import mmlu_summary_groups

datasets = sum((v for k, v in locals().items() if k.endswith('_datasets')), [])
for item in datasets:
    if 'judge_cfg' in item['eval_cfg']['evaluator']:
        raise ValueError('no judge is asked for')

models = [
    dict(
        abbr='my-task', key='dummy', openai_api_base='http://10.0.0.9:23333/v1', type=OpenAISDK,
        path='served', temperature=0.6,
        meta_template=dict(round=[dict(role='HUMAN', api_role='HUMAN'),
                                  dict(role='BOT', api_role='BOT', generate=True)]),
        query_per_second=10, max_out_len=32768, max_seq_len=32768, batch_size=8, retry=10,
        pred_postprocessor=dict(type=extract_non_reasoning_content), verbose=False,
    )
]
summarizer = dict(
    dataset_abbrs=[['gsm8k', 'accuracy']],
    summary_groups=sum([v for k, v in locals().items() if k.endswith('_summary_groups')], []),
)
infer = dict(partitioner=dict(type=NumWorkerPartitioner, num_worker=8),
             runner=dict(type=LocalRunner, max_num_workers=16, retry=0,
                         task=dict(type=OpenICLInferTask)))
""",
        base="",
    )
    (spec,) = config.models
    assert (spec.abbr, spec.options["base_url"], spec.options["model"]) == (
        "my-task",
        "http://10.0.0.9:23333",
        "served",
    )
    assert os.environ.pop(spec.options["api_key_env"]) == "dummy"
    assert [ref.name for ref in config.datasets] == ["gsm8k_gen", "mmlu_gen"]
    assert config.max_num_workers == 16
    assert len(config.notices) == 2
    assert "max_seq_len is left out" in config.notices[0]
    assert "summarizer.dataset_abbrs is left out" in config.notices[1]


def test_a_preset_is_renamed_and_restricted(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        PLAIN + "datasets[0]['abbr'] = 'demo_' + datasets[0]['abbr']\n"
        "datasets[0]['reader_cfg']['test_range'] = '[0:8]'\n"
        "models[0]['abbr'] = 'demo-' + models[0]['abbr']\n",
    )
    assert config.datasets == (
        DatasetRef(name="gsm8k_gen_4_shot_cot_str", abbr="demo_gsm8k", rows="[0:8]"),
    )
    assert config.models[0].abbr == "demo-vllm-api-general-chat"


@pytest.mark.parametrize(
    "copied",
    [
        "dict(gsm8k_datasets[0])",
        "gsm8k_datasets[0].copy()",
        "copy.deepcopy(gsm8k_datasets)[0]",
        "{**gsm8k_datasets[0]}",
        "dict(gsm8k_datasets[0], abbr=gsm8k_datasets[0]['abbr'])",
    ],
)
def test_a_copy_of_a_preset_is_still_that_preset(copied: str, tmp_path: Path) -> None:
    config = load(
        tmp_path,
        f"import copy\nmodels = general\none = {copied}\none['reader_cfg'] = dict(test_range=5)\n"
        "datasets = [one]\n",
    )
    assert config.datasets == (DatasetRef(name="gsm8k_gen_4_shot_cot_str", rows=5),)


def test_who_renames_a_shared_dict_renames_it_everywhere(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "datasets = gsm8k_datasets\n"
        "hot, cold = general.copy(), general.copy()\n"
        "hot[0]['abbr'] += '-hot'\ncold[0]['abbr'] += '-cold'\nmodels = hot + cold\n",
    )
    assert [spec.abbr for spec in config.models] == ["vllm-api-general-chat-hot-cold"]
    assert "use copy.deepcopy" in config.notices[0]


def test_all_parts_of_a_preset_changed_alike_are_one_reference(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "models = general\ndatasets = ceval_datasets\n"
        "for one in datasets:\n    one['reader_cfg']['test_range'] = '[0:2]'\n"
        "    one['path'] = 'data/ceval'\n",
    )
    assert config.datasets == (
        DatasetRef(name="ceval_gen_5_shot_str", rows="[0:2]", data_dir="data/ceval"),
    )
    assert config.datasets[0].data_roots()[0] == Path("data")


def test_single_parts_of_a_preset_can_be_chosen(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "models = general\ndatasets = [one for one in ceval_datasets if 'law' in one['abbr']]\n",
    )
    assert {ref.name for ref in config.datasets} == {"ceval_gen_5_shot_str"}
    assert all("law" in ref.member for ref in config.datasets)
    assert config.datasets


def test_pairs_of_changed_presets(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "models = general + stream\ndatasets = gsm8k_datasets + ceval_datasets\n"
        "model_dataset_combinations = [\n"
        "    dict(models=[models[0]], datasets=gsm8k_datasets),\n"
        "    dict(models=[models[1]], datasets=ceval_datasets),\n]\n",
    )
    assert [(model.abbr, ref.name) for model, ref in config.pairs()] == [
        ("vllm-api-general-chat", "gsm8k_gen_4_shot_cot_str"),
        ("vllm-api-stream-chat", "ceval_gen_5_shot_str"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("d['infer_cfg']['prompt_template'] = dict(template='x')", "prompt of a preset cannot"),
        (
            "d['infer_cfg'] = dict(retriever=dict(type='FixKRetriever'))",
            "prompt of a preset cannot",
        ),
        ("d['infer_cfg']['inferencer']['max_out_len'] = 9", "output limits belong to the model"),
        (
            "d['eval_cfg']['pred_postprocessor'] = dict(type=lambda x: x)",
            "--scorer FILE.py:function",
        ),
        ("d['k'] = 4", "there is no 'k'"),
        ("d['readr_cfg'] = {}", "Did you mean 'reader_cfg'"),
        ("d['reader_cfg']['test_range'] = 'everything'", "test_range is 'everything'"),
        ("d['abbr'] = 'gsm8k.v2'", "expected a name without dot"),
        ("d['path'] = 5", "path is 5; expected text"),
        ("d['eval_cfg'] = 5", "eval_cfg is of type int"),
    ],
)
def test_a_change_that_would_change_scores_is_refused(
    change: str, message: str, tmp_path: Path
) -> None:
    said = refusal(tmp_path, f"{PLAIN}d = datasets[0]\n{change}\n")
    assert said.startswith(f"{tmp_path / 'run.py'}: datasets[0]")
    assert message in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("d['eval_cfg']['pred_postprocessor'] = dict(type=theirs)", "eval_cfg.pred_postprocessor"),
        ("d['reader_cfg']['train_range'] = '[0:5]'", "reader_cfg.train_range"),
        ("d['infer_cfg']['inferencer']['batch_size'] = 4", "infer_cfg.inferencer"),
        ("response_anomaly = dict(enabled=True)", "response_anomaly"),
        ("cli_args = dict(mode='all')", "cli_args"),
        ("summarizer['summary_groups'] = [1]", "summarizer.summary_groups"),
        ("summarizer['attr'] = 'performance'", "performance summary"),
    ],
)
def test_what_has_no_effect_is_said(change: str, message: str, tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "from ais_bench.benchmark.datasets import gsm8k_postprocess as theirs\n"
        f"{PLAIN}d = datasets[0]\n{change}\n",
    )
    (notice,) = config.notices
    assert message in notice


def test_a_performance_summarizer_is_recognised(tmp_path: Path) -> None:
    config = load(
        tmp_path, f"{PLAIN}from {CONFIGS}.summarizers.perf.default_perf import summarizer\n"
    )
    assert "performance summary" in config.notices[0]


def test_a_stage_that_is_to_be_skipped_is_a_mode(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"{PLAIN}infer = dict(runner=dict(task=dict(type='EmptyTask')))\n")
    assert "--mode" in said


JUDGED = f"""
from mmengine.config import read_base
with read_base():
    from {CONFIGS}.datasets.aime2025.aime2025_gen_0_shot_llmjudge import aime2025_datasets
    from {CONFIGS}.datasets.gsm8k.gsm8k_gen_4_shot_cot_str import gsm8k_datasets
    from {CONFIGS}.models.vllm_api.vllm_api_general_chat import models
from opencompass.models import OpenAISDK
judge = None
judging = dict(abbr='CompassVerifier', type=OpenAISDK, path='cv', key='dummy',
               openai_api_base='http://10.0.0.9:20000/v1', query_per_second=8, batch_size=8,
               temperature=0.001, max_out_len=8192, max_seq_len=32768, mode='mid', retry=10)
datasets = aime2025_datasets + gsm8k_datasets
"""


@pytest.mark.parametrize(
    "put_in",
    [
        "datasets[0]['judge_infer_cfg']['judge_model'] = judging",
        """for item in datasets:
    if 'judge_cfg' in item['eval_cfg']['evaluator']:
        item['eval_cfg']['evaluator']['judge_cfg'] = judging""",
    ],
)
def test_a_judge_is_named_as_aisbench_and_as_opencompass_name_it(
    put_in: str, tmp_path: Path
) -> None:
    config = load(tmp_path, f"{put_in}\ndel judge\n", base=JUDGED)
    judge = config.judge
    assert judge is not None
    assert (judge.abbr, judge.options["base_url"]) == ("CompassVerifier", "http://10.0.0.9:20000")
    assert (judge.options["model"], judge.load.concurrency) == ("cv", 8)
    assert os.environ.pop(judge.options["api_key_env"]) == "dummy"
    assert [ref.name for ref in config.datasets] == [
        "aime2025_gen_0_shot_llmjudge",
        "gsm8k_gen_4_shot_cot_str",
    ]


def test_a_run_has_one_judge(tmp_path: Path) -> None:
    text = (
        "from copy import deepcopy\nother = deepcopy(datasets[0])\nother['abbr'] = 'again'\n"
        "datasets[0]['judge_infer_cfg']['judge_model'] = judging\n"
        "other['judge_infer_cfg']['judge_model'] = dict(judging, abbr='B')\n"
        "datasets.append(other)\n"
    )
    assert "different judges" in refusal(tmp_path, text, base=JUDGED)
