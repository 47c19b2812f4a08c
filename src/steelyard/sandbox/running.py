"""Starting one program behind the walls, watching it, and ending it with all that it started."""

import contextlib
import json
import os
import platform
import secrets
import selectors
import signal
import subprocess
import time
from typing import Any, BinaryIO

import msgspec

from steelyard.core import SandboxFailed
from steelyard.sandbox.programs import End, Ended, Limits, Program
from steelyard.sandbox.seccomp import filter_program
from steelyard.sandbox.walls import command, rlimits

_START_LIMIT_S = 60.0
_READY = b"ready\n"
_CHUNK = 1 << 16


class _Report(msgspec.Struct, frozen=True):
    token: str
    kind: End
    what: str = ""
    test: int = 0
    value: Any = None


def run_behind_walls(
    bwrap: str, program: Program, limits: Limits, *, machine: str | None = None
) -> Ended:
    """Run ``program``; raises ``SandboxFailed`` when its interpreter does not come up.

    ``machine`` decides about the filter of system calls: that of this machine, if not given.
    """
    token = secrets.token_hex(8)
    job = {**msgspec.to_builtins(program), "token": token, "limits": rlimits(limits)}
    del job["stdin"]
    rules = filter_program(platform.machine() if machine is None else machine)
    with contextlib.ExitStack() as stack:
        job_file = stack.enter_context(_in_memory(json.dumps(job).encode()))
        rules_file = stack.enter_context(_in_memory(rules)) if rules else None
        report, report_end = os.pipe()
        stack.callback(os.close, report)
        with os.fdopen(report_end, "wb") as theirs:
            filter_fd = None if rules_file is None else rules_file.fileno()
            fds = (job_file.fileno(), theirs.fileno())
            process = subprocess.Popen(
                command(bwrap, limits, *fds, filter_fd),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=fds if filter_fd is None else (*fds, filter_fd),
                env={},
                cwd="/",
                start_new_session=True,
            )
        watch = _Watch(process, report, program.stdin.encode("utf-8", "replace"), limits)
        try:
            why = watch.to_the_end()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            watch.close()
    return _ended(watch, why, token, process.returncode)


def _in_memory(content: bytes) -> BinaryIO:
    file = os.fdopen(os.memfd_create("steelyard"), "w+b")
    file.write(content)
    file.seek(0)
    return file


class _Watch:
    """Feeds a process and reads what it says, until it ends or may not go on."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", report: int, stdin: bytes, limits: Limits
    ) -> None:
        self._process = process
        self._limits = limits
        self._stdin = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        self.said: dict[str, bytearray] = {}
        pipes = {"output": process.stdout, "errors": process.stderr}
        files = {"report": report, **{name: one.fileno() for name, one in pipes.items() if one}}
        for name, file in files.items():
            self.said[name] = bytearray()
            self._selector.register(file, selectors.EVENT_READ, name)
        assert process.stdin is not None
        if stdin:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE, "stdin")
        else:
            process.stdin.close()

    @property
    def ready(self) -> bool:
        """Whether the interpreter came up."""
        return self.said["report"].startswith(_READY)

    def to_the_end(self) -> str:
        """``timeout``, ``output``, or nothing when the process ended by itself."""
        ends = time.monotonic() + _START_LIMIT_S
        started = False
        while any(key.data != "stdin" for key in self._selector.get_map().values()):
            left = ends - time.monotonic()
            if left <= 0:
                return "timeout"
            for key, _ in self._selector.select(left):
                self._write() if key.data == "stdin" else self._read(key.fd, key.data)
            if self.ready and not started:
                started, ends = True, time.monotonic() + self._limits.wall_s
            if sum(map(len, self.said.values())) > self._limits.output_bytes:
                return "output"
        try:
            self._process.wait(max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            return "timeout"
        return ""

    def _read(self, file: int, name: str) -> None:
        data = os.read(file, _CHUNK)
        if data:
            self.said[name] += data
        else:
            self._selector.unregister(file)

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            self._stdin = self._stdin[os.write(stdin.fileno(), self._stdin[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # the program does not read its input
            self._stdin = self._stdin[:0]
        if not self._stdin:
            self._selector.unregister(stdin)
            stdin.close()

    def close(self) -> None:
        """Let go of the pipes."""
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _ended(watch: _Watch, why: str, token: str, status: int) -> Ended:
    if not watch.ready:
        said = watch.said["errors"].decode("utf-8", "replace").strip()
        silent = f"no sign of life in {_START_LIMIT_S:g} s" if why else f"exit status {status}"
        raise SandboxFailed(said or silent)
    output = bytes(watch.said["output"])
    if why == "output":
        return Ended(kind="output", output=output)
    report = _report(bytes(watch.said["report"]).removeprefix(_READY), token)
    if report is not None and (report.kind != "done" or not why):
        fields = msgspec.structs.asdict(report)
        del fields["token"]
        return Ended(**fields, output=output)
    number = status - 128 if status > 128 else 0
    if why or number == signal.SIGXCPU:
        return Ended(kind="timeout", output=output)
    if number in set(signal.Signals):
        return Ended(kind="killed", what=signal.Signals(number).name, output=output)
    return Ended(kind="exited", what=f"exit status {status}", output=output)


def _report(line: bytes, token: str) -> _Report | None:
    """The harness's line; ``None`` when there is none, or it is not the harness's."""
    try:  # by json, which keeps whole numbers of any length
        report = msgspec.convert(json.loads(line), _Report)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None
    return report if report.token == token else None
