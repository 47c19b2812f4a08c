"""Old-style entries of models in this process (HuggingFace): where each key goes.

The keys are those of AISBench's and OpenCompass's HuggingFace classes.
"""

from collections.abc import Mapping

from steelyard.config.checks import SWITCH, TABLE, TEXT, or_none, whole
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
    "model_kwargs": Rule(to="options.model_kwargs", check=or_none(TABLE)),
    "tokenizer_kwargs": Rule(to="options.tokenizer_kwargs", check=or_none(TABLE)),
    "peft_path": Rule(to="options.peft_path", check=or_none(TEXT)),
    "peft_kwargs": Rule(to="options.peft_kwargs", check=or_none(TABLE)),
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
