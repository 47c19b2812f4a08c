"""Marking answers that are programs.

- A program is found in an answer as each data set's rule says.
- The data's own solutions pass their own tests, all of them.
- Real outputs with a known score get that score.
- LiveCodeBench's tests are read from the form they are stored in, and from nothing that runs code.
"""

import json
import os
import pickle
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import made_up
import sandboxes
from steelyard import sandbox
from steelyard.core import ConfigError, DataError, Sample, Score, Scorer, Task, Verdict
from steelyard.scoring import (
    fold,
    livecodebench_first,
    livecodebench_last,
    mbpp,
    mbpp_counts,
)
from steelyard.scoring.code_cases import cases_of, same_output
from steelyard.scoring.code_text import begin_done, fenced_or_all, first_fence, last_fence
from steelyard.tasks import catalogue
from steelyard.tasks.builtin.livecodebench import versions
from steelyard.tasks.data import Data
from steelyard.tasks.prompting import asker, gold_text

HUMANEVAL = "humaneval_gen_0_shot"
MBPP = "mbpp_passk_gen_3_shot_chat_prompt"
SANITIZED = "sanitized_mbpp_passk_gen_3_shot_chat_prompt"
LCB = "livecodebench_code_generate_lite_gen_0_shot_chat_v6"


def made(folder: Path, name: str, **settings: str) -> Task:
    (entry,) = catalogue.find(name)
    (task,) = entry.make(Data((folder,), settings=settings))
    return task


def marks(scorer: Scorer, answers: list[tuple[str, Sample]]) -> list[Verdict]:
    sandboxes.needed()
    with ThreadPoolExecutor(sandbox.at_once()) as threads:
        return list(threads.map(lambda one: scorer(*one), answers))


# ── Finding the program ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sure:\n```python\na = 1\n```\nor\n```\nb = 2\n```", "a = 1\n"),
        ("```\na = 1\n```", "a = 1\n"),
        ("    return 1\n", "    return 1\n"),
        ("```python\na = 1", "```python\na = 1"),
        ("", ""),
    ],
)
def test_humaneval_takes_the_first_closed_block_or_everything(text: str, code: str) -> None:
    assert fenced_or_all(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[BEGIN]\n'a = 1'\n[DONE]", "a = 1"),
        ("BEGIN 'a = 1' DONE", "a = 1"),
        ("[BEGIN] 'a = 1\n[DONE]", "a = 1"),
        ("[BEGIN]\na = 1\n[DONE]\n[BEGIN]\nb = 2\n[DONE]", "a = 1"),
        ("Here:\n```python\na = 1\n```\nIt works.", "a = 1"),
        ("Here:\n```py\na = 1\n```", "py\na = 1"),
        ("```python\na = 1", "a = 1"),
        ("[BEGIN]\n```python\na = 1\n```\n[DONE]", ""),
        ("[BEGIN]\na = 1", "a = 1"),
        ("[BEGIN] 'a = 1", "a = 1"),
        ("The answer: 'a = 1' [DONE]", "a = 1"),
        ("a\\_b = 1", "a_b = 1"),
        ("a = 1", "a = 1"),
        ("", ""),
    ],
)
def test_mbpp_takes_what_stands_between_its_marks(text: str, code: str) -> None:
    assert begin_done(text) == code


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("```python\na\n```\nand\n```python\nb\n```", "a", "b"),
        ("```\na\n```", "a", "a"),
        ("```\na", "", ""),
        ("a", "", ""),
        ("x ``` y\na\n```", "a", "a"),
        ("```\na\n```\n```\nb", "a", ""),
    ],
)
def test_livecodebench_takes_the_lines_between_two_fences(text: str, first: str, last: str) -> None:
    assert (first_fence(text), last_fence(text)) == (first, last)


@given(st.lists(st.sampled_from(["[BEGIN]", "[DONE]", "DONE", "'", "```", "python", " ", "a"])))
def test_no_mark_is_left_in_the_code(parts: list[str]) -> None:
    code = begin_done("".join(parts))
    assert "```" not in code
    assert "DONE" not in code


