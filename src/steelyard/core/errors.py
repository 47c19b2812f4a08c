"""Errors a person can act on.

    SteelyardError
    ├── ConfigError       the command or a config file is wrong; nothing was sent   exit 2
    │   ├── NoSuchName
    │   ├── PlanMismatch
    │   └── MissingExtra
    ├── DataError         a file on disk is not what it should be                   exit 2
    │   ├── MissingData
    │   └── TornRecord
    ├── DiskError         writing failed; what was finished is kept                 exit 1
    ├── ServiceError      the service cannot be asked at all                        exit 1
    ├── SandboxFailed     the sandbox for model-written code did not start          exit 1
    └── RunStopped        a job was stopped because every request failed alike      exit 1

Every message says what was found, where, and what to do next. ``args`` mirrors the
constructor, so errors survive pickling between processes. A model that answers badly or
not at all is not an error here: that is ``Reply.failure``.
"""

from pathlib import Path


class SteelyardError(Exception):
    """Base of every error that a person can act on."""


class ConfigError(SteelyardError):
    """The command line or a config file is wrong; nothing was sent."""


class NoSuchName(ConfigError):
    """A name that is in no catalogue."""

    def __init__(self, kind: str, name: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(kind, name, near)
        self.kind = kind
        self.name = name
        self.near = near

    def __str__(self) -> str:
        hint = f" Did you mean {' or '.join(self.near)}?" if self.near else ""
        return f"no {self.kind} is called {self.name!r}.{hint}"


class PlanMismatch(ConfigError):
    """``--reuse`` points at a run whose answers came from something else."""

    def __init__(self, folder: Path, job: str, changed: tuple[str, ...]) -> None:
        super().__init__(folder, job, changed)
        self.folder = folder
        self.job = job
        self.changed = changed

    def __str__(self) -> str:
        return (
            f"{self.folder}: the stored answers of {self.job} were made with another "
            f"{', '.join(self.changed)}, so old and new answers would not be comparable. "
            "Start a new run (without --reuse), restore what changed, or accept the mixture "
            "with --reuse-anyway."
        )


class MissingExtra(ConfigError):
    """A feature needs a package that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, extra)
        self.what = what
        self.extra = extra

    def __str__(self) -> str:
        return (
            f"{self.what} needs an extra package. Install it: "
            f"pip install 'steelyard[{self.extra}]' (in a checkout: pip install '.[{self.extra}]')"
        )


class DataError(SteelyardError):
    """A data file is not what it should be. The message names file, line and field."""


class MissingData(DataError):
    """A data set's file is in none of the places where data is looked for."""

    def __init__(self, wanted: str, places: tuple[str, ...], source: str) -> None:
        super().__init__(wanted, places, source)
        self.wanted = wanted
        self.places = places
        self.source = source

    def __str__(self) -> str:
        looked = "".join(f"\n    {place}" for place in self.places) or "\n    (no data folder)"
        return (
            f"data file {self.wanted} was not found. Looked in:{looked}\n"
            f"  Get it from {self.source} and name its folder with --data-dir or $STEELYARD_DATA."
        )


class TornRecord(DataError):
    """A line of a record file, not the last one, cannot be read."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path = path
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.path}, line {self.line}: not a readable record ({self.reason}). "
            "Only the last line of a record file may be cut; restore the file or delete that line "
            "to have its request asked again."
        )


class DiskError(SteelyardError):
    """Writing a record or a report failed. Finished records are kept."""


class ServiceError(SteelyardError):
    """The service cannot be asked at all (discovery failed, wrong address)."""


class SandboxFailed(SteelyardError):
    """The sandbox did not start, so nobody knows whether the program in it is right."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said

    def __str__(self) -> str:
        return (
            f"the sandbox did not start: {self.said}\n"
            "  The answers are kept; mark them again with --mode eval --reuse."
        )


class RunStopped(SteelyardError):
    """A job was stopped early: its first requests all failed in the same hopeless way."""
