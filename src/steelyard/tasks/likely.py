"""Candidates of tasks of likelihoods: what is scored after the prompt, an option each."""

from collections.abc import Mapping
from string import ascii_uppercase
from typing import get_args

from steelyard.core import Candidate, Marking, Sample
from steelyard.scoring import most_likely
from steelyard.scoring.likelihoods import By

RULES: Mapping[str, Marking] = {by: most_likely(by) for by in get_args(By)}
"""Every rule under its name: what stands beside the own rule of a task."""


def letters(sample: Sample) -> tuple[Candidate, ...]:
    """The letter of each option: `` A``, `` B``..."""
    return tuple(
        Candidate(text=f" {letter}")
        for letter, _ in zip(ascii_uppercase, sample.choices, strict=False)
    )


def option_texts(sample: Sample) -> tuple[Candidate, ...]:
    """The text of each option, behind a blank."""
    return tuple(Candidate(text=f" {option}") for option in sample.choices)
