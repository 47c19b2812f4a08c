"""The walls: the command line of bubblewrap (``bwrap``) that a program runs behind.

Own user, pid, net, ipc and uts namespaces; nobody's user without capabilities; no environment; the
system's libraries and this Python's standard library to read, ``/tmp`` in memory to write, four
harmless devices; no ``/proc``, no home, no ``/etc``. When the program ends, or whoever started it,
everything in the pid namespace dies.
"""

import os
import sys
from pathlib import Path

from steelyard.sandbox.programs import Limits

_NOBODY = "65534"
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32")
_LIBRARY_PLACES = "/etc/ld.so.cache"
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_HARNESS = Path(__file__).with_name("harness.py")


def command(bwrap: str, limits: Limits, job: int, report: int, seccomp: int | None) -> list[str]:
    """The command that runs the harness; ``job``, ``report`` and ``seccomp`` are open files."""
    words = [bwrap, "--die-with-parent", "--new-session"]
    words += [f"--unshare-{one}" for one in ("user", "pid", "net", "ipc", "uts")]
    words += ["--unshare-cgroup-try", "--hostname", "sandbox", "--clearenv"]
    words += ["--uid", _NOBODY, "--gid", _NOBODY, "--cap-drop", "ALL"]
    words += ["--size", str(limits.file_bytes), "--tmpfs", "/tmp"]
    words += _readable()
    for device in _DEVICES:
        words += ["--dev-bind", device, device]
    words += ["--remount-ro", "/", "--chdir", "/tmp"]
    if seccomp is not None:
        words += ["--seccomp", str(seccomp)]
    text = _HARNESS.read_text(encoding="utf-8")
    return [*words, "--", _interpreter(), "-I", "-S", "-c", text, str(job), str(report)]


def rlimits(limits: Limits) -> dict[str, int]:
    """What the harness sets before anything else, by the names of the module ``resource``."""
    return {
        "RLIMIT_CPU": int(limits.wall_s) + 1,
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_CORE": 0,
    }


def _interpreter() -> str:
    """The Python behind this one: a virtual environment's packages are not for the sandbox."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)


def _readable() -> list[str]:
    words: list[str] = []
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    base = Path(sys.base_prefix).resolve()
    if not base.is_relative_to("/usr"):
        words += ["--ro-bind", str(base), str(base)]
    if Path(_LIBRARY_PLACES).is_file():
        words += ["--ro-bind", _LIBRARY_PLACES, _LIBRARY_PLACES]
    return words
