"""What the sandbox promises, tried from inside by programs that mean no good.

- It sees nothing: no network, no files of ours, no processes, no environment.
- It changes nothing: only ``/tmp`` can be written, and that is gone with the program.
- It cannot outstay: endless loops, floods, memory, forks and daemons end, and are called what
  they are.
- It is never missing in silence: without it nothing is run.
"""

import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import sandboxes
from steelyard.core import Json, SandboxFailed
from steelyard.sandbox import Ended, Limits, Program, at_once, isolation, require, run
from steelyard.sandbox.running import run_behind_walls
from steelyard.sandbox.seccomp import filter_program

QUICK = Limits(wall_s=5.0)


@pytest.fixture(autouse=True)
def there_is_a_sandbox() -> None:
    sandboxes.needed()


def seen(body: str) -> Json:
    """What a function with ``body`` returns in the sandbox."""
    lines = "".join(f"    {line}\n" for line in body.strip().split("\n"))
    code = f"import os, sys\ndef look():\n{lines}"
    ended = run(Program(code=code, how="call", entry="look"), QUICK)
    assert ended.kind == "done", ended
    return ended.value


def ran(code: str, limits: Limits = QUICK) -> Ended:
    return run(Program(code=code, how="stdin"), limits)


def test_the_walls_are_named() -> None:
    require()
    assert isolation().startswith("bubblewrap ")
    assert "user, pid, net, ipc and uts namespaces" in isolation()
    assert 1 <= at_once() <= 4


def test_nothing_on_this_machine_or_beyond_can_be_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        for address in (("127.0.0.1", port), ("192.0.2.1", 80)):
            assert seen(
                f"import socket\ntry:\n    socket.create_connection({address!r}, timeout=2)\n"
                "except OSError as error:\n    return type(error).__name__\nreturn 'connected'"
            ) in ("ConnectionRefusedError", "OSError")
    assert seen("import socket\nreturn [name for _, name in socket.if_nameindex()]") == ["lo"]


def test_files_outside_cannot_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    mine = [str(secret), str(Path(__file__)), "/etc/passwd", "/proc/self/environ"]
    mine += [str(path) for path in Path.home().iterdir() if path.is_file()]
    inside = [path for path in mine if Path(path).exists()]
    assert len(inside) >= 3
    assert seen(f"return [path for path in {inside!r} if os.path.exists(path)]") == []


def test_nothing_but_its_own_tmp_can_be_written(tmp_path: Path) -> None:
    name = f"steelyard_{os.getpid()}"
    found = seen(
        "found = []\n"
        "for folder in ('/', '/usr', '/usr/lib', '/lib', '/dev', '/tmp', sys.base_prefix):\n"
        "    try:\n"
        f"        open(os.path.join(folder, {name!r}), 'w').close()\n"
        "        found.append(folder)\n"
        "    except OSError:\n"
        "        pass\n"
        "return found"
    )
    assert found == ["/tmp"]
    assert seen("return os.listdir('/tmp')") == [], "each program has a new one"
    assert not Path("/tmp", name).exists()


def test_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_SECRET", "secret")
    names = seen("return sorted(os.environ)")
    assert isinstance(names, list)
    assert set(map(str, names)) <= {"PWD", "LC_CTYPE"}


def test_it_is_nobody_without_rights_among_no_other_processes() -> None:
    assert seen("return [os.getuid(), os.getgid()]") == [65534, 65534]
    assert seen(
        "import signal\nfound = []\nfor pid in range(2, 5000):\n"
        "    try:\n        os.kill(pid, 0)\n    except ProcessLookupError:\n        continue\n"
        "    found.append(pid)\nreturn found == [os.getpid()]"
    )
    with pytest.raises(AssertionError, match="OSError"):
        seen("os.setuid(0)")


def test_only_the_standard_library_can_be_imported() -> None:
    assert seen("import decimal\nreturn decimal.__name__") == "decimal"
    with pytest.raises(AssertionError, match="ModuleNotFoundError"):
        seen("import msgspec")


