"""Pictures that are edited by one service and judged by another: whole runs of the command.

- One inference, two questions about each picture: SC, PQ and O, by language, from 0 to 10.
- Files hold references; a picture lies under its own name before its line does.
- A picture that is missing or broken is a failed request, never a score of 0, and is asked anew.
- A picture that was changed is judged anew, and nothing else is.
- Killed in mid-editing or mid-judging, the next run ends with the figures of an undisturbed one.
- Pictures that were made elsewhere are judged without any service that makes some.

All rows and pictures are made up. The simulated editor paints a few coloured squares, and the
simulated judge draws its scores by the pictures' content: the same pictures, the same scores.
"""

import json
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import made_up
from running import lines, only_run, results, started, stats, steelyard
from sim_process import simulated
from steelyard.sim.wire_images import picture

MODEL, MADE, ROWS = "vllm-api-image-edits", "picture-folder", 12
NAME = "gedit_gen_0_shot_llmjudge"
EDITS, CHAT = "/v1/images/edits", "/v1/chat/completions"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made_up.put_gedit(tmp_path / "data", ROWS)
    return tmp_path / "data"


@pytest.fixture
def editor() -> Iterator[str]:
    with simulated() as url:
        yield url


@pytest.fixture
def judge() -> Iterator[str]:
    with simulated("--judge", "fair") as url:
        yield url


def edited(url: str, judge: str, data: Path, *more: str, work: str = "out") -> tuple[str, ...]:
    return (
        *("run", "--models", "vllm_api_image_edits", "--datasets", NAME, "--base-url", url),
        *("--judge-url", judge, "--data-dir", str(data), "-w", work, *more),
    )


def made(path: Path, judge: str, data: Path, *more: str, work: str = "out") -> tuple[str, ...]:
    return (
        *("run", "--models", "picture_folder", "--datasets", NAME, "--set", f"pictures={path}"),
        *("--judge-url", judge, "--data-dir", str(data), "-w", work, *more),
    )


