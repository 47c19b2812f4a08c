"""Where a run keeps its files, and how it is found again.

- Two runs never share a folder; stamps sort as they happened.
- ``--reuse`` without a name takes the newest run; an unknown name is refused with the nearest.
- A place that cannot be written to is refused before anything else, with the reason.
"""

import multiprocessing
import os
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steelyard import store
from steelyard.core import ConfigError

NOW = datetime(2025, 6, 28, 17, 20, 32, tzinfo=UTC)


def test_a_run_is_named_after_the_second_it_began(tmp_path: Path) -> None:
    run = store.new_run(tmp_path / "outputs" / "default", NOW)
    assert run.root == tmp_path / "outputs" / "default" / "20250628_172032"
    assert run.root.is_dir()
    assert run.stamp == "20250628_172032"


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    names = [store.new_run(tmp_path, NOW).stamp for _ in range(3)]
    assert names == ["20250628_172032", "20250628_172033", "20250628_172034"]


def begin_run(work_dir: Path) -> str:
    return store.new_run(work_dir, NOW).stamp


def test_processes_that_begin_at_once_share_no_folder(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        names = pool.map(begin_run, [tmp_path] * 16, chunksize=1)
    assert len(set(names)) == 16


def test_the_files_of_a_run_are_where_the_manual_says(tmp_path: Path) -> None:
    run = store.RunFolder(tmp_path)
    model, dataset = "vllm-api-general-chat", "gsm8k"
    paths = (
        run.plan,
        run.log("infer", model, dataset),
        run.predictions(model, dataset),
        run.scores(model, dataset),
        run.results(model, dataset),
        run.summary(NOW, "csv"),
    )
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "plan.json",
        "logs/infer/vllm-api-general-chat/gsm8k.out",
        "predictions/vllm-api-general-chat/gsm8k.jsonl",
        "predictions/vllm-api-general-chat/gsm8k.scores.jsonl",
        "results/vllm-api-general-chat/gsm8k.json",
        "summary/summary_20250628_172032.csv",
    ]


@pytest.mark.parametrize("name", ["Qwen/Qwen3-8B", "../../etc", "..", "a\0b", "/"])
def test_a_name_never_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    run = store.RunFolder(tmp_path)
    for path in (run.predictions(name, "x"), run.results("x", name), run.log("eval", name, name)):
        assert len(path.relative_to(tmp_path).parts) in (3, 4)
        assert tmp_path in path.resolve().parents
        assert "\0" not in str(path)


def test_the_config_of_a_command_is_kept_under_its_time_and_process(tmp_path: Path) -> None:
    path = store.RunFolder(tmp_path).write_config(NOW, "models = []  # 模型\n")
    assert path == tmp_path / "configs" / f"20250628_172032_{os.getpid()}.py"
    assert path.read_text(encoding="utf-8") == "models = []  # 模型\n"


def begun(folder: Path) -> None:
    """What every run leaves as soon as it begins."""
    (folder / "configs").mkdir(parents=True)


def test_the_newest_run_is_found_among_other_things(tmp_path: Path) -> None:
    for name in ("20250220_120000", "20250628_172032", "notes", "zzz", "20250628_1720"):
        begun(tmp_path / name)
    (tmp_path / "20990101_000000").touch()
    (tmp_path / "20990101_000001").mkdir()
    assert store.find_run(tmp_path).stamp == "20250628_172032"
    assert store.stamps(tmp_path) == ("20250220_120000", "20250628_172032")


def test_a_run_is_found_by_its_stamp_or_by_the_name_somebody_gave_it(tmp_path: Path) -> None:
    for name in ("20250220_120000", "20250628_172032", "baseline"):
        begun(tmp_path / name)
    assert store.find_run(tmp_path, "20250220_120000").root == tmp_path / "20250220_120000"
    assert store.find_run(tmp_path, "baseline").root == tmp_path / "baseline"


def test_an_unknown_stamp_is_refused_with_the_nearest_ones_and_not_created(tmp_path: Path) -> None:
    for day in range(1, 8):
        begun(tmp_path / f"2025060{day}_101010")
    with pytest.raises(ConfigError) as refused:
        store.find_run(tmp_path, "20250603_101011")
    told = str(refused.value)
    assert "'20250603_101011'" in told
    assert "Nearest: 20250603_101010, " in told
    assert "newest, 20250607_101010" in told
    assert not (tmp_path / "20250603_101011").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "/etc", "{elsewhere}", "empty"])
def test_names_that_are_no_run_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "default/empty").mkdir(parents=True)
    begun(tmp_path / "other")
    name = name.format(elsewhere=tmp_path / "other")
    with pytest.raises(ConfigError):
        store.find_run(tmp_path / "default", name)


@pytest.mark.parametrize("work_dir", ["default", "missing"])
def test_nothing_to_reuse_is_an_error_that_says_so(tmp_path: Path, work_dir: str) -> None:
    (tmp_path / "default").mkdir()
    with pytest.raises(ConfigError, match=f"{work_dir} holds no earlier run to reuse"):
        store.find_run(tmp_path / work_dir)
    with pytest.raises(ConfigError, match="no run in that folder"):
        store.find_run(tmp_path / work_dir, "20250628_172032")


def test_a_work_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "outputs"
    file.touch()
    for call in (store.new_run, store.find_run):
        with pytest.raises(ConfigError, match=r"outputs: it is not a folder.*--work-dir"):
            call(file)
    with pytest.raises(ConfigError, match=r"outputs/default: Not a directory"):
        store.new_run(file / "default")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody, root included, can write to."""
    place = tmp_path / "locked"
    begun(place / "20250628_172032")
    if os.getuid() == 0:
        script = 'mount -t tmpfs none "$0" && mkdir -p "$0/$1/configs" && mount -o remount,ro "$0"'
        command = ["sh", "-c", script, str(place), "20250628_172032"]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("root can write everywhere, and no read-only file system can be mounted")
        yield place
        subprocess.run(["umount", str(place)], check=True)
        return
    folders = (place / "20250628_172032", place)
    for folder in folders:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield place
    for folder in folders:
        folder.chmod(stat.S_IRWXU)


def test_a_work_dir_that_cannot_be_written_to_is_refused_with_the_reason(locked: Path) -> None:
    for work_dir in (locked, locked / "deeper"):
        with pytest.raises(ConfigError, match=r"locked\S*: (Read-only file system|Permission)"):
            store.new_run(work_dir, NOW)
    with pytest.raises(ConfigError, match=r"20250628_172032: (Read-only file system|Permission)"):
        store.find_run(locked)
