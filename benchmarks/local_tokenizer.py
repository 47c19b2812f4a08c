"""A small tokenizer in a folder, for tools that insist on one from a hub.

    python local_tokenizer.py FOLDER

A byte-level BPE of 4,096 tokens, trained on the text of Python's own manual (`pydoc_data`), in the
form that `AutoTokenizer.from_pretrained(FOLDER)` reads without a network. Run it with a Python
that has the `tokenizers` library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from pydoc_data import topics

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 4096
END = "<|end|>"
CHAT = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    + END
    + "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def main(arguments: list[str]) -> None:
    """Writes the folder named on the command line."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(topics.topics.values(), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": END,
        "bos_token": END,
        "model_max_length": 131072,
        "chat_template": CHAT,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
