"""Seeded draws that depend on their arguments and on nothing else.

A simulated reply must not change when requests arrive in another order, so no draw comes from
a running generator: each is a function of the seed, the question and how often it was asked.
"""

from hashlib import blake2b
from random import Random

_MASK = (1 << 64) - 1


def mixed(*numbers: int) -> int:
    """64 well-mixed bits of ``numbers``; the order matters (the finaliser of splitmix64)."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def uniform(*numbers: int) -> float:
    """A number in [0, 1) that is fixed by ``numbers``."""
    return (mixed(*numbers) >> 11) * 2.0**-53


def generator(*numbers: int) -> Random:
    """A random generator whose whole sequence is fixed by ``numbers``."""
    return Random(mixed(*numbers))


def text_key(text: str) -> int:
    """64 bits that stand for ``text``, the same in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