def ran(tmp_path: Path, words: tuple[str, ...], code: int = 0) -> str:
    done = steelyard(*words, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def asked(url: str, path: str) -> int:
    return int(stats(url)["requests"].get(path, 0))


def answers(tmp_path: Path, work: str = "out", model: str = MODEL) -> list[dict[str, Any]]:
    return lines(only_run(tmp_path / work) / "predictions" / model / "gedit.jsonl")


def judgements(tmp_path: Path, work: str = "out", model: str = MODEL) -> list[dict[str, Any]]:
    return lines(only_run(tmp_path / work) / "predictions" / model / "gedit-judge.jsonl")


def scores(tmp_path: Path, work: str = "out", model: str = MODEL) -> dict[str, dict[str, Any]]:
    folder = only_run(tmp_path / work) / "predictions" / model
    return {one["key"]: one for one in lines(folder / "gedit-judge.scores.jsonl")}


def figures(tmp_path: Path, work: str = "out", model: str = MODEL) -> dict[str, Any]:
    told = results(only_run(tmp_path / work), model, "gedit-judge")
    return {one["name"]: one for one in told["metrics"]}


def pictures(tmp_path: Path, work: str = "out", model: str = MODEL) -> Path:
    return only_run(tmp_path / work) / "predictions" / model / "gedit"


def said(line: dict[str, Any]) -> tuple[int, int]:
    one, other = json.loads(line["prediction"].rpartition("= ")[2])
    return one, other


def test_one_inference_is_judged_twice(editor: str, judge: str, data: Path, tmp_path: Path) -> None:
    shown = ran(tmp_path, edited(editor, judge, data))
    assert (asked(editor, EDITS), asked(judge, CHAT)) == (ROWS, 2 * ROWS)
    by_key = {line["key"]: min(said(line)) for line in judgements(tmp_path)}
    rows = made_up.gedit_rows(ROWS)
    each = {
        n: (by_key[f"{n}#0"], by_key[f"{n}#0/2"], row["instruction_language"])
        for n, row in enumerate(rows)
    }
    told = figures(tmp_path)
    for language, prefix in ((None, ""), ("en", "en/"), ("cn", "cn/")):
        members = [one for one in each.values() if language in (None, one[2])]
        expected = {
            "SC": fmean(sc for sc, _, _ in members),
            "PQ": fmean(pq for _, pq, _ in members),
            "O": fmean(sqrt(sc * pq) for sc, pq, _ in members),
        }
        for name, value in expected.items():
            row = told[f"{prefix}{name} (0-10)"]
            assert row["value"] == pytest.approx(value), name
            assert (row["n"], row["unit"], row["scale"]) == (len(members), "points", 10)
            assert 0 <= row["low"] < row["value"] < row["high"] <= 10
    assert told["overall_percent"]["value"] == pytest.approx(10 * told["O (0-10)"]["value"])
    assert "O (0-10)" in shown
    assert "comparisons came out the same" not in shown


def test_files_hold_references_and_every_picture_lies_under_its_own_name(
    editor: str, judge: str, data: Path, tmp_path: Path
) -> None:
    ran(tmp_path, edited(editor, judge, data))
    for line in answers(tmp_path):
        assert line["prediction"] == f"gedit/{line['id']}-0.png"
        drawn = (pictures(tmp_path).parent / line["prediction"]).read_bytes()
        assert drawn.startswith(b"\x89PNG")
        asked_with, _ = line["origin_prompt"][0]["content"]
        assert asked_with["type"] == "picture"
    assert {path.suffix for path in pictures(tmp_path).iterdir()} == {".png"}
    stored = b"".join(path.read_bytes() for path in only_run(tmp_path / "out").rglob("*.jsonl"))
    assert b"base64" not in stored
    shown = [line["origin_prompt"][-1]["content"] for line in judgements(tmp_path)]
    kinds = {tuple(part["type"] for part in parts) for parts in shown}
    assert kinds == {("text", "picture", "picture"), ("text", "picture")}


def test_two_stages_with_one_service_at_a_time_say_what_one_run_says(
    editor: str, data: Path, tmp_path: Path
) -> None:
    with simulated("--judge", "fair") as judge:
        ran(tmp_path, edited(editor, judge, data, work="whole"))
    ran(tmp_path, edited(editor, NOWHERE, data, "--mode", "infer"))
    with simulated("--judge", "fair") as judge:
        ran(tmp_path, edited(NOWHERE, judge, data, "--mode", "judge", "--reuse"))
        assert asked(judge, CHAT) == 2 * ROWS
    ran(tmp_path, edited(NOWHERE, NOWHERE, data, "--mode", "eval", "--reuse"))
    assert figures(tmp_path) == figures(tmp_path, "whole")
    shown = ran(tmp_path, edited(NOWHERE, NOWHERE, data, "--mode", "viz", "--reuse"))
    assert "O (0-10)" in shown


def test_a_judge_that_says_nothing_of_one_question_leaves_the_other_its_score(
    editor: str, data: Path, tmp_path: Path
) -> None:
    with simulated("--judge", "fair", "--judge-unparsable", "0.3") as judge:
        ran(tmp_path, edited(editor, judge, data), code=1)
    told, each = figures(tmp_path), scores(tmp_path).values()
    unparsed = [one for one in each if one["outcome"] == "unparsed"]
    assert unparsed
    assert all("value" not in one for one in unparsed), "no verdict is no score of 0"
    half = [one for one in unparsed if ("SC" in one["parts"]) is not ("PQ" in one["parts"])]
    assert half
    for name in ("SC", "PQ"):
        assert told[f"{name} (0-10)"]["n"] == sum(name in one["parts"] for one in each)
    assert told["O (0-10)"]["n"] == ROWS - len(unparsed)


def test_a_picture_that_was_changed_is_judged_anew_and_one_that_is_gone_has_failed(
    editor: str, judge: str, data: Path, tmp_path: Path
) -> None:
    ran(tmp_path, edited(editor, judge, data))
    before, seen = scores(tmp_path), asked(judge, CHAT)
    folder = pictures(tmp_path)
    (folder / "2-0.png").write_bytes(picture("another"))
    (folder / "5-0.png").write_bytes(b"<html>no picture</html>")
    (folder / "7-0.png").unlink()
    with (folder / "9-0.png").open("r+b") as file:
        file.truncate(40 * 1024 * 1024)
    shown = ran(tmp_path, edited(NOWHERE, judge, data, "--mode", "eval", "--reuse"), code=1)
    assert asked(judge, CHAT) == seen + 2
    assert "2 judgements were of other answers" in shown
    assert "answered 9 of 12, failed 3 (picture: 3)" in shown
    after = scores(tmp_path)
    assert {key for key in after if after[key] != before[key]} == {"2#0", "5#0", "7#0", "9#0"}
    assert [after[key]["outcome"] for key in ("5#0", "7#0", "9#0")] == ["failed"] * 3
    assert all("value" not in after[key] for key in ("5#0", "7#0", "9#0"))
    assert "begins like no PNG" in after["5#0"]["why"]
    assert "No such file" in after["7#0"]["why"]
    assert "33,554,432 is the most" in after["9#0"]["why"]

    made_before = asked(editor, EDITS)
    ran(tmp_path, edited(editor, judge, data, "--reuse"))
    assert asked(editor, EDITS) == made_before + 3, "what has no picture is asked for again"
    assert {key for key in before if scores(tmp_path)[key] != before[key]} == {"2#0"}


def test_kills_in_mid_editing_and_mid_judging_change_no_figure(tmp_path: Path) -> None:
    rows, chance = 40, random.Random(3)
    made_up.put_gedit(tmp_path / "many", rows)
    data = tmp_path / "many"
    slow, judging = ("--ttft", "uniform(20ms,60ms)"), ("--judge", "fair", "--ttft", "60ms")
    with simulated(*slow) as editor, simulated(*judging) as judge:
        few = ("--concurrency", "3", "--judge-concurrency", "4")
        ran(tmp_path, edited(editor, judge, data, *few, work="calm"))
        calm = asked(editor, EDITS), asked(judge, CHAT)
        for kill in range(6):
            more = ("--reuse",) if kill else ()
            process = started(*edited(editor, judge, data, *few, *more), cwd=tmp_path)
            wait_for_more(tmp_path, kill)
            time.sleep(chance.uniform(0.0, 0.2))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            for line in answers(tmp_path):  # a line without its picture there never is
                assert (pictures(tmp_path).parent / line["prediction"]).is_file()
        assert len(judgements(tmp_path)) < 2 * rows, "the kills must fall into the run"
        ran(tmp_path, edited(editor, judge, data, *few, "--reuse"))
        assert asked(editor, EDITS) - calm[0] - rows <= 6 * 3
        assert asked(judge, CHAT) - calm[1] - 2 * rows <= 6 * 4
    assert figures(tmp_path) == figures(tmp_path, "calm")


def wait_for_more(tmp_path: Path, kill: int) -> None:
    """Until the run has more answers than before, and later more judgements."""
    count = answers if kill < 3 else judgements
    stop = time.monotonic() + 30
    before = None
    while time.monotonic() < stop:
        if (tmp_path / "out").exists() and list((tmp_path / "out").iterdir()):
            now = len(count(tmp_path))
            before = now if before is None else before
            if now > before:
                return
        time.sleep(0.01)
    raise AssertionError("nothing came")


def test_repeats_and_limits_and_a_config_file_of_the_run(
    editor: str, judge: str, data: Path, tmp_path: Path
) -> None:
    ran(tmp_path, edited(editor, judge, data, "--num-prompts", "4", "--repeats", "2"))
    assert sorted(line["prediction"] for line in answers(tmp_path)) == sorted(
        f"gedit/{row}-{repeat}.png" for row in range(4) for repeat in range(2)
    )
    assert figures(tmp_path)["SC (0-10)"]["n"] == 8
    (config,) = only_run(tmp_path / "out").glob("configs/*.py")
    ran(tmp_path, ("run", str(config), "-w", "again"))
    names = [name for name in figures(tmp_path) if name.endswith("(0-10)")]
    assert [figures(tmp_path, "again")[one] for one in names] == [
        figures(tmp_path)[one] for one in names
    ]


def as_the_authors_do(folder: Path) -> Path:
    """Finished pictures in GEdit-Bench's own layout."""
    for n, row in enumerate(made_up.gedit_rows(ROWS)):
        place = folder / str(row["task_type"]) / str(row["instruction_language"])
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{row['key']}.png").write_bytes(picture(f"edited {n}"))
    return folder


def as_aisbench_does(folder: Path) -> Path:
    """The same pictures beside AISBench's file of predictions."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for n in range(ROWS):
        (folder / "images" / f"{n}.png").write_bytes(picture(f"edited {n}"))
        rows.append({"data_abbr": "gedit", "id": n, "prediction": f"images/{n}.png"})
    path = folder / "gedit.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_finished_pictures_are_judged_without_a_service_that_makes_some(
    judge: str, data: Path, tmp_path: Path
) -> None:
    ran(tmp_path, made(as_the_authors_do(tmp_path / "fullset"), judge, data))
    ran(tmp_path, made(as_aisbench_does(tmp_path / "other"), judge, data, work="theirs"))
    told = figures(tmp_path, model=MADE)
    assert told["O (0-10)"]["n"] == ROWS
    assert told == figures(tmp_path, "theirs", MADE)
    shutil.rmtree(tmp_path / "fullset")  # the run has its own pictures
    (tmp_path / "fullset").mkdir()
    ran(tmp_path, made(tmp_path / "fullset", judge, data, "--mode", "eval", "--reuse"))
    assert figures(tmp_path, model=MADE) == told


def test_a_folder_that_aisbench_wrote_is_evaluated_as_it_is(
    judge: str, data: Path, tmp_path: Path
) -> None:
    ran(tmp_path, made(as_the_authors_do(tmp_path / "fullset"), judge, data))
    theirs = tmp_path / "theirs/20250628_172032"
    as_aisbench_does(theirs / "predictions" / MADE)
    words = made(tmp_path / "fullset", judge, data, "--mode", "eval", "--reuse", work="theirs")
    ran(tmp_path, words)
    assert figures(tmp_path, "theirs", MADE) == figures(tmp_path, model=MADE)


def test_a_missing_picture_has_failed_and_no_path_leads_out_of_its_folder(
    judge: str, data: Path, tmp_path: Path
) -> None:
    path = as_aisbench_does(tmp_path / "other")
    (tmp_path / "secret.png").write_bytes(picture("secret"))
    (path.parent / "images/1.png").unlink()
    (path.parent / "images/3.png").write_bytes(b"GIF89a")
    (path.parent / "images/4.png").unlink()
    (path.parent / "images/4.png").symlink_to(tmp_path / "secret.png")
    rows = lines(path)
    rows[0]["prediction"] = "../secret.png"
    rows[2]["prediction"] = str(tmp_path / "secret.png")
    del rows[5]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shown = ran(tmp_path, made(path, judge, data), code=1)
    assert "failed 6 (picture: 6)" in shown
    found = scores(tmp_path, model=MADE)
    why = {key: one["why"] for key, one in found.items() if one["outcome"] == "failed"}
    assert {key.partition("#")[0] for key in why} == set("012345")
    for row, words in {"0": "leads out", "1": "No such file", "2": "leads out",
                       "3": "begins like no PNG", "4": "leads out",
                       "5": "no picture for row 5"}.items():  # fmt: skip
        assert words in why[f"{row}#0"]
    assert figures(tmp_path, model=MADE)["O (0-10)"]["n"] == ROWS - 6


def test_a_line_of_a_run_that_leads_out_of_its_folder_has_failed(
    editor: str, judge: str, data: Path, tmp_path: Path
) -> None:
    ran(tmp_path, edited(editor, judge, data))
    (tmp_path / "secret.png").write_bytes(picture("secret"))
    stored = pictures(tmp_path).parent / "gedit.jsonl"
    changed = lines(stored)
    changed[0]["prediction"] = "../../../../secret.png"
    os.mkfifo(pictures(tmp_path) / "pipe.png")
    changed[1]["prediction"] = "gedit/pipe.png"
    changed[2]["prediction"] = "gedit"
    changed[3]["prediction"] = "a\0b"
    changed[4]["prediction"] = ""
    stored.write_text("".join(json.dumps(one) + "\n" for one in changed), encoding="utf-8")
    seen = asked(judge, CHAT)
    ran(tmp_path, edited(NOWHERE, judge, data, "--mode", "eval", "--reuse"), code=1)
    assert asked(judge, CHAT) == seen
    says = ("leads out of", "no plain file", "no plain file", "null", "no plain file")
    for line, words in zip(changed, says, strict=False):
        assert words in scores(tmp_path)[line["key"]]["why"]


@pytest.mark.parametrize("fault", ["500:0.4", "garbage:0.4", "empty:0.4", "truncate:0.4"])
def test_faults_of_the_editor_are_tried_again(fault: str, data: Path, tmp_path: Path) -> None:
    with simulated("--fault", fault) as editor, simulated("--judge", "fair") as judge:
        ran(tmp_path, edited(editor, judge, data, "--retries", "6"))
    with simulated() as editor, simulated("--judge", "fair") as judge:
        ran(tmp_path, edited(editor, judge, data, work="calm"))
    assert figures(tmp_path) == figures(tmp_path, "calm")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--models", "vllm_api_general_chat"), "which backend openai_chat .* does not make"),
        (("--models", "tgi_api_general"), "backend tgi .* does not make"),
        (("--models", "vllm_api_image_edits", "--judge", "vllm_api_general"),
         "shows its judge pictures, which backend openai_completions"),
        (("--models", "vllm_api_image_edits", "--judge", "tgi_api_general"), "backend tgi"),
        (("--models", "vllm_api_image_edits", "--judge-prompt", "score"), "its own judges"),
        (("--models", "vllm_api_image_edits", "--cascade"), "its own judges"),
        (("--models", "picture_folder", "--set", "pictures=nowhere"), "there is nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_before_anything_is_sent(
    words: tuple[str, ...], says: str, data: Path, tmp_path: Path
) -> None:
    done = steelyard(
        *("run", "--datasets", NAME, "--data-dir", str(data), "-w", "out"),
        *("--base-url", NOWHERE) if "vllm" in words[1] else (),
        *("--judge-url", NOWHERE, *words),
        cwd=tmp_path,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    assert re.search(says, done.stderr), done.stderr
