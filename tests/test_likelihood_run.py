"""Tasks of likelihoods from the command line to the files, on the simulated endpoint.

The endpoint's toy gives a token that stood in the text before -0.25 for each of its characters, a
new one -0.5, so every figure here can be computed by hand.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import lines, only_run, results, stats, steelyard
from sim_process import simulated

TASK = '''"""Toy: which word goes on?"""

from collections.abc import Iterator

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import most_likely
from steelyard.tasks import Data, task
from steelyard.tasks.likely import RULES, option_texts


def rows() -> Iterator[Sample]:
    """Three rows."""
    yield Sample(id="0", question="The cat sat. The", choices=("cat", "dog"), target="A")
    yield Sample(id="1", question="A dog ran. A", choices=("dog", "elephant"), target="B")
    yield Sample(
        id="2", question="The dog ran. The", choices=("dog ran quickly", "cow"), target="A"
    )


@task("toy_ppl")
def toy(data: Data) -> Task:
    """Options compared."""
    return Task(
        name="toy",
        version=1,
        samples=rows,
        prompt=Prompt(user="{question}"),
        candidates=option_texts,
        scorer=most_likely("whole"),
        variants=RULES,
    )


@task("toy_gen")
def toy_gen(data: Data) -> Task:
    """The same rows, asked for a letter."""
    from steelyard.scoring import last_option

    return Task(
        name="toy",
        version=1,
        samples=rows,
        prompt=Prompt(user="{question}"),
        scorer=last_option("AB"),
    )
'''
TEXT, CHAT, STREAM = "vllm_api_general", "vllm_api_general_chat", "vllm_api_stream_chat"
MODEL = "vllm-api-general"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with simulated("--dialect", "vllm") as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with the toy data set."""
    (tmp_path / "steelyard/datasets").mkdir(parents=True)
    (tmp_path / "steelyard/datasets/toy.py").write_text(TASK, encoding="utf-8")
    return tmp_path


