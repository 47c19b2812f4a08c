"""The documentation cannot lie about names.

- Every option of ``steelyard run``, ``sim`` and ``calibrate`` stands in the docs with its help.
- Every built-in data set and model preset is named in the docs.
- Every relative link leads to a file, in both READMEs.
- Both READMEs hold the same commands.
- The example of a data set of one's own works as it stands.
"""

import re
from pathlib import Path

import msgspec
import pytest

from running import steelyard
from steelyard.cli.calibrate_options import CalibrateOptions
from steelyard.cli.options import option_table
from steelyard.cli.run_options import RunOptions
from steelyard.cli.sim_options import SimCommand
from steelyard.tasks.catalogue import names

ROOT = Path(__file__).parents[1]
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.parametrize(
    ("options", "page"),
    [(RunOptions, "guide"), (SimCommand, "simulator"), (CalibrateOptions, "judges")],
)
def test_every_option_stands_in_the_docs_with_its_help(
    options: type[msgspec.Struct], page: str
) -> None:
    text = " ".join(DOCS[f"{page}.md"].split())
    for name, meaning in option_table(options):
        assert f"| `{name}` | {' '.join(meaning.split()).replace('|', chr(92) + '|')} |" in text


def test_every_data_set_is_named_in_the_docs() -> None:
    missing = [name for name in names() if f"`{name}`" not in DOCS["datasets.md"]]
    assert missing == []


def test_every_model_preset_is_named_in_the_guide() -> None:
    presets = (ROOT / "src/steelyard/config/models").glob("*.py")
    names = [path.stem for path in presets if path.stem != "__init__"]
    assert [name for name in names if f"`{name}`" not in DOCS["guide.md"]] == []


def test_relative_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("benchmarks/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_both_readmes_hold_the_same_commands() -> None:
    blocks = [
        re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
        for name in ("README.md", "README_zh.md")
    ]
    assert blocks[0] == blocks[1]


def test_the_example_of_an_own_data_set_works(tmp_path: Path) -> None:
    parts = re.findall(r"```python\n(.*?)```", DOCS["extending.md"], re.DOTALL)
    assert len(parts) == 2
    (tmp_path / "steelyard/datasets").mkdir(parents=True)
    (tmp_path / "steelyard/datasets/capitals.py").write_text("\n".join(parts), encoding="utf-8")
    (tmp_path / "datasets/capitals").mkdir(parents=True)
    row = '{"country": "Peru", "city": "Lima"}\n'
    (tmp_path / "datasets/capitals/test.jsonl").write_text(row, encoding="utf-8")
    choices = '{"country": "Peru", "cities": ["Cusco", "Lima"], "right": 1}\n'
    (tmp_path / "datasets/capitals/choices.jsonl").write_text(choices, encoding="utf-8")
    names = ("--models", "vllm_api_general", "--datasets", "capitals_gen", "capitals_ppl")
    done = steelyard("run", *names, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "What is the capital of Peru?" in done.stdout
    assert "The capital of Peru is" in done.stdout
    assert "most_likely(sum)@1" in done.stdout
