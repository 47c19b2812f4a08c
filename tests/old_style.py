"""Old-style config files for tests: what they usually import, and loading them."""

from pathlib import Path

import pytest

from steelyard.config import ConfigFile, load_config, places
from steelyard.core import ConfigError

CONFIGS = "ais_bench.benchmark.configs"
BASE = f"""
from mmengine.config import read_base
with read_base():
    from {CONFIGS}.summarizers.example import summarizer
    from {CONFIGS}.datasets.gsm8k.gsm8k_gen_4_shot_cot_str import gsm8k_datasets
    from {CONFIGS}.datasets.ceval.ceval_gen_5_shot_str import ceval_datasets
    from {CONFIGS}.models.vllm_api.vllm_api_general_chat import models as general
    from {CONFIGS}.models.vllm_api.vllm_api_stream_chat import models as stream
"""
PLAIN = "datasets = gsm8k_datasets\nmodels = general\n"


def load(folder: Path, text: str, base: str = BASE) -> ConfigFile:
    """The config file ``base`` and ``text`` in ``folder``."""
    path = folder / "run.py"
    path.write_text(base + text, encoding="utf-8")
    return load_config(path, places(None, folder))


def refusal(folder: Path, text: str, base: str = BASE) -> str:
    """What is said when that file is refused."""
    with pytest.raises(ConfigError) as error:
        load(folder, text, base)
    return str(error.value)
