"""Whether there is a sandbox here, seen by trying it; and the way into it."""

import os
import platform
import shutil
import subprocess
from functools import cache

import msgspec

from steelyard.core import ConfigError, SandboxFailed
from steelyard.sandbox.programs import Ended, Limits, Program
from steelyard.sandbox.running import run_behind_walls
from steelyard.sandbox.seccomp import filter_program

_MOST_AT_ONCE = 4
_LOOK = """
import os, socket

def look():
    def writable(folder):
        try:
            os.close(os.open(folder + "/steelyard-probe", os.O_CREAT | os.O_WRONLY))
        except OSError:
            return False
        return True

    def forks():
        try:
            child = os.fork()
        except OSError:
            return False
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return True

    return {
        "pid": os.getpid(),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "environment": sorted(os.environ),
        "etc": os.path.exists("/etc/passwd"),
        "proc": os.path.exists("/proc/self"),
        "writable": [folder for folder in ("/", "/usr", "/dev", "/var") if writable(folder)],
        "temporary": writable("/tmp"),
        "forks": forks(),
    }
"""
_HELP = (
    "It needs unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu "
    "24.04 also kernel.apparmor_restrict_unprivileged_userns=0 or a profile for bwrap; in a "
    "container --security-opt seccomp=unconfined) and bubblewrap 0.8 or newer."
)


class _Seen(msgspec.Struct, frozen=True):
    """What a program sees of the machine from inside."""

    pid: int
    interfaces: list[str]
    environment: list[str]
    etc: bool
    proc: bool
    writable: list[str]
    temporary: bool
    forks: bool

    def holes(self, *, filtered: bool) -> list[str]:
        """What is not as it has to be."""
        wrong = {
            "it sees the processes of this machine": self.pid > 3 or self.proc,
            "it has a network": bool(set(self.interfaces) - {"lo"}),
            "it gets our environment": bool(set(self.environment) - {"PWD", "LC_CTYPE"}),
            "it reads /etc": self.etc,
            f"it may write to {' '.join(self.writable)}": bool(self.writable),
            "it has no /tmp": not self.temporary,
            "its system calls are not filtered": filtered and self.forks,
        }
        return [words for words, true in wrong.items() if true]


class _Found(msgspec.Struct, frozen=True):
    bwrap: str = ""
    isolation: str = ""
    trouble: str = ""


def require() -> None:
    """Raise ``ConfigError`` when there is no working sandbox; the machine is looked at once."""
    trouble = _found().trouble
    if trouble:
        raise ConfigError(
            "code that a model wrote is run only in a sandbox, and there is none here: "
            f"{trouble} Nothing was run. Without it, leave out the data sets of programs, or only "
            "ask (--mode infer) and mark on another machine."
        )


def isolation() -> str:
    """What the walls are made of, for result files; raises like ``require``."""
    require()
    return _found().isolation


def run(program: Program, limits: Limits) -> Ended:
    """Run ``program`` in the sandbox; safe to call from several threads.

    Raises ``ConfigError`` without a sandbox and ``SandboxFailed`` when it does not start.
    """
    require()
    return run_behind_walls(_found().bwrap, program, limits)


def at_once() -> int:
    """How many programs are run at the same time: one for each processor, four at most."""
    return max(1, min(_MOST_AT_ONCE, len(os.sched_getaffinity(0))))


@cache
def _found() -> _Found:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return _Found(trouble="bubblewrap is not installed (apt-get install bubblewrap).")
    filtered = filter_program(platform.machine()) is not None
    looking = Program(code=_LOOK, how="call", entry="look")
    try:
        ended = run_behind_walls(bwrap, looking, Limits(wall_s=10.0))
    except SandboxFailed as error:
        first = error.said.splitlines()[0].rstrip(".")
        return _Found(trouble=f"bubblewrap does not start ({first}). {_HELP}")
    if ended.kind != "done":
        what = f"{ended.kind} {ended.what}".strip()
        return _Found(trouble=f"a first program in bubblewrap did not end well ({what}).")
    holes = msgspec.convert(ended.value, _Seen).holes(filtered=filtered)
    if holes:
        return _Found(trouble=f"bubblewrap starts, but a program in it is not alone: {holes[0]}.")
    said = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False).stdout
    walls = f"{said.strip() or 'bubblewrap'}: own user, pid, net, ipc and uts namespaces"
    also = "system calls filtered" if filtered else f"no filter for {platform.machine()}"
    return _Found(bwrap, f"{walls}, {also}")
