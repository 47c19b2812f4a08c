"""The house rules that a machine can check.

- No file over 400 lines, no function over 60.
- Every file and every public function opens with a docstring.
- Importing the command line, and its help, pulls in nothing heavy.
- Rooms import only rooms below them (import-linter).
"""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from running import steelyard
from sim_process import simulated

SOURCE = Path(__file__).parents[1] / "src" / "steelyard"
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = (
    "numpy",
    "rich",
    "uvloop",
    "httptools",
    "asyncio",
    "msgspec",
    "pyarrow",
    "math_verify",
    "h5py",
    "tokenizers",
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_are_short_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= 400
    assert ast.get_docstring(tree) is not None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from steelyard.cli.main import main; main(['--help']); "
        f"print('HEAVY', sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("HEAVY []")


def test_an_accuracy_run_does_not_wait_for_numpy(tmp_path: Path) -> None:
    data = "demo_gsm8k_gen_4_shot_cot_chat_prompt"
    with simulated("--dataset", data, "--accuracy", "1") as url:
        done = steelyard(
            *("run", "--models", "vllm_api_general_chat", "--datasets", data, "--base-url", url),
            cwd=tmp_path,
            env={"PYTHONPROFILEIMPORTTIME": "1"},
        )
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "steelyard.pipeline" in imported
    assert "numpy" not in imported


def test_rooms_import_only_rooms_below_them() -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program is not None, "import-linter is part of the test extra"
    done = subprocess.run(
        [program, "--no-cache"], cwd=SOURCE.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "src", "tests", "benchmarks", "tools"],
        ["ruff", "format", "--check", "src", "tests", "benchmarks", "tools"],
        ["mypy"],
    ],
    ids=" ".join,
)
def test_linters_are_content(command: list[str]) -> None:
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=SOURCE.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
