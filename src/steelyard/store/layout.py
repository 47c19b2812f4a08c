"""Where a run keeps its files, and how runs are found again.

    <work-dir>/20250628_172032/            the run's stamp: when it began
      plan.json
      configs/<stamp>_<pid>.py
      logs/<stage>/<model>/<dataset>.out
      predictions/<model>/<dataset>.jsonl  and <dataset>.scores.jsonl
      results/<model>/<dataset>.json
      performance/<model>/<dataset>.csv    and .json, _details.json, _figures.json, _plot.html...
      summary/summary_<stamp>.{txt,md,csv}

Paths are only named here; whoever writes creates the folder.
"""

import os
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from steelyard.core import ConfigError
from steelyard.store.atomic import write_atomic
from steelyard.store.stamp import is_stamp, stamp

_NOT_IN_NAMES = re.compile(r"[/\0]|^\.+$")
_LIKE_A_PART = re.compile(r"\.(?=\d+$)")


class RunFolder(msgspec.Struct, frozen=True):
    """The files of one run. Names of models and data sets may hold ``/``; files get ``_``."""

    root: Path

    @property
    def stamp(self) -> str:
        """What ``--reuse`` takes to go on with this run."""
        return self.root.name

    @property
    def plan(self) -> Path:
        """What the stored answers were made from (``store.plan``)."""
        return self.root / "plan.json"

    def log(self, stage: str, model: str, dataset: str) -> Path:
        """The log of one stage (``infer``, ``eval``, ``performance``) of one job."""
        return self.root / "logs" / stage / _flat(model) / f"{_flat(dataset)}.out"

    def predictions(self, model: str, dataset: str) -> Path:
        """The first record file of a job's replies; ``store.parts`` names them all."""
        return self.root / "predictions" / _flat(model) / f"{_flat(dataset)}.jsonl"

    def judgements(self, model: str, marked: str) -> Path:
        """The record file of a judge's replies; ``marked`` names data set and judge.

        Not as it is where it ends like ``gpt-4.5``: that is how the fifth file of ``gpt-4`` is
        called, and the replies of the one judge would be read as the other's.
        """
        return self.predictions(model, _LIKE_A_PART.sub("_", marked))

    def scores(self, model: str, dataset: str) -> Path:
        """The marks of a job's replies."""
        return self.root / "predictions" / _flat(model) / f"{_flat(dataset)}.scores.jsonl"

    def results(self, model: str, dataset: str) -> Path:
        """The metrics of a job."""
        return self.root / "results" / _flat(model) / f"{_flat(dataset)}.json"

    def performance(self, model: str, dataset: str, ending: str) -> Path:
        """One file of a load test: ``.csv``, ``_details.json``, ``_plot.html``..."""
        return self.root / "performance" / _flat(model) / f"{_flat(dataset)}{ending}"

    def summary(self, moment: datetime, suffix: str) -> Path:
        """One form (``txt``, ``md``, ``csv``) of the report written at ``moment``."""
        return self.root / "summary" / f"summary_{stamp(moment)}.{suffix}"

    def discard_unused(self) -> None:
        """Remove the folder of a run that was refused: one that holds nothing but its config."""
        if {path.name for path in self.root.iterdir()} <= {"configs"}:
            shutil.rmtree(self.root, ignore_errors=True)

    def write_config(self, moment: datetime, text: str) -> Path:
        """Keep what one command asked for, as a config file; raises ``DiskError``."""
        path = self.root / "configs" / f"{stamp(moment)}_{os.getpid()}.py"
        write_atomic(path, text.encode())
        return path


def new_run(work_dir: Path, moment: datetime | None = None) -> RunFolder:
    """Create the folder of a run that begins at ``moment`` (now); never one that exists.

    A run that begins in the same second as another takes the next free second. Raises
    ``ConfigError`` when nothing can be written to ``work_dir``.
    """
    begins = moment or datetime.now().astimezone()
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        while True:
            root = work_dir / stamp(begins)
            try:
                root.mkdir()
            except FileExistsError:
                begins += timedelta(seconds=1)
            else:
                return RunFolder(root)
    except OSError as error:
        raise _unusable(work_dir, error) from error


def find_run(work_dir: Path, name: str | None = None) -> RunFolder:
    """The earlier run called ``name``, or the newest when no name is given.

    Raises ``ConfigError`` when there is no such run, with the nearest existing ones, and when
    nothing can be written to its folder.
    """
    known = stamps(work_dir)
    if name is None:
        if not known:
            raise ConfigError(
                f"{work_dir} holds no earlier run to reuse. Leave out --reuse to start one, or "
                "name another folder with --work-dir."
            )
        name = known[-1]
    root = work_dir / name
    if Path(name).name != name or not _holds_run(root):
        raise ConfigError(f"{work_dir} holds no run called {name!r}. {_nearest(name, known)}")
    _check_writable(root)
    return RunFolder(root)


def stamps(work_dir: Path) -> tuple[str, ...]:
    """The stamps of all runs in ``work_dir``, oldest first; none when it does not exist yet."""
    try:
        with os.scandir(work_dir) as entries:
            names = [entry.name for entry in entries if is_stamp(entry.name)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _unusable(work_dir, error) from error
    return tuple(sorted(name for name in names if _holds_run(work_dir / name)))


def _holds_run(folder: Path) -> bool:
    """Whether a run, of this program or one like it, began in ``folder``."""
    return any((folder / part).is_dir() for part in ("configs", "predictions", "performance"))


def _check_writable(folder: Path) -> None:
    probe = folder / f".{os.getpid()}.tmp"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unusable(folder, error) from error


def _flat(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name)


def _unusable(folder: Path, error: OSError) -> ConfigError:
    why = "it is not a folder" if folder.is_file() else error.strerror
    return ConfigError(
        f"run files cannot be kept in {folder}: {why}. Choose another place with --work-dir."
    )


def _nearest(name: str, known: tuple[str, ...]) -> str:
    if not known:
        return "There is no run in that folder; is --work-dir the one of the run you mean?"
    import difflib

    near = difflib.get_close_matches(Path(name).name, known, n=3, cutoff=0)
    return f"Nearest: {', '.join(near)}; --reuse without a name takes the newest, {known[-1]}."
