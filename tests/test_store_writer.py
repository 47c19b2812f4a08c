"""What appending promises.

- A record is with the operating system when ``append`` returns: killing the process loses none.
- One writer per file; the lock dies with its holder.
- A disk that refuses leaves the records before it whole, and says how many and what to do.
- The disk is made to take what was written, soon and at the end, and only if there is something.
"""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from small_disk import small_disk
from steelyard import store
from steelyard.core import ConfigError, DiskError


class Rec(msgspec.Struct, frozen=True):
    key: int
    text: str = ""


def started(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that runs ``script`` with a store at hand."""
    lead = "import os, sys, time\nfrom pathlib import Path\nfrom steelyard import store\n"
    lead += "path = Path(sys.argv[1])\n"
    command = [sys.executable, "-W", "ignore", "-c", lead + script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "20250628_172032" / "predictions" / "vllm" / "gsm8k.jsonl"


def test_a_record_is_on_file_when_append_returns(path: Path) -> None:
    with store.Writer(path) as writer:
        writer.append(Rec(1, "数\n"))
        assert path.read_bytes() == '{"key":1,"text":"数\\n"}\n'.encode()
        writer.append(b'{"key":2}')
        assert path.read_bytes().endswith(b'}\n{"key":2}\n')


def test_a_record_with_a_newline_is_refused_and_nothing_of_it_written(path: Path) -> None:
    with store.Writer(path) as writer:
        with pytest.raises(ValueError, match="newline"):
            writer.append(b'{"key":\n2}')
        writer.append(Rec(3))
    assert list(store.read(path, Rec)) == [Rec(3)]


@pytest.mark.parametrize("torn", [b"{", b"\0" * 5000, b'{"key":9}', b"x" * 200_000])
def test_opening_removes_a_cut_last_line_of_any_length(path: Path, torn: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"key":1}\n' + torn)
    store.Writer(path).close()
    assert path.read_bytes() == b'{"key":1}\n'


def test_opening_removes_a_file_of_nothing_but_a_cut_line(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"key":' + b"1" * 100_000)
    store.Writer(path).close()
    assert path.read_bytes() == b""


def test_a_killed_process_loses_no_record_it_was_told_is_kept(path: Path) -> None:
    script = """
number, sizes = int(sys.argv[2]), __import__("random").Random(int(sys.argv[2]))
with store.Writer(path) as writer:
    while True:
        number += 1
        size = sizes.choice((10, 2_000, 400_000))
        writer.append(b'{"key":%d,"text":"%s"}' % (number, b"x" * size))
        os.write(1, b"%d\\n" % number)
"""
    chance = random.Random(7)
    kept = 0
    for _ in range(6):
        process = started(script, path, kept)
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 60)):
            process.stdout.readline()
        time.sleep(chance.random() / 50)
        process.send_signal(signal.SIGKILL)
        told = process.communicate()[0].split()
        numbers = [record.key for record in store.read(path, Rec)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= int(told[-1] if told else kept)
        kept = len(numbers)
    assert kept > 6


def test_a_second_writer_is_told_which_file_and_who_has_it(path: Path) -> None:
    process = started(
        "writer = store.Writer(path)\nprint('open', flush=True)\ntime.sleep(60)", path
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(ConfigError) as refused:
            store.Writer(path)
        assert str(path) in str(refused.value)
        assert "another steelyard run" in str(refused.value)
        if Path("/proc/locks").exists():
            assert f"process {process.pid}" in str(refused.value)
    finally:
        ended(process)
    store.Writer(path).close()


def test_a_refused_writer_does_not_touch_the_file(path: Path) -> None:
    with store.Writer(path) as writer:
        writer.append(Rec(1))
        with path.open("ab") as other:
            other.write(b"half a rec")
        with pytest.raises(ConfigError):
            store.Writer(path)
        assert path.read_bytes() == b'{"key":1,"text":""}\nhalf a rec'


def test_the_lock_is_given_back_even_if_a_forked_process_lives_on(path: Path) -> None:
    script = """
writer = store.Writer(path)
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
writer.close()
try:
    store.Writer(path).close()
    print("free", flush=True)
finally:
    os.kill(child, 9)
"""
    process = started(script, path)
    assert process.communicate(timeout=60)[0] == "free\n"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "64k") as place:
        yield place


def fill(writer: store.Writer) -> tuple[int, DiskError]:
    """Append until the disk refuses; how many records it took, and the refusal."""
    for number in range(1000):
        try:
            writer.append(Rec(number, "y" * 1500))
        except DiskError as error:
            return number, error
    pytest.fail("the disk never filled up")


def test_a_full_disk_keeps_every_whole_record_and_says_how_to_go_on(tiny_disk: Path) -> None:
    path = tiny_disk / "20250628_172032" / "predictions" / "vllm" / "gsm8k.jsonl"
    filler = tiny_disk / "filler"
    filler.write_bytes(b"x" * 20_000)
    with store.Writer(path) as writer:
        written, full = fill(writer)
        assert [record.key for record in store.read(path, Rec)] == list(range(written))
        assert path.read_bytes().endswith(b"\n")
        with pytest.raises(DiskError):
            writer.append(Rec(0))
    assert written > 10
    told = str(full)
    assert "no space left" in told
    assert f"{written} records are safe in {path}" in told
    assert "free space and run again with --reuse 20250628_172032" in told

    filler.unlink()
    with store.Writer(path) as writer:
        writer.append(Rec(written, "y" * 1500))
    assert [record.key for record in store.read(path, Rec)] == list(range(written + 1))


def test_a_derived_file_on_a_full_disk_stays_as_it_was(tiny_disk: Path) -> None:
    path = tiny_disk / "20250628_172032" / "results" / "gsm8k.json"
    store.write_atomic(path, b"before")
    with pytest.raises(DiskError, match=r"no space left.*gsm8k\.json was not changed"):
        store.write_atomic(path, b"x" * 100_000)
    assert path.read_bytes() == b"before"
    assert list(path.parent.iterdir()) == [path]


def test_a_short_write_is_taken_back(path: Path) -> None:
    script = """
import resource
from steelyard.core import DiskError
writer = store.Writer(path)
writer.append(b'{"key":1}')
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    writer.append(b'{"key":2,"text":"%s"}' % (b"x" * 5000))
except DiskError as error:
    print(error)
    print(path.stat().st_size)
writer.close()
"""
    process = started(script, path)
    message, size = process.communicate(timeout=60)[0].splitlines()
    assert int(size) == len(b'{"key":1}\n')
    assert "limit for file sizes" in message
    assert "1 record is safe" in message
    assert [record.key for record in store.read(path, Rec)] == [1]


def test_a_device_without_space_gives_the_same_error() -> None:
    with (
        store.Writer(Path("/dev/full")) as writer,
        pytest.raises(DiskError, match=r"no space left.*run again with --reuse$"),
    ):
        writer.append(Rec(1))


def test_trouble_in_the_background_is_told_at_the_next_record() -> None:
    # /dev/null takes every write and cannot be synced.
    writer = store.Writer(Path("/dev/null"))
    writer.append(Rec(1))
    told = []
    for _ in range(100):
        time.sleep(0.05)
        try:
            writer.append(Rec(2))
        except DiskError as error:
            told.append(str(error))
            break
    writer.close()
    assert ["writing /dev/null failed" in message for message in told] == [True]


def test_trouble_at_the_end_is_told_by_close() -> None:
    writer = store.Writer(Path("/dev/null"))
    writer.append(Rec(1))
    with pytest.raises(DiskError, match="writing /dev/null failed"):
        writer.close()


def test_nothing_is_synced_when_nothing_was_written() -> None:
    with store.Writer(Path("/dev/null")):
        time.sleep(0.3)


def test_closing_ends_the_thread_and_a_second_time_does_nothing(path: Path) -> None:
    before = threading.active_count()
    writer = store.Writer(path)
    writer.append(Rec(1))
    writer.close()
    writer.close()
    assert threading.active_count() == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to count open files")
def test_no_file_stays_open(path: Path) -> None:
    def opened() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = opened()
    store.Writer(path).close()
    with store.Writer(path), pytest.raises(ConfigError):
        store.Writer(path)
    assert opened() == before


def test_a_process_that_forgets_to_close_still_ends(path: Path) -> None:
    process = started("store.Writer(path).append(b'{\"key\":1}')", path)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert [record.key for record in store.read(path, Rec)] == [1]


def test_a_folder_in_the_place_of_the_file_is_a_disk_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(DiskError, match="Is a directory"):
        store.Writer(path)
