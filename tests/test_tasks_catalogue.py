"""How a name becomes a data set.

- A file with ``@task`` in a folder is a data set; nothing has to be registered elsewhere.
- The user's folders hide built-in names; other files of a folder never get in the way.
- Whatever is wrong with a file is said with the file's name and line.
"""

from pathlib import Path

import pytest

from steelyard.core import ConfigError, NoSuchName, Task
from steelyard.tasks import catalogue
from steelyard.tasks.data import Data

FILE = """
from steelyard.core import Prompt, Sample, Task, Verdict
from steelyard.scoring import scorer
from steelyard.tasks.catalogue import task


@scorer(version=1)
def always(text: str, sample: Sample) -> Verdict:
    return Verdict(1.0, text)


def made(name: str) -> Task:
    return Task(name=name, version=1, samples=tuple, prompt=Prompt(user=""), scorer=always)


"""


def put(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    path.write_text(FILE + text, encoding="utf-8")
    return path


def make(name: str, *folders: Path) -> tuple[Task, ...]:
    (entry,) = catalogue.find(name, folders)
    return entry.make(Data())


def test_a_dropped_file_is_a_data_set(tmp_path: Path) -> None:
    path = put(tmp_path, "mine.py", '@task("mine_gen")\ndef mine(data): return made("mine")\n')
    (entry,) = catalogue.find("mine_gen", [tmp_path])
    assert (entry.name, entry.path) == ("mine_gen", path)
    assert [task.name for task in entry.make(Data())] == ["mine"]
    assert "mine_gen" in catalogue.names([tmp_path])


def test_one_name_may_make_many_tasks(tmp_path: Path) -> None:
    put(tmp_path, "m.py", '@task("m")\ndef m(data):\n    yield made("a")\n    yield made("b")\n')
    assert [task.name for task in make("m", tmp_path)] == ["a", "b"]


def test_an_alias_finds_the_same_data_set_under_the_asked_name(tmp_path: Path) -> None:
    put(tmp_path, "m.py", '@task(\n    "m_long",\n    "m",\n)\ndef m(data): return made("m")\n')
    (entry,) = catalogue.find("m", [tmp_path])
    assert entry.name == "m"
    assert [task.name for task in entry.make(Data())] == ["m"]


def test_names_are_globs_without_regard_to_case_and_list_a_data_set_once(tmp_path: Path) -> None:
    put(
        tmp_path,
        "m.py",
        '@task("mine_a", "mine_alias")\ndef a(data): return made("a")\n\n'
        '@task("mine_b")\ndef b(data): return made("b")\n',
    )
    assert [entry.name for entry in catalogue.find("MINE_*", [tmp_path])] == ["mine_a", "mine_b"]
    assert [entry.name for entry in catalogue.find("mine_al*", [tmp_path])] == ["mine_alias"]


def test_an_earlier_folder_hides_later_ones_and_the_built_in_names(tmp_path: Path) -> None:
    for folder, abbr in (("1", "first"), ("2", "second")):
        put(tmp_path / folder, "m.py", f'@task("aime2024_gen")\ndef m(data): return made("{abbr}")')
    assert [task.name for task in make("AIME2024_gen", tmp_path / "1", tmp_path / "2")] == ["first"]
    assert [task.name for task in make("aime2024_gen", tmp_path / "2")] == ["second"]
    assert [task.name for task in make("aime2024_gen")] == ["aime2024"]


def test_hiding_an_alias_leaves_the_own_name_of_the_built_in_data_set(tmp_path: Path) -> None:
    put(tmp_path, "m.py", '@task("gsm8k_gen")\ndef m(data): return made("mine")\n')
    found = {entry.name: entry.path.parent for entry in catalogue.find("gsm8k_gen*", [tmp_path])}
    assert found["gsm8k_gen"] == tmp_path
    assert found["gsm8k_gen_4_shot_cot_str"].name == "builtin"


def test_a_built_in_file_works_where_it_is_copied_to(tmp_path: Path) -> None:
    (original,) = catalogue.find("demo_gsm8k_gen")
    copy = tmp_path / "gsm8k.py"
    copy.write_text(
        original.path.read_text(encoding="utf-8").replace("scorer=gsm8k,", "scorer=gsm8k_fixed,"),
        encoding="utf-8",
    )
    (entry,) = catalogue.find("demo_gsm8k_gen", [tmp_path])
    (task,) = entry.make(Data())
    assert entry.path == copy
    assert task.scorer.id == "gsm8k_fixed@1"
    assert len(list(task.samples())) == 8


def test_an_unknown_name_brings_the_nearest_ones() -> None:
    with pytest.raises(NoSuchName, match=r"'gsm8k_gne'.*Did you mean .*gsm8k_gen"):
        catalogue.find("gsm8k_gne")


def test_a_name_defined_twice_in_one_folder_is_an_error_only_for_that_name(tmp_path: Path) -> None:
    for file in ("one.py", "two.py"):
        put(tmp_path, file, '@task("twice")\ndef m(data): return made("m")\n')
    put(tmp_path, "other.py", '@task("once")\ndef m(data): return made("m")\n')
    with pytest.raises(ConfigError, match=r"'twice' is defined 2 times: .*one\.py, .*two\.py"):
        catalogue.find("twice", [tmp_path])
    assert [task.name for task in make("once", tmp_path)] == ["m"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('@task("m")\ndef m(data) return', "line 17: .*SyntaxError"),
        ('@task("m")\ndef m(data):\n    return unknown\n', "line 18: .*NameError.*unknown"),
        ('import nothing_of_that_name\n@task("m")\ndef m(data): ...\n', "line 16: .*nothing_of"),
        ('@task("m")\ndef m(data): return None\n', "TypeError"),
        ('@task("m")\ndef m(data): return []\n', "'m' must make one or more tasks"),
        ('@task("m")\ndef m(data): return ["m"]\n', "'m' must make one or more tasks"),
        ('@task("m")\ndef m(data): return made("a.b")\n', "called 'a.b'.*without dot"),
        ('@task("m")\ndef m(data): return [made("a"), made("a")]\n', "two tasks called 'a'"),
        ('if False:\n    pass\n@task("m")\ndef m(data): ...\ndel m\n', "'m' must make one or more"),
    ],
)
def test_a_broken_file_is_named_when_its_name_is_asked_for(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = put(tmp_path, "broken.py", text)
    put(tmp_path, "sound.py", '@task("sound")\ndef m(data): return made("sound")\n')
    with pytest.raises(ConfigError, match=expected) as caught:
        make("m", tmp_path)
    assert str(caught.value).startswith(str(path))
    assert [task.name for task in make("sound", tmp_path)] == ["sound"]


def test_files_and_folders_without_data_sets_do_not_matter(tmp_path: Path) -> None:
    put(tmp_path, "helpers.py", "raise RuntimeError")
    assert catalogue.names([tmp_path, tmp_path / "absent"]) == catalogue.names()
