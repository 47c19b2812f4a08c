"""Marking one reply by a rule that may be a user's own program."""

from collections.abc import Callable

from steelyard.core import ConfigError, Marking, Reply, Sample, Score, SteelyardError
from steelyard.scoring import mark


def marked(reply: Reply, sample: Sample, scorer: Marking, clean: Callable[[str], str]) -> Score:
    """The score of one reply; ``ConfigError`` for whatever the rule, maybe a user's, raises."""
    try:
        return mark(reply, sample, scorer, clean)
    except SteelyardError:
        raise
    except Exception as error:
        raise ConfigError(
            f"the marking rule {scorer.id} fails on the answer to sample {sample.id!r} "
            f"({type(error).__name__}: {error}). Mend it and mark again with --mode eval --reuse."
        ) from error
