"""Runs one command and reports what it cost, with everything it started.

A process of its own, so that the account holds nothing but the command: it makes itself the reaper
of orphans (Linux `PR_SET_CHILD_SUBREAPER`) and waits for every descendant, abandoned ones included.

    python measure.py REPORT LOG CPUS TIMEOUT_S COMMAND [ARGUMENT ...]

LOG receives what the command prints; CPUS are the processors it may use ("1" or "1,2,3"). REPORT
is JSON: `wall_s` (start of the command to its end), `user_s` and `system_s` (all processes),
`largest_process_bytes` (resident peak of the biggest single process), `exit_status` (negative: the
signal) and `timed_out`.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
STRAGGLERS_S = 10


class Account:
    """What the processes reaped so far have cost."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.user_s = 0.0
        self.system_s = 0.0
        self.largest_process_bytes = 0
        self.exit_status = 0
        self.timed_out = False

    def run(self, command: list[str], output: int, timeout_s: int) -> None:
        """Runs a command and waits for all its descendants; kills what outlives the limit."""
        started_ns = time.monotonic_ns()
        pid = _started(command, output)
        signal.signal(signal.SIGALRM, self._kill_children)
        signal.alarm(timeout_s)
        while True:
            try:
                reaped, status, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            self.user_s += usage.ru_utime
            self.system_s += usage.ru_stime
            self.largest_process_bytes = max(self.largest_process_bytes, usage.ru_maxrss * 1024)
            if reaped == pid:
                self.wall_s = (time.monotonic_ns() - started_ns) / 1e9
                self.exit_status = os.waitstatus_to_exitcode(status)
                signal.alarm(1 if self.timed_out else STRAGGLERS_S)
        signal.alarm(0)

    def _kill_children(self, *_: object) -> None:
        self.timed_out = self.timed_out or not self.wall_s
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
        signal.alarm(1)  # the orphans of the killed arrive here next


def main(arguments: list[str]) -> None:
    """Runs the command line given in the module docstring."""
    report, log, cpus, timeout_s, *command = arguments
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the reaper of orphans")
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    account = Account()
    account.run(command, output, int(timeout_s))
    Path(report).write_text(json.dumps(vars(account)), encoding="utf-8")


def _started(command: list[str], output: int) -> int:
    """The id of the command's process: own session, no input, both outputs to one file."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    redirections = [
        (os.POSIX_SPAWN_DUP2, nothing, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
    ]
    return os.posix_spawn(command[0], command, os.environ, file_actions=redirections, setsid=True)


if __name__ == "__main__":
    main(sys.argv[1:])
