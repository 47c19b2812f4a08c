"""Runs in the environment of `ais_bench`: its model, with a note of when it was computing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from ais_bench.benchmark.models import HuggingFaceBaseModel


class Timed(HuggingFaceBaseModel):
    """The model, with a line for every batch."""

    def generate(self, *given: object, **named: object) -> object:
        """One batch."""
        begun = time.monotonic()
        found = super().generate(*given, **named)
        line = json.dumps({"begin_s": begun, "end_s": time.monotonic()})
        with Path(os.environ["TIMES_FILE"]).open("a", encoding="utf-8") as times:
            times.write(line + "\n")
        return found
