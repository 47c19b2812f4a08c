"""One virtual environment per contender, made once and kept.

An environment is installed in steps, each one `pip install`; a note of the steps kept in it tells
whether it is the wanted one. The interpreter is the one that runs the benchmark.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

Steps = tuple[tuple[str, ...], ...]


class InstallFailed(Exception):
    """An environment could not be made; the text says why."""


def environment(folder: Path, steps: Steps, *, keep: bool = True) -> Path:
    """The `bin` folder of an environment with the steps installed; `keep=False` installs again."""
    note = folder / "installed.txt"
    wanted = "\n".join(" ".join(step) for step in steps)
    if keep and note.exists() and note.read_text(encoding="utf-8") == wanted:
        return folder / "bin"
    if keep or not note.exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
    for step in steps:
        _install(folder, step)
    note.write_text(wanted, encoding="utf-8")
    return folder / "bin"


def version(programs: Path, distribution: str) -> str:
    """The installed version of a distribution."""
    code = f"import importlib.metadata as m; print(m.version({distribution!r}))"
    command = [str(programs / "python"), "-c", code]
    return subprocess.check_output(command, text=True).strip()


def _install(folder: Path, step: tuple[str, ...]) -> None:
    log = folder.with_suffix(".install.log")
    print(f"installing {' '.join(step)} into {folder}", file=sys.stderr)
    with log.open("a", encoding="utf-8") as output:
        command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--no-input", *step]
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
        raise InstallFailed(f"pip install {' '.join(step)}: {errors[-1].strip()}")
