"""OpenCompass: a configuration file with its OpenAI client class and its default GSM8K task."""

from __future__ import annotations

from string import Template

from account import Command
from endpoint import HOST, MODEL

from contenders.contract import MAX_TOKENS, Contender, Job, Score, printed

CONFIG_FILE = Template("""\
from mmengine.config import read_base
from opencompass.models import OpenAISDK

with read_base():
    from opencompass.configs.datasets.gsm8k.gsm8k_gen_1d7fe4 import gsm8k_datasets

datasets = gsm8k_datasets
models = [
    dict(
        type=OpenAISDK,
        abbr='$model',
        path='$model',
        tokenizer_path='$tokenizer',
        openai_api_base='http://$host:$port/v1',
        key='none',
        meta_template=dict(
            round=[
                dict(role='HUMAN', api_role='HUMAN'),
                dict(role='BOT', api_role='BOT', generate=True),
            ]
        ),
        query_per_second=$queries_per_second,
        max_workers=$concurrency,
        batch_size=$batch_size,
        max_out_len=$max_tokens,
        max_seq_len=16384,
        temperature=0.01,
    )
]
""")

# It counts prompt tokens before sending and would fetch a tokenizer; splitting at blanks is the
# cheapest one.
TOKENIZER = """\
{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
 "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
 "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}}
"""
TOKENIZER_CONFIG = '{"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}'

# One batch holds all questions, so that no request waits for the slowest of a batch. A thread of
# its rate limiter wakes every 1/rate seconds to add a permit; a rate far above need only costs.
BATCH_SIZE = 2048
QUERIES_PER_SECOND = 5000


def prepare(job: Job) -> Command:
    """The configuration, a local tokenizer, and the data where it looks for it."""
    tokenizer = job.folder / "tokenizer"
    tokenizer.mkdir()
    (tokenizer / "tokenizer.json").write_text(TOKENIZER, encoding="utf-8")
    (tokenizer / "tokenizer_config.json").write_text(TOKENIZER_CONFIG, encoding="utf-8")
    config = job.folder / "gsm8k_endpoint.py"
    text = CONFIG_FILE.substitute(
        model=MODEL,
        tokenizer=tokenizer,
        host=HOST,
        port=job.port,
        queries_per_second=QUERIES_PER_SECOND,
        concurrency=job.concurrency,
        batch_size=BATCH_SIZE,
        max_tokens=MAX_TOKENS,
    )
    config.write_text(text, encoding="utf-8")
    (job.folder / "data").mkdir()
    (job.folder / "data" / "gsm8k").symlink_to(job.data / "gsm8k")
    words = (str(config), "-w", str(job.folder / "outputs"))
    return Command(
        (str(job.programs / "opencompass"), *words), {"COMPASS_DATA_CACHE": str(job.folder)}
    )


def score(text: str) -> Score | None:
    """The last column of the score table."""
    return printed(r"^gsm8k\b.*\baccuracy\b.*\s(\d+(?:\.\d+)?)\s*$", text)


CONTENDER = Contender(
    name="opencompass",
    distribution="opencompass",
    # Its pins admit a pyarrow that refuses the NumPy they demand; releases below 22 take both.
    steps=(("torch==2.13.0",), ("opencompass==0.5.4", "pyarrow<22")),
    pinned=True,
    setup="OpenAISDK, gsm8k_gen_1d7fe4: four worked examples as chat turns, the last number counts",
    prepare=prepare,
    score=score,
)
