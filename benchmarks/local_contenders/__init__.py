"""Ways to compute a local model: Steelyard, two evaluation tools, and Transformers by itself."""

from __future__ import annotations

from pathlib import Path

from local_contenders import ais_bench, lm_eval, steelyard, transformers
from local_contenders.contract import Contender

PEERS = {peer.name: peer for peer in (lm_eval.CONTENDER, ais_bench.CONTENDER)}
"""From PyPI."""
LOOPS = tuple(transformers.WAYS)


def own(checkout: Path) -> Contender:
    """Steelyard as it is in a checkout."""
    return steelyard.contender(checkout)


def loop(checkout: Path, way: str) -> Contender:
    """What Transformers brings itself, in Steelyard's environment."""
    return transformers.contender(checkout, way)