@pytest.mark.skipif(filter_program(platform.machine()) is None, reason="no filter for this machine")
@pytest.mark.parametrize(
    "call",
    [
        "libc.ptrace(0, 0, 0, 0)",
        "libc.unshare(0x10000000)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.shmget(1, 4096, 0o1600)",
        "libc.syscall(425, 1, buffer)",  # io_uring_setup, the same number everywhere
    ],
)
def test_system_calls_without_use_are_refused(call: str) -> None:
    assert seen(
        "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"buffer = ctypes.create_string_buffer(256)\nfound = {call}\n"
        "return [found, errno.errorcode[ctypes.get_errno()]]"
    ) == [-1, "EPERM"]


@pytest.mark.skipif(filter_program(platform.machine()) is None, reason="no filter for this machine")
def test_sockets_that_no_net_namespace_holds_are_refused() -> None:
    assert seen(
        "import errno, socket\nfound = {}\nfor family in (1, 2, 10, 17, 40):\n    try:\n"
        "        socket.socket(family, socket.SOCK_STREAM).close()\n"
        "        found[family] = 'made'\n"
        "    except OSError as error:\n        found[family] = errno.errorcode[error.errno]\n"
        "return found"
    ) == {"1": "made", "2": "made", "10": "made", "17": "EAFNOSUPPORT", "40": "EAFNOSUPPORT"}


def test_the_filter_is_whole_steps_whose_jumps_stay_inside() -> None:
    for machine in ("x86_64", "aarch64"):
        rules = filter_program(machine)
        assert rules is not None
        steps = list(struct.iter_unpack("=HBBI", rules))
        for place, (code, if_true, if_false, _) in enumerate(steps):
            if code & 7 == 5:
                assert place + 1 + max(if_true, if_false) < len(steps)
        assert steps[-1] == (0x06, 0, 0, 0x7FFF0000), "what is not named is allowed"
    assert filter_program("pdp11") is None


def test_an_endless_loop_is_a_timeout() -> None:
    began = time.monotonic()
    assert ran("while True: pass", Limits(wall_s=1.0)).kind == "timeout"
    assert ran("import time; time.sleep(60)", Limits(wall_s=1.0)).kind == "timeout"
    assert time.monotonic() - began < 10


def test_a_program_that_catches_everything_is_still_stopped() -> None:
    code = "import signal\nfor n in (1, 2, 15, 24): signal.signal(n, signal.SIG_IGN)\n"
    code += "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    assert ran(code, Limits(wall_s=1.0)).kind == "timeout"


def test_too_much_memory_is_a_memory_error() -> None:
    ended = ran("x = bytearray(3 << 30)")
    assert (ended.kind, ended.what) == ("raised", "MemoryError")


def test_a_flood_of_output_is_called_one() -> None:
    for stream in ("stdout", "stderr"):
        code = f"import sys\nwhile True: sys.{stream}.write('x' * 65536)"
        ended = ran(code, Limits(wall_s=20.0, output_bytes=1 << 20))
        assert ended.kind == "output"
        assert len(ended.output) <= (1 << 20) + (1 << 17)


def test_a_large_file_is_refused() -> None:
    ended = ran(
        "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with open('/tmp/x', 'wb') as file:\n"
        "    for _ in range(100): file.write(bytes(1 << 20))",
        Limits(wall_s=20.0, file_bytes=8 << 20),
    )
    assert ended.kind == "raised"
    assert ended.what.startswith("OSError")


def test_many_files_fill_tmp_and_nothing_else() -> None:
    ended = ran(
        "for n in range(100):\n"
        "    with open(f'/tmp/{n}', 'wb') as file: file.write(bytes(1 << 20))",
        Limits(wall_s=20.0, file_bytes=8 << 20),
    )
    assert ended.kind == "raised"
    assert "No space left" in ended.what


def test_a_fork_bomb_makes_no_process() -> None:
    ended = ran("import os\nwhile True: os.fork()", Limits(wall_s=2.0))
    if filter_program(platform.machine()) is None:
        assert ended.kind in ("timeout", "raised")
    else:
        assert (ended.kind, ended.what.split(":")[0]) == ("raised", "BlockingIOError")
    assert ran("import subprocess; subprocess.run(['/usr/bin/true'])").kind == "raised"


def test_threads_are_fine() -> None:
    ended = ran(
        "import threading\nthreading.Thread(target=lambda: print(1)).start()\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: print(sum(pool.map(int, '1234')))"
    )
    assert (ended.kind, ended.output.split()) == ("done", [b"1", b"10"])


