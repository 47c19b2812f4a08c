"""What is measured, installed: one environment for each distinct list of install steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import venvs


class Installable(Protocol):
    """What there is to know for installing something."""

    @property
    def name(self) -> str:
        """Names its environment's folder."""

    @property
    def distribution(self) -> str:
        """What its version is asked of; empty: it has none."""

    @property
    def steps(self) -> venvs.Steps:
        """What is installed, one pip command a step; none: no environment is needed."""

    @property
    def pinned(self) -> bool:
        """Whether the steps name exact versions, so that what is installed can be kept."""


ThingT = TypeVar("ThingT", bound=Installable)


@dataclass(frozen=True)
class Entry(Generic[ThingT]):
    """A contender ready to run, or the reason why it is not."""

    contender: ThingT
    programs: Path
    reason: str = ""

    @property
    def version(self) -> str:
        """The installed version of what is measured."""
        if self.reason or not self.contender.distribution:
            return ""
        return venvs.version(self.programs, self.contender.distribution)


def installed(chosen: Sequence[ThingT], folder: Path) -> Iterator[Entry[ThingT]]:
    """Each contender in its environment; those with the same steps share one."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[venvs.Steps, tuple[Path, str]] = {}
    for contender in chosen:
        if contender.steps and contender.steps not in made:
            made[contender.steps] = _made(contender, folder / contender.name)
        yield Entry(contender, *made.get(contender.steps, (folder, "")))


def _made(contender: Installable, folder: Path) -> tuple[Path, str]:
    """The folder of its programs, and why they are not there."""
    try:
        return venvs.environment(folder, contender.steps, keep=contender.pinned), ""
    except venvs.InstallFailed as failure:
        return folder / "bin", f"not installed: {failure}"