def run(folder: Path, url: str, *arguments: str, code: int = 0, name: str = "toy_ppl") -> str:
    models = () if "--models" in arguments else ("--models", TEXT)
    asked = ("run", *models, "--datasets", name, "--base-url", url, *arguments)
    done = steelyard(*asked, cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_whole_run_scores_by_the_whole_text(url: str, folder: Path) -> None:
    asked_before = stats(url)["requests"].get("/v1/completions", 0)
    screen = run(folder, url)
    found = only_run(folder / "outputs/default")
    assert stats(url)["requests"]["/v1/completions"] - asked_before == 6
    stored = {line["id"]: line for line in lines(found / f"predictions/{MODEL}/toy.jsonl")}
    assert stored[0]["ppl_list"] == [
        {"label": "A", "ppl": 7.5 / 5},
        {"label": "B", "ppl": 8.5 / 5},
    ]
    assert stored[0]["likelihoods"][0] == {
        "total": -1.0,
        "tokens": 1,
        "whole_total": -7.5,
        "whole_tokens": 5,
        "greedy": True,
    }
    assert [stored[row]["prediction"] for row in range(3)] == ["A", "A", "B"]
    assert [stored[row]["gold"] for row in range(3)] == ["A", "B", "A"]
    assert stored[0]["origin_prompt"] == "The cat sat. The"
    assert stored[0]["candidates"] == [{"text": " cat"}, {"text": " dog"}]
    results_file = results(found, MODEL, "toy")
    assert results_file["mode"] == "ppl"
    assert results_file["scorer"] == "most_likely(whole)@1"
    assert results_file["accuracy"] == pytest.approx(100 / 3)
    others = {name: metric["value"] for name, metric in results_file["variants"].items()}
    assert others == {
        "sum": pytest.approx(100 / 3),
        "character": pytest.approx(200 / 3),
        "byte": pytest.approx(200 / 3),
        "token": pytest.approx(200 / 3),
    }
    row = next(line.split() for line in screen.splitlines() if line.startswith("toy "))
    assert row[2:4] == ["accuracy", "ppl"]
    assert row[4] == "33.33"


def test_stored_replies_are_marked_again_by_another_rule_without_a_service(
    url: str, folder: Path
) -> None:
    run(folder, url)
    run(folder, "http://127.0.0.1:9", "--mode", "eval", "--reuse", "--scorer", "token")
    found = only_run(folder / "outputs/default")
    assert results(found, MODEL, "toy")["accuracy"] == pytest.approx(200 / 3)
    scores = lines(found / f"predictions/{MODEL}/toy.scores.jsonl")
    why = "A -2.0000, B -2.0000 (log-probability per token); a tie, which goes to the first option"
    assert scores[2]["why"] == f"{why}, A"


def test_details_hold_the_figures_of_every_label(url: str, folder: Path) -> None:
    run(folder, url, "--dump-eval-details")
    details = results(only_run(folder / "outputs/default"), MODEL, "toy")["details"]
    assert details["type"] == "PPL"
    assert details["0"]["ppl_list"][0] == {"label": "A", "ppl": 1.5}
    assert details["0"]["origin_prediction"] == "A"
    assert "prompt" not in details["0"]


def test_in_chat_the_candidate_is_a_turn_of_its_own(url: str, folder: Path) -> None:
    run(folder, url, "--models", CHAT)
    found = only_run(folder / "outputs/default")
    stored = {
        line["id"]: line for line in lines(found / "predictions/vllm-api-general-chat/toy.jsonl")
    }
    assert stored[0]["likelihoods"][0]["total"] == -2.0  # the line end makes it another token
    assert stored[0]["ppl_list"] == [{"label": "A", "ppl": 1.7}, {"label": "B", "ppl": 1.7}]
    assert stored[0]["prediction"] == "A"


def test_a_finished_run_asks_nothing_again(url: str, folder: Path) -> None:
    run(folder, url)
    before = stats(url)["requests"]["/v1/completions"]
    run(folder, url, "--reuse")
    assert stats(url)["requests"]["/v1/completions"] == before


def test_other_candidates_are_another_job(url: str, folder: Path) -> None:
    run(folder, url)
    file = folder / "steelyard/datasets/toy.py"
    text = file.read_text(encoding="utf-8")
    other = text.replace("candidates=option_texts", "candidates=letters")
    other = other.replace("import RULES, option_texts", "import RULES, letters")
    file.write_text(other, encoding="utf-8")
    told = run(folder, url, "--reuse", code=2)
    assert "were made with another candidates" in told


def test_replies_to_the_texts_are_not_marked_as_likelihoods(url: str, folder: Path) -> None:
    run(folder, url, name="toy_gen")
    told = run(folder, url, "--mode", "eval", "--reuse", "--reuse-anyway", code=1)
    assert "it was asked for as text. Ask again in a new run" in told


def test_a_service_that_gives_no_figures_is_failed_not_wrong(folder: Path) -> None:
    with simulated() as plain:
        told = run(folder, plain, code=1)
    assert "gave no prompt_logprobs" in told
    found = results(only_run(folder / "outputs/default"), MODEL, "toy")
    assert (found["failed"], found["answered"], found["metrics"]) == (3, 0, [])


def test_half_of_the_requests_failing_leaves_whole_rows_and_failures(folder: Path) -> None:
    with simulated("--dialect", "vllm", "--fault", "500:0.4:sticky") as faulty:
        run(folder, faulty, "--retries", "0", code=1)
    stored = lines(only_run(folder / "outputs/default") / f"predictions/{MODEL}/toy.jsonl")
    good = [line for line in stored if line["success"]]
    assert all(len(line["likelihoods"]) == 2 for line in good)
    assert all("likelihoods" not in line for line in stored if not line["success"])
    assert len(good) < 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--models", STREAM), "likelihoods of options are not streamed"),
        (("--models", "tgi_api_general"), "backend tgi of model tgi-api-general cannot tell"),
        (("--mode", "perf"), "no speed to measure"),
        (("--scorer", "first_capital_rule.py:rule"), "which this rule cannot mark"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    arguments: tuple[str, ...], words: str, url: str, folder: Path
) -> None:
    rule = folder / "first_capital_rule.py"
    rule.write_text("def rule(text):\n    return text[:1]\n", encoding="utf-8")
    before = stats(url)["requests"]
    assert words in run(folder, url, *arguments, code=2)
    assert stats(url)["requests"] == before
    assert not (folder / "outputs").exists()


def test_a_dry_run_counts_the_candidates(url: str, folder: Path) -> None:
    shown = run(folder, url, "--dry-run", "--json")
    assert json.loads(shown.splitlines()[0])["requests"] == 3


def test_real_rows_of_lm_evaluation_harness_run(url: str, shared: Path, folder: Path) -> None:
    data = ("--data-dir", str(shared / "datasets"), "--num-prompts", "20")
    for name in ("hellaswag_lm_eval", "winogrande_lm_eval", "mmlu_ppl_0_shot_str"):
        more = ("--merge-ds",) if name.startswith("mmlu") else ()
        run(folder, url, *data, *more, "-w", name, name=name)
        (file,) = only_run(folder / name).rglob(f"predictions/{MODEL}/*.scores.jsonl")
        marks = lines(file)
        assert marks
        assert {mark["outcome"] for mark in marks} <= {"right", "wrong"}
