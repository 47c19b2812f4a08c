"""Which candidate a model finds most likely: the rules of tasks of likelihoods.

    sum        total of the candidate's own tokens          lm-evaluation-harness: acc
    character  total / characters of the option's text      lm-evaluation-harness: acc_norm
    byte       total / UTF-8 bytes of the option's text     lm-evaluation-harness: acc_bytes
    token      total / own tokens
    whole      mean over prompt and candidate together      OpenCompass, AISBench: smallest ppl

All are in nats and the largest figure wins (AISBench's ``ppl`` is the figure of ``whole`` with the
sign turned round). Equal figures go to the first option; an option without text has no figure per
character and loses to all others.
"""

from collections.abc import Sequence
from math import inf
from string import ascii_uppercase
from typing import Literal, TypeAlias

import msgspec

from steelyard.core import DataError, Likelihood, Sample, Verdict

By: TypeAlias = Literal["sum", "character", "byte", "token", "whole"]

_WORDS: dict[By, str] = {
    "sum": "sum of log-probabilities",
    "character": "log-probability per character",
    "byte": "log-probability per byte",
    "token": "log-probability per token",
    "whole": "log-probability per token of the whole text",
}


class MostLikely(msgspec.Struct, frozen=True):
    """The option with the largest figure is the target."""

    by: By
    live: bool = True

    @property
    def id(self) -> str:
        """See ``Scorer``."""
        return f"most_likely({self.by})@1"

    def compare(self, likelihoods: Sequence[Likelihood], sample: Sample) -> Verdict:
        """The verdict on the most likely option; ``why`` shows all figures.

        ``DataError`` when there is not one usable figure for each option of ``sample``.
        """
        if len(likelihoods) != len(sample.choices):
            raise DataError(
                f"sample {sample.id!r} has {len(sample.choices)} options, but {len(likelihoods)} "
                "likelihoods are stored for it. The data changed since; ask again in a new run."
            )
        pairs = zip(likelihoods, sample.choices, strict=True)
        figures = [self._figure(one, choice, sample) for one, choice in pairs]
        best = max(figures)
        letter = ascii_uppercase[figures.index(best)]
        named = zip(ascii_uppercase, figures, strict=False)
        shown = ", ".join(f"{name} {figure:.4f}" for name, figure in named)
        why = f"{shown} ({_WORDS[self.by]})"
        if figures.count(best) > 1:
            why += f"; a tie, which goes to the first option, {letter}"
        return Verdict(float(letter == sample.target), letter, why)

    def _figure(self, one: Likelihood, choice: str, sample: Sample) -> float:
        total, per = one.total, 1
        if self.by == "whole":
            total, per = one.whole_total, one.whole_tokens
        elif one.tokens < 1:
            raise DataError(
                f"the service did not say which tokens belong to the options of sample "
                f"{sample.id!r}, so the rule {self.id} has no figures. Use --scorer whole, or a "
                "model that names its tokens (a local one, or vLLM with token texts)."
            )
        elif self.by == "character":
            per = len(choice)
        elif self.by == "byte":
            per = len(choice.encode())
        elif self.by == "token":
            per = one.tokens
        return total / per if per else -inf


def most_likely(by: By) -> MostLikely:
    """The option with the largest figure ``by`` is the target; see the head of this file."""
    return MostLikely(by)
