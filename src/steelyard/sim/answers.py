"""What the simulated endpoint knows: questions with a right and a wrong answer to each.

The caller hands this in; the room knows no data sets. Which questions are answered rightly is
decided beforehand, so the true accuracy of a run against the endpoint is known exactly.
"""

import msgspec

from steelyard.core import ConfigError
from steelyard.sim import chance


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One known question."""

    question: str
    """As it stands inside prompts, word for word."""
    right: str
    wrong: str
    is_right: bool = True
    """Which of the two is given."""
    id: str = ""
    """How statistics name the question; unique. Empty: its number."""
    context: tuple[str, ...] = ()
    """Texts that follow the question (options). They tell questions of one wording apart."""


class Answers(msgspec.Struct, frozen=True):
    """Everything the endpoint knows."""

    entries: tuple[Answer, ...] = ()


def choose_right(n: int, share: float, seed: int) -> tuple[bool, ...]:
    """Which of ``n`` questions are answered rightly: exactly ``round(share * n)`` of them.

    A higher share keeps every question that a lower one has right. ``ConfigError`` when ``share``
    is not within 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"the share of right answers is {share}; it must lie between 0 and 1.")
    drawn = sorted(range(n), key=lambda number: chance.mixed(seed, number))
    right = set(drawn[: round(share * n)])
    return tuple(number in right for number in range(n))
