"""A disk that is full when a run begins, or fills up at any of its files: one error, no traceback.

Which file it meets depends on how much is free: config, plan, record, marks, results, summary.
"""

import shutil
from pathlib import Path

from running import run_arguments, steelyard
from sim_process import simulated
from small_disk import small_disk


def test_a_full_disk_is_one_error_at_any_file(shared: Path, tmp_path: Path) -> None:
    data, met = shared / "datasets", set()
    sim = simulated("--dataset", "gsm8k_gen", "--data-dir", str(data))
    with small_disk(tmp_path / "disk", "300k") as disk, sim as url:
        for number, free_kib in enumerate((0, 4, 16, 60, 150, 170)):
            for senders in ("1", "2"):
                room = disk / f"{number}.{senders}"
                usual = ("--num-prompts", "60", "--senders", senders)
                (disk / "rest").write_bytes(bytes((300 - free_kib) << 10))
                done = steelyard(*run_arguments(url, room, data, *usual), cwd=tmp_path)
                assert done.returncode == 1, (free_kib, done.stdout, done.stderr)
                assert "no space left" in done.stderr
                assert "--reuse" in done.stderr
                assert "Traceback" not in done.stdout + done.stderr
                met |= {word for word in ("configs", "predictions", "summary", "plan.json")
                        if word in done.stderr}  # fmt: skip
                (disk / "rest").unlink()
                shutil.rmtree(room)
    assert met >= {"configs", "predictions"}