def test_a_daemon_dies_with_the_program_even_where_forking_is_possible() -> None:
    """On machines whose system calls are not known there is no filter; the namespace kills."""
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    code = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        for one in range(3): os.close(one)\n"
        "        time.sleep(300)\n    os._exit(0)\nprint('gone')"
    )
    program = Program(code=code, how="stdin")
    ended = run_behind_walls(bwrap, program, QUICK, machine="unknown")
    assert (ended.kind, ended.output) == ("done", b"gone\n")
    wait_until(lambda: of_sandboxes() == [])


def test_a_fork_bomb_without_the_filter_ends_with_its_time() -> None:
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    code = "import os, time\nfor _ in range(6): os.fork()\ntime.sleep(300)"
    ended = run_behind_walls(
        bwrap, Program(code=code, how="stdin"), Limits(wall_s=1.0), machine="unknown"
    )
    assert ended.kind in ("timeout", "raised")
    wait_until(lambda: of_sandboxes() == [])


def test_a_program_dies_with_whoever_started_it() -> None:
    code = (
        "from steelyard.sandbox import Limits, Program, run\n"
        "run(Program(code='import time; time.sleep(300)', how='stdin'), Limits(wall_s=300))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as starter:
        wait_until(lambda: len(of_sandboxes()) > 1)
        starter.kill()
    wait_until(lambda: of_sandboxes() == [])


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until, "it did not come about in ten seconds"
        time.sleep(0.05)


def of_sandboxes() -> list[int]:
    """The processes of this machine that a sandbox of ours started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if b"Inside the sandbox: takes the limits" in words:
            found.append(int(path.parent.name))
    return found


def test_ending_early_is_not_passing() -> None:
    for early in ("raise SystemExit(0)", "import os; os._exit(0)", "exit()"):
        ended = run(Program(code=early, how="tests", tests=("assert False",)), QUICK)
        assert ended.kind == "exited", ended


def test_a_crash_of_the_interpreter_is_called_one() -> None:
    ended = ran("import ctypes; ctypes.string_at(0)")
    assert (ended.kind, ended.what) == ("killed", "SIGSEGV")


def test_input_that_nobody_reads_and_output_that_is_long_are_fine() -> None:
    program = Program(code="print('x' * 1_000_000)", how="stdin", stdin="y" * 1_000_000)
    ended = run(program, QUICK)
    assert (ended.kind, len(ended.output)) == ("done", 1_000_001)


def test_a_whole_number_of_any_length_comes_back() -> None:
    assert seen("return 7 ** 300") == 7**300


def test_a_sandbox_that_does_not_start_is_a_failure_and_no_verdict() -> None:
    with pytest.raises(SandboxFailed, match="the sandbox did not start"):
        run_behind_walls("/bin/false", Program(code="print(1)", how="stdin"), QUICK)


NO_NAMESPACES = "echo 'bwrap: No permissions to create new namespace' >&2; exit 1"
NO_WALLS = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'


@pytest.mark.parametrize(
    ("bwrap", "said"),
    [
        ("", ["bubblewrap is not installed", "apt-get install bubblewrap"]),
        (NO_NAMESPACES, ["does not start (bwrap: No permissions", "user namespaces"]),
        (NO_WALLS, ["a program in it is not alone: it sees the processes of this machine"]),
    ],
)
def test_without_a_sandbox_that_holds_nothing_is_run(
    tmp_path: Path, bwrap: str, said: list[str]
) -> None:
    if bwrap:
        script = tmp_path / "bwrap"
        script.write_text(f"#!/bin/sh\n{bwrap}\n")
        script.chmod(0o755)
    mark = tmp_path / "mark"
    code = (
        "from steelyard import sandbox\n"
        "from steelyard.core import ConfigError\n"
        f"program = sandbox.Program(code=\"open({str(mark)!r}, 'w')\", how='stdin')\n"
        "try:\n"
        "    sandbox.run(program, sandbox.Limits(wall_s=1))\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "run only in a sandbox" in done.stdout
    assert [words for words in said if words not in done.stdout] == []
    assert not mark.exists()
