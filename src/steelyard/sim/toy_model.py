"""What stands in for a language model where log-probabilities of a prompt are wanted.

It prefers what it has read: a token that stood in the text before has the log-probability
-0.25 times its length in characters, a new one -0.5 times its length. That is no distribution, but
it is fixed, exact in binary and easy to compute by hand.
"""

from zlib import crc32

from steelyard.core import Json
from steelyard.sim.output import tokens

_KNOWN = -0.25
_NEW = -0.5


def entries(text: str) -> list[Json]:
    """``prompt_logprobs`` of ``text`` as vLLM writes it: null, then an entry for each token."""
    found: list[Json] = []
    seen: set[str] = set()
    for token in tokens(text):
        known = token in seen
        logprob = (_KNOWN if known else _NEW) * len(token)
        rank = 1 if known else 2
        entry = {"logprob": logprob, "rank": rank, "decoded_token": token}
        found.append({str(crc32(token.encode())): entry} if found else None)
        seen.add(token)
    return found
