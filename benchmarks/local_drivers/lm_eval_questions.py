"""Runs in the environment of `lm_eval`: one task, and how long its model took to answer."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager


class Timed(HFLM):
    """The model, with the time of its answers."""

    busy_s = 0.0

    def generate_until(self, *given: object, **named: object) -> list[str]:
        """All answers at once."""
        begun = time.monotonic()
        found: list[str] = super().generate_until(*given, **named)
        self.busy_s += time.monotonic() - begun
        return found


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--model", "--tasks", "--device", "--out"):
        parser.add_argument(name, required=True)
    for name in ("--batch-size", "--longest"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    model = Timed(
        pretrained=options.model,
        dtype="float32",
        device=options.device,
        batch_size=options.batch_size,
        max_length=options.longest,
    )
    results = simple_evaluate(
        model=model,
        tasks=["questions"],
        task_manager=TaskManager(include_path=options.tasks),
        log_samples=True,
        bootstrap_iters=0,
    )
    samples = results["samples"]["questions"]
    answers = {sample["doc_id"]: sample["resps"][0][0] for sample in samples}
    told = {"busy_s": model.busy_s, "answers": answers}
    Path(options.out).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