def test_a_hostile_text_takes_no_time() -> None:
    for part in ("[BEGIN] '", "DONE ", "```", "' \n", "```python\n", " ", "\n"):
        text = part * (400_000 // len(part))
        began = time.process_time()
        for rule in (fenced_or_all, begin_done, first_fence, last_fence):
            rule(text)
        assert time.process_time() - began < 2.0, part


# ── HumanEval and MBPP ───────────────────────────────────────────────────────────────────────────


@pytest.mark.slow  # 164, 500 and 257 programs, an interpreter each
@pytest.mark.parametrize(("name", "count"), [(HUMANEVAL, 164), (MBPP, 500), (SANITIZED, 257)])
def test_the_solutions_that_the_data_has_pass_their_tests(
    shared: Path, name: str, count: int
) -> None:
    task = made(shared / "datasets", name)
    rows = list(task.samples())
    found = marks(task.scorer, [(gold_text(task, row), row) for row in rows])
    assert len(found) == count
    assert [(row.id, one.why) for row, one in zip(rows, found, strict=True) if one.value != 1] == []


def test_real_outputs_get_their_published_score(shared: Path) -> None:
    folder = shared / "outputs/humaneval_wizardcoder"
    expected = json.loads((folder / "expected.json").read_text())["wizardcoder-15b-v1.0"]
    lines = (folder / "wizardcoder-15b-v1.0.jsonl").read_text(encoding="utf-8").splitlines()
    outputs = {row["task_id"]: row for row in map(json.loads, lines)}
    task = made(shared / "datasets", HUMANEVAL)
    rows = list(task.samples())
    found = marks(task.scorer, [(outputs[row.id]["completion"], row) for row in rows])
    scores = [
        Score(key=f"{row.id}#0", scorer=task.scorer.id, outcome="right", value=one.value)
        for row, one in zip(rows, found, strict=True)
    ]
    (metric,) = fold(scores, repeats=1, metric=task.metric)
    assert metric.name == "humaneval_pass@1"
    assert round(metric.value, 2) == expected["recomputed"]["pass@1"]
    assert {row.id: one.value == 1 for row, one in zip(rows, found, strict=True)} == {
        name: row["pass"] for name, row in outputs.items()
    }, "the same answers as in the recorded run"


def problem(*tests: str, setup: str = "") -> Sample:
    meta = {"tests": json.dumps(tests), "setup": setup}
    return Sample(id="1", question="?", target="", meta=meta)


@pytest.mark.parametrize(
    ("code", "value", "why", "count"),
    [
        ("def f(x): return x + 1", 1.0, "", "pass"),
        ("def f(x): return 2", 0.0, "test 2: AssertionError", "wrong_answer"),
        ("def f(x): return x / 0", 0.0, "test 1: ZeroDivisionError: division", "failed"),
        ("def g(x): return x", 0.0, "test 1: NameError: name 'f' is not defined", "failed"),
        ("def f(x) return 1", 0.0, "syntax error: SyntaxError: expected ':'", "failed"),
        ("f = '\ud800'", 0.0, "syntax error: UnicodeEncodeError", "failed"),
        ("f = '\0'", 0.0, "syntax error: ", "failed"),
        ("raise KeyError(1)", 0.0, "KeyError: 1", "failed"),
        ("import os; os._exit(0)", 0.0, "the program ended before its tests", "failed"),
        ("", 0.0, "no code", "failed"),
    ],
)
def test_a_verdict_says_why(code: str, value: float, why: str, count: str) -> None:
    (found,) = marks(mbpp, [(code, problem("assert f(1) == 2", "assert f(2) == 3"))])
    assert (found.value, found.parts) == (value, {count: 1.0})
    assert found.why.startswith(why) if why else found.why == ""
    assert (found.answer is None) == (code == "")


@pytest.mark.slow  # a time limit of ten seconds
def test_what_takes_too_long_is_a_timeout() -> None:
    (found,) = marks(mbpp, [("def f(x):\n    while True: pass", problem("assert f(1) == 2"))])
    assert (found.value, found.why) == (0.0, "timeout: more than 10 s")
    assert found.parts == {"timeout": 1.0}


def test_setup_code_may_use_the_answers_classes() -> None:
    sample = problem("assert a.x == 1", setup="import math\na = A()")
    (found,) = marks(mbpp, [("class A:\n    x = 1", sample)])
    assert found.value == 1.0


def test_the_four_counts_of_mbpp_are_rows_of_the_report() -> None:
    kinds = ["pass", "pass", "timeout", "wrong_answer"]
    scores = [
        Score(key=f"{n}#0", scorer="mbpp@1", outcome="right", value=1.0, parts={kind: 1.0})
        for n, kind in enumerate(kinds)
    ]
    found = {metric.name: metric.value for metric in mbpp_counts(scores)}
    assert found == {"pass": 2, "timeout": 1, "failed": 0, "wrong_answer": 1}
    assert mbpp_counts([]) == ()


def test_a_three_shot_prompt_ends_like_this(shared: Path) -> None:
    task = made(shared / "datasets", MBPP)
    row = next(iter(task.samples()))
    messages = asker(task.prompt, task.shots())(row)
    assert [message.role for message in messages] == ["user", "assistant"] * 3 + ["user"]
    text = str(messages[-1].content)
    assert row.id == "11"
    assert str(row.question) in text
    assert '\nassert remove_Occ("hello","l") == "heo"\n' in text


# ── LiveCodeBench ────────────────────────────────────────────────────────────────────────────────

ADDS = "a, b = map(int, input().split())\nprint(a + b)"
DOUBLES = "class Solution:\n    def double(self, x: int) -> List[int]:\n        return [x] * 2"


def lcb_rows() -> tuple[Sample, Sample]:
    adding, doubling = made(made_up.folder(), LCB).samples()
    return adding, doubling


IN_MAIN = """
def main():
    print(sum(map(int, input().split())))
if __name__ == '__main__':
    main()
"""


@pytest.mark.parametrize(
    ("code", "value", "why"),
    [
        (ADDS, 1.0, ""),
        (IN_MAIN, 1.0, ""),
        (f"{ADDS}\nexit()", 1.0, ""),
        (f"{ADDS}\nprint()", 1.0, ""),
        ("print(float(sum(map(int, sys.stdin.read().split()))))", 1.0, ""),
        ("print(3)", 0.0, "test 2 of 3: wrong answer: '3' for '11'"),
        ("print('three')", 0.0, "test 1 of 3: wrong answer: 'three' for '3'"),
        (f"{ADDS}\n1 / 0", 0.0, "test 1 of 3: ZeroDivisionError: division by zero"),
        ("print(", 0.0, "test 1 of 3: syntax error: SyntaxError: '(' was never closed"),
        ("import numpy", 0.0, "test 1 of 3: ModuleNotFoundError: No module named 'numpy'"),
    ],
)
def test_a_program_is_marked_by_what_it_writes(code: str, value: float, why: str) -> None:
    adding, _ = lcb_rows()
    (found,) = marks(livecodebench_first, [(f"```python\n{code}\n```", adding)])
    assert found.value == value
    assert found.why.startswith(why) if why else found.why == ""


@pytest.mark.parametrize(
    ("code", "value", "why"),
    [
        (DOUBLES, 1.0, ""),
        ("def double(x):\n    return x, x", 1.0, ""),
        (
            DOUBLES.replace("[x] * 2", "[2, 2]"),
            0.0,
            "test 2 of 2: wrong answer: '[2, 2]' for '[3, 3]'",
        ),
        (DOUBLES.replace("[x] * 2", "{x}"), 0.0, "test 1 of 2: TypeError: Object of type set is"),
        (
            DOUBLES.replace("double", "triple"),
            0.0,
            "test 1 of 2: AttributeError: 'Solution' object",
        ),
        (DOUBLES.replace("return", "return return"), 0.0, "test 1 of 2: syntax error: SyntaxError"),
        ("exit(0)", 0.0, "test 1 of 2: the program ended before its tests were through (SystemEx"),
    ],
)
def test_a_function_is_marked_by_what_it_returns(code: str, value: float, why: str) -> None:
    _, doubling = lcb_rows()
    (found,) = marks(livecodebench_first, [(f"```python\n{code}\n```", doubling)])
    assert found.value == value
    assert found.why.startswith(why) if why else found.why == ""


def test_of_two_blocks_each_rule_takes_its_own() -> None:
    adding, _ = lcb_rows()
    text = f"```python\n{ADDS}\n```\nOr shorter:\n```python\nprint(3)\n```"
    (first,) = marks(livecodebench_first, [(text, adding)])
    (last,) = marks(livecodebench_last, [(text, adding)])
    assert (first.value, last.value) == (1.0, 0.0)


def test_an_answer_without_code_is_unparsed() -> None:
    adding, _ = lcb_rows()
    assert livecodebench_first("I do not know.", adding) == Verdict(0.0, None, "no code")


@pytest.mark.parametrize(
    ("written", "expected", "same"),
    [
        ("1\n2\n", "1\n2", True),
        ("  1 \n2  ", "1\n2", True),
        ("1.50 2", "1.5 2.0", True),
        ("50000000000000000", "50000000000000001", False),
        ("1\n\n2", "1\n2", False),
        ("1 a", "1.0 a", False),
        ("yes", "YES", False),
        ("", "", True),
    ],
)
def test_outputs_are_compared_as_lines_and_then_as_numbers(
    written: str, expected: str, *, same: bool
) -> None:
    assert same_output(written, expected) is same


def test_private_tests_are_read_as_json_and_as_packed_json() -> None:
    pairs = json.dumps([{"input": "1", "output": "2", "testtype": "stdin"}])
    for private in (pairs, made_up.packed(pairs)):
        assert [(one.input, one.output) for one in cases_of(pairs, private)] == [("1", "2")] * 2


class Evil:
    """Pickled, it would run a command where it is read."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    evil = Evil(f"touch {mark}")
    pickle.loads(pickle.dumps(evil))
    assert mark.exists(), "it would"
    mark.unlink()
    packed = made_up.packed(evil)
    with pytest.raises(ValueError, match=r"not a pickled text \(it names posix.system"):
        cases_of("[]", packed)
    assert not mark.exists()
    sample = Sample(
        id="evil",
        question="?",
        target="",
        meta={"public_tests": "[]", "private_tests": packed, "function": ""},
    )
    with pytest.raises(DataError, match="the tests of sample 'evil' cannot be read"):
        livecodebench_first("```\n1\n```", sample)


@pytest.mark.parametrize(
    ("private", "why"),
    [
        (made_up.packed(["a list"]), "a pickle of a list, not of a text"),
        (made_up.packed("not JSON"), "no list of tests"),
        ("%%%", "not compressed data in base64"),
        (made_up.packed("[]")[:12], "cut off|base64"),
        ("[]", "there are none"),
    ],
)
def test_tests_that_are_none_say_so(private: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cases_of("[]", private)


@pytest.mark.parametrize(
    ("release", "files"),
    [
        ("release_v1", [1]),
        ("release_v5", [1, 2, 3, 4, 5]),
        ("v6", [6]),
        ("v4_v5", [4, 5]),
        ("v4_v6", [4, 5, 6]),
        ("v4_v5_v6", [4, 5, 6]),
    ],
)
def test_a_release_is_some_of_the_files(release: str, files: list[int]) -> None:
    assert list(versions(release)) == files
    ids = [row.id for row in made(made_up.folder(), LCB, release=release).samples()]
    assert ids == [f"{kind}_{version}" for version in files for kind in ("sum", "double")]


@pytest.mark.parametrize("release", ["v7", "v5_v4", "release_v4_v5", "newest", "v0"])
def test_what_is_no_release_is_refused(release: str) -> None:
    with pytest.raises(ConfigError, match="no release"):
        made(made_up.folder(), LCB, release=release)


def test_a_prompt_shows_the_starter_code_or_asks_for_input_and_output() -> None:
    task = made(made_up.folder(), LCB)
    adding, doubling = (str(asker(task.prompt)(row)[-1].content) for row in task.samples())
    assert "standard input" in adding
    assert made_up.LCB_STARTER in doubling
    assert Counter(adding.split("\n"))["### Problem"] == 1


@pytest.mark.parametrize(
    ("given", "wanted"), [("1\n[2", "3"), ("1\n", "3"), ("1\n2", ""), ("1\n2", "three")]
)
def test_values_of_a_function_that_are_no_json_are_bad_data_not_a_wrong_answer(
    given: str, wanted: str
) -> None:
    pair = {"input": given, "output": wanted, "testtype": "functional"}
    public = json.dumps([{"input": "1\n2", "output": "3", "testtype": "functional"}, pair])
    assert len(cases_of(public, "[]")) == 2
    with pytest.raises(ValueError, match=r"test 2: .* is no JSON"):
        cases_of(public, "[]", "add")
