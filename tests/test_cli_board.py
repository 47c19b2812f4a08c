"""The live board in a real terminal: it is redrawn in place, fits, and shows text as it is."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import PROGRAM, environment
from sim_process import simulated

DEMO = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CURSOR_OFF, CURSOR_ON = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with simulated("--dataset", DEMO, "--ttft", "400ms", "--accuracy", "1") as address:
        yield address


class Terminal:
    """A terminal of so many columns with one command in it."""

    def __init__(self, cwd: Path, *arguments: str, columns: int = 150, lines: int = 30) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        env = environment({"TERM": "xterm-256color"})
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
            env.pop(name, None)
        self.process = subprocess.Popen(
            [*PROGRAM, "run", *arguments], cwd=cwd, env=env, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self._ours = ours

    def text(self) -> str:
        """All that was written until the command's end."""
        found = b""
        try:
            while more := os.read(self._ours, 1 << 16):
                found += more
        except OSError:  # Linux: the other side is closed
            pass
        os.close(self._ours)
        self.process.wait(timeout=20)
        return found.decode()


def config(cwd: Path, url: str, *abbrs: str) -> str:
    specs = ", ".join(
        f"ModelSpec(abbr={abbr!r}, backend='openai_chat', load=Load(concurrency=2), "
        f"options={{'base_url': {url!r}, 'model': 'm'}})"
        for abbr in abbrs
    )
    text = f"from steelyard.core import Load, ModelSpec\nmodels = [{specs}]\ndatasets = [{DEMO!r}]"
    (cwd / "mine.py").write_text(text, encoding="utf-8")
    return "mine.py"


@pytest.mark.parametrize("columns", [60, 150])
def test_the_board_is_redrawn_in_place_and_fits(columns: int, url: str, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, config(tmp_path, url, "model-a"), columns=columns)
    text = terminal.text()
    assert terminal.process.returncode == 0, text
    assert text.count(CURSOR_OFF) == text.count(CURSOR_ON) == 1
    board = text[text.index(CURSOR_OFF) : text.index(CURSOR_ON)]
    assert "\x1b[1A" in board, "the cursor goes up to redraw"
    rows = re.split(r"[\r\n]+", CONTROL.sub("", board))
    assert max(map(len, rows)) <= columns
    done = [row for row in rows if row.startswith("model-a/demo_gsm8k")]
    assert any("running" in row for row in done)
    assert "8/8" in done[-1]
    assert "finished" in done[-1]
    assert ("█" in done[-1]) == (columns == 150)
    assert "100.00" in text[text.index(CURSOR_ON) :], "the table stands below the board"


def test_names_are_shown_as_they_are(url: str, tmp_path: Path) -> None:
    names = ("[red]m[", "[-x]", "[bold]b")
    text = CONTROL.sub("", Terminal(tmp_path, config(tmp_path, url, *names)).text())
    for name in names:
        assert f"{name}/demo_gsm8k" in text, text
    assert "Traceback" not in text


def test_more_jobs_than_lines_are_counted_instead_of_shown(url: str, tmp_path: Path) -> None:
    file = config(tmp_path, url, *(f"m{number}" for number in range(14)))
    terminal = Terminal(tmp_path, file, "--max-num-workers", "14", lines=12)
    text = terminal.text()
    assert terminal.process.returncode == 0, text
    assert "... 8 more" in text
    for picture in re.split(r"\x1b\[1A", text[: text.index(CURSOR_ON)]):
        assert picture.count("/demo_gsm8k") <= 6


def test_an_interrupt_gives_the_cursor_back(url: str, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, config(tmp_path, url, "m"))
    time.sleep(1.2)
    terminal.process.send_signal(signal.SIGINT)
    text = terminal.text()
    assert terminal.process.returncode == 130
    assert text.rindex(CURSOR_ON) < text.index("--reuse")
    assert "interrupted" in text


def test_what_a_service_says_cannot_command_the_terminal(tmp_path: Path) -> None:
    with simulated("--dataset", DEMO, "--strict-model", "--model", "x\x1b]0;owned\x07y") as url:
        text = Terminal(tmp_path, config(tmp_path, url, "m")).text()
    assert "404" in text
    assert "\x1b]0;" not in text


def test_a_load_test_shows_its_rates_and_latencies_while_it_runs(tmp_path: Path) -> None:
    with simulated("--dataset", DEMO, "--ttft", "200ms", "--itl", "20ms") as url:
        text = Terminal(
            tmp_path,
            *("--models", "vllm_api_stream_chat", "--datasets", "synthetic_gen", "--mode", "perf"),
            *("--base-url", url, "--concurrency", "4", "--num-prompts", "24"),
            *("--max-tokens", "16"),
            columns=190,
        ).text()
    board = CONTROL.sub("", text[text.index(CURSOR_OFF) : text.index(CURSOR_ON)])
    rows = [row for row in re.split(r"[\r\n]+", board) if "/synthetic" in row]
    assert "24/24" in rows[-1]
    assert any(re.search(r"[\d,]+/s +\d[\d.]*/\d[\d.]* ms +\d[\d.]*/\d[\d.]* ms", r) for r in rows)
