"""The contenders: Steelyard, the bare client, and the evaluation tools they are measured beside."""

from __future__ import annotations

from pathlib import Path

from contenders import (
    ais_bench,
    bare,
    evalscope,
    inspect_ai,
    lm_eval,
    opencompass,
    steelyard,
)
from contenders.contract import Contender

PEERS = {
    peer.name: peer
    for peer in (
        ais_bench.CONTENDER,
        opencompass.CONTENDER,
        evalscope.CONTENDER,
        lm_eval.CONTENDER,
        inspect_ai.CONTENDER,
    )
}


def own(checkout: Path) -> tuple[Contender, Contender]:
    """Steelyard as installed from a checkout, and the bare client in the same environment."""
    return steelyard.contender(checkout), bare.contender(checkout)
