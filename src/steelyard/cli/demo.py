"""``steelyard demo``: the whole way once, with the simulated endpoint and bundled questions."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from steelyard.core import ServiceError

DATASET = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
ABOUT = """Runs everything once on this machine: starts the simulated endpoint (a stand-in)
on a free port, asks it the eight bundled GSM8K questions, marks the answers and
prints the table.
Options are handed on to `steelyard run` (e.g. -w DIR, --repeats 5, --json)."""


def main(arguments: Sequence[str]) -> int:
    """Run the demo; returns the exit code of ``steelyard run``."""
    if "-h" in arguments or "--help" in arguments:
        print(f"usage: steelyard demo [options of steelyard run]\n\n{ABOUT}")
        return 0
    from steelyard.cli import run

    with simulated_endpoint("--dataset", DATASET, "--accuracy", "0.625") as url:
        return run.main(
            [
                "--models", "vllm_api_general_chat",
                "--datasets", DATASET,
                "--base-url", url,
                *arguments,
            ]
        )  # fmt: skip


@contextmanager
def simulated_endpoint(*options: str) -> Iterator[str]:
    """A ``steelyard sim`` of its own process on a free port; yields its address."""
    command = [sys.executable, "-m", "steelyard.cli.main", "sim", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        banner = process.stdout.readline() if process.stdout else ""
        address = next((word for word in banner.split() if word.startswith("http://")), None)
        if address is None:
            raise ServiceError(f"the simulated endpoint did not start: {banner.strip()!r}")
        print(banner.strip(), file=sys.stderr, flush=True)
        yield address.rstrip("/.,")
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stdout:
            process.stdout.close()
