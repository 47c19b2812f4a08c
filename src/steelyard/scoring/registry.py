"""What makes a function a scorer: a name, a version and a promise about speed.

A scorer takes the cleaned text of an answer and its sample and returns a ``Verdict``. It is pure:
no files, no clock, no chance. Result files name it ``name@version``; raise the version whenever a
mark may change.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

import msgspec

from steelyard.core import ConfigError, Marking, Sample, Verdict

Mark: TypeAlias = Callable[[str, Sample], Verdict]
"""The bare function under a scorer."""


class Rule(msgspec.Struct, frozen=True, eq=False):
    """A scorer: the bare function and what result files and planning need to know of it.

    Two rules are equal when their ids are. A rule can be pickled when its function stands at the
    top of an importable module, or is a ``functools.partial`` of one that does.
    """

    function: Mark
    id: str
    live: bool = True
    needs: Callable[[], None] | None = None
    """Raises ``MissingExtra`` when the rule cannot run on this machine."""
    sandboxed: bool = False
    """It runs what the model wrote, in ``sandbox``; several calls at the same time are good."""

    def __call__(self, text: str, sample: Sample) -> Verdict:
        """Mark one answer."""
        verdict = self.function(text, sample)
        if not isinstance(verdict, Verdict) or not 0.0 <= verdict.value <= 1.0:
            raise ConfigError(
                f"scorer {self.id} returned {verdict!r} for sample {sample.id!r}. "
                "Expected a Verdict whose value lies between 0 and 1."
            )
        return verdict

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        home = (self.function.__module__, getattr(self.function, "__name__", ""))
        if isinstance(_named(*home), Rule):  # decorated: under the function's name stands the rule
            return _named, home
        return Rule, (self.function, self.id, self.live, self.needs, self.sandboxed)


def scorer(
    *,
    version: int,
    live: bool = True,
    name: str | None = None,
    needs: Callable[[], None] | None = None,
    sandboxed: bool = False,
) -> Callable[[Mark], Rule]:
    """Turn a function into a scorer called ``name`` (the function's own name when not given).

    ``live=False`` says that one call may take longer than about a millisecond; such a scorer is
    not run while requests are in flight. ``needs`` raises ``MissingExtra`` where the scorer cannot
    work, so that planning can refuse it. ``sandboxed`` says that it runs code in ``sandbox``.
    """

    def decorate(function: Mark) -> Rule:
        return Rule(function, f"{name or function.__name__}@{version}", live, needs, sandboxed)

    return decorate


def check(rule: Marking) -> None:
    """Raise ``ConfigError`` when ``rule`` needs a package or a sandbox that is not here."""
    if isinstance(rule, Rule) and rule.needs is not None:
        rule.needs()
    if is_sandboxed(rule):
        from steelyard import sandbox

        sandbox.require()


def is_sandboxed(rule: Marking) -> bool:
    """Whether ``rule`` runs what the model wrote."""
    return isinstance(rule, Rule) and rule.sandboxed


def _named(module: str, name: str) -> object:
    return getattr(import_module(module), name, None)
