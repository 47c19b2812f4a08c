"""``steelyard calibrate``: a judge held against labels by people, whole runs of the command.

- The figures are those of the judge's true mistakes, which the simulated judge counts.
- Every reply is on disk before it counts: killed again and again, nothing is asked twice, and the
  figures in the end are those of an undisturbed calibration.
- What states no verdict is asked once more; that, and a judge that fails, is no disagreement.
- What cannot be used is refused before anything is sent.
"""

import json
import random
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from judge_sim import FENCE, LocalJudge
from running import lines, only_run, started, stats, steelyard
from sim_process import simulated
from steelyard.config import judges_of_labels
from steelyard.core import Sample
from steelyard.scoring import pairwise, verifier
from steelyard.sim import SimOptions

ROWS, KILLS, IN_FLIGHT = 240, 5, 8
NOISE = 0.15


def rows_of(n: int) -> list[dict[str, Any]]:
    """Labelled as a fair judge would label them."""
    return [
        {
            "question": f"What is {number} + 1?",
            "answer": f"I make it {number + 1 + (number % 3 == 0)}.",
            "reference": str(number + 1),
            "label": "incorrect" if number % 3 == 0 else "correct",
        }
        for number in range(n)
    ]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def calibrated(path: Path, url: str, *more: str) -> dict[str, Any]:
    """Run to its end; the figures."""
    folder = path.parent
    done = steelyard("calibrate", str(path), "--judge-url", url, "-w", "out", *more, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return report(folder / "out")


def report(work: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((only_run(work) / "calibration.json").read_bytes())
    return found


def asked(url: str) -> int:
    return sum(n for path, n in stats(url)["requests"].items() if "completions" in path)


def replies(work: Path, name: str = "rows-judge") -> list[dict[str, Any]]:
    return lines(only_run(work) / "predictions" / "labelled" / f"{name}.jsonl")


def test_the_agreement_is_one_minus_the_judges_noise(tmp_path: Path) -> None:
    """Every answer is right and labelled so: what the judge calls incorrect are its mistakes."""
    rows = [{**row, "answer": row["reference"], "label": 1} for row in rows_of(ROWS)]
    path = written(tmp_path / "rows.jsonl", rows)
    with simulated("--judge", "fair", "--judge-noise", str(NOISE)) as url:
        found = calibrated(path, url)
        verdicts = stats(url)["verdicts"]
    figures = found["figures"]
    assert 0 < verdicts["incorrect"] < ROWS
    assert figures["agreement"]["value"] == verdicts["correct"] / ROWS
    assert figures["agreement"]["low"] < 1 - NOISE < figures["agreement"]["high"]
    assert figures["confusion"] == {"correct": verdicts}
    assert found["judge"]["asked"] == found["judge"]["replies"] == ROWS


def test_the_matrix_is_that_of_the_judges_true_opinions(tmp_path: Path) -> None:
    rows = rows_of(ROWS)
    path = written(tmp_path / "rows.jsonl", rows)
    judge = LocalJudge("fair", options=SimOptions(judge="fair", judge_noise=NOISE))
    truth = Counter(
        (row["label"], judge.judgement(verifier(), sample, row["answer"]).answer)
        for row in rows
        for sample in [Sample(id="1", question=row["question"], target=row["reference"])]
    )
    with simulated("--judge", "fair", "--judge-noise", str(NOISE)) as url:
        prices = ("--judge-set", "price.input=1", "price.output=4", "price.currency=USD")
        found = calibrated(path, url, *prices)
    figures = found["figures"]
    told = figures["confusion"]
    assert {(label, one): n for label in told for one, n in told[label].items()} == truth
    right = sum(n for (label, one), n in truth.items() if label == one)
    assert figures["agreement"]["value"] == right / ROWS
    stored = replies(tmp_path / "out")
    spent = sum(line["prompt_tokens"] + 4 * line["output_tokens"] for line in stored) / 1e6
    assert found["judge"]["cost"] == pytest.approx(spent)


def test_pairs_are_judged_in_both_orders(shared: Path, tmp_path: Path) -> None:
    """LLMBar's rows, before a judge that prefers the longer answer and errs now and then."""
    raw = json.loads((shared / "datasets/llmbar/Adversarial_Manual.json").read_bytes())[:30]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    judge = LocalJudge("fair", options=SimOptions(judge="fair", judge_noise=NOISE))

    def opinion(row: dict[str, Any], *, swapped: bool) -> str:
        sample = Sample(id="1", question=row["input"], meta={"baseline": row["output_2"].strip()})
        found = judge.judgement(pairwise(swapped=swapped), sample, row["output_1"].strip()).answer
        return {"win": "1", "loss": "2", "tie": "tie"}[found or ""]

    said = [
        (str(row["label"]), *(opinion(row, swapped=one) for one in (False, True))) for row in raw
    ]
    with simulated("--judge", "fair", "--judge-noise", str(NOISE)) as url:
        found = calibrated(path, url)["figures"]
        assert asked(url) == 60
    in_order = [figure["value"] for figure in found["agreement_in_order"]]
    assert in_order == [
        sum(label == words[order] for label, *words in said) / 30 for order in (0, 1)
    ]
    both = sum(label == one == other for label, one, other in said)
    assert found["agreement_in_both"]["value"] == both / 30
    assert found["position"]["consistent"] == sum(one == other for _, one, other in said) < 30
    assert found["longer_preferred"]["value"] > 0.7


def test_scores_are_numbers(tmp_path: Path) -> None:
    words = "one two three four five six seven eight"
    rows = [
        {"question": "Count.", "answer": words[: 4 * n], "reference": words, "label": 1 + n % 5}
        for n in range(1, 10)
    ]
    path = written(tmp_path / "rows.jsonl", rows)
    with simulated("--judge", "fair") as url:
        found = calibrated(path, url, "--judge-prompt", "score:1-5")
    figures = found["figures"]
    assert found["kind"] == "score"
    said = [
        float(line["prediction"].rpartition("Score: ")[2]) for line in replies(tmp_path / "out")
    ]
    apart = [abs(one - row["label"]) for one, row in zip(said, rows, strict=True)]
    assert figures["mean_absolute_difference"]["value"] == pytest.approx(sum(apart) / 9)
    assert {"kappa", "spearman", "mean_difference"} < figures.keys()
    assert "macro_f1" not in figures


def test_repeats_ask_again_and_say_how_alike_the_verdicts_are(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(20))
    with simulated("--judge", "fair", "--judge-noise", "0.3") as url:
        found = calibrated(path, url, "--repeats", "3")
        assert asked(url) == 60
        assert found["figures"]["agreement"]["n"] == 60
        assert found["figures"]["same_every_time"]["value"] == 1
        assert found["figures"]["same_every_time"]["n"] == 20
        more = calibrated(path, url, "--repeats", "4", "--reuse")
        assert asked(url) == 80, "only the fourth time is asked"
    before = found["figures"]["agreement"]["value"]
    assert more["figures"]["agreement"]["value"] == pytest.approx(before)


def test_without_a_verdict_is_not_a_disagreement(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(ROWS))
    command = ("calibrate", str(path), "-w", "out", "--judge-url")
    with simulated("--judge", "fair", "--judge-unparsable", "0.1") as url:
        done = steelyard(*command, url, cwd=tmp_path)
    assert done.returncode == 1, "more than 1 % have no verdict"
    figures = report(tmp_path / "out")["figures"]
    unread = figures["outcomes"]["unparsed"]
    assert f"{unread} of {ROWS} questions have no verdict" in done.stdout
    assert "--reuse --judge-again" in done.stdout
    assert done.stdout.rstrip().endswith(" --judge-again")
    assert figures["agreement"]["value"] == 1
    assert figures["agreement"]["n"] == ROWS - unread
    assert figures["unparsed"]["value"] == unread / ROWS
    assert len(replies(tmp_path / "out")) == ROWS + unread, "each was asked for once more"


def test_a_judge_that_fails_is_counted_apart_and_asked_again(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(60))
    command = ("calibrate", str(path), "-w", "out", "--judge-set", "retries=0", "--judge-url")
    with simulated("--judge", "fair", "--fault", "500:0.3", "--fault-first", "60") as url:
        first = steelyard(*command, url, cwd=tmp_path)
        assert first.returncode == 1, first.stdout + first.stderr
        before = report(tmp_path / "out")["figures"]
        failed = before["outcomes"]["judge_failed"]
        assert before["agreement"]["value"] == 1
        assert before["agreement"]["n"] == before["unparsed"]["n"] == 60 - failed < 60
        again = steelyard(*command, url, "--reuse", cwd=tmp_path)
        assert again.returncode == 0, again.stdout + again.stderr
        assert asked(url) == 60 + failed
    assert report(tmp_path / "out")["figures"]["agreement"]["n"] == 60


def test_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(ROWS))
    chance = random.Random(5)
    judge = ("--judge", "fair", "--judge-noise", str(NOISE), "--ttft", "uniform(20ms,60ms)")
    with simulated(*judge) as url:
        work = tmp_path / "out"
        command = ("calibrate", str(path), "-w", "out", "--judge-url", url)
        paced = ("--judge-concurrency", str(IN_FLIGHT))
        for kill in range(KILLS):
            before = len(replies(work)) if kill else 0
            more = ("--reuse",) if kill else ()
            process = started(*command, *paced, *more, cwd=tmp_path)
            wait_for_replies(work, before + 1)
            time.sleep(chance.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert 0 < len(replies(work)) < ROWS, "the kills must fall into the asking"
        last = steelyard(*command, "--judge-concurrency", "64", "--reuse", cwd=tmp_path)
        assert last.returncode == 0, last.stdout + last.stderr
        keys = Counter(line["key"] for line in replies(work))
        assert len(keys) == keys.total() == ROWS, "no finished reply was asked for again"
        assert asked(url) - ROWS <= KILLS * IN_FLIGHT
        steelyard(*command, "-r", cwd=tmp_path)
        assert asked(url) - ROWS <= KILLS * IN_FLIGHT
        calm = tmp_path / "calm"
        calm.mkdir()
        undisturbed = calibrated(written(calm / "rows.jsonl", rows_of(ROWS)), url)
    assert report(work)["figures"] == undisturbed["figures"]


def wait_for_replies(work: Path, wanted: int, limit_s: float = 20) -> None:
    end = time.monotonic() + limit_s
    while not (work.exists() and any(work.iterdir()) and len(replies(work)) >= wanted):
        if time.monotonic() > end:
            raise subprocess.TimeoutExpired("waiting", limit_s)
        time.sleep(0.02)


def test_an_interrupt_says_how_to_go_on(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(ROWS))
    with simulated("--judge", "fair", "--ttft", "200ms") as url:
        words = (str(path), "-w", "out", "--judge-url", url, "--judge-concurrency", "2")
        process = started("calibrate", *words, cwd=tmp_path)
        wait_for_replies(tmp_path / "out", 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out + err
    assert "steelyard calibrate" in out
    assert f"--reuse {only_run(tmp_path / 'out').name}" in out
    assert "Traceback" not in err


def test_a_label_may_change_without_asking_again(tmp_path: Path) -> None:
    rows = rows_of(20)
    path = written(tmp_path / "rows.jsonl", rows)
    with simulated("--judge", "fair") as url:
        assert calibrated(path, url)["figures"]["agreement"]["value"] == 1
        rows[0]["label"] = "correct"
        rows[1]["answer"] = "It is 0."
        written(path, rows)
        found = calibrated(path, url, "--reuse")
        assert asked(url) == 21, "only the answer that is another one"
    assert found["figures"]["agreement"]["value"] == 18 / 20


def test_a_judge_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "mine.txt"
    own.write_text(
        "name: mine\nreads: pairwise rival\n---\nWhich is better, for {audience}?\n{question}\n"
        '{first}\n{second}\nLast line: "Winner: A", "Winner: B" or "Winner: C" (a tie).\n',
        encoding="utf-8",
    )
    rows = [
        {
            "question": "Why?",
            "answer_1": "So.",
            "answer_2": "So it is.",
            "label": 2,
            "audience": "all",
        }
    ] * 5
    path = written(tmp_path / "rows.jsonl", rows)
    with simulated("--judge", "fair") as url:
        found = calibrated(path, url, "--judge-prompt", str(own))
    assert re.match(r"mine@1#\w{8} \+ mine_swapped@1#", found["judge"]["judge"])
    for line in replies(tmp_path / "out"):
        assert re.search(r"for <audience \w+>\nall\n", line["origin_prompt"][-1]["content"])


@pytest.mark.parametrize("prompt", ["pairwise", "graded_pairwise", "mt_bench_pairwise"])
def test_every_comparing_judge_is_asked_in_both_orders(prompt: str) -> None:
    straight, swapped = judges_of_labels(prompt, pairs=True)
    sample = Sample(id="1", question="Why?", meta={straight.against or "": "second answer"})
    for judge, first_shown in ((straight, "first answer"), (swapped, "second answer")):
        text = str(judge.question(sample, "first answer", FENCE)[-1].content)
        assert min(("first answer", "second answer"), key=text.index) == first_shown
    assert straight.id != swapped.id


def test_a_pair_with_an_empty_answer_is_not_asked_about(tmp_path: Path) -> None:
    row = {"question": "Why?", "answer_1": "So.", "answer_2": "So it is.", "label": 2}
    rows = [row, {**row, "answer_2": " "}, {**row, "answer_1": ""}]
    with simulated("--judge", "fair") as url:
        found = calibrated(written(tmp_path / "rows.jsonl", rows), url)
        assert asked(url) == 2
    assert found["figures"]["confusion"] == {"2": {"2": 1}}
    assert found["not_asked"] == 2


def test_answers_that_no_judge_is_asked_about_are_told(tmp_path: Path) -> None:
    rows = [*rows_of(4), {**rows_of(1)[0], "answer": " ", "label": "invalid"}]
    with simulated("--judge", "fair") as url:
        found = calibrated(written(tmp_path / "rows.jsonl", rows), url)
        assert asked(url) == 4
    assert found["not_asked"] == 1
    assert found["figures"]["agreement"]["n"] == 4


def test_the_terminal_the_page_and_the_events_say_the_same(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(30))
    with simulated("--judge", "fair", "--judge-noise", "0.2") as url:
        words = ("calibrate", str(path), "-w", "out", "--judge-url", url)
        shown = steelyard(*words, cwd=tmp_path)
        events = steelyard(*words, "-r", "--json", cwd=tmp_path)
    assert shown.returncode == events.returncode == 0, shown.stderr + events.stderr
    figures = report(tmp_path / "out")["figures"]
    share = f"{100 * figures['agreement']['value']:.1f} %"
    page = (only_run(tmp_path / "out") / "calibration.md").read_text(encoding="utf-8")
    for text in (shown.stdout, page):
        assert re.search(rf"agreement\W+{share}", text)
        assert f"{figures['kappa']['value']:.3f}" in text
    told = [json.loads(line) for line in events.stdout.splitlines()]
    (ready,) = (event for event in told if event["type"] == "calibration")
    assert ready["figures"] == figures
    assert told[-1]["exit_code"] == 0


@pytest.mark.parametrize(
    ("rows", "more", "told"),
    [
        ([{"question": "?", "answer": "!", "reference": "!", "label": "good"}], (),
         "rows.jsonl, line 1: field `label` is 'good'; expected correct, incorrect or invalid"),
        ([{"question": "?", "answer": "!", "label": "correct"}], (),
         "rows.jsonl, line 1: field `reference` is missing"),
        ([{"question": "?", "answer": "!", "label": 9}], ("--judge-prompt", "score:1-5"),
         "rows.jsonl, line 1: field `label` is 9; expected a number from 1 to 5"),
        ([{"question": "?", "answer": "!", "label": 1}], ("--judge-prompt", "pairwise"),
         "the rows hold one answer each"),
        ([{"question": "?", "answer_1": "!", "answer_2": ".", "label": 1}],
         ("--judge-prompt", "verifier"), "the rows hold two answers each"),
        (rows_of(1), ("--judge-prompt", "verifyer"), "Near: verifier"),
        (rows_of(1), ("--repeats", "0"), "--repeats 0 is out of range"),
        (rows_of(1), ("--judge-set", "repeats=2"), "steelyard calibrate measures"),
        (rows_of(1), ("-r",), "holds no earlier run"),
        ([], (), "has no rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_before_anything_is_sent(
    rows: list[dict[str, Any]], more: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "rows.jsonl", rows)
    with simulated("--judge", "fair") as url:
        words = (str(path), "-w", "out", "--judge-url", url, *more)
        done = steelyard("calibrate", *words, cwd=tmp_path)
        assert stats(url)["requests"] == {}
    assert done.returncode == 2, done.stdout
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_a_judge_or_a_file_nothing_begins(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(1))
    for words, told in (((str(path),), "no judge is named"), ((), "name a file")):
        done = steelyard("calibrate", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert told in done.stderr


def test_a_judge_that_is_not_there_is_an_incomplete_calibration(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", rows_of(3))
    words = (str(path), "-w", "out", "--judge-url", "http://127.0.0.1:9")
    done = steelyard("calibrate", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing listens" in done.stderr
    assert "agreement" not in report(tmp_path / "out")["figures"]


def test_a_judge_whose_name_ends_like_a_part_is_held_against_the_labels(tmp_path: Path) -> None:
    path = written(tmp_path / "labels.jsonl", rows_of(12))
    with simulated("--judge", "fair") as url:
        told = calibrated(path, url, "--judge-set", "abbr=gpt-4.5")
    assert told["figures"]["asked"] == 12
    assert told["figures"]["outcomes"] == {"right": 8, "wrong": 4}
