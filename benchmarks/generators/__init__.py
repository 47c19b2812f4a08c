"""The load generators: Steelyard, the floor in C, and the tools they are measured beside."""

from __future__ import annotations

from pathlib import Path

from generators import (
    aiperf,
    ais_bench,
    evalscope,
    floor,
    genai_bench,
    guidellm,
    steelyard,
    vllm,
)
from generators.contract import Generator

PEERS = {
    peer.name: peer
    for peer in (
        vllm.RUST,
        vllm.PYTHON,
        aiperf.GENERATOR,
        evalscope.GENERATOR,
        guidellm.GENERATOR,
        ais_bench.GENERATOR,
        genai_bench.GENERATOR,
    )
}
ABSENT = {
    "inference-endpoint": "MLPerf's reference client is not on PyPI (a checkout and Python 3.12)",
    "sglang": "its bench_serving imports the package's GPU runtime (triton, torchvision's compiled "
    "operators), which comes with builds of several GB",
}
"""Tools that were looked at and left out, with the reason."""


def own(checkout: Path) -> tuple[Generator, Generator]:
    """Steelyard as installed from a checkout, and the floor."""
    return steelyard.generator(checkout), floor.GENERATOR
