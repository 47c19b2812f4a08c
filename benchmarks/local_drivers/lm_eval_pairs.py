"""Runs in the environment of `lm_eval`: how likely its `hf` model finds texts after contexts.

    python lm_eval_pairs.py --model tools/tiny_model/model --file tests/lm_eval_likelihoods.json

The file names the contexts, the continuations and the most tokens of both; what is found out is
written into it. `tests/test_lm_eval_equality.py` holds Steelyard against it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True)
    options = parser.parse_args()
    known = json.loads(options.file.read_text(encoding="utf-8"))
    model = HFLM(
        pretrained=str(options.model),
        dtype="float32",
        device="cpu",
        batch_size=4,
        max_length=known["max_length"],
    )
    asked = [
        Instance("loglikelihood", {}, (pair["context"], pair["continuation"]), number)
        for number, pair in enumerate(known["pairs"])
    ]
    for pair, (total, greedy) in zip(known["pairs"], model.loglikelihood(asked), strict=True):
        pair["total"], pair["greedy"] = total, greedy
    weights = (options.model / "model.safetensors").read_bytes()
    known["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    known["lm_eval"] = version("lm_eval")
    text = json.dumps(known, indent=1, ensure_ascii=False)
    options.file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
