"""Running the installed program as a user does: a real process, real files."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "steelyard.cli.main")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's environment without what would change a run."""
    hidden = ("STEELYARD_DATA", "COMPASS_DATA_CACHE", "AIS_BENCH_DATASETS_CACHE")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "PYTHONUTF8": "1", **(more or {})}


def steelyard(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run ``steelyard …`` to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=cwd,
        env=environment(env),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout_s,
        check=False,
    )


def started(*arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    """Start ``steelyard …`` without waiting for it."""
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def only_run(work_dir: Path) -> Path:
    """The one run folder in ``work_dir``."""
    (run,) = sorted(path for path in work_dir.iterdir() if path.is_dir())
    return run


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole records of a record file; a cut last line is left out."""
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.split(b"\n") if line]


def results(run: Path, model: str, dataset: str) -> dict[str, Any]:
    """The results file of one job."""
    return json.loads((run / "results" / model / f"{dataset}.json").read_text(encoding="utf-8"))


def stats(url: str) -> dict[str, Any]:
    """What the simulated endpoint counted."""
    with urllib.request.urlopen(f"{url}/sim/stats") as answer:
        return json.load(answer)


def run_arguments(url: str, work_dir: Path, data: Path, *more: str) -> Sequence[str]:
    """The usual run: GSM8K on the simulated endpoint."""
    return (
        "run", "--models", "vllm_api_general_chat", "--datasets", "gsm8k_gen",
        "--base-url", url, "--model", "steelyard-sim",
        "--data-dir", str(data), "-w", str(work_dir), *more,
    )  # fmt: skip
