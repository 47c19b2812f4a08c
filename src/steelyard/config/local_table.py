"""Old-style entries of models in this process: where each key goes.

The keys are those of AISBench's and OpenCompass's HuggingFace and vLLM classes.
"""

from collections.abc import Mapping

from steelyard.config.checks import SWITCH, TABLE, TABLE_OR_NONE, TEXT, or_none, whole
from steelyard.config.table import KEYS, Rule, refused
from steelyard.core import Json

_SAME = ("attr", "type", "abbr", "summarizer_abbr", "generation_kwargs", "pred_postprocessor",
         "max_out_len", "verbose", "meta_template")  # fmt: skip


def _switch(value: Json) -> bool:
    return bool(value)


LOCAL_KEYS: Mapping[str, Rule] = {
    **{name: KEYS[name] for name in _SAME},
    "path": Rule(to="options.path", check=TEXT),
    "tokenizer_path": Rule(to="options.tokenizer_path", check=or_none(TEXT)),
    "model_kwargs": Rule(to="options.model_kwargs", check=TABLE_OR_NONE),
    "tokenizer_kwargs": Rule(to="options.tokenizer_kwargs", check=TABLE_OR_NONE),
    "peft_path": Rule(to="options.peft_path", check=or_none(TEXT)),
    "peft_kwargs": Rule(to="options.peft_kwargs", check=TABLE_OR_NONE),
    "max_seq_len": Rule(to="options.max_seq_len", check=or_none(whole(2, 131_072))),
    "batch_size": Rule(to="options.batch_size", check=whole(1, 100_000)),
    "batch_padding": Rule(to="options.batch_padding", check=SWITCH, convert=_switch),
    "mode": Rule(to="options.mode", check=TEXT),
    "drop_middle": Rule(to="options.drop_middle", check=SWITCH),
    "pad_token_id": Rule(to="options.pad_token_id", check=or_none(whole(0))),
    "stop_words": Rule(to="options.stop_words"),
    "run_cfg": Rule(to="options.run_cfg", check=TABLE),
    "trust_remote_code": Rule(to="options.trust_remote_code", check=SWITCH),
    "extract_pred_after_decode": Rule(why="answers are always read after decoding"),
    "fastchat_template": refused("the tokenizer's own chat template is used"),
    "tokenizer_only": refused("answers need the weights"),
}

VLLM_KEYS: Mapping[str, Rule] = {
    **{
        name: LOCAL_KEYS[name]
        for name in (
            *_SAME,
            *("path", "tokenizer_path", "model_kwargs", "max_seq_len", "batch_size", "mode"),
            *("stop_words", "run_cfg", "trust_remote_code"),
            *("fastchat_template", "tokenizer_only", "extract_pred_after_decode"),
        )
    },
    "sample_kwargs": Rule(to="options.sample_kwargs", check=TABLE_OR_NONE),
    "end_str": Rule(to="options.stop_words", check=or_none(TEXT), convert=lambda text: [text]),
    "use_fastchat_template": refused("the tokenizer's own chat template is used"),
    "lora_path": refused("adapters are not supported with vLLM; put it into the weights first"),
}
