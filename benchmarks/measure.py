"""Runs one command and reports what it cost, with everything it started.

A process of its own, so that the account holds nothing but the command: it makes itself the reaper
of orphans (Linux `PR_SET_CHILD_SUBREAPER`) and waits for every descendant, abandoned ones included.

    python measure.py REPORT LOG CPUS TIMEOUT_S MEMORY_CPU COMMAND [ARGUMENT ...]

LOG receives what the command prints; CPUS are the processors it may use ("1" or "1,2,3").
MEMORY_CPU is the processor from which the memory of all its processes is read while it runs, ten
times a second; "-": it is not read. REPORT is JSON: `wall_s` (start of the command to its end),
`started_ns` and `ended_ns` (monotonic clock), `user_s` and `system_s` (all processes),
`largest_process_bytes` (resident peak of the biggest single process), `exit_status` (negative: the
signal), `timed_out`, and `memory`: a list of [seconds since the start, processes, resident bytes,
proportional bytes or null].
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

from processes import Watch, children

PR_SET_CHILD_SUBREAPER = 36
STRAGGLERS_NS = 10 * 10**9
LOOK_S = 0.1


class Account:
    """What the processes reaped so far have cost."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.user_s = 0.0
        self.system_s = 0.0
        self.largest_process_bytes = 0
        self.exit_status = 0
        self.timed_out = False
        self.started_ns = 0
        self.ended_ns = 0
        self.memory: list[tuple[float, int, int, int | None]] = []

    def run(self, pid: int, timeout_s: float, watch: Watch | None) -> None:
        """Waits for a command and all its descendants; kills what outlives the limit."""
        limit_ns = self.started_ns + int(timeout_s * 1e9)
        while self._reaped(pid):
            if self.ended_ns:
                limit_ns = self.ended_ns + STRAGGLERS_NS
            if time.monotonic_ns() >= limit_ns:
                self.timed_out = self.timed_out or not self.ended_ns
                for child in children(os.getpid()):
                    os.kill(child, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, LOOK_S)
            if watch and not self.ended_ns:
                self.memory.append(watch.look())

    def _reaped(self, command: int) -> bool:
        """Takes in the account of every process that has ended; whether any is left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self.user_s += usage.ru_utime
            self.system_s += usage.ru_stime
            self.largest_process_bytes = max(self.largest_process_bytes, usage.ru_maxrss * 1024)
            if pid == command:
                self.ended_ns = time.monotonic_ns()
                self.wall_s = (self.ended_ns - self.started_ns) / 1e9
                self.exit_status = os.waitstatus_to_exitcode(status)


def main(arguments: list[str]) -> None:
    """Runs the command line given in the module docstring."""
    report, log, cpus, timeout_s, memory_cpu, *command = arguments
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the reaper of orphans")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    account = Account()
    account.started_ns = time.monotonic_ns()
    pid = _started(command, output)
    watch = None
    if memory_cpu != "-":
        os.sched_setaffinity(0, {int(memory_cpu)})
        watch = Watch(os.getpid(), account.started_ns)
    account.run(pid, float(timeout_s), watch)
    Path(report).write_text(json.dumps(vars(account)), encoding="utf-8")


def _started(command: list[str], output: int) -> int:
    """The id of the command's process: own session, no input, both outputs to one file."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    redirections = [
        (os.POSIX_SPAWN_DUP2, nothing, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
    ]
    return os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=redirections,
        setsid=True,
        setsigmask=[],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
